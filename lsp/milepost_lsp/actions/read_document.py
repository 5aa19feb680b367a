"""Read a `milepost:` document, for clients without `workspace/textDocumentContent`."""

from __future__ import annotations

from milepost_lsp.actions.action import Action, Call
from milepost_lsp.archive import read
from milepost_lsp.protocol import commands


async def run(call: Call, arguments: commands.ReadDocumentArguments) -> commands.DocumentText:
    """Answers with the text."""
    return commands.DocumentText(await read(call.session, call.proposals, arguments.uri))


ACTION = Action(commands.READ_DOCUMENT, commands.ReadDocumentArguments, run, is_recorded=False)
