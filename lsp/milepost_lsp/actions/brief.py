"""Brief me: what memory holds for this file, rules first, as a document to read.

Offered with the project's own actions. A client that starts an agent asks for it with the task's
own words and the tokens that it has room for.

An example, which is also this file's test:

    ‸x = 1

    memory    rule: Tests run with pytest -q.
    offered   Milepost: brief me
    shown     | Tests run with pytest -q.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from milepost_lsp.actions.action import PROJECT_KIND, Action, Call, Place, offer
from milepost_lsp.editor import path_of
from milepost_lsp.protocol import commands

if TYPE_CHECKING:
    from lsprotocol import types

    from milepost import api


def offers(place: Place) -> list[types.CodeAction]:
    """One, in the menu that the user opened."""
    if not place.is_invoked:
        return []
    return [offer("brief me", commands.BRIEF, {"uri": place.uri}, kind=PROJECT_KIND)]


async def run(call: Call, arguments: commands.BriefArguments) -> api.Brief:
    """Shows the brief, and answers with it."""
    path = path_of(arguments.uri) if arguments.uri else None
    home = await call.session.home(path) if path else None
    workspace = home.workspace if home else await call.workspace(arguments.uri)
    brief = await call.session.run(
        workspace.memory.brief,
        arguments.about,
        home.path if home else None,
        arguments.budget_tokens,
    )
    await call.editor.show(workspace, "brief", f"```text\n{brief.text}```\n")
    return brief


ACTION = Action(commands.BRIEF, commands.BriefArguments, run, offers)
