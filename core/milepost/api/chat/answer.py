"""What a chat answers when there is no model: what memory and history hold, with citations.

It is a search and says so. Nothing is put into other words, so that each line can be looked up.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, cast

from milepost.api.quoting import BAR, inline, quoted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from milepost.api.chat import views
    from milepost.api.history import History
    from milepost.history.item import Item
    from milepost.history.transcript import Transcripts

NO_MODEL = (
    "No model is configured, so nothing here was thought up: this is what memory and history hold."
)

# Last, because who asked wants to read what was found, not how to be asked for more.
HOW_TO_HAVE_ONE = (
    "To have a model answer, name one in your editor's settings of Milepost, in `worker.model` of "
    "`config.toml` or in `MILEPOST_MODEL`: `openai:NAME` (any server of chat completions; "
    "`OPENAI_BASE_URL`, `OPENAI_API_KEY`) or `anthropic:NAME` (`ANTHROPIC_API_KEY`)."
)

# A page: more is a list to be searched, which the search commands do better.
_HISTORY = 5
_SAID = 5
_QUOTED_CHARS = 500

_KINDS = {
    "rule": "Rules", "decision": "Decisions", "knowledge": "Knowledge", "context": "Context",
    "note": "Notes",
}  # fmt: skip

# What stands in a transcript that a person may ask for: what was said, and by whom.
_SPEAKERS = {"user": "you", "assistant": "the worker"}


def answer(
    words: str,
    recalled: Sequence[views.Recalled],
    history: History,
    transcripts: Transcripts,
    before: int,
) -> str:
    """The answer in Markdown. `recalled` are the entries that memory found; what was said from the
    item `before` on is the question itself."""
    parts = [NO_MODEL, *_memory(recalled)]
    said = [item for _, item in transcripts.search(words, 4 * _SAID) if item.number < before]
    parts += _said([item for item in said if item.kind in _SPEAKERS][:_SAID])
    events = history.search(words, limit=_HISTORY).events
    if events:
        lines = [
            _cited(
                f"[history {event.id}] {event.at}, {inline(event.actor)}: {inline(event.action)}",
                _plain(event.request),
            )
            for event in events
        ]
        parts.append("\n".join(["## Done before", "", *lines]))
    if len(parts) == 1:
        parts.append("Neither memory nor history holds any of these words; try others.")
    parts.append(HOW_TO_HAVE_ONE)
    return "\n\n".join(parts)


def _memory(recalled: Sequence[views.Recalled]) -> list[str]:
    groups: dict[str, list[str]] = {}
    for entry in recalled:
        place = f"{inline(entry.path, 400)}:{entry.line + 1}"
        line = _cited(f"[{entry.id}] {entry.status}, {place}", entry.text)
        groups.setdefault(entry.kind, []).append(line)
    return [
        "\n".join([f"## {title}", "", *groups[kind]])
        for kind, title in _KINDS.items()
        if kind in groups
    ]


def _said(items: Sequence[Item]) -> list[str]:
    if not items:
        return []
    lines = [
        _cited(
            f"[item {item.number}] {item.at}, {_SPEAKERS[item.kind]}, session {item.session}",
            _words(item),
        )
        for item in items
    ]
    return ["\n".join(["## Said before", "", *lines])]


def _words(item: Item) -> str:
    if item.kind == "user":
        return str(item.data["text"])
    return "\n".join(part["text"] for part in item.data["parts"] if part["type"] == "Text")


def _plain(request: str) -> str:
    """What was asked for, without the braces and the empty places of a call's arguments."""
    try:
        asked = json.loads(request)
    except ValueError:
        return request
    if not isinstance(asked, dict):
        return request
    named = cast("dict[str, object]", asked)
    # One line: Markdown would join several.
    return "; ".join(
        f"{name}: {value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}"
        for name, value in named.items()
        if value not in (None, "", [], {})
    )


def _cited(citation: str, text: str) -> str:
    """An item of a list: where it stands, and its words as a quotation that is Markdown's, too."""
    text = text.strip()
    short = text if len(text) <= _QUOTED_CHARS else f"{text[:_QUOTED_CHARS]}…"
    lines = (f"  > {line.removeprefix(BAR)}".rstrip() for line in quoted(short).splitlines())
    return "\n".join([f"- {citation}", "", *lines])
