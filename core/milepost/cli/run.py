"""`milepost run`."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

from milepost.cli import options as shared
from milepost.cli.main import open_workspace
from milepost.cli.reply import FAILED, Reply
from milepost.cli.terminal import agrees, is_terminal, plain, put

if TYPE_CHECKING:
    import argparse

    from milepost.api import Question, RunEvent, Workspace

# How a run ended, for scripts and CI; documented in the README.
CODES = {"met": 0, "error": FAILED, "not_met": 3, "budget": 6, "cancelled": 130}

_SHOWN_CHARS = 200

_GO_ON = "`milepost session list` names the session, `milepost run --resume` goes on with it"

# Fewer files are read before anyone wonders what goes on.
_MANY_FILES = 2_000


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    arguments_of_work(parser)
    parser.add_argument("--mode", choices=("build", "plan", "compose"))
    parser.add_argument("--resume", metavar="SESSION", help="go on with a session of before")
    shared.common(parser)


def arguments_of_work(parser: argparse.ArgumentParser) -> None:
    """Declare what can be said of any run, also of one that goes on."""
    parser.add_argument("instruction", nargs="*", help="what is to be done")
    parser.add_argument(
        "--model", help="KIND:NAME (openai, anthropic, scripted); or MILEPOST_MODEL"
    )
    parser.add_argument(
        "--check", action="append", default=[], help="the run is met when this holds; repeatable"
    )
    parser.add_argument(
        "--allow",
        action="append",
        default=[],
        metavar="RULE",
        help="a permission rule such as 'allow shell make *'; repeatable",
    )
    parser.add_argument(
        "--max-steps", type=shared.whole(1), metavar="N", help="at most N replies of the model"
    )
    parser.add_argument(
        "--max-tokens", type=shared.whole(1), metavar="N", help="at most N tokens, in and out"
    )
    parser.add_argument(
        "--max-cost", type=shared.amount, metavar="USD", help="at most so many US dollars"
    )


def run(options: argparse.Namespace) -> Reply:
    """Work, and show it as it happens: in words, or with --json an event a line."""
    workspace = open_workspace(options)
    words = " ".join(options.instruction) or None
    show = _print_json if options.json else _Terminal().show
    # A run stays a while and makes points around every change, so following beats scanning.
    workspace.watch(_reading if is_terminal(sys.stderr) else None)
    try:
        outcome = workspace.worker().run(
            words,
            model=options.model,
            mode=options.mode,
            resume=options.resume,
            allow=options.allow,
            max_steps=options.max_steps,
            max_tokens=options.max_tokens,
            max_cost_usd=options.max_cost,
            goal_id=None if options.check else _active_goal(workspace),
            checks=options.check,
            tell=show,
            ask=_ask if is_terminal(sys.stdin) else None,
        )
    except KeyboardInterrupt:
        # Pressed once more, while what was under way came to its end.
        print(f"\nmilepost: interrupted; {_GO_ON}", file=sys.stderr)
        raise
    workspace.close()
    code = CODES[outcome.state]
    if options.json:
        put(json.dumps({"kind": "outcome", **asdict(outcome)}, ensure_ascii=False))
        return Reply("", outcome, code, has_printed=True)
    cost = "" if outcome.cost_usd is None else f", {outcome.cost_usd:.4f} US dollars"
    text = plain(
        f"\n{outcome.state}: {outcome.reason}. Session {outcome.session}, {outcome.steps} steps, "
        f"{outcome.input_tokens} tokens in, {outcome.output_tokens} out{cost}."
    )
    return Reply(text, outcome, code)


def _reading(done: int, total: int) -> None:
    """Say how far the files are read for the first restore point, where that takes a while."""
    if total > _MANY_FILES:
        end = "\n" if done == total else ""
        words = f"reading files for the first restore point: {done:,} of {total:,}"
        print(f"\r({words})", end=end, file=sys.stderr, flush=True)


def _active_goal(workspace: Workspace) -> str | None:
    """The newest active goal, which holds the worker."""
    active = (goal.id for goal in workspace.goals.page() if goal.state == "active")
    return next(active, None)


def _print_json(event: RunEvent) -> None:
    # What a kind does not have is left out.
    fields = {key: value for key, value in asdict(event).items() if value not in ("", None, (), 0)}
    put(json.dumps(fields, ensure_ascii=False))


def _ask(question: Question) -> bool:
    return agrees(f"\n{question.tool}: {question.subject}\n{question.reason}\nAllow this?")


class _Terminal:
    """Shows events to a person."""

    def __init__(self) -> None:
        self._is_in_line = False

    def show(self, event: RunEvent) -> None:
        """Print an event; what only programs want is left out."""
        if event.kind == "said":
            put(plain(event.text), end="")
            self._is_in_line = not event.text.endswith("\n")
            return
        line = _LINES.get(event.kind)
        if line is None:
            return
        if self._is_in_line:
            put("")
            self._is_in_line = False
        first = event.text.strip().split("\n", 1)[0][:_SHOWN_CHARS]
        mark = "failed: " if event.failed else ""
        put(plain(line.format(tool=event.tool, subject=event.subject, text=mark + first)))


_LINES = {
    "call_began": "> {tool} {subject}",
    "call_ended": "  {text}",
    "took_back": "(the reply broke off and comes again: {text})",
    "window_rebuilt": "(the conversation was put away: {text})",
    "warned": "(note: {text})",
    "judged": "(goal: {text})",
    "phase_began": "== {subject} ==",
    "phase_ended": "({subject}: {text})",
}
