"""textDocument/completion in memory files and checkpoint.md: `@memory`, `@file` and `@task`, the
sections behind `##`, and what can stand in an entry's comment."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lsprotocol import types

from milepost import api
from milepost_lsp import markdown

if TYPE_CHECKING:
    from collections.abc import Iterable

    from milepost_lsp.features.feature import Desk
    from milepost_lsp.session import Home
    from milepost_lsp.text import Text

# A list is scrolled through no further than this; typing on narrows it.
_MOST = 50

_WORD = re.compile(r"(?<!\S)@(\w*)$")
_FILE = re.compile(r"@file:([^\s\"]*)$")
_TASK = re.compile(r"@task:([\w.]*)$")
_MEMORY = re.compile(r"@memory[ \t:]+([^\n@]*)$")
_SECTION = re.compile(r"^##[ \t]+([^#\n]*)$")
_FIELD = re.compile(r"<!--[ \t]*milepost\b[^>]*?\b(status|anchors)=([^ \t>]*)$")

_SECTIONS = ("Project context", "Rules", "Architecture decisions", "Discovered knowledge")
_STATUSES = ("stated", "confirmed", "unverified")
_WORDS = (
    ("@memory ", "words that memory is searched for"),
    ("@file:", "a file of the project"),
    ("@task:", "a task"),
)


def register(desk: Desk) -> None:
    """Registers the request."""
    options = types.CompletionOptions(trigger_characters=["@", ":", "/", "=", "#"])

    @desk.server.feature(types.TEXT_DOCUMENT_COMPLETION, options)
    async def completion(params: types.CompletionParams) -> types.CompletionList | None:
        uri = params.text_document.uri
        text, home = desk.editor.text(uri), await desk.home(uri)
        if text is None or home is None or not (home.is_memory or home.summary_session):
            return None
        before = text.before(params.position)
        try:
            return await desk.session.run(_completions, home, text, params.position, before)
        except api.MilepostError as error:
            desk.stay_silent(error)
            return None


def _completions(  # noqa: PLR0911  (a line for each place)
    home: Home, text: Text, position: types.Position, before: str
) -> types.CompletionList | None:
    def listed(typed: str, items: Iterable[tuple[str, str, str]]) -> types.CompletionList:
        """What may stand in the place of what was typed: text, what it is, and its words."""
        start = text.position(position.line, len(before) - len(typed))
        span = types.Range(start, position)
        made = [_item(span, typed, *item) for item in list(items)[: _MOST + 1]]
        return types.CompletionList(is_incomplete=len(made) > _MOST, items=made[:_MOST])

    inspection = home.workspace.inspection
    sections = _SECTIONS if home.is_memory else home.workspace.summaries.titles
    if home.is_memory and (match := _FIELD.search(before)):
        if match[1] == "status":
            return listed(match[2], ((each, "status", "") for each in _STATUSES))
        last = re.split("%0A", match[2], flags=re.IGNORECASE)[-1]
        return listed(last, _paths(inspection.files(), last))
    if match := _FILE.search(before):
        return listed(match[1], _paths(inspection.files(), match[1]))
    if match := _TASK.search(before):
        tasks = inspection.tasks()
        return listed(match[1], ((task, state, title) for task, state, title in tasks))
    if match := _MEMORY.search(before):
        return listed(match[1], _entries(home, match[1]))
    if match := _WORD.search(before):
        return listed(f"@{match[1]}", ((each, words, "") for each, words in _WORDS))
    if match := _SECTION.search(before):
        return listed(match[1], ((each, "section", "") for each in sections))
    return None


def _item(span: types.Range, typed: str, new: str, what: str, words: str) -> types.CompletionItem:
    return types.CompletionItem(
        label=new.strip(),
        kind=types.CompletionItemKind.File
        if what == "file"
        else types.CompletionItemKind.Reference,
        detail=what,
        documentation=words or None,
        # The editor filters by this, and what memory found need not hold what was typed.
        filter_text=typed or new,
        text_edit=types.TextEdit(span, new),
    )


def _paths(paths: Iterable[str], typed: str) -> list[tuple[str, str, str]]:
    """The paths that hold what was typed, those that begin with it first."""
    wanted = typed.lower()
    found = [path for path in paths if wanted in path.lower() and not re.search(r"\s", path)]
    found.sort(key=lambda path: (not path.lower().startswith(wanted), len(path), path))
    return [(path, "file", "") for path in found[: _MOST + 1]]


def _entries(home: Home, typed: str) -> list[tuple[str, str, str]]:
    """The first words of the entries that memory finds."""
    if not typed.strip():
        return []
    found = home.workspace.memory.search(typed, limit=_MOST, is_use=False)
    return [
        (
            markdown.short(hit.entry.text, 60),
            f"{hit.entry.kind}, {hit.entry.status}",
            hit.entry.text,
        )
        for hit in found.hits
    ]
