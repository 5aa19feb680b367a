"""textDocument/hover: what memory knows about the word, and nothing where it knows nothing.

In a memory file it is the entry under the cursor: where it comes from and how far it is trusted. In
a checkpoint.md it is who filled the section and what they had seen, or what an id stands for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsprotocol import types

from milepost import api
from milepost_lsp import markdown
from milepost_lsp.features import summary

if TYPE_CHECKING:
    from milepost_lsp.features.feature import Desk
    from milepost_lsp.session import Home
    from milepost_lsp.text import Text

# A hover is glanced at; the code action "what does memory know" shows the rest.
LIMIT = 5


def register(desk: Desk) -> None:
    """Registers the request."""

    @desk.server.feature(types.TEXT_DOCUMENT_HOVER)
    async def hover(params: types.HoverParams) -> types.Hover | None:
        uri = params.text_document.uri
        text, home = desk.editor.text(uri), await desk.home(uri)
        if text is None or home is None:
            return None
        try:
            if home.summary_session is not None:
                return await _hover_summary(desk, home, text, params.position)
            if home.is_memory:
                return await _hover_entry(desk, home, text, params.position)
            return await _hover_word(desk, home, text, params.position)
        except api.MilepostError as error:
            desk.stay_silent(error)
            return None


async def _hover_word(
    desk: Desk, home: Home, text: Text, position: types.Position
) -> types.Hover | None:
    found = text.word_at(position)
    if found is None:
        return None
    word, span = found
    entries = await desk.session.run_soon(
        home.workspace.memory.about, word, path=home.path, limit=LIMIT
    )
    if not entries:
        return None
    return _hover(desk, f"Milepost remembers about {word}", entries, span)


async def _hover_summary(
    desk: Desk, home: Home, text: Text, position: types.Position
) -> types.Hover | None:
    plain = not desk.editor.shows_markdown
    found = await desk.session.run(summary.hover, home, text, position, plain=plain)
    return found and _shown(desk, *found)


async def _hover_entry(
    desk: Desk, home: Home, text: Text, position: types.Position
) -> types.Hover | None:
    outline = await desk.session.run(home.workspace.memory.outline, text.source)
    for item in outline:
        if item.entry_id and item.line <= position.line < item.end_line:
            try:
                entry = await desk.session.run(home.workspace.memory.get, item.entry_id)
            except api.UserError:
                return None  # the buffer has an entry that the file does not have yet
            span = types.Range(
                text.position(item.line, 0), text.end_of_line(max(item.line, item.end_line - 1))
            )
            changes = await desk.session.run(
                home.workspace.memory.changes_of, entry.id, scope=home.memory_scope
            )
            uses = await desk.session.run(home.workspace.inspection.uses, home.memory_scope or "")
            body = markdown.entry(
                entry,
                plain=not desk.editor.shows_markdown,
                changes=changes,
                uses=uses.get(entry.id, 0),
            )
            return _shown(desk, "Milepost remembers", body, span)
    return None


def _hover(
    desk: Desk, title: str, entries: tuple[api.Entry, ...], span: types.Range
) -> types.Hover:
    body = markdown.entries(entries, plain=not desk.editor.shows_markdown)
    return _shown(desk, title, body, span)


def _shown(desk: Desk, title: str, body: str, span: types.Range) -> types.Hover:
    is_markdown = desk.editor.shows_markdown
    kind = types.MarkupKind.Markdown if is_markdown else types.MarkupKind.PlainText
    heading = f"**{markdown.inline(title)}**" if is_markdown else title
    return types.Hover(types.MarkupContent(kind, f"{heading}\n\n{body}"), span)
