"""A rules file cut into rules, each of which can be read alone.

The blocks and their words are those of a memory file. But a rule loses its meaning without what is
above it: "commit generated files" under the heading "Never" says the opposite alone. So each rule
carries its headings and the line that leads into its list; and the commands in a fence belong to
the sentence above them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from milepost.memory.blocks import ITEM
from milepost.memory.document import normalized, parse_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from milepost.memory.blocks import Block

# A longer line that ends with a colon is a paragraph of its own.
_MAX_LEAD_CHARS = 240

# What a reader of the rendered file does not see must not reach a model either.
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)


# The scanner of headings takes time by the square of a run of blanks: a stranger's file could hold
# one of tens of thousands. Nobody indents by forty.
_LONG_BLANK = re.compile(r"[ \t]{41,}")


@dataclass(frozen=True, slots=True)
class Piece:
    """One rule: its words, and the zero-based lines on which it stands, `end_line` excluded."""

    text: str
    line: int
    end_line: int


def pieces(text: str) -> list[Piece]:
    """The rules of `text`, in its order. Comments, front matter and rulers are none."""
    return list(_Cutter(_LONG_BLANK.sub(" " * 40, text)).pieces())


class _Cutter:
    """Walks over the blocks once, with one rule open at a time."""

    def __init__(self, text: str) -> None:
        self._text = text
        document = parse_text(text)
        self._blocks = document.blocks
        self._words = {entry.block.start: entry.text for entry in document.entries}
        titles = [block for block in document.blocks if block.kind == "heading" and block.level < 2]
        # One heading of the first level is the file's title; several are its sections.
        self._title = titles[0] if len(titles) == 1 else None
        self._line = 0
        self._counted_to = 0
        self._headings: list[tuple[int, str]] = []
        self._lead = ""
        self._open: list[str] = []
        self._under: tuple[str, ...] = ()
        self._at = (0, 0)

    def pieces(self) -> Iterator[Piece]:
        """The rules."""
        for block in self._blocks:
            source = self._text[block.start : block.end]
            span = self._span(block)
            if block.kind == "entry" and ITEM.match(source) and self._open == [self._lead]:
                # The line that leads into the list stands with each of its items instead.
                self._open = []
            if block.kind == "heading":
                yield from self._close()
                self._enter(block)
            elif block.kind == "entry":
                yield from self._close()
                self._begin(self._words.get(block.start, ""), ITEM.match(source) is not None, span)
            elif not _is_left_out(block, source):
                self._attach(source, span)
        yield from self._close()

    def _enter(self, block: Block) -> None:
        self._lead = ""
        self._headings = [each for each in self._headings if each[0] < block.level]
        if block != self._title and block.title:
            self._headings.append((block.level, block.title[:_MAX_LEAD_CHARS]))

    def _begin(self, words: str, is_item: bool, span: tuple[int, int]) -> None:  # noqa: FBT001
        words = normalized(_COMMENT.sub("", words))
        headings = tuple(title for _, title in self._headings)
        if is_item:
            self._under = (*headings, self._lead.removesuffix(":")) if self._lead else headings
        else:
            self._lead = words if words.endswith(":") and len(words) <= _MAX_LEAD_CHARS else ""
            self._under = headings
        self._open, self._at = [words], span

    def _attach(self, source: str, span: tuple[int, int]) -> None:
        """A fence, a table or a quotation goes with what is above it in its section."""
        if not self._open:
            self._under, self._at = tuple(title for _, title in self._headings), span
        self._open.append(normalized(_COMMENT.sub("", source)))
        self._at = (self._at[0], span[1])

    def _close(self) -> Iterator[Piece]:
        words = "\n".join(self._open).strip()
        if words:
            yield Piece(": ".join((*self._under, words)), *self._at)
        self._open = []

    def _span(self, block: Block) -> tuple[int, int]:
        self._line += self._text.count("\n", self._counted_to, block.start)
        self._counted_to = block.start
        lines = self._text.count("\n", block.start, block.end)
        is_last = not self._text.endswith("\n", block.start, block.end)
        return self._line, self._line + lines + is_last


def _is_left_out(block: Block, source: str) -> bool:
    stripped = source.strip()
    is_front_matter = block.start == 0 and stripped.startswith("---")
    is_ruler = not stripped.strip("-*_ \t\r\n")
    return is_front_matter or is_ruler or stripped.startswith("<!--")
