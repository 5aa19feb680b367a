"""What the `milepost:` documents say: restore points, goals and sessions as Markdown to read."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

from milepost_lsp.markdown import count, evidence, fence, inline

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from milepost import api

# An editor is slow to show more, and nobody reads it: a session is read from its beginning.
MAX_CHARS = 1_000_000
# Of one result of a tool; the whole is in the export.
_RESULT_CHARS = 4_000
# Of the paths that changed.
_PATHS = 500


def point(item: api.Checkpoint, changes: Sequence[api.Change] | None) -> str:
    """A restore point, and what had changed since the one before (None: it is the oldest)."""
    label = f" {inline(item.label)}" if item.label else ""
    facts = [
        f"made by {item.actor}, {item.created_at}",
        count(item.files_total, "file"),
        f"named {item.name}" if item.name else "",
        "pinned" if item.pinned else "",
    ]
    parts = [f"# Restore point {item.id}{label}", inline(" · ".join(filter(None, facts)))]
    if changes is None:
        parts.append("It is the oldest that is kept.")
    elif not changes:
        parts.append("Nothing had changed since the point before.")
    else:
        lines = [f"- {each.kind}: {inline(each.path)} ({each.by})" for each in changes[:_PATHS]]
        if len(changes) > _PATHS:
            lines.append(f"- and {len(changes) - _PATHS} more")
        parts.append("## Changed since the point before\n\n" + "\n".join(lines))
    if item.not_covered:
        lines = [f"- {inline(each.path)}: {inline(each.reason)}" for each in item.not_covered]
        parts.append(f"## Not covered ({item.not_covered_total})\n\n" + "\n".join(lines))
    return "\n\n".join(parts) + "\n"


def goal(item: api.Goal, seen: Sequence[api.Evidence]) -> str:
    """A goal, its checks, where it stands, and what was seen of it, the newest first."""
    verdict = f", last verdict: {item.verdict}" if item.verdict else ", not verified yet"
    facts = inline(f"{item.state}{verdict} · set by {item.source}, {item.created_at}")
    parts = ["# Goal", fence(item.condition), facts]
    if item.checks:
        checks = "\n".join(f"{each.kind}: {each.command}" for each in item.checks)
        parts.append(f"## Checks\n\n{fence(checks, wrap=False)}")
    else:
        parts.append("It has no check yet.")
    if item.not_allowed:
        parts.append(f"## Not allowed yet\n\n{fence(chr(10).join(item.not_allowed), wrap=False)}")
    parts += [f"{evidence(each)}\n\n{inline(each.started_at)}" for each in seen]
    return "\n\n".join(parts) + "\n"


def session(lines: Iterable[str]) -> str:
    """A session from its export, as JSON lines."""
    parts: list[str] = []
    size = 0
    for line in lines:
        said = _said(cast("dict[str, Any]", json.loads(line)))
        size += len(said)
        if size > MAX_CHARS:
            parts.append("(The rest is in `milepost session export`.)")
            break
        if said:
            parts.append(said)
    return "\n\n".join(parts) + "\n"


def _said(item: dict[str, Any]) -> str:
    if "session" in item:
        about = item["session"]
        return f"# {inline(about['title'])}\n\n{inline(about['actor'])}, {about['created_at']}"
    data = item["data"]
    match item["kind"]:
        case "user":
            return f"## You, {item['at']}\n\n{fence(str(data['text']))}"
        case "assistant":
            return "\n\n".join(filter(None, map(_part, data["parts"])))
        case "result":
            outcome = "failed" if data["failed"] else "answered"
            text = str(data["text"])[:_RESULT_CHARS]
            return f"{inline(str(data['tool']))} {outcome}:\n\n{fence(text, wrap=False)}"
        case _:
            return ""


def _part(part: dict[str, Any]) -> str:
    match part["type"]:
        case "Text":
            return fence(str(part["text"]))
        case "ToolCall":
            call = f"{part['name']} {part['arguments']}"[:_RESULT_CHARS]
            return f"A call:\n\n{fence(call, wrap=False)}"
        case _:
            return ""
