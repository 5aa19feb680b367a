"""`milepost goal`. The exit code of `verify` is the verdict, for scripts and CI."""

from __future__ import annotations

import argparse
import shlex
import sys
from typing import TYPE_CHECKING

from milepost.cli import goal_bench
from milepost.cli import options as shared
from milepost.cli.main import act
from milepost.cli.reply import Reply, counted, say
from milepost.cli.terminal import agrees, is_terminal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from milepost.api import Check, Evidence, Goal, Sign, Verdict, Workspace

VERDICT_CODES = {"met": 0, "not_met": 3, "impossible": 4, "unverifiable": 5}

# The end of a failing check's output: where test runners put their summary.
_TAIL_LINES = 12

_CHECK_FORMS = """\
A check is a shell command that must end with 0, run in the project's root; one that runs tests is
also counted, and compared with how many there were when the goal was set. Or one of these lines:
  tests: COMMAND              command: COMMAND (only its exit code)    exit N: COMMAND
  file: PATH                  no file: PATH
  text: PATH :: WORDS         match: PATH :: REGEX
  prints: REGEX :: COMMAND    json: /POINTER = VALUE :: COMMAND
  git: clean                  git: committed
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the sub-commands."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    _setting_arguments(
        actions.add_parser(
            "set",
            help="set a condition for done, with its checks",
            epilog=_CHECK_FORMS,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
    )
    listing = actions.add_parser("list", help="the goals, newest first")
    shared.count(listing, 20)
    show = actions.add_parser("show", help="one goal with its checks and what was changed since")
    show.add_argument("id", nargs="?")
    ledger = actions.add_parser("evidence", help="what was seen for a goal, newest first")
    ledger.add_argument("id", nargs="?")
    shared.count(ledger, 20)
    checks = actions.add_parser("checks", help="the checks that these words seem to ask for")
    checks.add_argument("condition", nargs="+")
    verify = actions.add_parser(
        "verify",
        help="run the checks and say what follows",
        epilog="exit codes: "
        + ", ".join(f"{code} {verdict}" for verdict, code in VERDICT_CODES.items())
        + ", 1 error",
    )
    verify.add_argument("id", nargs="?")
    verify.add_argument("--fresh", action="store_true", help="use no earlier evidence again")
    verify.add_argument(
        "--judge", metavar="MODEL", help="KIND:NAME; judges a goal that no check decides"
    )
    goal_bench.arguments(actions.add_parser("bench", help=goal_bench.HELP))
    for name, words in (
        ("pause", "let a goal rest"),
        ("resume", "take a goal up again"),
        ("abandon", "give a goal up"),
    ):
        actions.add_parser(name, help=words).add_argument("id")
    budget = actions.add_parser("budget", help="say how often and how long a goal may be verified")
    budget.add_argument("id")
    _budget_arguments(budget)
    accept = actions.add_parser(
        "accept-change", help="take changes of what judges the work for honest"
    )
    accept.add_argument("id", nargs="?")
    accept.add_argument(
        "--sign", action="append", default=[], metavar="SIGN", help="only this one; else all"
    )
    allow = actions.add_parser("allow", help="let agents have commands run in this project")
    allow.add_argument("id", nargs="?", help="the goal whose commands are allowed")
    allow.add_argument("--command", metavar="COMMAND", dest="allowed", help="this very command")
    allow.add_argument("--remove", metavar="COMMAND", help="take it back")
    allow.add_argument("--list", action="store_true", help="what is allowed")
    for action in actions.choices.values():
        shared.common(action)


def run(options: argparse.Namespace) -> Reply:
    """Do what the sub-command says."""
    if options.action == "bench":
        # It is about a model, and needs no project.
        return goal_bench.run(options)
    return act(options, _ACTIONS)


def _setting_arguments(setting: argparse.ArgumentParser) -> None:
    setting.add_argument("condition", nargs="+")
    setting.add_argument(
        "--check",
        action="append",
        default=[],
        metavar="CHECK",
        help="may be given several times; without any, checks are proposed",
    )
    setting.add_argument(
        "--timeout",
        type=float,
        default=300.0,
        metavar="SECONDS",
        help="how long each check may take (%(default)g)",
    )
    setting.add_argument("--yes", action="store_true", help="take the proposed checks")
    setting.add_argument("--no-checks", action="store_true", help="set it without any")
    _budget_arguments(setting)


def _budget_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--verifications", type=shared.whole(1), metavar="N", help="at most so many verifications"
    )
    parser.add_argument(
        "--seconds",
        type=shared.amount,
        metavar="S",
        help="at most so many seconds of checks in all",
    )


def _set(workspace: Workspace, options: argparse.Namespace) -> Reply:
    condition, lines = " ".join(options.condition), list(options.check)
    if not lines and not options.no_checks:
        proposed = workspace.goals.proposals(condition, options.timeout)
        if proposed and not (options.yes or _agreed(proposed)):
            return Reply(_proposal_text(proposed), proposed)
        lines = [check.command for check in proposed]
    goal = workspace.goals.set(
        condition,
        checks=lines,
        timeout_s=options.timeout,
        max_verifications=options.verifications,
        max_seconds=options.seconds,
        progress=say,
    )
    hint = "" if goal.checks else " It has no --check, so nothing can prove it met."
    checks = "".join(f"\n  check   {_check_text(check)}" for check in goal.checks)
    return Reply(f"Goal {goal.id} is set.{hint}{checks}", goal)


def _agreed(proposed: Sequence[Check]) -> bool:
    """Whether the person at the terminal takes the proposals; where there is none, nobody does."""
    is_anybody_here = is_terminal(sys.stdin) and is_terminal(sys.stderr)
    return is_anybody_here and agrees(f"{_proposal_text(proposed)}\nTake them?")


def _proposal_text(proposed: Sequence[Check]) -> str:
    lines = [f"  --check {shlex.quote(check.command)}" for check in proposed]
    return (
        "These checks seem to be meant; no goal was set yet:\n"
        + "\n".join(lines)
        + "\nTake them with --yes, or give your own with --check; --no-checks takes none."
    )


def _list(workspace: Workspace, options: argparse.Namespace) -> Reply:
    goals = workspace.goals.page(options.n)
    lines = [
        f"{goal.id}  {goal.state:<9} {goal.verdict or '-':<12}  {goal.condition}" for goal in goals
    ]
    return Reply("\n".join(lines) or "There is no goal yet.", goals)


def _show(workspace: Workspace, options: argparse.Namespace) -> Reply:
    goal = workspace.goals.get(options.id)
    signs = workspace.goals.signs(goal.id)
    return Reply("\n".join([*_goal_lines(goal), *map(_sign_text, signs)]), goal)


def _evidence(workspace: Workspace, options: argparse.Namespace) -> Reply:
    found = workspace.goals.evidence(options.id, options.n)
    lines = [line for item in found for line in (f"{item.started_at}", *_evidence_lines(item))]
    return Reply("\n".join(lines) or "Nothing was seen yet; verify the goal.", found)


def _checks(workspace: Workspace, options: argparse.Namespace) -> Reply:
    proposed = workspace.goals.proposals(" ".join(options.condition))
    text = "\n".join(check.command for check in proposed)
    return Reply(text or "Nothing in this project says how to check that.", proposed)


def _verify(workspace: Workspace, options: argparse.Namespace) -> Reply:
    verdict = workspace.goals.verify(
        options.id, fresh=options.fresh, judge=options.judge, progress=say
    )
    return Reply(_verdict_text(verdict), verdict, VERDICT_CODES[verdict.verdict])


def _pause(workspace: Workspace, options: argparse.Namespace) -> Reply:
    return _now(workspace.goals.pause(options.id))


def _resume(workspace: Workspace, options: argparse.Namespace) -> Reply:
    return _now(workspace.goals.resume(options.id))


def _abandon(workspace: Workspace, options: argparse.Namespace) -> Reply:
    return _now(workspace.goals.abandon(options.id))


def _budget(workspace: Workspace, options: argparse.Namespace) -> Reply:
    goal = workspace.goals.set_budget(
        options.id, max_verifications=options.verifications, max_seconds=options.seconds
    )
    return Reply(f"Goal {goal.id} is {goal.state}; its budget: {_budget_text(goal)}.", goal)


def _accept(workspace: Workspace, options: argparse.Namespace) -> Reply:
    signs = workspace.goals.accept_changes(options.id, options.sign)
    lines = "\n".join(map(_sign_text, signs))
    return Reply(lines or "Nothing that judges the work was changed.", signs)


def _allow(workspace: Workspace, options: argparse.Namespace) -> Reply:
    goals = workspace.goals
    if options.remove is not None:
        had = goals.disallow_command(options.remove)
        return Reply("It is no longer allowed." if had else "It was not allowed.", had)
    if options.allowed is not None:
        goals.allow_command(options.allowed)
    elif not options.list:
        goals.allow(options.id, progress=say)
    allowed = goals.allowed_commands()
    return Reply("\n".join(allowed) or "Nothing is allowed yet.", allowed)


def _now(goal: Goal) -> Reply:
    return Reply(f"Goal {goal.id} is {goal.state}.", goal)


def _goal_lines(goal: Goal) -> list[str]:
    lines = [f"{goal.condition}", "", f"  id      {goal.id}", f"  state   {goal.state}"]
    lines.append(f"  set by  {goal.source}, {goal.created_at}")
    lines.append(f"  budget  {_budget_text(goal)}")
    lines += [f"  check   {_check_text(check)}" for check in goal.checks]
    lines += [
        f"  asks    {command}  (milepost goal allow {goal.id})" for command in goal.not_allowed
    ]
    return [*lines, f"  verdict {goal.verdict or 'not verified yet'}"]


def _check_text(check: Check) -> str:
    return f"{check.command}  (counted)" if check.kind == "tests" else check.command


def _budget_text(goal: Goal) -> str:
    parts: list[str] = []
    if goal.max_verifications is not None:
        parts.append(counted(goal.max_verifications, "verification"))
    if goal.max_seconds is not None:
        parts.append(f"{goal.max_seconds:g} s")
    return ", ".join(parts) or "no limit"


def _sign_text(sign: Sign) -> str:
    return f"  {'accepted' if sign.is_accepted else 'CHANGED'} {sign.words} (sign {sign.id})"


def _verdict_text(verdict: Verdict) -> str:
    lines = [f"{verdict.verdict}: {verdict.reason}."]
    lines += [line for item in verdict.evidence for line in _evidence_lines(item)]
    lines += map(_sign_text, verdict.signs)
    return "\n".join(lines)


def _evidence_lines(item: Evidence) -> list[str]:
    seen = "seen before in this very state" if item.reused else f"{item.duration_ms} ms"
    mark = "ok  " if item.passed else "FAIL"
    held = f", sandbox {item.sandbox}" if item.sandbox else ""
    lines = [f"  {mark} {item.command}  ({seen}{held}, evidence {item.id})"]
    if item.results:
        lines.append(f"       {item.results}")
    if not item.passed:
        lines.append(f"       {item.problem}")
        tail = item.output_tail.rstrip().split("\n")[-_TAIL_LINES:]
        lines += [f"       | {line}" for line in tail if line]
    return lines


_ACTIONS = {
    "set": _set,
    "list": _list,
    "show": _show,
    "evidence": _evidence,
    "checks": _checks,
    "verify": _verify,
    "pause": _pause,
    "resume": _resume,
    "abandon": _abandon,
    "budget": _budget,
    "accept-change": _accept,
    "allow": _allow,
}
