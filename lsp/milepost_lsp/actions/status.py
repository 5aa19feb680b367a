"""Where a project stands, in what fits a status line: for a client's own view."""

from __future__ import annotations

from typing import TYPE_CHECKING

from milepost import api
from milepost_lsp.actions.action import Action, Call
from milepost_lsp.protocol import commands, status

if TYPE_CHECKING:
    from milepost_lsp.session import Session

_ENDED = ("met", "abandoned")


async def run(call: Call, arguments: commands.StatusArguments) -> status.Status:
    """Answers with the status."""
    workspace = await call.workspace(arguments.uri)
    return await call.session.run(status_of, call.session, workspace)


def status_of(session: Session, workspace: api.Workspace) -> status.Status:
    """The status of one project; blocks."""
    error = session.checkpoint_errors.get(workspace.project.root)
    try:
        newest = workspace.checkpoints.mark().newest
        point = None if newest is None else workspace.checkpoints.get(newest)
    except api.WorldError as failure:
        point, error = None, str(failure)
    goals = workspace.goals.page() if workspace.goals.mark() else ()
    return status.Status(
        project=status.StatusProject(
            workspace.project.id, workspace.project.name, workspace.project.root
        ),
        goal=next(map(_goal, (each for each in goals if each.state not in _ENDED)), None),
        checkpoint=point and status.StatusCheckpoint(point.id, point.label, point.created_at),
        checkpoint_error=error,
        model=workspace.model(),
        running=workspace.running(),
    )


def _goal(goal: api.Goal) -> status.StatusGoal:
    return status.StatusGoal(
        goal.id, goal.condition, goal.state, goal.max_verifications, goal.max_seconds
    )


ACTION = Action(commands.STATUS, commands.StatusArguments, run, is_recorded=False)
