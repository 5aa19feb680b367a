"""Ask about the selection: the model explains it, with what memory knows, as a document to read.

Without a model, what memory knows is the answer, and the document says so.

An example, which is also this file's test:

    def total(order):
        «return sum(order.cents)»

    memory    rule: `total` never rounds.
    model     It adds up integer cents.
    offered   Milepost: ask about the selection
    shown     It adds up integer cents.
    shown     `total` never rounds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from milepost_lsp.actions.action import Action, Call, Place, offer
from milepost_lsp.actions.assisting import asking, code_at, look, shown_answer
from milepost_lsp.protocol import assist

if TYPE_CHECKING:
    from lsprotocol import types

    from milepost import api

_QUESTION = "What does this code do, how does it do it, and what about it is easy to get wrong?"


def offers(place: Place) -> list[types.CodeAction]:
    """One, where code is selected."""
    if not place.selection or place.is_ours:
        return []
    where = {"uri": place.uri, "range": place.span_json}
    return [offer("ask about the selection", assist.ASK, where)]


async def run(call: Call, arguments: assist.AskArguments) -> api.Answer:
    """Shows the answer, and answers with it."""
    seen = await look(call, arguments.uri)
    workspace, code = await code_at(call, seen, arguments.range)
    first, last = code.line + 1, max(code.line + 1, code.end_line)
    question = f"About lines {first} to {last}: {arguments.question or _QUESTION}"
    help_with = workspace.assist()
    answer = await asking(
        call,
        workspace,
        "Asking about the selection",
        lambda stop: help_with.answer(question, code, stop),
    )
    title = arguments.question or f"About {code.path or 'the selection'}, line {first}"
    await call.editor.show(workspace, "answer", shown_answer(title, answer))
    return answer


ACTION = Action(assist.ASK, assist.AskArguments, run, offers)
