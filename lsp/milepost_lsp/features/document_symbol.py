"""textDocument/documentSymbol: the headings and entries of a memory file, and the sections and
items of a checkpoint.md, from the buffer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsprotocol import types

from milepost import api
from milepost_lsp import markdown
from milepost_lsp.features import summary

if TYPE_CHECKING:
    from collections.abc import Sequence

    from milepost_lsp.features.feature import Desk
    from milepost_lsp.text import Text

# An outline is a column of a window; the rest of an entry is one click away.
NAME_CHARS = 80


def register(desk: Desk) -> None:
    """Registers the request."""

    @desk.server.feature(types.TEXT_DOCUMENT_DOCUMENT_SYMBOL)
    async def document_symbol(
        params: types.DocumentSymbolParams,
    ) -> list[types.DocumentSymbol] | list[types.SymbolInformation] | None:
        uri = params.text_document.uri
        text, home = desk.editor.text(uri), await desk.home(uri)
        if text is None or home is None or not (home.is_memory or home.summary_session):
            return None
        try:
            if home.summary_session is not None:
                items = await desk.session.run(summary.outline, home, text.source)
            else:
                items = await desk.session.run(home.workspace.memory.outline, text.source)
        except api.MilepostError as error:
            desk.stay_silent(error)
            return None
        symbols = _nested(items, text)
        return symbols if desk.editor.nests_symbols else _flat(symbols, uri, None)


def _nested(items: Sequence[api.OutlineItem], text: Text) -> list[types.DocumentSymbol]:
    """Entries under their heading, headings under the next higher one."""
    top: list[types.DocumentSymbol] = []
    open_headings: list[tuple[int, list[types.DocumentSymbol]]] = []
    for number, item in enumerate(items):
        is_heading = item.level > 0
        if is_heading:
            while open_headings and open_headings[-1][0] >= item.level:
                open_headings.pop()
        last_line = _section_end(items, number) if is_heading else item.end_line
        children: list[types.DocumentSymbol] = []
        symbol = types.DocumentSymbol(
            name=markdown.short(item.title, NAME_CHARS) or "(empty)",
            detail=item.entry_id,
            kind=types.SymbolKind.Namespace if is_heading else types.SymbolKind.String,
            range=types.Range(text.position(item.line, 0), text.end_of_line(last_line - 1)),
            selection_range=types.Range(text.position(item.line, 0), text.end_of_line(item.line)),
            children=children,
        )
        (open_headings[-1][1] if open_headings else top).append(symbol)
        if is_heading:
            open_headings.append((item.level, children))
    return top


def _section_end(items: Sequence[api.OutlineItem], number: int) -> int:
    """The line after a heading's section: the next heading that is not below it, or the end."""
    level = items[number].level
    for item in items[number + 1 :]:
        if 0 < item.level <= level:
            return item.line
    return max(items[number].end_line, items[-1].end_line)


def _flat(
    symbols: Sequence[types.DocumentSymbol], uri: str, container: str | None
) -> list[types.SymbolInformation]:
    """For clients that show no tree."""
    flat: list[types.SymbolInformation] = []
    for symbol in symbols:
        where = types.Location(uri, symbol.range)
        flat.append(
            types.SymbolInformation(
                location=where, name=symbol.name, kind=symbol.kind, container_name=container
            )
        )
        flat += _flat(symbol.children or [], uri, symbol.name)
    return flat
