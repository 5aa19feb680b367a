"""What a chat answers when there is no model: what memory and history hold, with citations.

It is a search and says so. Nothing is put into other words, so that each line can be looked up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from milepost.api.quoting import inline, quoted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from milepost.api.chat import views
    from milepost.api.history import History
    from milepost.history.item import Item
    from milepost.history.transcript import Transcripts

NO_MODEL = (
    "No model is configured, so nothing here was thought up: this is what memory and history hold. "
    "To have a model answer, set MILEPOST_MODEL, or `worker.model` in the settings, to "
    "`openai:NAME` (any server of chat completions; OPENAI_BASE_URL, OPENAI_API_KEY), "
    "`anthropic:NAME` (ANTHROPIC_API_KEY) or `scripted:FILE`, and start the editor anew."
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
            f"- [history {event.id}] {event.at}, {inline(event.actor)}: {inline(event.action)}\n"
            f"{_indented(quoted(_short(event.request)))}"
            for event in events
        ]
        parts.append("\n".join(["## Done before", "", *lines]))
    if len(parts) == 1:
        parts.append("Neither memory nor history holds any of these words; try others.")
    return "\n\n".join(parts)


def _memory(recalled: Sequence[views.Recalled]) -> list[str]:
    groups: dict[str, list[str]] = {}
    for entry in recalled:
        line = (
            f"- [{entry.id}] {entry.status}, {inline(entry.path, 400)}:{entry.line + 1}\n"
            f"{_indented(quoted(_short(entry.text)))}"
        )
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
        f"- [item {item.number}] {item.at}, {_SPEAKERS[item.kind]}, session {item.session}\n"
        f"{_indented(quoted(_short(_words(item))))}"
        for item in items
    ]
    return ["\n".join(["## Said before", "", *lines])]


def _words(item: Item) -> str:
    if item.kind == "user":
        return str(item.data["text"])
    return "\n".join(part["text"] for part in item.data["parts"] if part["type"] == "Text")


def _short(text: str) -> str:
    text = text.strip()
    return text if len(text) <= _QUOTED_CHARS else f"{text[:_QUOTED_CHARS]}…"


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.splitlines())
