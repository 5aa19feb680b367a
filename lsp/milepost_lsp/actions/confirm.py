"""Confirm an entry: someone has looked, and it holds.

Offered where there is something to confirm: on an entry of a memory file that is unverified or
suspect, and on code that a suspect entry is about. Its anchors are stamped anew.

An example, which is also this file's test:

    ‸x = 1

    memory    knowledge: The port is 6432.
    cursor    MEMORY.md at "The port"
    offered   Milepost: confirm this entry
    said      Confirmed: The port is 6432.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from milepost_lsp import markdown
from milepost_lsp.actions.action import Action, Call, Place, offer
from milepost_lsp.actions.entries import argument, entries_at, named
from milepost_lsp.protocol import commands

if TYPE_CHECKING:
    from lsprotocol import types

    from milepost import api


def offers(place: Place) -> list[types.CodeAction]:
    """One for each entry here that is in doubt."""
    return [
        offer(f"confirm {named(place, entry)}", commands.CONFIRM, argument(place, entry))
        for entry in entries_at(place)
        if entry.doubts or entry.status == "unverified"
    ]


async def run(call: Call, arguments: commands.ConfirmArguments) -> api.Entry:
    """Confirms, and answers with the entry."""
    workspace = await call.workspace(arguments.uri)
    entry = await call.session.run(
        workspace.memory.update, arguments.id, status="confirmed", version=arguments.version
    )
    call.editor.report(f"Confirmed: {markdown.short(entry.text)}")
    return entry


ACTION = Action(commands.CONFIRM, commands.ConfirmArguments, run, offers)
