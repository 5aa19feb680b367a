"""Explain this diagnostic: why it is there and what can be done, as a document to read.

Without a model, what memory knows of the matter is the answer, and the document says so.

An example, which is also this file's test:

    def total(order):
        return sum(order.«cents»)

    memory      knowledge: Orders before 2024 have no `cents`.
    diagnostic  Cannot access attribute "cents"
    offered     Milepost: explain “Cannot access attribute "cents"”
    shown       No model is configured
    shown       Orders before 2024 have no `cents`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from milepost_lsp.actions.action import FIX_KIND, Action, Call, Place, offer
from milepost_lsp.actions.assisting import asking, code_at, look, shown_answer
from milepost_lsp.actions.diagnostics import argument, diagnostics_at, named, words
from milepost_lsp.protocol import assist

if TYPE_CHECKING:
    from lsprotocol import types

    from milepost import api


def offers(place: Place) -> list[types.CodeAction]:
    """One for each diagnostic at the place."""
    made: list[types.CodeAction] = []
    for diagnostic in diagnostics_at(place):
        title = f"explain {named(diagnostic)}"
        action = offer(title, assist.EXPLAIN, argument(place, diagnostic), kind=FIX_KIND)
        action.diagnostics = [diagnostic]
        made.append(action)
    return made


async def run(call: Call, arguments: assist.DiagnosticArguments) -> api.Answer:
    """Shows the answer, and answers with it."""
    seen = await look(call, arguments.uri)
    workspace, code = await code_at(call, seen, arguments.range)
    request = f"Explain {words(arguments)}\nSay what causes it, and what can be done about it."
    help_with = workspace.assist()
    answer = await asking(
        call,
        workspace,
        "Explaining a diagnostic",
        lambda stop: help_with.answer(request, code, stop),
    )
    await call.editor.show(workspace, "answer", shown_answer(arguments.message[:200], answer))
    return answer


ACTION = Action(assist.EXPLAIN, assist.DiagnosticArguments, run, offers)
