"""Show the changes of an entry: who changed it when, and what it was before.

Offered on an entry of a memory file that has changes to show.

An example, which is also this file's test:

    ‸x = 1

    memory    knowledge: The port is 6432.
    cursor    MEMORY.md at "The port"
    offered   Milepost: show the changes of this entry
    shown     add by mcp:other
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from milepost_lsp import markdown
from milepost_lsp.actions.action import Action, Call, Place, offer
from milepost_lsp.protocol import commands

if TYPE_CHECKING:
    from lsprotocol import types

    from milepost import api


def offers(place: Place) -> list[types.CodeAction]:
    """One, where the cursor stands on an entry whose changes are known."""
    entry = place.entry
    scope = place.memory_scope
    if entry is None or not place.workspace.memory.changes_of(entry.id, scope=scope):
        return []
    asked = {"id": entry.id, "scope": scope, "uri": place.uri}
    return [offer("show the changes of this entry", commands.LOG, asked)]


async def run(call: Call, arguments: commands.LogArguments) -> tuple[api.MemoryChange, ...]:
    """Shows the newest changes, and answers with them."""
    workspace = await call.workspace(arguments.uri)
    changes = await call.session.run(
        workspace.memory.log,
        scope=arguments.scope,
        entry_id=arguments.id,
        limit=arguments.limit,
    )
    if changes:
        text = "# Changes of memory\n\n" + "\n\n".join(
            markdown.change(each, arguments.id) for each in changes
        )
        await call.editor.show(workspace, "changes", text + "\n")
    else:
        call.editor.report("Nothing was changed here yet.")
    return changes


ACTION = Action(commands.LOG, commands.LogArguments, run, offers)
