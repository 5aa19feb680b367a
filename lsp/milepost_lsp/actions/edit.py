"""Give an entry other words, which are then the user's: for a client's own view. No menu offers it,
because in a memory file one simply writes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from milepost_lsp import markdown
from milepost_lsp.actions.action import Action, Call
from milepost_lsp.protocol import commands

if TYPE_CHECKING:
    from milepost import api


async def run(call: Call, arguments: commands.EditArguments) -> api.Entry:
    """Changes the words, and answers with the entry."""
    workspace = await call.workspace(arguments.uri)
    entry = await call.session.run(
        workspace.memory.update, arguments.id, text=arguments.text, version=arguments.version
    )
    masked = f" A secret in it was masked ({', '.join(entry.masked)})." if entry.masked else ""
    call.editor.report(f"Changed: {markdown.short(entry.text)}{masked}")
    return entry


ACTION = Action(commands.EDIT, commands.EditArguments, run)
