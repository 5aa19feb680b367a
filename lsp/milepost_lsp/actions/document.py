"""Write documentation for what is selected, or for the symbol at the cursor, where it stands.

Offered only with a model, and in the menu that the user opened.

An example, which is also this file's test:

    def ‸total(order):
        return sum(order.cents)

    model     replace: (order): -> (order):  # adds up cents
    offered   Milepost: write documentation for `total`
    edited    def total(order):  # adds up cents
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from milepost_lsp.actions.action import Action, Call, Place
from milepost_lsp.actions.assisting import Wanted, code_at, delivered, look, offer_edit
from milepost_lsp.protocol import assist

if TYPE_CHECKING:
    from lsprotocol import types


def offers(place: Place) -> list[types.CodeAction]:
    """One, for the selection or the symbol."""
    subject = place.subject if place.is_invoked else None
    if subject is None or not place.has_model:
        return []
    where = {"uri": place.uri, "range": place.span_json}
    return [offer_edit(place, f"write documentation for {subject}", assist.DOCUMENT, where)]


async def edit(call: Call, arguments: assist.CodeArguments) -> Wanted:
    """What the model is asked for."""
    seen = await look(call, arguments.uri)
    workspace, code = await code_at(call, seen, arguments.range)
    about = f"`{code.symbol}`" if code.symbol else "the code"
    first, last = code.line + 1, max(code.line + 1, code.end_line)
    return Wanted(
        workspace=workspace,
        title=f"Document {about}",
        request=(
            f"Write the documentation of {about} at lines {first} to {last}, in the form that the "
            "language and this file use: what it is for and what a caller must know, not how it "
            "is done. Change no code."
        ),
        code=code,
        source=seen,
        target=seen,
    )


async def run(call: Call, arguments: assist.CodeArguments) -> assist.Edited:
    """Has the edit made or proposed."""
    return await delivered(call, await edit(call, arguments))


ACTION = Action(assist.DOCUMENT, assist.CodeArguments, run, offers, edit=edit)
