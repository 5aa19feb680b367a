"""Forget an entry: takes it out of the memory file.

Offered in memory files, and on code that a suspect entry is about. It works on the file, not on the
buffer: an editor with unsaved changes to it will say that the file changed, and when the entry's
own words are others there than in the buffer, it stays.

An example, which is also this file's test:

    memory    knowledge: The old port is 8080.
    cursor    MEMORY.md at "The old port"
    offered   Milepost: forget this entry
    said      Forgot: The old port is 8080.
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
    """One where the cursor stands on an entry, or on code that a suspect one is about."""
    return [
        offer(f"forget {named(place, entry)}", commands.FORGET, argument(place, entry))
        for entry in entries_at(place)
    ]


async def run(call: Call, arguments: commands.ForgetArguments) -> api.Entry:
    """Forgets, and answers with what was forgotten."""
    workspace = await call.workspace(arguments.uri)
    entry = await call.session.run(workspace.memory.forget, arguments.id, version=arguments.version)
    call.editor.report(f"Forgot: {markdown.short(entry.text)}")
    return entry


ACTION = Action(commands.FORGET, commands.ForgetArguments, run, offers)
