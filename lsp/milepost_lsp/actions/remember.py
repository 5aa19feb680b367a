"""Remember selection: keeps the selected text as an entry, anchored to where it stands.

The text is taken from the buffer, saved or not, when the command runs. It is `stated`: a person
pointed at it and said so. Comment signs go when all of it is a comment. In a checkpoint.md the
words are not the person's, who only confirms them; there the source names the session.

An example, which is also this file's test:

    def total(order):
        «# Amounts are integer cents, never floats.»
        return sum(order.cents)

    offered   Milepost: remember selection
    said      Remembered (knowledge, shop.py#total): Amounts are integer cents, never floats.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from milepost_lsp import markdown
from milepost_lsp.actions.action import Action, Call, Place, offer
from milepost_lsp.actions.selection import plain_words, read_selection
from milepost_lsp.arguments import ArgumentError
from milepost_lsp.protocol import commands

if TYPE_CHECKING:
    from lsprotocol import types

    from milepost import api


def offers(place: Place) -> list[types.CodeAction]:
    """Three: as knowledge, as a rule, which is what agents are held to, and as knowledge that holds
    in this worktree only, such as what a branch is about. In a checkpoint.md one, for the item
    under the cursor."""
    if not place.selection:
        return _of_item(place)
    where = {"uri": place.uri, "range": place.span_json}
    return [
        offer("remember selection", commands.REMEMBER, where),
        offer("remember selection as a rule", commands.REMEMBER, {**where, "kind": "rule"}),
        offer(
            "remember selection for this worktree",
            commands.REMEMBER,
            {**where, "scope": "worktree"},
        ),
    ]


def _of_item(place: Place) -> list[types.CodeAction]:
    item = place.summary_item
    if item is None or not item.kind:
        return []
    title = f"remember this item as {_A[item.kind]}"
    where = {"uri": place.uri, "range": place.lines_json(item.line, item.end_line)}
    return [offer(title, commands.REMEMBER, {**where, "kind": item.kind})]


_A = {"rule": "a rule", "decision": "a decision", "knowledge": "knowledge"}


async def run(call: Call, arguments: commands.RememberArguments) -> api.Entry:
    """Remembers, and answers with the entry."""
    text, anchors = arguments.text, arguments.anchors or ()
    status, actor = "stated", None
    if text is not None and arguments.range is None:
        workspace = await call.workspace(arguments.uri)
    elif text is None and arguments.uri is not None and arguments.range is not None:
        selection = await read_selection(call, arguments.uri, arguments.range)
        workspace, text = selection.workspace, plain_words(selection.text)
        if selection.summary_session is not None:
            text = workspace.summaries.words(selection.text)
            status, actor = "confirmed", f"checkpoint:{selection.summary_session}"
        # What holds in every project is not about one file of this one.
        is_local = arguments.anchors is None and arguments.scope != "global"
        if is_local and selection.anchor is not None:
            anchors = (selection.anchor,)
    else:
        raise ArgumentError("give either `text`, or `uri` and `range`")
    fields: dict[str, Any] = {
        "kind": arguments.kind,
        "scope": arguments.scope,
        "session": arguments.session,
        "task": arguments.task,
    }
    entry = await call.session.run(
        workspace.memory.add,
        text,
        status=status,
        anchors=anchors,
        actor=actor,
        **fields,
    )
    place = () if entry.scope == "project" else (markdown.scope(entry),)
    about = ", ".join((entry.kind, *place, *entry.anchors))
    masked = f" A secret in it was masked ({', '.join(entry.masked)})." if entry.masked else ""
    call.editor.report(f"Remembered ({about}): {markdown.short(entry.text)}{masked}")
    return entry


ACTION = Action(commands.REMEMBER, commands.RememberArguments, run, offers)
