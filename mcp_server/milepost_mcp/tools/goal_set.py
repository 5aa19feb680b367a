"""`goal_set`: set or abandon a condition for done."""

from __future__ import annotations

from milepost.api import UserError
from milepost_mcp.convert import goal_data, goal_text
from milepost_mcp.tools.consent import allowed
from milepost_mcp.tools.tool import Call, Number, Reply, Text, Texts, Tool

# A working day; a check that needs longer belongs into CI.
_MAX_TIMEOUT_S = 6 * 3600


def _run(call: Call) -> Reply:
    goals = call.workspace.goals
    abandon, condition = call.arguments.text("abandon"), call.arguments.text("condition")
    if abandon is not None:
        if condition is not None:
            raise UserError("give a condition to set a goal, or abandon, not both")
        goal = goals.abandon(abandon)
        return Reply(f"Abandoned {goal_text(goal)}", goal_data(goal))
    if condition is None:
        raise UserError("give the condition that must hold for the work to be done")
    checks = call.arguments.texts("checks")
    timeout_s = call.arguments.number("timeout_s", 300)
    # Asked before the goal is there: the call may come a second time with the answer.
    agreed = allowed(call, goals.not_allowed(checks, timeout_s), condition)
    goal = goals.set(
        condition,
        checks=checks,
        timeout_s=timeout_s,
        consent=agreed,
        stop=call.stop,
        progress=call.progress,
    )
    text, data = f"Set {goal_text(goal)}", goal_data(goal)
    if not checks:
        text += "\nIt has no check, so nothing can prove it met."
        proposed = [check.command for check in goals.proposals(condition)]
        if proposed:
            text += "\nThe project suggests these checks; set the goal again with those that fit:"
            text += "".join(f"\n  {line}" for line in proposed)
            data["proposed_checks"] = proposed
    return Reply(text, data)


TOOL = Tool(
    name="goal_set",
    title="Set a goal",
    words="Set the condition for done, with checks that Milepost itself makes in the project's "
    "root: commands that must exit 0 (the user must allow yours) or `git: committed`; abandon "
    "(an id) gives a goal up.",
    parameters=(
        Text("condition"),
        Texts("checks"),
        Number("timeout_s", "for each check, default 300", most=_MAX_TIMEOUT_S),
        Text("abandon"),
    ),
    run=_run,
    # The tests are run once, to know how many there are.
    is_slow=True,
)
