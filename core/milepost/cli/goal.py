"""`milepost goal`. The exit code of `verify` is the verdict, for scripts and CI."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from milepost.cli import options as shared
from milepost.cli.main import act
from milepost.cli.reply import Reply

if TYPE_CHECKING:
    import argparse

    from milepost.api import Goal, Verdict, Workspace

VERDICT_CODES = {"met": 0, "not_met": 3, "impossible": 4, "unverifiable": 5}

# The end of a failing check's output: where test runners put their summary.
_TAIL_LINES = 12


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the sub-commands."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    setting = actions.add_parser("set", help="set a condition for done, with its checks")
    setting.add_argument("condition", nargs="+")
    setting.add_argument(
        "--check",
        action="append",
        default=[],
        metavar="COMMAND",
        help="a shell command that must end with 0; may be given several times",
    )
    setting.add_argument("--timeout", type=float, default=300.0, metavar="SECONDS")
    listing = actions.add_parser("list", help="the goals, newest first")
    shared.count(listing, 20)
    show = actions.add_parser("show", help="one goal with its checks")
    show.add_argument("id", nargs="?")
    verify = actions.add_parser(
        "verify",
        help="run the checks and say what follows",
        epilog="exit codes: "
        + ", ".join(f"{code} {verdict}" for verdict, code in VERDICT_CODES.items())
        + ", 1 error",
    )
    verify.add_argument("id", nargs="?")
    verify.add_argument("--fresh", action="store_true", help="use no earlier evidence again")
    abandon = actions.add_parser("abandon", help="give a goal up")
    abandon.add_argument("id")
    for action in actions.choices.values():
        shared.common(action)


def run(options: argparse.Namespace) -> Reply:
    """Do what the sub-command says."""
    return act(options, _ACTIONS)


def _set(workspace: Workspace, options: argparse.Namespace) -> Reply:
    goal = workspace.goals.set(
        " ".join(options.condition), checks=options.check, timeout_s=options.timeout
    )
    hint = "" if goal.checks else " It has no --check, so nothing can prove it met."
    return Reply(f"Goal {goal.id} is set.{hint}", goal)


def _list(workspace: Workspace, options: argparse.Namespace) -> Reply:
    goals = workspace.goals.page(options.n)
    lines = [
        f"{goal.id}  {goal.state:<9} {goal.verdict or '-':<12}  {goal.condition}" for goal in goals
    ]
    return Reply("\n".join(lines) or "There is no goal yet.", goals)


def _show(workspace: Workspace, options: argparse.Namespace) -> Reply:
    goal = workspace.goals.get(options.id)
    return Reply("\n".join(_goal_lines(goal)), goal)


def _verify(workspace: Workspace, options: argparse.Namespace) -> Reply:
    verdict = workspace.goals.verify(options.id, fresh=options.fresh, progress=_say)
    return Reply(_verdict_text(verdict), verdict, VERDICT_CODES[verdict.verdict])


def _abandon(workspace: Workspace, options: argparse.Namespace) -> Reply:
    goal = workspace.goals.abandon(options.id)
    return Reply(f"Goal {goal.id} is abandoned.", goal)


def _say(position: int, total: int, command: str) -> None:
    """Tell a person what runs; a program reads the reply."""
    if sys.stderr.isatty():
        print(f"[{position + 1}/{total}] {command}", file=sys.stderr)


def _goal_lines(goal: Goal) -> list[str]:
    lines = [f"{goal.condition}", "", f"  id      {goal.id}", f"  state   {goal.state}"]
    lines += [f"  check   {check.command}" for check in goal.checks]
    return [*lines, f"  verdict {goal.verdict or 'not verified yet'}"]


def _verdict_text(verdict: Verdict) -> str:
    lines = [f"{verdict.verdict}: {verdict.reason}."]
    for item in verdict.evidence:
        seen = "seen before on this very tree" if item.reused else f"{item.duration_ms} ms"
        mark = "ok  " if item.passed else "FAIL"
        lines.append(f"  {mark} {item.command}  ({seen}, evidence {item.id})")
        if not item.passed:
            tail = item.output_tail.rstrip().split("\n")[-_TAIL_LINES:]
            lines += [f"       | {line}" for line in tail if line]
    return "\n".join(lines)


_ACTIONS = {
    "set": _set,
    "list": _list,
    "show": _show,
    "verify": _verify,
    "abandon": _abandon,
}
