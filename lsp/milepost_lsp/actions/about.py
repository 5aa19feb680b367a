"""What does memory know about a symbol: its entries, as a document to read.

Offered only where memory knows something.

An example, which is also this file's test:

    def ‸total(order):
        return sum(order.cents)

    memory    rule: `total` never rounds.
    offered   Milepost: what does memory know about `total`
    shown     `total` never rounds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from milepost_lsp import markdown
from milepost_lsp.actions.action import Action, Call, Place, offer
from milepost_lsp.editor import path_of
from milepost_lsp.protocol import commands

if TYPE_CHECKING:
    from lsprotocol import types

# A document is read, a hover is glanced at: the core's default is for the latter.
LIMIT = 50


def offers(place: Place) -> list[types.CodeAction]:
    """One, for the symbol under the cursor."""
    symbol = place.symbol
    # In a memory file every word would be known.
    if not symbol or place.is_ours or not place.known:
        return []
    title = f"what does memory know about `{symbol}`"
    return [offer(title, commands.ABOUT, {"symbol": symbol, "uri": place.uri})]


async def run(call: Call, arguments: commands.AboutArguments) -> commands.Known:
    """Shows the entries, and answers with them."""
    path = path_of(arguments.uri) if arguments.uri else None
    home = await call.session.home(path) if path else None
    workspace = home.workspace if home else await call.workspace(arguments.uri)
    entries = await call.session.run(
        workspace.memory.about,
        arguments.symbol,
        path=home.path if home else None,
        limit=LIMIT,
    )
    if entries:
        title = f"# What memory knows about {markdown.inline(arguments.symbol)}\n\n"
        text = title + markdown.entries(entries) + "\n"
        await call.editor.show(workspace, "about", text)
    else:
        call.editor.report(f"Memory knows nothing about {arguments.symbol}.")
    return commands.Known(arguments.symbol, entries)


ACTION = Action(commands.ABOUT, commands.AboutArguments, run, offers)
