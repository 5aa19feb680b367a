"""Checkpoint now: makes a restore point of the project's files as they are on disk.

An example, which is also this file's test:

    ‸x = 1

    offered   Milepost: checkpoint now
    said      Checkpoint #1 saved: 1 file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from milepost import api
from milepost_lsp import markdown
from milepost_lsp.actions.action import PROJECT_KIND, Action, Call, Place, offer
from milepost_lsp.protocol import commands

if TYPE_CHECKING:
    from lsprotocol import types


def offers(place: Place) -> list[types.CodeAction]:
    """One, in the menu that the user opened."""
    if not place.is_invoked:
        return []
    return [offer("checkpoint now", commands.CHECKPOINT, {"uri": place.uri}, kind=PROJECT_KIND)]


async def run(call: Call, arguments: commands.CheckpointArguments) -> api.Checkpoint:
    """Saves a restore point, and answers with it."""
    workspace = await call.workspace(arguments.uri)
    errors, root = call.session.checkpoint_errors, workspace.project.root
    try:
        point = await call.session.run_long(workspace.checkpoints.save, arguments.label)
    except api.WorldError as error:
        errors[root] = str(error)
        raise
    errors.pop(root, None)
    label = f" “{markdown.short(point.label, 40)}”" if point.label else ""
    files = markdown.count(point.files_total, "file")
    left_out = f"; {point.not_covered_total} not covered" if point.not_covered_total else ""
    call.editor.report(f"Checkpoint #{point.id}{label} saved: {files}{left_out}.")
    return point


ACTION = Action(commands.CHECKPOINT, commands.CheckpointArguments, run, offers)
