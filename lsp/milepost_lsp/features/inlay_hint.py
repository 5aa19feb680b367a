"""textDocument/inlayHint in code: at the end of a definition, how many entries are about it, and
whether one asks for a look. Where memory has nothing to say there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsprotocol import types

from milepost import api
from milepost_lsp import markdown

if TYPE_CHECKING:
    from milepost_lsp.features.feature import Desk
    from milepost_lsp.features.inspection import Inspector, Mark
    from milepost_lsp.text import Text


def register(desk: Desk, inspector: Inspector) -> None:
    """Registers the request."""

    @desk.server.feature(types.TEXT_DOCUMENT_INLAY_HINT)
    async def inlay_hint(params: types.InlayHintParams) -> list[types.InlayHint] | None:
        if not desk.editor.options.inspection.inlay_hints:
            return None
        try:
            found = await inspector.inspected(params.text_document.uri)
        except api.MilepostError as error:
            desk.stay_silent(error)
            return None
        if found is None:
            return None
        inspected, text, _ = found
        first, last = params.range.start.line, params.range.end.line
        return [_hint(text, mark) for mark in inspected.marks if first <= mark.line <= last]


def _hint(text: Text, mark: Mark) -> types.InlayHint:
    suspect = sum(bool(entry.doubts) for entry in mark.entries)
    label = markdown.count(len(mark.entries), "memory")
    if suspect:
        label += f", {suspect} suspect"
    return types.InlayHint(
        text.end_of_line(mark.line),
        label,
        tooltip=types.MarkupContent(types.MarkupKind.Markdown, markdown.entries(mark.entries)),
        padding_left=True,
    )
