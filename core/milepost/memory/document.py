"""A memory file as text that is cut into blocks and put together again byte for byte.

A person edits these files, so nothing may move that nobody asked to move: the document keeps the
text as it is and knows where each block begins and ends; a change replaces the span of one block
and leaves every other character alone. Bytes that are not UTF-8 ride along as surrogates.

An entry is a list item at the left margin (nested items
belong to it) or a paragraph. Its metadata is a trailing comment:

    - Use uv, never pip. <!-- milepost id=7k3q9x2mab status=stated source=user at=... -->

Values are percent-encoded, so the comment can hold neither a blank nor `>` inside a value.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal
from urllib.parse import quote, unquote

from milepost.base import ids
from milepost.memory.blocks import ITEM, OURS, RULE, cut, each_block

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from milepost.memory.blocks import Block

_METADATA = re.compile(r"<!--[ \t]*milepost((?:[ \t]+[a-z-]+=[^ \t>]*)+)[ \t]*-->\s*$")

# What is left of such a comment when it was damaged.
_DAMAGED = re.compile(r"milepost[ \t]+id=|<!--[ \t]*milepost\b")
_ID_FIELD = re.compile(r"\bmilepost[ \t]+id=([^ \t>]*)")

# Characters that stand for themselves in a metadata value. `>` and blanks must not.
_SAFE = "/:#@,+~!$()*;"


Origin = Literal["comment", "words", "not first"]


@dataclass(frozen=True, slots=True)
class EntryBlock:
    """An entry as it stands in a document: its id, its block, its words and its metadata.

    The id's origin is the entry's own comment, or its words; or it is not the first choice, because
    another entry has that.
    """

    id: str
    block: Block
    text: str
    metadata: dict[str, str] = field(default_factory=dict[str, str])
    origin: Origin = "comment"


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
    return parse_text(decoded(data))


def decoded(data: bytes) -> str:
    """The text of a memory file's bytes."""
    return data.decode("utf-8", "surrogateescape")


def parse_text(text: str) -> Document:
    """Cut a memory file's text into blocks, for instance that of an unsaved buffer."""
    blocks = cut(text)
    return Document(text, blocks, tuple(_entries(text, blocks)))


def each_entry(text: str) -> Iterator[EntryBlock]:
    """The entries of a memory file's text one by one, for a file that is too large to be held as a
    document."""
    return _entries(text, each_block(text))


def own_comment(source: str) -> str:
    """Our comment at the end of an entry's lines, to their very end; empty when there is none."""
    start = source.rfind("<!--")
    return source[start:] if start >= 0 and _METADATA.match(source, start) else ""


def damaged(text: str) -> Iterator[str]:
    """A sentence for each entry of a memory file whose comment cannot be read, or is another's."""
    seen: set[str] = set()
    line, last = 1, 0
    for found in each_entry(text):
        line += text.count("\n", last, found.block.start)
        last = found.block.start
        raw = text[found.block.start : found.block.end]
        named = _ID_FIELD.search(raw)
        if named is None:
            continue
        if _DAMAGED.search(found.text):
            yield f"! line {line}: the comment behind this entry is damaged, so its id is lost."
        elif named[1] in seen:
            yield f"! line {line}: the id {named[1]} stands above already; this one got another."
        elif named[1] != found.id:
            yield f"! line {line}: {named[1][:40]!r} is no id, so the entry got another."
        seen.add(named[1])


def conflict_line(document: Document) -> int | None:
    """The line, counted from 1, on which a merge begins that git left undone; None without one."""
    if "<<<<<<<" not in document.text:
        return None
    for block in document.blocks:
        if block.kind == "other" and OURS.match(
            document.text[block.start : block.end].rstrip("\n")
        ):
            return document.line_of(block.start) + 1
    return None


def with_entry(document: Document, section: str, text: str, metadata: dict[str, str]) -> Document:
    """The document with a new list item at the end of `section` (made when it is missing).

    When that place is no place for an item, because someone left a fence or a comment open there,
    the item goes right below the heading, or the section above all that is there.
    """
    return with_entries(document, section, [(text, metadata)])


def with_entries(
    document: Document, section: str, items: Sequence[tuple[str, dict[str, str]]]
) -> Document:
    """`with_entry` for many entries of one section, in one go."""
    newline = document.newline
    wanted = {metadata["id"]: text for text, metadata in items}
    # Of headings that are there twice the last one counts, for that may be the end of the file.
    heading = _heading(reversed(document.blocks), section)
    if heading is None:
        above = f"## {section}{newline}{newline}"
        places = (len(document.text), _start_of_body(document))
    else:
        above = ""
        places = (_end_of_section(document, heading), heading.end)
    changed = document
    for offset in places:
        changed = with_items_at(document, offset, items, above)
        if {each.id: each.text for each in changed.entries if each.id in wanted} == wanted:
            break
    return changed


def with_items_at(
    document: Document,
    offset: int,
    items: Sequence[tuple[str, dict[str, str]]],
    above: str = "",
) -> Document:
    """The document with new items at `offset`, where a block begins, and above them some lines."""
    added = "".join(render_item(text, metadata, document.newline) for text, metadata in items)
    return parse_text(_spliced(document, offset, above + added))


def with_lines(document: Document, section: str, lines: str) -> Document:
    """The document with whole lines at the end of the first section of this name, if it has one."""
    heading = _heading(document.blocks, section)
    if heading is None:
        return document
    return parse_text(_spliced(document, _end_of_section(document, heading), lines))


def with_changed(
    document: Document, entry: EntryBlock, text: str, metadata: dict[str, str]
) -> Document:
    """The document with other words or metadata in one entry; its marker stays as it was."""
    old = document.text[entry.block.start : entry.block.end]
    marker = ITEM.match(old)
    item = render_item(text, metadata, document.newline, marker.group() if marker else "- ")
    if not old.endswith("\n"):
        item = item.removesuffix(document.newline)
    return parse_text(document.text[: entry.block.start] + item + document.text[entry.block.end :])


def without(document: Document, entry: EntryBlock) -> Document:
    """The document with one entry taken out, and one of the two blank lines that would meet."""
    return without_all(document, [entry])


def without_all(document: Document, entries: Iterable[EntryBlock]) -> Document:
    """`without` for many entries, in one go."""
    text = document.text
    for entry in sorted(entries, key=lambda each: each.block.start, reverse=True):
        before, after = text[: entry.block.start], text[entry.block.end :]
        text = before + (without_blank_line(after) if ends_blank(before) else after)
    return parse_text(text)


def ends_blank(before: str) -> bool:
    """Whether a text ends with a blank line, or is empty."""
    return not before or before.endswith(("\n\n", "\n\r\n"))


def without_blank_line(after: str) -> str:
    """A text without the blank line at its beginning, if there is one."""
    return after[after.index("\n") + 1 :] if after.startswith(("\n", "\r\n")) else after


def normalized(text: str) -> str:
    """The words of an entry as they will read after a round trip through the file."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return "\n".join("" if not line.strip() else line for line in lines).strip()


def visible(text: str) -> str:
    """`text` of a file with bytes that were not UTF-8 written out as `\\xNN`, so that it can be
    stored and sent."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def render_item(
    text: str, metadata: dict[str, str], newline: str = "\n", marker: str = "- "
) -> str:
    """An entry as a list item with its metadata, `text` being normalized."""
    lines = text.split("\n")
    if RULE.match(marker + lines[0]):
        marker = "* "  # `- --` would be a thematic break
    indent = " " * len(marker.expandtabs(4))
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
    if gap and after.startswith(newline):
        # The blank line that is there already sets the item off from what is above it.
        after = after[len(newline) :]
    return before + gap + added + _parting(after, newline) + after


def _parting(after: str, newline: str) -> str:
    """What must stand between an item and the text that follows it."""
    line, end = "", 0
    while end < len(after) and not line.strip():
        start, end = end, after.find("\n", end) + 1 or len(after)
        line = after[start:end]
    if line.startswith((" ", "\t")) and line.strip():
        # Indented text would continue the item even across a blank line; a comment ends it.
        return f"<!-- -->{newline}"
    is_apart = end > len(line) or not line.strip() or ITEM.match(line.rstrip("\n"))
    return "" if is_apart else newline


def _start_of_body(document: Document) -> int:
    """Where the text begins, after any front matter."""
    first = document.blocks[0] if document.blocks else None
    if first is None or not document.text.startswith("---") or first.kind != "other":
        return 0
    return first.end


def _heading(blocks: Iterable[Block], section: str) -> Block | None:
    return next((b for b in blocks if b.kind == "heading" and b.section == section), None)


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
    return block.kind == "entry" and ITEM.match(document.text, block.start) is not None


def _entries(text: str, blocks: Iterable[Block]) -> Iterator[EntryBlock]:
    taken: set[str] = set()
    seen: Counter[str] = Counter()
    for block in blocks:
        if block.kind != "entry":
            continue
        source = text[block.start : block.end]
        words, metadata = _read_entry(source)
        if not words:
            continue
        entry_id = metadata.pop("id", "")
        # Written with escapes, an id cannot be found by looking for it.
        origin: Origin = "comment" if f"id={entry_id}" in source else "not first"
        if not ids.looks_like_id(entry_id):
            origin = "not first" if seen[words] else "words"
            entry_id = ids.derived_id(words, seen[words])
            seen[words] += 1
        # A line that a person copied brings its id along; the second one gets an id of its own.
        while entry_id in taken:
            entry_id, origin = ids.derived_id(words, seen[words]), "not first"
            seen[words] += 1
        taken.add(entry_id)
        yield EntryBlock(entry_id, block, words, metadata, origin)


def _read_entry(source: str) -> tuple[str, dict[str, str]]:
    metadata: dict[str, str] = {}
    comment = source.rfind("<!--")
    found = _METADATA.match(source, comment) if comment >= 0 else None
    if found:
        source = source[:comment].rstrip()
        for pair in found.group(1).split():
            key, _, value = pair.partition("=")
            metadata[key] = visible(unquote(value))
    marker = ITEM.match(source)
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
