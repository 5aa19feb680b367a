"""`memory_save`: remember something new, change an entry, or put a new one in its place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from milepost.api import UserError
from milepost_mcp.convert import entry_data, entry_text
from milepost_mcp.tools.memory_get import unseen_shown
from milepost_mcp.tools.memory_search import KINDS, SCOPES
from milepost_mcp.tools.tool import Call, Reply, Text, Texts, Tool

if TYPE_CHECKING:
    from milepost.api import Entry


def _run(call: Call) -> Reply:
    memory = call.workspace.memory
    text, kind = call.arguments.text("text"), call.arguments.text("kind")
    status = call.arguments.text("status")
    scope, task = call.arguments.text("scope"), call.arguments.text("task")
    changes, replaces = call.arguments.text("id"), call.arguments.text("supersedes")
    if changes is not None and replaces is not None:
        raise UserError("give id to change an entry, or supersedes to replace it, not both")
    if changes is not None:
        if not any((text, kind, status, scope, task)):
            raise UserError("give what is to change: text, kind, status or scope")
        seen = call.seen.version(changes)
        with unseen_shown(call, changes):
            entry = memory.update(
                changes,
                text=text,
                kind=kind,
                status=status,
                scope=scope,
                task=task,
                version=seen,
            )
        return _reply(call, "Moved" if scope or task else "Changed", entry)
    if text is None:
        raise UserError("give the text to remember")
    if replaces is not None:
        seen = call.seen.version(replaces)
        with unseen_shown(call, replaces):
            entry = memory.supersede(replaces, text, kind=kind, version=seen)
        return _reply(call, f"Superseded {replaces} by", entry)
    entry, similar = memory.add_compared(
        text,
        kind=kind or "knowledge",
        scope=scope,
        task=task,
        status=status or "unverified",
        anchors=call.arguments.texts("about"),
    )
    reply = _reply(call, "Remembered", entry)
    if not similar:
        return reply
    for other in similar:
        call.seen.note(other)
    listed = "\n".join(entry_text(other, whole=False) for other in similar)
    text = (
        f"{reply.text}\nThese say nearly the same; supersede or forget what is too much:\n{listed}"
    )
    return Reply(
        text, {**reply.data, "similar": [entry_data(each, whole=False) for each in similar]}
    )


def _reply(call: Call, did: str, entry: Entry) -> Reply:
    call.seen.note(entry)
    return Reply(f"{did} {entry_text(entry, whole=False)}", entry_data(entry, whole=False))


TOOL = Tool(
    name="memory_save",
    title="Save to memory",
    words="Remember a lasting fact, rule, decision or preference for later sessions and other "
    "agents: one self-contained statement per call. With id, change or move that entry; with "
    "supersedes, put this text in its place. Never save secrets.",
    parameters=(
        Text("text"),
        Text("kind", choices=KINDS),
        Text("id", "entry to change"),
        Text("supersedes", "id of the entry this text replaces"),
        Text("scope", "session: for now; global: all projects", choices=SCOPES),
        Text("task", "as T1"),
        Text(
            "status",
            "stated: the user said it; confirmed: a check or the user confirmed it",
            choices=("stated", "confirmed", "unverified"),
        ),
        Texts("about", "code it is about: path or path#symbol"),
    ),
    run=_run,
)
