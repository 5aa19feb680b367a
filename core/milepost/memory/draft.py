"""The bytes of a memory file while they are changed.

To cut a file of a million entries into blocks takes many seconds, and most changes touch one item
of it. Where that is, the index knows, which is level with the file; the change is then made in the
neighbourhood. Whenever that is not enough to be sure, the whole is cut and the change made in it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from milepost.memory import document as documents
from milepost.memory import neighbourhood as neighbourhoods
from milepost.memory.layout import Layout, Place, layout_of, size_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from milepost.memory.document import Document, EntryBlock
    from milepost.memory.neighbourhood import Edit, Neighbourhood


@dataclass(frozen=True, slots=True)
class Known:
    """What the index knows of an entry that carries its id: how many bytes it has, without the end
    of its last line, and under which heading it stands."""

    size: int
    section: str


class Draft:
    """A memory file's bytes, and how to find one's way in them."""

    def __init__(
        self,
        data: bytes,
        sections: Collection[str],
        layout: Layout | None,
        known: Callable[[str], Known | None],
        *,
        begins: int = 0,
    ) -> None:
        """`layout` is that of the file, and `known` tells of its entries; without a layout, the
        whole is cut. `data` may be only the end of the file, which `begins` somewhere: then there
        is no whole, and only `add_here` and `add_again` will do."""
        self._data = data
        self._begins = begins
        self._sections = sections
        self._layout: Layout | None = layout
        self._known = known
        # What was added or changed here, which `known` cannot know.
        self._own: dict[str, Known] = {}
        self._document: Document | None = None

    def to_bytes(self) -> bytes:
        """The bytes as they are now."""
        return self._data if self._document is None else self._document.to_bytes()

    def end(self) -> bytes | None:
        """What stands from the last place of the layout on; None when there is none."""
        last = self.layout().last()
        return None if last is None else self.to_bytes()[self._moved(last).start :]

    def look_ahead(self) -> None:
        """Do now, while nobody waits, what the next addition to the end of the file begins with."""
        layout = self.layout()
        last = layout.last()
        if last is not None:
            neighbourhoods.around(self.to_bytes(), self._moved(last), layout.newline)

    def layout(self) -> Layout:
        """Where the sections end now."""
        if self._layout is None or self._document is not None:
            return layout_of(self.whole(), self._sections)
        return self._layout

    def is_whole(self) -> bool:
        """Whether all of it had to be cut."""
        return self._document is not None

    def sizes(self, entry_ids: Collection[str]) -> dict[str, int]:
        """How many bytes entries have that were added or changed here."""
        document = self._document
        if document is None:
            return {entry_id: self._own[entry_id].size for entry_id in entry_ids}
        wanted = set(entry_ids)
        return {each.id: size_of(document, each) for each in document.entries if each.id in wanted}

    def find(self, entry_id: str) -> EntryBlock | None:
        """The entry with this id, or None. What its offsets count from is left open."""
        near = self._near(entry_id)
        known = self._knowledge(entry_id)
        if near is None or known is None:
            return self.whole().find(entry_id)
        _, _, entry = near
        return replace(entry, block=replace(entry.block, section=known.section))

    def lines_of(self, entry_id: str) -> tuple[int, int] | None:
        """The zero-based lines of an entry, the end excluded; None when the whole is needed."""
        near = self._near(entry_id)
        if near is None:
            return None
        place, _, _ = near
        line = self._data.count(b"\n", 0, place.start)
        return line, line + self._data.count(b"\n", place.start, place.end)

    def add(self, section: str, text: str, metadata: dict[str, str]) -> bool:
        """Put a new item at the end of `section`. False when it cannot be read back there."""
        if self.add_here(section, text, metadata):
            return True
        self._document = documents.with_entry(self.whole(), section, text, metadata)
        return self._reads_back(metadata["id"], text)

    def add_here(self, section: str, text: str, metadata: dict[str, str]) -> bool:
        """`add`, or False and nothing done when the whole is needed for it."""
        if self._layout is None or self._document is not None:
            return False
        place = self._layout.places.get(section)
        if place is None:
            return False
        near = neighbourhoods.around(self._data, self._moved(place), self._layout.newline)
        edit = near and neighbourhoods.with_item(near, text, metadata)
        if near is None or edit is None:
            return False
        self._apply(place, near, edit, section, metadata["id"])
        return True

    def add_again(self, section: str, text: str, metadata: dict[str, str]) -> bool:
        """`add_here` for a section that is not the last of the file: its heading is repeated at the
        end. False, and nothing done, when the file does not end with a place that is known."""
        last = None if self._layout is None else self._layout.last()
        if self._layout is None or last is None or section not in self._layout.places:
            return False
        if self._moved(last).end != len(self._data):
            return False
        near = neighbourhoods.around(self._data, self._moved(last), self._layout.newline)
        edit = near and neighbourhoods.with_section(near, section, text, metadata)
        if edit is None or edit.entry is None:
            return False
        place = Place(last.start + edit.entry[0], last.start + edit.entry[1])
        self._data = self._data[: last.start - self._begins] + edit.data
        self._layout = self._layout.with_place(section, place)
        self._own[metadata["id"]] = self._known_at(place, section)
        return True

    def change(self, entry_id: str, text: str, metadata: dict[str, str]) -> bool:
        """Give an entry other words or metadata. False when it cannot be read back."""
        found, known = self._near(entry_id), self._knowledge(entry_id)
        if found and known:
            place, near, entry = found
            edit = neighbourhoods.with_changed(near, entry, text, metadata)
            if edit:
                self._apply(place, near, edit, known.section, entry_id)
                return True
        document = self.whole()
        entry = document.find(entry_id)
        if entry is None:
            return False
        self._document = documents.with_changed(document, entry, text, metadata)
        return self._reads_back(entry_id, text)

    def remove(self, entry_id: str) -> None:
        """Take an entry out."""
        found, known = self._near(entry_id), self._knowledge(entry_id)
        if found and known:
            place, near, entry = found
            before = self._data[max(0, place.start - 3) : place.start]
            edit = neighbourhoods.without(near, entry, before)
            if edit:
                self._apply(place, near, edit, known.section, entry_id)
                return
        document = self.whole()
        entry = document.find(entry_id)
        if entry is not None:
            self._document = documents.without(document, entry)

    def whole(self) -> Document:
        """All of it, cut: for a change of many entries, which is `put` then."""
        if self._document is None:
            self._document = documents.parse(self._data)
        return self._document

    def put(self, document: Document) -> None:
        """Take a changed whole for the draft."""
        self._document = document

    def _reads_back(self, entry_id: str, text: str) -> bool:
        found = self.whole().find(entry_id)
        return found is not None and found.text == text

    def _knowledge(self, entry_id: str) -> Known | None:
        if self._layout is None or self._document is not None:
            return None
        return self._own.get(entry_id) or self._known(entry_id)

    def _near(self, entry_id: str) -> tuple[Place, Neighbourhood, EntryBlock] | None:
        """Where an entry is and what is around it, by the only place where the file says its id."""
        known = self._knowledge(entry_id)
        if self._layout is None or known is None:
            return None
        wanted = f"id={entry_id}".encode()
        at = self._data.find(wanted)
        if at < 0 or self._data.find(wanted, at + 1) >= 0:
            return None
        line_end = self._data.find(b"\n", at)
        start = _content_end(self._data, line_end) - known.size
        if line_end < 0 or start < 1 or self._data[start - 1 : start] != b"\n":
            return None
        place = Place(start, line_end + 1)
        near = neighbourhoods.around(self._data, place, self._layout.newline)
        entry = near and neighbourhoods.entry_in(near, entry_id)
        return (place, near, entry) if near and entry else None

    def _moved(self, place: Place) -> Place:
        """A place of the file, in the data that is here."""
        return Place(place.start - self._begins, place.end - self._begins)

    def _apply(
        self, place: Place, near: Neighbourhood, edit: Edit, section: str, entry_id: str
    ) -> None:
        """Put an edit in the place of a neighbourhood before its rest."""
        assert self._layout is not None  # noqa: S101  (who has a neighbourhood has a layout)
        start = place.start - self._begins
        rest = start + len(near.document.text[: near.rest].encode("utf-8", "surrogateescape"))
        self._data = self._data[:start] + edit.data + self._data[rest:]
        by = start + len(edit.data) - rest
        now = edit.entry and Place(place.start + edit.entry[0], place.start + edit.entry[1])
        self._layout = self._layout.moved(place, rest + self._begins, by, now)
        if now is None:
            self._own.pop(entry_id, None)
        else:
            self._own[entry_id] = self._known_at(now, section)

    def _known_at(self, place: Place, section: str) -> Known:
        end = _content_end(self._data, place.end - 1 - self._begins)
        return Known(end + self._begins - place.start, section)


def _content_end(data: bytes, line_end: int) -> int:
    """Where the text of a line ends whose line feed is at `line_end`."""
    return line_end - 1 if data[line_end - 1 : line_end] == b"\r" else line_end
