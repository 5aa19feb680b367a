"""textDocument/rename in memory files: code that entries are about has another name or place now.

On an anchor's path the file is renamed in every anchor that is in it; on its symbol, that symbol.
The stamps stay, so that an entry whose code changed as well is still suspect. All memory files that
are in play are looked through. What else stands in such a file has no name that others use: the
headings are fixed, words are edited, and a task's id says where it stands in the tree.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

from lsprotocol import types

from milepost import api
from milepost_lsp.editor import read_file
from milepost_lsp.text import Text

if TYPE_CHECKING:
    from milepost_lsp.features.feature import Desk
    from milepost_lsp.session import Home

# The characters that stand for themselves in an anchor in a comment.
_SAFE = "/:@,+~!$()*;"
_MOST_CHARS = 300

_REFUSAL = (
    "only the code that an entry is about can be renamed here: put the cursor on a path or a "
    "symbol behind `anchors=`"
)
_FIXED = "the headings of a memory file are fixed, so that everybody finds a rule in one place"


@dataclass(frozen=True, slots=True)
class _Named:
    """What stands under the cursor: a path, or with `symbol` a symbol in it, and where."""

    path: str
    symbol: str | None
    span: types.Range

    @property
    def name(self) -> str:
        return self.path if self.symbol is None else self.symbol


def register(desk: Desk) -> None:
    """Registers both requests."""
    options = types.RenameOptions(prepare_provider=True)

    @desk.server.feature(types.TEXT_DOCUMENT_PREPARE_RENAME)
    async def prepare_rename(
        params: types.PrepareRenameParams,
    ) -> types.PrepareRenamePlaceholder | None:
        found = await _named(desk, params.text_document.uri, params.position)
        return found and types.PrepareRenamePlaceholder(found[1].span, found[1].name)

    @desk.server.feature(types.TEXT_DOCUMENT_RENAME, options)
    async def rename(params: types.RenameParams) -> types.WorkspaceEdit | None:
        found = await _named(desk, params.text_document.uri, params.position)
        if found is None:
            return None
        home, named = found
        new = _checked(params.new_name, named)
        buffers = {
            path: (uri, text, desk.editor.version(uri))
            for uri in desk.editor.open_uris()
            if (text := desk.editor.text(uri)) and (path := _path_in(home, uri))
        }
        files = await desk.session.run(home.workspace.memory.files)
        changes: list[types.TextDocumentEdit] = []
        for file in files:
            uri, text, version = buffers.get(file, (Path(file).as_uri(), None, None))
            if text is None:
                source = await desk.session.run(read_file, file)
                text = Text(source or "", desk.editor.codec)
            edits = await desk.session.run(_edits, home, text, named, new)
            if edits:
                whose = types.OptionalVersionedTextDocumentIdentifier(uri, version)
                changes.append(types.TextDocumentEdit(whose, edits))
        return _edit(desk, changes)


async def _named(desk: Desk, uri: str, position: types.Position) -> tuple[Home, _Named] | None:
    """What is named under the cursor. Raises UserError where nothing can be renamed; None where the
    document is no memory file."""
    text, home = desk.editor.text(uri), await desk.home(uri)
    if text is None or home is None or not home.is_memory:
        return None
    line = position.line
    column = len(text.before(position))
    for entry in await desk.session.run(home.workspace.inspection.entries, text.source):
        for anchor, at, start, end in entry.anchors:
            if at == line and start <= column <= end:
                return home, _part(text, anchor, line, start, column)
    outline = await desk.session.run(home.workspace.memory.outline, text.source)
    is_heading = any(item.level and item.line <= line < item.end_line for item in outline)
    raise api.UserError(_FIXED if is_heading else _REFUSAL)


def _part(text: Text, anchor: str, line: int, start: int, column: int) -> _Named:
    """The path or the symbol of an anchor, whichever the cursor is on."""
    path, _, symbol = anchor.partition("#")
    raw = text.lines[line][start:]
    path_end = start + len(quote(path, safe=_SAFE))
    if symbol and column > path_end and raw[path_end - start : path_end - start + 1] == "#":
        first = path_end + 1
        last = first + len(quote(symbol, safe=_SAFE))
        return _Named(path, symbol, _range(text, line, first, last))
    return _Named(path, None, _range(text, line, start, path_end))


def _checked(new: str, named: _Named) -> str:
    new = new.strip()
    is_bad = not new or len(new) > _MOST_CHARS or not new.isprintable() or "#" in new
    if is_bad or (named.symbol is None and (new.startswith("/") or ".." in new.split("/"))):
        what = "a path inside the project" if named.symbol is None else "the name of a symbol"
        raise api.UserError(f"{new[:80]!r} is not {what}")
    return new


def _edits(home: Home, text: Text, named: _Named, new: str) -> list[types.TextEdit]:
    """The edits of one memory file."""
    edits: list[types.TextEdit] = []
    for entry in home.workspace.inspection.entries(text.source):
        for anchor, line, start, end in entry.anchors:
            path, _, symbol = anchor.partition("#")
            if path != named.path or (named.symbol is not None and symbol != named.symbol):
                continue
            raw = text.lines[line][start:end]
            # The path as it is written there, which may be quoted otherwise than we do it.
            length = next(size for size in range(1, len(raw) + 1) if unquote(raw[:size]) == path)
            if named.symbol is not None:
                first = start + length + 1
                last = first + len(quote(symbol, safe=_SAFE))
            else:
                first, last = start, start + length
            edits.append(types.TextEdit(_range(text, line, first, last), quote(new, safe=_SAFE)))
    return edits


def _edit(desk: Desk, changes: list[types.TextDocumentEdit]) -> types.WorkspaceEdit:
    if desk.editor.takes_versioned_edits:
        return types.WorkspaceEdit(document_changes=list(changes))
    return types.WorkspaceEdit(
        changes={
            each.text_document.uri: [e for e in each.edits if isinstance(e, types.TextEdit)]
            for each in changes
        }
    )


def _path_in(home: Home, uri: str) -> str | None:
    """The memory file that a document is, by the path that the workspace knows it by."""
    for file in home.workspace.memory.files():
        if Path(file).as_uri() == uri:
            return file
    return None


def _range(text: Text, line: int, start: int, end: int) -> types.Range:
    return types.Range(text.position(line, start), text.position(line, end))
