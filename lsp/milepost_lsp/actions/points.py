"""The restore points for a client's own view: listed, compared, kept, and the undoing undone.

No menu offers these; `checkpoint.py`, `go_back.py` and `undo.py` do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from milepost_lsp.actions.action import Action, Call
from milepost_lsp.actions.go_back import report_restore
from milepost_lsp.protocol import commands

if TYPE_CHECKING:
    from milepost import api


async def run_list(
    call: Call, arguments: commands.ListCheckpointsArguments
) -> commands.CheckpointPage:
    """Answers with a page."""
    workspace = await call.workspace(arguments.uri)
    checkpoints = workspace.checkpoints
    total = (await call.session.run(checkpoints.mark)).total
    if arguments.all:
        total = (await call.session.run(checkpoints.size)).points
    if not total:
        return commands.CheckpointPage((), None)
    found = await call.session.run(
        checkpoints.page, limit=arguments.limit, offset=arguments.offset, has_looked=arguments.all
    )
    end = arguments.offset + len(found)
    return commands.CheckpointPage(found, end if found and end < total else None)


async def run_diff(
    call: Call, arguments: commands.DiffCheckpointsArguments
) -> commands.CheckpointDiff:
    """Answers with the changes. Comparing with now looks at the files, which may take a while."""
    workspace = await call.workspace(arguments.uri)
    diff, text = await call.session.run_long(
        workspace.checkpoints.patches, arguments.from_, arguments.to, path=arguments.path
    )
    return commands.CheckpointDiff(diff.changes, text)


async def run_pin(call: Call, arguments: commands.PinCheckpointArguments) -> api.Checkpoint:
    """Answers with the point."""
    workspace = await call.workspace(arguments.uri)
    return await call.session.run(workspace.checkpoints.pin, arguments.id, pinned=arguments.pinned)


async def run_name(call: Call, arguments: commands.NameCheckpointArguments) -> api.Checkpoint:
    """Answers with the point."""
    workspace = await call.workspace(arguments.uri)
    return await call.session.run(workspace.checkpoints.name, arguments.id, arguments.name)


async def run_redo(call: Call, arguments: commands.RedoArguments) -> api.Restore:
    """Redoes, and answers with the restore that did it."""
    workspace = await call.workspace(arguments.uri)
    done = await call.session.run_long(workspace.checkpoints.redo)
    report_restore(call, "Redid the restore", done)
    return done


LIST = Action(
    commands.LIST_CHECKPOINTS, commands.ListCheckpointsArguments, run_list, is_recorded=False
)
DIFF = Action(
    commands.DIFF_CHECKPOINTS, commands.DiffCheckpointsArguments, run_diff, is_recorded=False
)
PIN = Action(commands.PIN_CHECKPOINT, commands.PinCheckpointArguments, run_pin)
NAME = Action(commands.NAME_CHECKPOINT, commands.NameCheckpointArguments, run_name)
REDO = Action(commands.REDO, commands.RedoArguments, run_redo)
