"""A document's text as LSP counts it: lines, and positions in the units agreed at initialize.

pygls splits lines with `str.splitlines`, which also breaks at a form feed, a vertical tab or a
Unicode line separator; LSP does not. In a file that holds one (GNU C sources do), every position
after it is a line off, and an incremental edit lands on the wrong line.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lsprotocol import types

if TYPE_CHECKING:
    from pygls.workspace import PositionCodec

_ODD_BREAK = re.compile("[\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
_LINE_END = re.compile(r"(?<=\n)|(?<=\r)(?!\n)")
_WORD = re.compile(r"\w+")


def split_lines(source: str) -> tuple[str, ...]:
    """The lines with their ends, broken at `\\n`, `\\r\\n` and `\\r` only."""
    if not _ODD_BREAK.search(source):
        return tuple(source.splitlines(keepends=True))
    return tuple(line for line in _LINE_END.split(source) if line)


class Text:
    """One version of a document; it does not change, so any thread may read it."""

    def __init__(self, source: str, codec: PositionCodec) -> None:
        self.source = source
        self.lines = split_lines(source)
        self.codec = codec

    @property
    def end(self) -> types.Position:
        """Where the text ends."""
        if not self.lines or self.lines[-1].endswith(("\n", "\r")):
            return types.Position(len(self.lines), 0)
        return self.end_of_line(len(self.lines) - 1)

    def slice(self, span: types.Range) -> str:
        """The text of a range given in the client's units."""
        return self.source[self._offset(span.start) : self._offset(span.end)]

    def before(self, position: types.Position) -> str:
        """The text of the line before a position."""
        if position.line >= len(self.lines):
            return ""
        return self.lines[position.line][: self._column(position)]

    def word_at(self, position: types.Position) -> tuple[str, types.Range] | None:
        """The identifier that holds or ends at a position, and where it stands."""
        if position.line >= len(self.lines):
            return None
        line = self.lines[position.line]
        column = self._column(position)
        for match in _WORD.finditer(line):
            if match.start() <= column <= match.end():
                start = self.position(position.line, match.start())
                return match[0], types.Range(start, self.position(position.line, match.end()))
        return None

    def position(self, line: int, column: int) -> types.Position:
        """A position in the client's units from a column in code points."""
        if line >= len(self.lines):
            return types.Position(len(self.lines), 0)
        before = self.lines[line][:column]
        # Every encoding counts ASCII alike; pygls' codec asks about each character.
        units = len(before) if before.isascii() else self.codec.client_num_units(before)
        return types.Position(line, units)

    def start_of_line(self, line: int) -> types.Position:
        """Where a line begins; beyond the last one, the end of the text, which may stand behind a
        line without a line end."""
        last = len(self.lines) - 1
        if line > last >= 0 and not self.lines[last].endswith(("\n", "\r")):
            return self.end_of_line(last)
        return self.position(line, 0)

    def end_of_line(self, line: int) -> types.Position:
        """Where a line ends, before its line end."""
        if line >= len(self.lines):
            return types.Position(len(self.lines), 0)
        return self.position(line, len(self.lines[line].rstrip("\r\n")))

    def whole_lines(self, line: int, end_line: int) -> types.Range:
        """The lines up to but not with `end_line`, without the last one's line end."""
        return types.Range(self.position(line, 0), self.end_of_line(max(line, end_line - 1)))

    def _offset(self, position: types.Position) -> int:
        if position.line >= len(self.lines):
            return len(self.source)
        before = sum(len(line) for line in self.lines[: position.line])
        return before + self._column(position)

    def _column(self, position: types.Position) -> int:
        """Code points before a position; beyond the end of the line is its end, as LSP has it.

        pygls' codec answers one short of the end there, hence the clamp.
        """
        line = self.lines[position.line]
        if line.isascii():
            return min(position.character, len(line.rstrip("\r\n")))
        end = self.end_of_line(position.line).character
        inside = types.Position(position.line, min(position.character, end))
        return self.codec.position_from_client_units(self.lines, inside).character
