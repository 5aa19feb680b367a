"""What stands in a session's transcript, in words."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from milepost.api.run_views import SessionItem

if TYPE_CHECKING:
    from milepost.history.item import Item


def shown(item: Item) -> SessionItem:
    """An item as a person reads it."""
    failed = bool(item.data.get("failed", False))
    return SessionItem(item.number, item.session, item.at, item.kind, _text(item), failed)


def _text(item: Item) -> str:
    data = item.data
    match item.kind:
        case "user" | "nudge" | "asked":
            return data["text"]
        case "assistant":
            return "\n".join(filter(None, map(_part, data["parts"])))
        case "result":
            return f"{data['tool']}: {data['text']}"
        case "began":
            return f"call {data['call']}, restore point {data['point']}"
        case "phase" | "phase_ended":
            return " ".join(str(data[key]) for key in ("phase", "verdict", "reason") if key in data)
        case _:
            return json.dumps(data, ensure_ascii=False)


def _part(part: dict[str, Any]) -> str:
    match part["type"]:
        case "ToolCall":
            return f"> {part['name']} {part['arguments']}"
        case "Thought":
            return f"({part['text']})" if part["text"] else ""
        case _:
            return part["text"]
