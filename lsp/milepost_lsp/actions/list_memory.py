"""List memory: the entries, page by page, as a document to read.

Offered with the project's own actions, because memory is to be seen.

An example, which is also this file's test:

    ‸x = 1

    memory    rule: Tests run with pytest -q.
    offered   Milepost: show memory
    shown     Tests run with pytest -q.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from milepost_lsp import markdown
from milepost_lsp.actions.action import PROJECT_KIND, Action, Call, Place, offer
from milepost_lsp.protocol import commands

if TYPE_CHECKING:
    from lsprotocol import types

    from milepost import api


def offers(place: Place) -> list[types.CodeAction]:
    """One, in the menu that the user opened."""
    if not place.is_invoked:
        return []
    return [offer("show memory", commands.LIST, {"uri": place.uri}, kind=PROJECT_KIND)]


async def run(call: Call, arguments: commands.ListArguments) -> api.EntryPage:
    """Shows a page of entries, and answers with it."""
    workspace = await call.workspace(arguments.uri)
    page = await call.session.run(
        workspace.memory.page,
        scope=arguments.scope,
        session=arguments.session,
        task=arguments.task,
        kind=arguments.kind,
        offset=arguments.offset,
        limit=arguments.limit,
    )
    if page.entries:
        await call.editor.show(workspace, "memory", _document(workspace, page, arguments.offset))
    else:
        call.editor.report("Memory is empty here.")
    return page


def _document(workspace: api.Workspace, page: api.EntryPage, offset: int) -> str:
    last = offset + len(page.entries)
    name = markdown.inline(workspace.project.name)
    files = "\n".join(f"- {markdown.inline(path)}" for path in workspace.memory.files())
    return (
        f"# Memory of {name}: {offset + 1} to {last} of {page.total}\n\n"
        f"To change it, edit the files:\n\n{files}\n\n{markdown.entries(page.entries)}\n"
    )


ACTION = Action(commands.LIST, commands.ListArguments, run, offers, is_recorded=False)
