"""Set a goal: the selected words become the condition for "done"; or a TODO, or a test.

Comment signs go. A line that starts with `$ ` is a check: a command that must succeed. A TODO under
the cursor is taken to the end of its line; a test whose name the cursor is on is its own check.

An example, which is also this file's test:

    «# Totals are exact.
    # $ python3 -c "import shop"»
    x = 1

    offered   Milepost: set selection as goal
    said      Goal set, 1 check: Totals are exact.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from milepost_lsp import markdown
from milepost_lsp.actions.action import Action, Call, Place, offer
from milepost_lsp.actions.selection import plain_words, read_selection
from milepost_lsp.arguments import ArgumentError
from milepost_lsp.protocol import commands

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lsprotocol import types

    from milepost import api
    from milepost_lsp.protocol import Json

# How a task begins where people note one: a list's dash, a box, a marker.
_TASK = re.compile(r"^(?:[-*]\s+)?(?:\[[ x]\]\s+|(?:TODO|FIXME|XXX)\b(?:\([^)]*\))?:?\s*)?")


# A marker in a comment, and what it says up to the end of the line (or of a comment in braces).
_TODO = re.compile(r"\b(?:TODO|FIXME|XXX)\b(?:\([^)]*\))?:?(?P<words>.*?)(?:\*/|-->|$)")


def offers(place: Place) -> list[types.CodeAction]:
    """One, where something is selected, or where a TODO or a test stands."""
    if place.selection:
        argument: Json = {"uri": place.uri, "range": place.span_json}
        return [offer("set selection as goal", commands.SET_GOAL, argument)]
    if place.is_ours:
        return []
    return [*_todo(place), *_test(place)]


def _todo(place: Place) -> Iterator[types.CodeAction]:
    line = place.span.start.line
    found = _TODO.search(place.text.lines[line]) if line < len(place.text.lines) else None
    if found and found["words"].strip():
        argument = {"uri": place.uri, "condition": found["words"].strip()}
        yield offer("make this TODO a goal", commands.SET_GOAL, argument)


def _test(place: Place) -> Iterator[types.CodeAction]:
    # Of most places this is enough to know; what defines the name is looked for in all the text.
    if place.path is None or not (place.symbol or "").startswith("test"):
        return
    name = place.definition
    if name is None:
        return
    check = place.workspace.goals.check_of_test(place.path, name)
    if check is not None:
        argument = {"uri": place.uri, "condition": f"`{name}` passes.", "checks": [check]}
        yield offer(f"make `{name}` a goal", commands.SET_GOAL, argument)


async def run(call: Call, arguments: commands.SetGoalArguments) -> api.Goal:
    """Sets the goal, and answers with it."""
    condition, checks = arguments.condition, arguments.checks
    if condition is not None and arguments.range is None:
        workspace = await call.workspace(arguments.uri)
    elif condition is None and arguments.uri is not None and arguments.range is not None:
        selection = await read_selection(call, arguments.uri, arguments.range)
        workspace = selection.workspace
        condition, found = read_goal(selection.text)
        checks = (*checks, *found)
    else:
        raise ArgumentError("give either `condition`, or `uri` and `range`")
    made = await call.session.run(workspace.goals.read, checks, arguments.timeout_s)
    async with call.stoppable(counting(condition, made)) as (stop, report):
        goal = await call.session.run_long(
            workspace.goals.set,
            condition,
            checks=checks,
            timeout_s=arguments.timeout_s,
            stop=stop,
            progress=report,
        )
    held = markdown.count(len(goal.checks), "check") if goal.checks else "no check yet"
    call.editor.report(f"Goal set, {held}: {markdown.short(goal.condition)}")
    return goal


def counting(condition: str, checks: Sequence[api.Check]) -> str | None:
    """What is done with a goal's checks before it holds, as a title: tests are run once, to know
    how many there are. None when nothing of it takes time."""
    if all(check.kind != "tests" for check in checks):
        return None
    return f"Counting the tests for “{markdown.short(condition, 40)}”"


def read_goal(text: str) -> tuple[str, tuple[str, ...]]:
    """The condition and the checks in a piece of text."""
    words: list[str] = []
    checks: list[str] = []
    for line in plain_words(text).splitlines():
        bare = _TASK.sub("", line.strip())
        if bare.startswith("$ "):
            checks.append(bare[2:].strip())
        else:
            words.append(bare)
    condition = " ".join(word for word in words if word)
    return condition or "; ".join(checks), tuple(checks)


ACTION = Action(commands.SET_GOAL, commands.SetGoalArguments, run, offers)
