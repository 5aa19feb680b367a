"""A transcript in short: for the writer of checkpoint.md, and for the parts that code fills in."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable

    from milepost.history.item import Item

_T = TypeVar("_T")

# What the writer sees of one message, of one tool's arguments and of one result: the beginning
# tells what it was, the end of a failure tells why.
_SAID_CHARS = 1_500
_ASKED_CHARS = 300
_RESULT_CHARS = 400

# The newest of each kind that checkpoint.md names.
_FILES = 40
_COMMANDS = 15


def happened(items: Iterable[Item]) -> str:
    """What happened, a line or a few for each item, in order."""
    lines: list[str] = []
    for item in items:
        data = item.data
        if item.kind == "user":
            lines.append(f"USER: {data['text']}")
        elif item.kind == "nudge":
            lines.append(f"MILEPOST: {_short(data['text'], _SAID_CHARS)}")
        elif item.kind == "assistant":
            for part in data["parts"]:
                if part["type"] == "Text":
                    lines.append(f"WORKER: {_short(part['text'], _SAID_CHARS)}")
                elif part["type"] == "ToolCall":
                    asked = _short(part["arguments"], _ASKED_CHARS)
                    lines.append(f"CALL {part['name']} {asked}")
        elif item.kind == "result":
            lines.append(_result(data["tool"], data["text"], failed=data["failed"]))
    return "\n".join(lines)


class Involved:
    """The files and commands of a session, taken in as it goes."""

    def __init__(self) -> None:
        self._changed: Counter[str] = Counter()
        self._read: dict[str, None] = {}
        self._commands: dict[str, str] = {}
        self._asked: dict[str, str] = {}

    def take(self, items: Iterable[Item]) -> None:
        """Take in the items that come next."""
        for item in items:
            if item.kind == "assistant":
                self._asked = {
                    part["id"]: _short(part["arguments"], _ASKED_CHARS)
                    for part in item.data["parts"]
                    if part["type"] == "ToolCall"
                }
            elif item.kind == "result":
                self._take_result(item.data)

    def files(self) -> str:
        """The files that were changed most, then those that were read last."""
        lines = [f"- {path} (changed {n}x)" for path, n in self._changed.most_common(_FILES)]
        left = _FILES - len(lines)
        return "\n".join([*lines, *(f"- read {what}" for what in list(self._read)[-left:])])

    def commands(self) -> str:
        """The commands that ran last, and how they ended."""
        ran = list(self._commands.items())[-_COMMANDS:]
        return "\n".join(f"- `{command}` {how}" for command, how in ran)

    def _take_result(self, data: dict[str, Any]) -> None:
        self._changed.update(data["paths"])
        what = self._asked.get(data["call"], "")
        if data["tool"] == "shell":
            _renew(self._commands, what, "failed" if data["failed"] else "ended well")
        elif data["tool"] == "read" and not data["failed"]:
            _renew(self._read, what, None)


def _renew(kept: dict[str, _T], key: str, value: _T) -> None:
    """Put the key at the end, and drop what is too old ever to be shown."""
    kept.pop(key, None)
    kept[key] = value
    if len(kept) > 2 * _FILES:
        del kept[next(iter(kept))]


def _result(tool: str, text: str, *, failed: bool) -> str:
    if not failed:
        return f"RESULT of {tool}: {_short(text, _RESULT_CHARS)}"
    end = text if len(text) <= _RESULT_CHARS else f"...{text[-_RESULT_CHARS:]}"
    return f"FAILED {tool}: {' '.join(end.split())}"


def _short(text: str, limit: int) -> str:
    text = " ".join(text.split())
    return text if len(text) <= limit else f"{text[:limit]}..."
