"""The goals for a client's own view: listed, moved from one state to another, and what only the
user may say of them.

No menu offers these; `set_goal.py` and `verify_goal.py` do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from milepost_lsp import markdown
from milepost_lsp.actions.action import Action, Call
from milepost_lsp.actions.set_goal import counting
from milepost_lsp.protocol import commands

if TYPE_CHECKING:
    from milepost import api


# A view shows what is pursued and what was lately; more is in the terminal.
_LISTED = 100


async def run_list(call: Call, arguments: commands.ListGoalsArguments) -> commands.GoalList:
    """Answers with the newest goals."""
    workspace = await call.workspace(arguments.uri)
    return commands.GoalList(await call.session.run(workspace.goals.page, _LISTED))


async def run_propose(
    call: Call, arguments: commands.ProposeChecksArguments
) -> commands.ProposedChecks:
    """Answers with checks that the words of a goal seem to ask for; sets and runs nothing."""
    workspace = await call.workspace(arguments.uri)
    found = await call.session.run(workspace.goals.proposals, arguments.condition)
    return commands.ProposedChecks(found)


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


async def run_set_budget(call: Call, arguments: commands.SetGoalBudgetArguments) -> api.Goal:
    """Limits how often and how long the goal may be verified."""
    workspace = await call.workspace(arguments.uri)
    goal = await call.session.run(
        workspace.goals.set_budget,
        arguments.goal_id,
        max_verifications=arguments.max_verifications,
        max_seconds=arguments.max_seconds,
    )
    return _said(call, "Set the budget of", goal)


async def run_allow(call: Call, arguments: commands.GoalArguments) -> api.Goal:
    """Allows the commands of a goal that an agent set; tests among them are counted now."""
    workspace = await call.workspace(arguments.uri)
    goal = await call.session.run(workspace.goals.get, arguments.goal_id)
    async with call.stoppable(counting(goal.condition, goal.checks)) as (stop, report):
        goal = await call.session.run_long(
            workspace.goals.allow, goal.id, stop=stop, progress=report
        )
    return _said(call, "Allowed the commands of", goal)


async def run_signs(call: Call, arguments: commands.GoalArguments) -> tuple[api.Sign, ...]:
    """Answers with what judges the goal and was changed since it was set; runs nothing."""
    workspace = await call.workspace(arguments.uri)
    return await call.session.run(workspace.goals.signs, arguments.goal_id)


async def run_accept(
    call: Call, arguments: commands.AcceptGoalChangesArguments
) -> tuple[api.Sign, ...]:
    """Takes changes of what judges the work for honest."""
    workspace = await call.workspace(arguments.uri)
    signs = await call.session.run(
        workspace.goals.accept_changes, arguments.goal_id, arguments.signs
    )
    accepted = sum(sign.is_accepted for sign in signs)
    call.editor.report(f"Took {markdown.count(accepted, 'change')} for honest.")
    return signs


def _said(call: Call, what: str, goal: api.Goal) -> api.Goal:
    call.editor.report(f"{what}: “{markdown.short(goal.condition)}”")
    return goal


LIST = Action(commands.LIST_GOALS, commands.ListGoalsArguments, run_list, is_recorded=False)
PROPOSE = Action(
    commands.PROPOSE_CHECKS, commands.ProposeChecksArguments, run_propose, is_recorded=False
)
PAUSE = Action(commands.PAUSE_GOAL, commands.GoalArguments, run_pause)
RESUME = Action(commands.RESUME_GOAL, commands.GoalArguments, run_resume)
ABANDON = Action(commands.ABANDON_GOAL, commands.GoalArguments, run_abandon)
SET_BUDGET = Action(commands.SET_GOAL_BUDGET, commands.SetGoalBudgetArguments, run_set_budget)
ALLOW = Action(commands.ALLOW_GOAL, commands.GoalArguments, run_allow)
SIGNS = Action(commands.LIST_GOAL_SIGNS, commands.GoalArguments, run_signs, is_recorded=False)
ACCEPT_CHANGES = Action(
    commands.ACCEPT_GOAL_CHANGES, commands.AcceptGoalChangesArguments, run_accept
)
