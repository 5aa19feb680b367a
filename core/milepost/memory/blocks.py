"""Where the blocks of a Markdown text begin and end.

Read is the part of CommonMark that tells entries apart: ATX and setext headings, list items with
their continuation lines, paragraphs; fences, comments, quotes, tables, indented code and front
matter are passed over. So are the marks of a merge that git left undone, each on a line of its own:
the entries of both sides stay entries. The scanner carries nothing from one block to the next, so a
text can be cut anew from any block's beginning; only at a mark it looks further ahead than to the
end of the block.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

BlockKind = Literal["heading", "entry", "other"]

_HEADING = re.compile(r" {0,3}(#{1,6})(?:[ \t]+(.*?))?(?:[ \t]+#+)?[ \t]*\r?$")
_UNDERLINE = re.compile(r" {0,3}(=+|-+)[ \t]*\r?$")
ITEM = re.compile(r" {0,3}(?:[-*+]|\d{1,9}[.)])(?:[ \t]+|(?=\r?$))")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
RULE = re.compile(r" {0,3}(?:(?:\*[ \t]*){3,}|(?:-[ \t]*){3,}|(?:_[ \t]*){3,})\r?$")
_PASSED_OVER = re.compile(r"(?: {4}|\t)| {0,3}(?:>|\|)")
_COMMENT_START = re.compile(r" {0,3}<!--")

# Git's marks: seven signs at the margin. Between the third and the second, where the base of both
# sides is shown, stands what neither side says.
OURS = re.compile(r"<{7}(?: |\r?$)")
_BASE = re.compile(r"\|{7}(?: |\r?$)")
_MIDDLE = re.compile(r"={7}\r?$")
_THEIRS = re.compile(r">{7}(?: |\r?$)")
_ANY_MARK = re.compile(r"^([<|=>])\1{6}(?: |\r?$)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Block:
    """A run of whole lines, `start` and `end` as offsets into the text."""

    kind: BlockKind
    start: int
    end: int
    level: int = 0
    title: str = ""
    section: str = ""


def cut(text: str) -> tuple[Block, ...]:
    """The blocks of `text`, which together are the whole text."""
    return tuple(each_block(text))


def each_block(text: str) -> Iterator[Block]:
    """The blocks of `text`, one by one."""
    return _with_sections(_Scanner(text).blocks())


def holds_mark(text: str) -> bool:
    """Whether a line of `text` may be one of git's marks: of these alone the block depends on what
    comes far behind them."""
    return _ANY_MARK.search(text) is not None


def ends_any_block(line: str) -> bool:
    """Whether a line begins a block wherever a block can begin, whatever stands before it: a
    heading, an item, a fence or a comment at the left margin, and no underline of a heading."""
    begins = (_HEADING, ITEM, _FENCE, _COMMENT_START)
    return (
        not line.startswith((" ", "\t"))
        and any(pattern.match(line) for pattern in begins)
        and not _UNDERLINE.match(line)
    )


def _with_sections(blocks: Iterator[Block]) -> Iterator[Block]:
    """Each block with the heading (of level 2 or deeper) under which it stands."""
    section = ""
    for block in blocks:
        if block.kind == "heading":
            section = block.title if block.level > 1 else ""
        yield replace(block, section=section) if section else block


class _Scanner:
    """Walks over the lines once and yields the blocks, which together are the whole text."""

    def __init__(self, text: str) -> None:
        # Only "\n" ends a line: splitlines() would also cut at characters that a text may hold.
        self._lines = text.split("\n")
        self._starts = [0]
        for line in self._lines:
            self._starts.append(self._starts[-1] + len(line) + 1)
        self._starts[-1] -= 1
        self._count = len(self._lines) if self._lines[-1] else len(self._lines) - 1
        self._marks: dict[re.Pattern[str], list[int]] = {}

    def blocks(self) -> Iterator[Block]:
        at = 0
        while at < self._count:
            block, at = self._block(at)
            yield block

    def _block(self, at: int) -> tuple[Block, int]:
        line = self._lines[at]
        if heading := _HEADING.match(line):
            level, title = len(heading.group(1)), (heading.group(2) or "").strip()
            return self._made("heading", at, at + 1, level, title)
        passed = self._after_passed_over(at, line)
        if passed is not None:
            return self._made("other", at, passed)
        if item := ITEM.match(line):
            return self._made("entry", at, self._after_item(at, len(item.group().expandtabs(4))))
        return self._paragraph(at)

    def _after_passed_over(self, at: int, line: str) -> int | None:
        """The line after what begins here and holds no entry; None when something else does."""
        if at == 0 and line.rstrip() == "---" and (end := self._after_front_matter()):
            return end
        if fence := _FENCE.match(line):
            return self._after_fence(at, fence.group(1))
        if _COMMENT_START.match(line):
            return self._after_comment(at)
        if _BASE.match(line):
            end = self._before(at + 1, _MIDDLE, _THEIRS)
            return at + 1 if end is None else end
        is_mark = OURS.match(line) or (_MIDDLE.match(line) and self._is_middle(at))
        is_passed_over = is_mark or not line.strip() or RULE.match(line) or _PASSED_OVER.match(line)
        return at + 1 if is_passed_over else None

    def _paragraph(self, at: int) -> tuple[Block, int]:
        end = at + 1
        while end < self._count:
            line = self._lines[end]
            underline = _UNDERLINE.match(line)
            if underline and not (_MIDDLE.match(line) and self._is_middle(end)):
                title = " ".join(part.strip() for part in self._lines[at:end])
                level = 1 if underline.group(1)[0] == "=" else 2
                return self._made("heading", at, end + 1, level, title)
            if self._interrupts(line) or underline:
                break
            end += 1
        return self._made("entry", at, end)

    def _after_item(self, at: int, width: int) -> int:
        """The line after a list item: its continuation is indented, or follows lazily."""
        end = last = at + 1
        lazy = True
        while end < self._count:
            line = self._lines[end]
            if not line.strip():
                lazy = False
            elif len(line) - len(line.lstrip(" ")) >= width or line.startswith("\t"):
                lazy, last = True, end + 1
            elif lazy and not self._ends_item(line, end):
                last = end + 1
            else:
                break
            end += 1
        return last

    def _ends_item(self, line: str, at: int) -> bool:
        return (
            self._interrupts(line)
            or _PASSED_OVER.match(line) is not None
            or (_MIDDLE.match(line) is not None and self._is_middle(at))
        )

    def _interrupts(self, line: str) -> bool:
        return (
            not line.strip()
            or _HEADING.match(line) is not None
            or ITEM.match(line) is not None
            or _FENCE.match(line) is not None
            or _COMMENT_START.match(line) is not None
            or RULE.match(line) is not None
            or OURS.match(line) is not None
            or _BASE.match(line) is not None
            or _THEIRS.match(line) is not None
        )

    def _is_middle(self, at: int) -> bool:
        """Whether seven equals signs part two sides; under a paragraph they can be a heading's."""
        return self._before(at + 1, _THEIRS, OURS) is not None

    def _before(self, at: int, wanted: re.Pattern[str], unless: re.Pattern[str]) -> int | None:
        """The next line that is `wanted`; None when one that is `unless`, or the end, is nearer."""
        # Looked up, because a text may be all marks, and each would be looked for to its end.
        if not self._marks:
            self._marks = {
                mark: [at for at, line in enumerate(self._lines) if mark.match(line)]
                for mark in (OURS, _MIDDLE, _THEIRS)
            }
        found, stop = (self._next(self._marks[mark], at) for mark in (wanted, unless))
        return found if found < stop else None

    def _next(self, marked: list[int], at: int) -> int:
        """The first of the marked lines from `at` on; the number of lines when there is none."""
        place = bisect_left(marked, at)
        return marked[place] if place < len(marked) else self._count

    def _after_front_matter(self) -> int | None:
        closed = (at for at in range(1, self._count) if self._lines[at].rstrip() in ("---", "..."))
        return next((at + 1 for at in closed), None)

    def _after_fence(self, at: int, fence: str) -> int:
        closing = re.compile(rf" {{0,3}}{re.escape(fence[0])}{{{len(fence)},}}[ \t]*\r?$")
        return self._after(at, lambda text: closing.match(text) is not None)

    def _after_comment(self, at: int) -> int:
        if "-->" in self._lines[at].split("<!--", 1)[1]:
            return at + 1
        return self._after(at, lambda text: "-->" in text)

    def _after(self, at: int, is_end: Callable[[str], bool]) -> int:
        for end in range(at + 1, self._count):
            if is_end(self._lines[end]):
                return end + 1
        return self._count

    def _made(
        self, kind: BlockKind, at: int, end: int, level: int = 0, title: str = ""
    ) -> tuple[Block, int]:
        return Block(kind, self._starts[at], self._starts[end], level, title), end
