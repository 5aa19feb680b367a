"""The text a command takes from a document's buffer, and where it stands."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lsprotocol import types

from milepost import api
from milepost.api import enclosing_symbol
from milepost_lsp.arguments import MAX_TEXT_CHARS, ArgumentError
from milepost_lsp.editor import path_of, read_file
from milepost_lsp.text import Text

if TYPE_CHECKING:
    from milepost_lsp.actions.action import Call
    from milepost_lsp.protocol.places import Range

# The signs with which languages begin a line of a comment.
_COMMENT = re.compile(r"\s*(?:#+|//+|--+|;+|/?\*+(?!/))(?:[ \t]+|$)")


@dataclass(frozen=True, slots=True)
class Selection:
    """Selected text; `anchor` is `path#symbol` or `path`, None outside the project's files.
    `summary_session` is set in a checkpoint.md, as `Home` has it."""

    workspace: api.Workspace
    text: str
    anchor: str | None
    summary_session: str | None = None


async def read_selection(call: Call, uri: str, span: Range) -> Selection:
    """Reads a range from the buffer, unsaved changes included, or else from the file."""
    path = path_of(uri)
    home = await call.session.home(path) if path else None
    if path is None or home is None:
        raise api.UserError(f"no open project holds {uri}: name a file inside a project")
    text = call.editor.text(uri)
    if text is None:
        source = await call.session.run(read_file, path)
        if source is None:
            raise ArgumentError(f"`uri` names {path}, which cannot be read as text")
        text = Text(source, call.editor.codec)
    selected = text.slice(
        types.Range(
            types.Position(span.start.line, span.start.character),
            types.Position(span.end.line, span.end.character),
        )
    )
    if not selected.strip():
        raise ArgumentError("`range` selects no text")
    if len(selected) > MAX_TEXT_CHARS:
        raise ArgumentError(f"the selection is longer than {MAX_TEXT_CHARS:,} characters")
    anchor = _anchor(home.path, text, selected, span)
    return Selection(home.workspace, selected, anchor, home.summary_session)


def plain_words(text: str) -> str:
    """The text without its indentation, and without comment signs if all of it is a comment."""
    lines = text.strip("\n").splitlines()
    if all(_COMMENT.match(line) for line in lines if line.strip()):
        return "\n".join(_COMMENT.sub("", line, count=1).rstrip() for line in lines).strip()
    return textwrap.dedent("\n".join(lines)).strip()


def _anchor(path: str | None, text: Text, selected: str, span: Range) -> str | None:
    if path is None:
        return None
    # A selection often begins at the end of the line before the one it means.
    blank = len(selected) - len(selected.lstrip())
    first_line = span.start.line + selected[:blank].count("\n")
    symbol = enclosing_symbol(text.lines, first_line, path)
    return f"{path}#{symbol}" if symbol else path
