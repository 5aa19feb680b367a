"""Undo the last change of memory, whoever made it: an agent, an import, a hand edit.

Offered in a memory file, in the menu that the user opened, and named by what it takes back. What it
named is what it takes back, even when another change comes in between.

An example, which is also this file's test:

    ‸x = 1

    memory    knowledge: The port is 6432.
    cursor    MEMORY.md at "The port"
    offered   Milepost: undo the last change of memory (add by mcp:other)
    said      Took back change 1 (add by mcp:other).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from milepost_lsp.actions.action import PROJECT_KIND, Action, Call, Place, offer
from milepost_lsp.protocol import commands

if TYPE_CHECKING:
    from lsprotocol import types

    from milepost import api

# Among so many newest changes there is one that was not taken back, or nobody will look for it.
_LOOKED_AT = 20


def offers(place: Place) -> list[types.CodeAction]:
    """One, in a memory file that has a change to take back."""
    if not place.is_invoked or place.memory_scope is None:
        return []
    changes = place.workspace.memory.log(scope=place.memory_scope, limit=_LOOKED_AT)
    newest = next((each for each in changes if not each.undoes and not each.undone_by), None)
    if newest is None:
        return []
    asked = {"change": newest.id, "scope": place.memory_scope, "uri": place.uri}
    title = f"undo the last change of memory ({newest.action} by {newest.actor})"
    return [offer(title, commands.UNDO_MEMORY, asked, kind=PROJECT_KIND)]


async def run(call: Call, arguments: commands.UndoMemoryArguments) -> api.MemoryChange:
    """Takes the change back, and answers with the change that did it."""
    workspace = await call.workspace(arguments.uri)
    done = await call.session.run(workspace.memory.undo, arguments.change, scope=arguments.scope)
    log = await call.session.run(workspace.memory.log, scope=arguments.scope, limit=_LOOKED_AT)
    undone = next((each for each in log if each.id == done.undoes), None)
    what = f" ({undone.action} by {undone.actor})" if undone else ""
    call.editor.report(f"Took back change {done.undoes}{what}.")
    return done


ACTION = Action(commands.UNDO_MEMORY, commands.UndoMemoryArguments, run, offers)
