"""textDocument/foldingRange: the sections of a memory file or a checkpoint.md, and what has several
lines in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsprotocol import types

from milepost_lsp.features import summary

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from milepost import api
    from milepost_lsp.features.feature import Desk


def register(desk: Desk) -> None:
    """Registers the request."""

    @desk.server.feature(types.TEXT_DOCUMENT_FOLDING_RANGE)
    async def folding_range(params: types.FoldingRangeParams) -> list[types.FoldingRange] | None:
        uri = params.text_document.uri
        text, home = desk.editor.text(uri), await desk.home(uri)
        if text is None or home is None:
            return None
        if home.summary_session is not None:
            items = await desk.session.run(summary.outline, home, text.source)
        elif home.is_memory:
            items = await desk.session.run(home.workspace.memory.outline, text.source)
        else:
            return None
        return list(_ranges(items, _last_words(text.lines)))


def _ranges(items: Sequence[api.OutlineItem], ends: list[int]) -> Iterator[types.FoldingRange]:
    for number, item in enumerate(items):
        if item.level:
            following = (each.line for each in items[number + 1 :] if 0 < each.level <= item.level)
            end_line = next(following, len(ends))
        else:
            end_line = item.end_line
        last = ends[min(end_line, len(ends)) - 1] if end_line > item.line else item.line
        if last > item.line:
            yield types.FoldingRange(item.line, last, kind=types.FoldingRangeKind.Region)


def _last_words(lines: Sequence[str]) -> list[int]:
    """For each line the last one up to it that is not blank."""
    ends: list[int] = []
    for number, line in enumerate(lines):
        ends.append(number if line.strip() or not ends else ends[-1])
    return ends
