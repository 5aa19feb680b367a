"""A change of one entry, made in the lines around it instead of the whole file.

A neighbourhood is a block and what follows it up to and with the next line that is not blank, which
decides where the block ends. The scanner carries nothing from one block to the next. So when the
neighbourhood, changed and cut anew, has the same blocks apart from the one that was meant, so has
the whole file. Every function here answers None when it cannot be sure of that.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from milepost.memory import document as documents
from milepost.memory import repeated
from milepost.memory.blocks import ends_any_block, holds_mark

if TYPE_CHECKING:
    from milepost.memory.document import Document, EntryBlock
    from milepost.memory.layout import Place


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """The lines around a block: `document` begins with it, and `rest` is where the line begins that
    ends it (the end, when the file ends before), in characters."""

    document: Document
    rest: int


@dataclass(frozen=True, slots=True)
class Edit:
    """What comes in place of all before the neighbourhood's rest, and where the entry is in it, in
    bytes; None when it was taken out."""

    data: bytes
    entry: tuple[int, int] | None


def around(data: bytes, place: Place, newline: str) -> Neighbourhood | None:
    """The neighbourhood of the block at `place`, in a file with these line endings."""
    start, end = place.end, place.end
    while end < len(data):
        start, end = end, data.find(b"\n", end) + 1 or len(data)
        if _text(data[start:end]).strip():
            break
    else:
        start = end
    document = _cut(data[place.start : end])
    if document.newline != newline or not document.blocks:
        return None
    # At the beginning of a text, such a line begins front matter; and what git's marks part is seen
    # in the whole only.
    if document.text.startswith("---") or holds_mark(document.text):
        return None
    block = document.text[: document.blocks[0].end]
    if not block.endswith("\n") or len(_bytes(block)) != place.end - place.start:
        return None
    return Neighbourhood(document, len(document.text) - len(_text(data[start:end])))


def entry_in(near: Neighbourhood, entry_id: str) -> EntryBlock | None:
    """The entry at the beginning, when it carries this id."""
    first = near.document.entries[0] if near.document.entries else None
    is_it = first is not None and first.id == entry_id and first.block.start == 0
    return first if is_it else None


def with_item(near: Neighbourhood, text: str, metadata: dict[str, str]) -> Edit | None:
    """A new item right behind the block."""
    end = near.document.blocks[0].end
    changed = documents.with_items_at(near.document, end, [(text, metadata)])
    return _checked(near, changed, metadata["id"], text)


def with_section(
    near: Neighbourhood, section: str, text: str, metadata: dict[str, str]
) -> Edit | None:
    """A new item under a heading of its own, behind a block that ends the file."""
    changed = documents.parse_text(
        near.document.text + repeated.render(near.document, section, text, metadata)
    )
    before, after = _others(near.document, ""), _others(changed, metadata["id"])
    found = changed.find(metadata["id"])
    if near.rest != len(near.document.text) or found is None or found.text != text:
        return None
    # Two blocks are new: the heading and the comment.
    if found.block.section != section or after[:-2] != before or after[-2][0] != "heading":
        return None
    start = len(_bytes(changed.text[: found.block.start]))
    return Edit(_bytes(changed.text), (start, len(_bytes(changed.text))))


def with_changed(
    near: Neighbourhood, entry: EntryBlock, text: str, metadata: dict[str, str]
) -> Edit | None:
    """Other words or metadata in the entry at the beginning.

    What comes before need not be looked at: the item begins where the entry did, at the same or a
    lesser indentation, and an item ends what comes before at least as well as any entry.
    """
    changed = documents.with_changed(near.document, entry, text, metadata)
    return _checked(near, changed, entry.id, text)


def without(near: Neighbourhood, entry: EntryBlock, before: bytes) -> Edit | None:
    """The entry at the beginning taken out; `before` are some bytes before it.

    What comes before now ends at the rest, so that must be a line which ends anything.
    """
    rest = near.document.text[near.rest :]
    if not before or (rest and not ends_any_block(rest.rstrip("\n"))):
        return None
    blank = near.document.text[entry.block.end : near.rest]
    if documents.ends_blank(_text(before)):
        blank = documents.without_blank_line(blank)
    return Edit(_bytes(blank), None)


@lru_cache(maxsize=8)
def _cut(data: bytes) -> Document:
    """A few lines, cut; the end of a file is asked for once more by whoever adds to it next."""
    return documents.parse(data)


def _checked(near: Neighbourhood, changed: Document, entry_id: str, text: str) -> Edit | None:
    """The change, if it is that of one entry and no other block is another one."""
    found = changed.find(entry_id)
    if found is None or found.text != text:
        return None
    if _others(near.document, entry_id) != _others(changed, entry_id):
        return None
    rest = len(changed.text) - (len(near.document.text) - near.rest)
    start = len(_bytes(changed.text[: found.block.start]))
    size = len(_bytes(changed.text[found.block.start : found.block.end]))
    return Edit(_bytes(changed.text[:rest]), (start, start + size))


def _others(document: Document, entry_id: str) -> list[tuple[str, str]]:
    """What stands in a document beside the entry and blank lines."""
    entry = document.find(entry_id)
    at = None if entry is None else entry.block.start
    blocks = (
        (block.kind, document.text[block.start : block.end])
        for block in document.blocks
        if block.start != at
    )
    return [(kind, text) for kind, text in blocks if text.strip()]


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
