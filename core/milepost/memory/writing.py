"""How a change gets into a memory's file, and what follows it there: the craft of the store.

A change takes the file's lock, replaces one span of the file, writes it durably, and brings index
and revisions level. Where things stand in the file the index knows, so a change cuts no more of it
into blocks than it touches, and an entry that goes to the end is appended. What was acknowledged is
in the file; a process killed in between leaves at worst an index that is behind, which the next
reader notices by the file's signature.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from milepost.base.clock import utc_now
from milepost.base.errors import UserError, WorldError
from milepost.base.files import ChangedMeanwhileError
from milepost.memory import edits, repeated
from milepost.memory import entry as entries
from milepost.memory.draft import Draft
from milepost.memory.entry import SECTIONS
from milepost.memory.file import ATTEMPTS
from milepost.memory.reader import MemoryReader, conflict_line
from milepost.memory.revisions import Change, Step

if TYPE_CHECKING:
    from collections.abc import Callable

    from milepost.base.files import Signature
    from milepost.memory.document import EntryBlock
    from milepost.memory.entry import Entry
    from milepost.memory.file import Read
    from milepost.memory.layout import Layout

# A smaller file is written anew in a few milliseconds, and people read it: there everything stands
# under its one heading. In a larger one, of a thousand entries, nobody looks for one by scrolling.
_LARGE_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class _End:
    """How a file ends with which the index is level: its signature and layout, and what it holds
    from the last place of the layout on; None where that is not known."""

    signature: Signature
    layout: Layout
    data: bytes | None


class MemoryWriter(MemoryReader):
    """A memory, and how its file is changed."""

    # How our last append left the file: while that is the file, it need not be asked for again.
    _left: _End | None = None

    def _add(self, entry: Entry, *, compares: bool = False) -> list[Entry]:
        """Add an entry; what is alike to it, if that is asked for."""
        similar: list[Entry] = []

        def compare() -> None:
            if compares:
                similar[:] = self._alike(entry)

        with contextlib.ExitStack() as lock:
            lock.enter_context(self._locked())
            end = self._end()
            # The index does not know the entry before all that follows is handed over.
            if end is None or not self._append(entry, end, lock, compare):
                self._change("add", entry.source, lambda draft: edits.added(draft, entry))
                compare()
        return similar

    def _alike(self, entry: Entry) -> list[Entry]:
        # A failing index is the next reader's business; the entry is to be kept all the same.
        with contextlib.suppress(WorldError):
            return self._all_seen(self.index.similar(entry.text, entry.id))
        return []

    def _end(self) -> _End | None:
        """How the file ends, when the index is level with it."""
        base = self._file.signature() if self._repository is None else self._base().signature
        if self._left is not None and self._left.signature == base:
            return self._left
        layout = self._layout(base)
        return None if base is None or layout is None else _End(base, layout, None)

    def _append(
        self,
        entry: Entry,
        end: _End,
        lock: contextlib.ExitStack,
        meanwhile: Callable[[], object],
    ) -> bool:
        """Add an entry at the very end of the file, where most have their place, at a cost that
        does not grow with the file. In a large one any goes there, under its heading once more.
        False when it has to go elsewhere. The lock is let go of when index and revisions have
        followed; `meanwhile` is done while the disk takes the entry in."""
        base, layout = end.signature, end.layout
        section, last = SECTIONS[entry.kind], layout.last()
        is_there = last is not None and last == layout.places.get(section)
        if last is None or last.end != base.size:
            return False
        if not is_there and base.size <= _LARGE_BYTES:
            return False
        data = end.data or self._file.end(last.start, base)
        if data is None:
            return False
        draft = Draft(data, SECTIONS.values(), layout, self.index.known, begins=last.start)
        add = draft.add_here if is_there else draft.add_again
        if not add(section, entry.text, entries.to_metadata(entry)):
            return False
        written = self._file.append(base, draft.to_bytes().removeprefix(data), meanwhile)
        if written is None:
            return self._file.document()[1].find(entry.id) is not None

        def follow() -> None:
            self._follow("add", entry.source, base, written, (Step(None, entry),), draft)
            self._left = _End(written, draft.layout(), draft.end())
            draft.look_ahead()

        self._later.do(follow, lock.pop_all())
        return True

    def _change_alone(
        self, action: str, source: str, change: Callable[[Draft], tuple[Step, ...]]
    ) -> Entry:
        """Change the file and return the entry that the change is about: the last it touches."""
        with self._locked():
            last = self._change(action, source, change).steps[-1]
        entry = last.after or last.before
        assert entry is not None  # noqa: S101  (a step has one of them)
        return entry

    def _change(
        self,
        action: str,
        source: str,
        change: Callable[[Draft], tuple[Step, ...]],
        *,
        undoes: int | None = None,
    ) -> Change:
        """Rewrite the file with `change` made to it, while the lock is held."""
        for _ in range(ATTEMPTS):
            base = self._base()
            draft = self._draft(base)
            steps = change(draft)
            if draft.is_whole():
                draft.put(repeated.gathered(draft.whole()) or draft.whole())
            try:
                written = self._file.replace(base, draft.to_bytes())
            except ChangedMeanwhileError:
                continue
            number = self._follow(action, source, base.signature, written, steps, draft, undoes)
            return Change(number, utc_now(), source, action, undoes, None, steps)
        raise self._file.give_up()

    def _follow(
        self,
        action: str,
        source: str,
        base: Signature | None,
        written: Signature | None,
        steps: tuple[Step, ...],
        draft: Draft,
        undoes: int | None = None,
    ) -> int:
        """Bring index and revisions level with a change that is written; the change's number.

        The change is kept whatever happens here: a failing index is brought level, or put aside,
        by the next reader.
        """
        with contextlib.suppress(WorldError):
            entries_now = [step.after for step in steps if step.after]
            if self._repository is not None and undoes is None:
                # What an undo brings back is known already, or was not to be.
                self._repository.learn(entries_now)
            number = self.revisions.record(action, source, steps, undoes=undoes, head=self._head())
            sizes = draft.sizes([entry.id for entry in entries_now])
            after = [(entry, sizes[entry.id]) for entry in entries_now]
            gone = [step.entry_id for step in steps if step.after is None]
            # In a file that had to be cut whole, an entry that goes may give its id to another.
            if base and written and not (gone and draft.is_whole()):
                self.index.put(base, written, draft.layout(), after, gone)
            if not self.index.is_level(written):
                self._bring_level(recorded={step.entry_id for step in steps})
            return number
        return 0

    def _base(self) -> Read:
        """The file as it is, to change it. Raises UserError while git's marks stand in it: which of
        the sides would keep the change is not ours to say."""
        read = self._file.read()
        line = None if self._repository is None else conflict_line(read.data)
        if line is not None:
            raise UserError(f"{edits.conflict_words(self.path, line)}, then try again")
        return read

    def _head(self) -> str:
        return "" if self._repository is None else self._repository.head()

    def _required(self, draft: Draft, entry_id: str, version: str | None) -> EntryBlock:
        return edits.required(draft, entry_id, self.scope, version, self.mask)
