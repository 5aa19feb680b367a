"""What is kept about a memory file so that a change need not read it all: where each section ends.

Offsets are in bytes. A layout is made from the whole document and then moved along with each change
of the file; it says nothing that a parse of the whole would not say.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

    from milepost.memory.document import Document, EntryBlock


# The size that is kept of an entry whose id depends on those before it: a copied line, the second
# of equal ones. While there are such entries, a change of one may give another one a new id.
NOT_FIRST = -1


@dataclass(frozen=True, slots=True)
class Place:
    """The last block of a section that is not blank (at least its heading): a new item goes right
    behind it. Of sections with the same heading it is that of the last."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Layout:
    """The line ending of a file and the places of its sections. A section that has none is to be
    looked for in the file."""

    newline: str
    places: dict[str, Place]

    def last(self) -> Place | None:
        """The place that is nearest to the end of the file."""
        return max(self.places.values(), key=lambda place: place.end, default=None)

    def with_place(self, section: str, place: Place) -> Layout:
        """The layout after something was added at the end of the file, as the last of `section`."""
        return Layout(self.newline, {**self.places, section: place})

    def moved(self, touched: Place, rest: int, by: int, now: Place | None) -> Layout:
        """The layout after a change at the place `touched`, which is now another one, or gone; what
        began at `rest` or behind it has moved `by` bytes."""
        places: dict[str, Place] = {}
        for section, place in self.places.items():
            if place.start >= rest:
                places[section] = Place(place.start + by, place.end + by)
            elif place != touched:
                places[section] = place
            elif now is not None:
                places[section] = now
        return Layout(self.newline, places)


def layout_of(document: Document, sections: Collection[str]) -> Layout:
    """The layout of a document: the places of those of `sections` that it has."""
    found: dict[str, tuple[int, int]] = {}
    section = ""
    for block in document.blocks:
        if block.kind == "heading":
            section = block.section if block.section in sections else ""
        if section and not document.text[block.start : block.end].isspace():
            found[section] = (block.start, block.end)
    in_bytes = _in_bytes(document.text, {at for span in found.values() for at in span})
    places = {name: Place(in_bytes[start], in_bytes[end]) for name, (start, end) in found.items()}
    return Layout(document.newline, places)


def size_of(document: Document, entry: EntryBlock) -> int:
    """How many bytes an entry has that carries its id, without the end of its last line; 0 when its
    id comes from its words; NOT_FIRST when that is so and another id came first."""
    if entry.origin != "comment":
        return 0 if entry.origin == "words" else NOT_FIRST
    text = document.text[entry.block.start : entry.block.end].removesuffix("\n")
    return len(text.removesuffix("\r").encode("utf-8", "surrogateescape"))


def _in_bytes(text: str, offsets: set[int]) -> dict[int, int]:
    if text.isascii():
        return {offset: offset for offset in offsets}
    ordered = sorted(offsets)
    pieces = zip([0, *ordered], ordered, strict=False)
    sizes = (len(text[start:end].encode("utf-8", "surrogateescape")) for start, end in pieces)
    return dict(zip(ordered, accumulate(sizes), strict=True))
