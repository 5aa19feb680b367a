"""Fix this diagnostic: the model is shown it, the code around it, and what memory knows.

Offered only with a model. Editors that know proposals get its edit to decide on hunk by hunk; the
others show it before they make it, or make it, and can undo it.

An example, which is also this file's test:

    def total(order):
        return sum(order.«cent»)

    model       replace: order.cent -> order.cents
    diagnostic  Cannot access attribute "cent"
    offered     Milepost: fix “Cannot access attribute "cent"”
    edited      return sum(order.cents)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from milepost_lsp import markdown
from milepost_lsp.actions.action import Action, Call, Place
from milepost_lsp.actions.assisting import Wanted, code_at, delivered, look, offer_edit
from milepost_lsp.actions.diagnostics import argument, diagnostics_at, named, words
from milepost_lsp.protocol import assist

if TYPE_CHECKING:
    from lsprotocol import types


def offers(place: Place) -> list[types.CodeAction]:
    """One for each diagnostic at the place."""
    found = diagnostics_at(place)
    if not found or not place.has_model:
        return []
    return [
        offer_edit(
            place,
            f"fix {named(diagnostic)}",
            assist.FIX,
            argument(place, diagnostic),
            diagnostic=diagnostic,
        )
        for diagnostic in found
    ]


async def edit(call: Call, arguments: assist.DiagnosticArguments) -> Wanted:
    """What the model is asked for."""
    seen = await look(call, arguments.uri)
    workspace, code = await code_at(call, seen, arguments.range)
    return Wanted(
        workspace=workspace,
        title=f"Fix “{markdown.short(arguments.message, 50)}”",
        request=f"Fix {words(arguments)}",
        code=code,
        source=seen,
        target=seen,
    )


async def run(call: Call, arguments: assist.DiagnosticArguments) -> assist.Edited:
    """Has the edit made or proposed."""
    return await delivered(call, await edit(call, arguments))


ACTION = Action(assist.FIX, assist.DiagnosticArguments, run, offers, edit=edit)
