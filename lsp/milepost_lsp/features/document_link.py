"""textDocument/documentLink: from a memory file or a checkpoint.md to the code, entries and tasks
that it names.

A link into code is resolved when it is followed, because that is when its line is looked for.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from lsprotocol import types

from milepost import api
from milepost_lsp.editor import path_of, read_file
from milepost_lsp.features import summary

if TYPE_CHECKING:
    from collections.abc import Iterator

    from milepost_lsp.features.feature import Desk
    from milepost_lsp.session import Home
    from milepost_lsp.text import Text

# In the words of an entry: a path in a code span, a file or a task that is named for the chat.
_SPAN = re.compile(r"`(?P<path>[\w.@+-]+(?:/[\w.@+-]+)*\.\w{1,8})(?:#(?P<symbol>[\w.]+))?`")
_FILE = re.compile(r"@file:(?P<path>[^\s\"<>]+)")
_TASK = re.compile(r"@task:(?P<task>T[1-9]\d{0,4}(?:\.[1-9]\d{0,2}){0,7})\b")

# Each path in the words is looked for on the disk; a longer file has its anchors alone.
_LOOKED_FOR = 500


def register(desk: Desk) -> None:
    """Registers both requests."""
    options = types.DocumentLinkOptions(resolve_provider=True)

    @desk.server.feature(types.TEXT_DOCUMENT_DOCUMENT_LINK, options)
    async def document_link(params: types.DocumentLinkParams) -> list[types.DocumentLink] | None:
        uri = params.text_document.uri
        text, home = desk.editor.text(uri), await desk.home(uri)
        if text is None or home is None or not (home.is_memory or home.summary_session):
            return None
        if home.summary_session is not None:
            opens_ours = desk.editor.opens_ours
            links = await desk.session.run(_of_summary, home, text, opens_ours=opens_ours)
        else:
            links = await desk.session.run(_links, home, uri, text)
        if not desk.editor.shows_link_tooltips:
            for link in links:
                link.tooltip = None
        return links

    @desk.server.feature(types.DOCUMENT_LINK_RESOLVE)
    async def document_link_resolve(link: types.DocumentLink) -> types.DocumentLink:
        given: Any = link.data
        data = cast("dict[str, Any]", given) if isinstance(given, dict) else {}
        path, symbol = data.get("path"), data.get("symbol")
        if link.target is None and isinstance(path, str):
            name = symbol if isinstance(symbol, str) else ""
            link.target = await desk.session.run(_target, path, name)
        return link


def _of_summary(home: Home, text: Text, *, opens_ours: bool) -> list[types.DocumentLink]:
    return list(summary.links(home, text, opens_ours=opens_ours))


def _links(home: Home, uri: str, text: Text) -> list[types.DocumentLink]:
    entries = home.workspace.inspection.entries(text.source)
    lines = {entry.id: entry.line for entry in entries}
    found: list[types.DocumentLink] = []
    for entry in entries:
        for anchor, line, start, end in entry.anchors:
            found.append(_to_code(home, anchor, _range(text, line, start, end)))
        by = entry.superseded_by
        if by in lines:
            line = max(entry.line, entry.end_line - 1)
            column = text.lines[line].find(f"superseded-by={by}")
            if column >= 0:
                span = _range(text, line, column, column + len("superseded-by=") + len(by))
                target = f"{uri}#L{lines[by] + 1}"
                found.append(types.DocumentLink(span, target, "the entry that took its place"))
    return [*found, *_in_words(home, text)]


def _in_words(home: Home, text: Text) -> Iterator[types.DocumentLink]:
    root = Path(home.workspace.project.root)
    looked_for = 0
    for number, line in enumerate(text.lines):
        for pattern in (_SPAN, _FILE):
            for match in pattern.finditer(line):
                looked_for += 1
                path = match["path"]
                if looked_for <= _LOOKED_FOR and ".." not in path and (root / path).is_file():
                    symbol = match.groupdict().get("symbol")
                    anchor = f"{path}#{symbol}" if symbol else path
                    yield _to_code(home, anchor, _range(text, number, *match.span("path")))
        for match in _TASK.finditer(line):
            progress = Path(home.workspace.memory.file(task=match["task"]))
            if progress.exists():
                span = _range(text, number, *match.span("task"))
                yield types.DocumentLink(span, progress.as_uri(), "the progress of this task")


def _to_code(home: Home, anchor: str, span: types.Range) -> types.DocumentLink:
    path, _, symbol = anchor.partition("#")
    full = str(Path(home.workspace.project.root, path))
    data = {"path": full, "symbol": symbol}
    return types.DocumentLink(span, tooltip=anchor, data=data)


def _target(path: str, symbol: str) -> str:
    """The URI of a file, with the line of a symbol in the form that editors understand."""
    uri = Path(path).as_uri()
    if not symbol or path_of(uri) is None:
        return uri
    place = api.symbol_place(read_file(path) or "", path, symbol)
    return uri if place is None else f"{uri}#L{place[0] + 1}"


def _range(text: Text, line: int, start: int, end: int) -> types.Range:
    return types.Range(text.position(line, start), text.position(line, end))
