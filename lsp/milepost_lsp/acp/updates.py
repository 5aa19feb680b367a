"""What happens in a chat, as the `session/update` of ACP.

What only Milepost has (memory recalled, restore points, verdicts) comes as a tool call that is
complete at once: every client shows those, and they can be folded.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from milepost import api

if TYPE_CHECKING:
    from milepost_lsp.protocol import Json


def to_update(update: api.ChatUpdate, root: str, number: int) -> Json | None:
    """The update, or None for what ACP has no words for. `root` is the project's; `number` is one
    that no update of the session had before."""
    return _said(update) or _done(update, root) or _ours(update, number)


def _said(update: api.ChatUpdate) -> Json | None:
    match update:
        case api.UserChunk(text):
            return _chunk("user_message_chunk", text)
        case api.AgentChunk(text):
            return _chunk("agent_message_chunk", text)
        case api.ThoughtChunk(text):
            return _chunk("agent_thought_chunk", text)
        case api.MessageReset(reason):
            return _chunk("agent_message_chunk", f"\n\n> It comes again: {reason}\n\n")
        case api.ChatNotice(level, text):
            return _chunk("agent_message_chunk", f"\n\n> {level}: {text}\n\n")
        case _:
            return None


def _done(update: api.ChatUpdate, root: str) -> Json | None:
    match update:
        case api.CallShown():
            return _call(update, root)
        case api.CallUpdate():
            return _call_update(update, root)
        case api.Plan(entries):
            return {"sessionUpdate": "plan", "entries": [*map(_task, filter(_is_kept, entries))]}
        case api.TitleSet(title):
            return {"sessionUpdate": "session_info_update", "title": title}
        case _:
            return None


def _ours(update: api.ChatUpdate, number: int) -> Json | None:
    match update:
        case api.MemoryRecall(entries):
            places = [{"path": each.path, "line": each.line} for each in entries]
            words = "\n".join(f"- {each.text}" for each in entries)
            return _told(f"memory-{number}", f"Remembered {len(entries)}", "search", words, places)
        case api.PointMade(checkpoint_id, label):
            return _told(f"point-{number}", f"Restore point #{checkpoint_id}", "other", label)
        case api.GoalJudged(_, verdict, reason):
            title = f"Goal {verdict.replace('_', ' ')}"
            return _told(f"goal-{number}", title, "other", reason, failed=verdict != "met")
        case _:
            return None


def _chunk(kind: str, text: str) -> Json:
    return {"sessionUpdate": kind, "content": {"type": "text", "text": text}}


def _call(call: api.CallShown, root: str) -> Json:
    return {
        "sessionUpdate": "tool_call",
        "toolCallId": call.call_id,
        "title": call.title,
        "kind": call.kind,
        "status": call.status,
        "locations": [
            {"path": os.path.join(root, place.path)}  # noqa: PTH118  (ACP's paths are text)
            | ({} if place.line is None else {"line": place.line})
            for place in call.places
        ],
        "rawInput": {"tool": call.tool, "subject": call.subject},
    }


def _call_update(call: api.CallUpdate, root: str) -> Json:
    content: list[Json] = []
    if call.text:
        content.append({"type": "content", "content": {"type": "text", "text": call.text}})
    for diff in call.diffs:
        path = os.path.join(root, diff.path)  # noqa: PTH118  (as above)
        # A file that is gone has no text any more, and ACP has no other word for it.
        content.append(
            {"type": "diff", "path": path, "oldText": diff.old, "newText": diff.new or ""}
        )
    shown: dict[str, Json] = {
        "sessionUpdate": "tool_call_update",
        "toolCallId": call.call_id,
        "status": call.status,
    }
    return shown | ({"content": content} if content else {})


def _is_kept(entry: api.PlanEntry) -> bool:
    return entry.status != "failed"


def _task(entry: api.PlanEntry) -> Json:
    return {"content": entry.content, "priority": "medium", "status": entry.status}


def _told(
    call_id: str,
    title: str,
    kind: str,
    words: str,
    places: list[Json] | None = None,
    *,
    failed: bool = False,
) -> Json:
    content = [{"type": "content", "content": {"type": "text", "text": words}}] if words else []
    return {
        "sessionUpdate": "tool_call",
        "toolCallId": call_id,
        "title": title,
        "kind": kind,
        "status": "failed" if failed else "completed",
        "content": content,
        "locations": places or [],
    }
