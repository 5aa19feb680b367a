"""Undo the last restore: takes the newest going back back.

An example, which is also this file's test:

    ‸x = 1

    point     before
    write     shop.py: x = 2
    restored  1
    offered   Milepost: undo the last restore
    said      Undid the restore: 1 file changed. It can be undone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from milepost_lsp.actions.action import PROJECT_KIND, Action, Call, Place, offer
from milepost_lsp.actions.go_back import report_restore
from milepost_lsp.protocol import commands

if TYPE_CHECKING:
    from lsprotocol import types

    from milepost import api


def offers(place: Place) -> list[types.CodeAction]:
    """One, in the menu that the user opened, after a restore from this editor."""
    if not place.is_invoked or not place.has_restored:
        return []
    return [offer("undo the last restore", commands.UNDO, {"uri": place.uri}, kind=PROJECT_KIND)]


async def run(call: Call, arguments: commands.UndoArguments) -> api.Restore:
    """Undoes, and answers with the restore that did it."""
    workspace = await call.workspace(arguments.uri)
    done = await call.session.run_long(workspace.checkpoints.undo)
    report_restore(call, "Undid the restore", done)
    return done


ACTION = Action(commands.UNDO, commands.UndoArguments, run, offers)
