"""The goals for a client's own view: listed, and moved from one state to another.

No menu offers these; `set_goal.py` and `verify_goal.py` do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from milepost_lsp import markdown
from milepost_lsp.actions.action import Action, Call
from milepost_lsp.protocol import commands

if TYPE_CHECKING:
    from milepost import api


# A view shows what is pursued and what was lately; more is in the terminal.
_LISTED = 100


async def run_list(call: Call, arguments: commands.ListGoalsArguments) -> commands.GoalList:
    """Answers with the newest goals."""
    workspace = await call.workspace(arguments.uri)
    return commands.GoalList(await call.session.run(workspace.goals.page, _LISTED))


async def run_pause(call: Call, arguments: commands.GoalArguments) -> api.Goal:
    """Lets the goal rest."""
    workspace = await call.workspace(arguments.uri)
    goal = await call.session.run(workspace.goals.pause, arguments.goal_id)
    return _said(call, "Paused", goal)


async def run_resume(call: Call, arguments: commands.GoalArguments) -> api.Goal:
    """Takes the goal up again."""
    workspace = await call.workspace(arguments.uri)
    goal = await call.session.run(workspace.goals.resume, arguments.goal_id)
    return _said(call, "Resumed", goal)


async def run_abandon(call: Call, arguments: commands.GoalArguments) -> api.Goal:
    """Gives the goal up."""
    workspace = await call.workspace(arguments.uri)
    goal = await call.session.run(workspace.goals.abandon, arguments.goal_id)
    return _said(call, "Gave up", goal)


def _said(call: Call, what: str, goal: api.Goal) -> api.Goal:
    call.editor.report(f"{what}: “{markdown.short(goal.condition)}”")
    return goal


LIST = Action(commands.LIST_GOALS, commands.ListGoalsArguments, run_list, is_recorded=False)
PAUSE = Action(commands.PAUSE_GOAL, commands.GoalArguments, run_pause)
RESUME = Action(commands.RESUME_GOAL, commands.GoalArguments, run_resume)
ABANDON = Action(commands.ABANDON_GOAL, commands.GoalArguments, run_abandon)
