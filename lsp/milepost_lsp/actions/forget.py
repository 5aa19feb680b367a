"""Forget this entry: takes the entry under the cursor out of a memory file.

Offered in memory files only. It works on the file, not on the buffer: an editor with unsaved
changes to it will say that the file changed.

An example, which is also this file's test:

    memory    knowledge: The old port is 8080.
    cursor    MEMORY.md at "The old port"
    offered   Milepost: forget this entry
    said      Forgot: The old port is 8080.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from milepost_lsp import markdown, protocol
from milepost_lsp.actions.action import Action, Call, Place, offer

if TYPE_CHECKING:
    from lsprotocol import types

    from milepost import api


def offers(place: Place) -> list[types.CodeAction]:
    """One, where the cursor stands on an entry."""
    if not place.is_memory:
        return []
    line = place.span.start.line
    for item in place.workspace.memory.outline(place.text.source):
        if item.entry_id and item.line <= line < item.end_line:
            argument = {"id": item.entry_id, "uri": place.uri}
            return [offer("forget this entry", protocol.FORGET, argument)]
    return []


async def run(call: Call, arguments: protocol.ForgetArguments) -> api.Entry:
    """Forgets, and answers with what was forgotten."""
    workspace = await call.workspace(arguments.uri)
    entry = await call.session.run(workspace.memory.forget, arguments.id)
    call.editor.report(f"Forgot: {markdown.short(entry.text)}")
    return entry


ACTION = Action(protocol.FORGET, protocol.ForgetArguments, run, offers)
