"""Say where an entry stands, so that a client's own view can show it in its file."""

from __future__ import annotations

from pathlib import Path

from milepost_lsp.actions.action import Action, Call
from milepost_lsp.protocol import commands


async def run(call: Call, arguments: commands.LocateArguments) -> commands.EntryPlace:
    """Answers with the place."""
    workspace = await call.workspace(arguments.uri)
    found = await call.session.run(workspace.memory.locate, arguments.id)
    return commands.EntryPlace(Path(found.path).as_uri(), found.line)


ACTION = Action(commands.LOCATE, commands.LocateArguments, run, is_recorded=False)
