"""A memory file as text that is cut into blocks and put together again byte for byte.

A person edits these files, so nothing may move that nobody asked to move: the document keeps the
text as it is and knows where each block begins and ends; a change replaces the span of one block
and leaves every other character alone. Bytes that are not UTF-8 ride along as surrogates.

The Markdown read here is the part of CommonMark that tells entries apart: ATX and setext headings,
list items with their continuation lines, paragraphs; fences, comments, quotes, tables, indented
code and front matter are passed over. An entry is a list item at the left margin (nested items
belong to it) or a paragraph. Its metadata is a trailing comment:

    - Use uv, never pip. <!-- milepost id=7k3q9x2mab status=stated source=user at=... -->

Values are percent-encoded, so the comment can hold neither a blank nor `>` inside a value.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal
from urllib.parse import quote, unquote

from milepost.base import ids

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

BlockKind = Literal["heading", "entry", "other"]

_HEADING = re.compile(r" {0,3}(#{1,6})(?:[ \t]+(.*?))?(?:[ \t]+#+)?[ \t]*\r?$")
_UNDERLINE = re.compile(r" {0,3}(=+|-+)[ \t]*\r?$")
_ITEM = re.compile(r" {0,3}(?:[-*+]|\d{1,9}[.)])(?:[ \t]+|(?=\r?$))")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_RULE = re.compile(r" {0,3}(?:(?:\*[ \t]*){3,}|(?:-[ \t]*){3,}|(?:_[ \t]*){3,})\r?$")
_PASSED_OVER = re.compile(r"(?: {4}|\t)| {0,3}(?:>|\|)")
_COMMENT_START = re.compile(r" {0,3}<!--")
_METADATA = re.compile(r"<!--[ \t]*milepost((?:[ \t]+[a-z-]+=[^ \t>]*)+)[ \t]*-->\s*$")

# Characters that stand for themselves in a metadata value. `>` and blanks must not.
_SAFE = "/:#@,+~!$()*;"


@dataclass(frozen=True, slots=True)
class Block:
    """A run of whole lines, `start` and `end` as offsets into the text."""

    kind: BlockKind
    start: int
    end: int
    level: int = 0
    title: str = ""
    section: str = ""


@dataclass(frozen=True, slots=True)
class EntryBlock:
    """An entry as it stands in a document: its id, its block, its words and its metadata."""

    id: str
    block: Block
    text: str
    metadata: dict[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Document:
    """The text of a memory file and where its blocks are."""

    text: str
    blocks: tuple[Block, ...]
    entries: tuple[EntryBlock, ...]

    @property
    def newline(self) -> str:
        """The line ending that a new line takes: that of the first line."""
        end = self.text.find("\n")
        return "\r\n" if end > 0 and self.text[end - 1] == "\r" else "\n"

    def find(self, entry_id: str) -> EntryBlock | None:
        """The entry with this id, or None."""
        return next((entry for entry in self.entries if entry.id == entry_id), None)

    def line_of(self, offset: int) -> int:
        """The zero-based line on which `offset` lies."""
        return self.text.count("\n", 0, offset)

    def to_bytes(self) -> bytes:
        """The file's bytes; those that were parsed, unless something was changed."""
        return self.text.encode("utf-8", "surrogateescape")


def parse(data: bytes) -> Document:
    """Cut the bytes of a memory file into blocks. Any bytes are accepted."""
    return parse_text(data.decode("utf-8", "surrogateescape"))


def parse_text(text: str) -> Document:
    """Cut a memory file's text into blocks, for instance that of an unsaved buffer."""
    blocks = tuple(_with_sections(_Scanner(text).blocks()))
    return Document(text, blocks, tuple(_entries(text, blocks)))


def with_entry(document: Document, section: str, text: str, metadata: dict[str, str]) -> Document:
    """The document with a new list item at the end of `section` (made when it is missing).

    When that place is no place for an item, because someone left a fence or a comment open there,
    the item goes right below the heading.
    """
    newline = document.newline
    item = render_item(text, metadata, newline)
    heading = next(
        (b for b in document.blocks if b.kind == "heading" and b.section == section), None
    )
    if heading is None:
        # Above what is there, if need be, for the same reason.
        added = f"## {section}{newline}{newline}{item}"
        places = (len(document.text), 0)
    else:
        added = item
        places = (_end_of_section(document, heading), heading.end)
    changed = document
    for offset in places:
        changed = parse_text(_spliced(document, offset, added))
        found = changed.find(metadata["id"])
        if found is not None and found.text == text:
            break
    return changed


def with_changed(
    document: Document, entry: EntryBlock, text: str, metadata: dict[str, str]
) -> Document:
    """The document with other words or metadata in one entry; its marker stays as it was."""
    old = document.text[entry.block.start : entry.block.end]
    marker = _ITEM.match(old)
    item = render_item(text, metadata, document.newline, marker.group() if marker else "- ")
    if not old.endswith("\n"):
        item = item.removesuffix(document.newline)
    return parse_text(document.text[: entry.block.start] + item + document.text[entry.block.end :])


def without(document: Document, entry: EntryBlock) -> Document:
    """The document with one entry taken out, and one of the two blank lines that would meet."""
    before = document.text[: entry.block.start]
    after = document.text[entry.block.end :]
    if (not before or before.endswith(("\n\n", "\n\r\n"))) and after.startswith(("\n", "\r\n")):
        after = after[after.index("\n") + 1 :]
    return parse_text(before + after)


def normalized(text: str) -> str:
    """The words of an entry as they will read after a round trip through the file."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return "\n".join("" if not line.strip() else line for line in lines).strip()


def visible(text: str) -> str:
    """`text` with bytes that were not UTF-8 written out as backslash escapes, so that it can be
    stored and sent."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def render_item(
    text: str, metadata: dict[str, str], newline: str = "\n", marker: str = "- "
) -> str:
    """An entry as a list item with its metadata, `text` being normalized."""
    indent = " " * len(marker.expandtabs(4))
    lines = text.split("\n")
    rendered = [marker + lines[0], *(indent + line if line else "" for line in lines[1:])]
    comment = _render_metadata(metadata)
    if comment and len(lines) == 1:
        rendered[0] += f" {comment}"
    elif comment:
        # On a line of its own, because the last line may close a fence.
        rendered.append(indent + comment)
    return newline.join(rendered) + newline


def _render_metadata(metadata: dict[str, str]) -> str:
    fields = " ".join(f"{key}={quote(value, safe=_SAFE)}" for key, value in metadata.items())
    return f"<!-- milepost {fields} -->" if fields else ""


def _spliced(document: Document, offset: int, added: str) -> str:
    """The text with whole lines put in at `offset`, set off by blank lines unless they continue a
    list."""
    newline = document.newline
    before, after = document.text[:offset], document.text[offset:]
    if before and not before.endswith("\n"):
        before += newline
    above = next((b for b in reversed(document.blocks) if b.end <= offset), None)
    joins = above is not None and (_is_list_item(document, above) or _is_blank(document, above))
    gap = "" if not before or joins else newline
    below = newline if after and not after.startswith(("\n", "\r\n", "-", "*", "+")) else ""
    return before + gap + added + below + after


def _end_of_section(document: Document, heading: Block) -> int:
    """Where the last of a section's blocks that is not blank ends."""
    offset = heading.end
    for block in document.blocks[document.blocks.index(heading) + 1 :]:
        if block.kind == "heading":
            break
        if not _is_blank(document, block):
            offset = block.end
    return offset


def _is_blank(document: Document, block: Block) -> bool:
    return not document.text[block.start : block.end].strip()


def _is_list_item(document: Document, block: Block) -> bool:
    return block.kind == "entry" and _ITEM.match(document.text, block.start) is not None


def _with_sections(blocks: Iterator[Block]) -> Iterator[Block]:
    """Each block with the heading (of level 2 or deeper) under which it stands."""
    section = ""
    for block in blocks:
        if block.kind == "heading":
            section = block.title if block.level > 1 else ""
        yield replace(block, section=section)


def _entries(text: str, blocks: tuple[Block, ...]) -> Iterator[EntryBlock]:
    taken: set[str] = set()
    seen: Counter[str] = Counter()
    for block in blocks:
        if block.kind != "entry":
            continue
        words, metadata = _read_entry(text[block.start : block.end])
        if not words:
            continue
        entry_id = metadata.pop("id", "")
        # A line that a person copied brings its id along; the second one gets an id of its own.
        while not ids.looks_like_id(entry_id) or entry_id in taken:
            entry_id = ids.derived_id(words, seen[words])
            seen[words] += 1
        taken.add(entry_id)
        yield EntryBlock(entry_id, block, words, metadata)


def _read_entry(source: str) -> tuple[str, dict[str, str]]:
    metadata: dict[str, str] = {}
    comment = source.rfind("<!--")
    found = _METADATA.match(source, comment) if comment >= 0 else None
    if found:
        source = source[:comment].rstrip()
        for pair in found.group(1).split():
            key, _, value = pair.partition("=")
            metadata[key] = visible(unquote(value))
    marker = _ITEM.match(source)
    if marker is None:
        return normalized(source), metadata
    width = len(marker.group().expandtabs(4))
    first, *rest = source[marker.end() :].split("\n")
    return normalized("\n".join([first, *(_dedent(line, width) for line in rest)])), metadata


def _dedent(line: str, width: int) -> str:
    cut = 0
    while cut < min(width, len(line)) and line[cut] == " ":
        cut += 1
    return line[cut:]


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
        if item := _ITEM.match(line):
            return self._made("entry", at, self._after_item(at, len(item.group().expandtabs(4))))
        return self._paragraph(at)

    def _after_passed_over(self, at: int, line: str) -> int | None:
        """The line after what begins here and holds no entry; None when something else does."""
        if at == 0 and line.rstrip() == "---":
            return self._after(at, lambda text: text.rstrip() in ("---", "..."))
        if fence := _FENCE.match(line):
            return self._after_fence(at, fence.group(1))
        if _COMMENT_START.match(line):
            return self._after_comment(at)
        is_passed_over = not line.strip() or _RULE.match(line) or _PASSED_OVER.match(line)
        return at + 1 if is_passed_over else None

    def _paragraph(self, at: int) -> tuple[Block, int]:
        end = at + 1
        while end < self._count:
            line = self._lines[end]
            underline = _UNDERLINE.match(line)
            if underline:
                title = " ".join(part.strip() for part in self._lines[at:end])
                level = 1 if underline.group(1)[0] == "=" else 2
                return self._made("heading", at, end + 1, level, title)
            if self._interrupts(line):
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
            elif lazy and not self._interrupts(line) and not _PASSED_OVER.match(line):
                last = end + 1
            else:
                break
            end += 1
        return last

    def _interrupts(self, line: str) -> bool:
        return (
            not line.strip()
            or _HEADING.match(line) is not None
            or _ITEM.match(line) is not None
            or _FENCE.match(line) is not None
            or _COMMENT_START.match(line) is not None
            or _RULE.match(line) is not None
        )

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
