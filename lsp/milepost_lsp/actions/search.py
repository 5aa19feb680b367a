"""Search memory in plain words: for a client's own view. No menu offers it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from milepost_lsp.actions.action import Action, Call
from milepost_lsp.protocol import commands

if TYPE_CHECKING:
    from milepost import api


async def run(call: Call, arguments: commands.SearchArguments) -> api.SearchResult:
    """Answers with what was found, best first."""
    workspace = await call.workspace(arguments.uri)
    return await call.session.run(
        workspace.memory.search,
        arguments.query,
        kind=arguments.kind,
        scope=arguments.scope,
        limit=arguments.limit,
        is_use=False,
    )


ACTION = Action(commands.SEARCH, commands.SearchArguments, run, is_recorded=False)
