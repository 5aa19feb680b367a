"""The memory of one scope: a Markdown file that holds the truth, the index and the revisions.

A change takes the file's lock, replaces one span of the file, writes it durably, and brings index
and revisions level. Where things stand in the file the index knows, so a change cuts no more of it
into blocks than it touches, and an entry that goes to the end is appended. What was acknowledged is
in the file; a process killed in between leaves at worst an index that is behind, which the next
reader notices by the file's signature.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from milepost.base.clock import utc_now
from milepost.base.errors import ConflictError, UserError, WorldError
from milepost.base.files import ChangedMeanwhileError, make_private_dir
from milepost.base.ids import looks_like_id, new_id
from milepost.memory import changes
from milepost.memory import document as documents
from milepost.memory import entry as entries
from milepost.memory.anchors import bare
from milepost.memory.draft import Draft
from milepost.memory.entry import SECTIONS, Entry, Scope
from milepost.memory.file import ATTEMPTS, MemoryFile
from milepost.memory.index import Index
from milepost.memory.layout import layout_of, size_of
from milepost.memory.revisions import IMPORT, Change, RevisionLog, Step

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from milepost.base.files import Signature
    from milepost.memory.anchors import Anchors, Look
    from milepost.memory.document import EntryBlock
    from milepost.memory.file import Read
    from milepost.memory.layout import Layout
    from milepost.search.embedding import Embedding

# Who changed what was found changed in the file.
BY_HAND = "file"


@dataclass(frozen=True, slots=True)
class Span:
    """Where an entry stands: zero-based lines, `end_line` excluded."""

    line: int
    end_line: int


class MemoryStore:
    """The entries of one MEMORY.md."""

    def __init__(
        self,
        folder: Path,
        scope: Scope,
        title: str,
        *,
        anchors: Anchors | None = None,
        mask: Callable[[str], str] = str,
        embedding: Embedding | None = None,
    ) -> None:
        """`mask` takes the secrets out of what a person wrote into the file, before index and
        revisions keep it; what callers add comes masked."""
        self._anchors = anchors
        self.mask = mask
        self.path = folder / "MEMORY.md"
        self.scope: Scope = scope
        self._title = title
        self._file = MemoryFile(self.path)
        self.index = Index(folder / "index.db", scope, mask, embedding)
        self.revisions = RevisionLog(folder / "revisions.db", mask)

    def add(
        self, text: str, kind: str, status: str, source: str, anchors: tuple[str, ...]
    ) -> Entry:
        """Remember `text`. Durable when this returns.

        Raises UserError when an argument is not as `entry` wants it, WorldError when the file
        cannot be written.
        """
        added = Entry(
            id=new_id(),
            text=documents.normalized(entries.checked_text(text)),
            kind=entries.checked_kind(kind),
            status=entries.checked_status(status),
            scope=self.scope,
            source=source,
            created_at=utc_now(),
            anchors=self._stamped(entries.checked_anchors(anchors)),
            superseded_by=None,
        )
        make_private_dir(self.path.parent)
        with self._file.locked():
            if not self._append(added):
                self._change("add", source, lambda draft: (changes.add(draft, added),))
        return added

    def update(
        self,
        entry_id: str,
        source: str,
        *,
        text: str | None,
        kind: str | None,
        status: str | None,
        version: str | None = None,
    ) -> Entry:
        """Change what is given of an entry; a new kind moves it to that kind's section. New words
        are those of `source`, and are trusted as its words are unless `status` says otherwise.

        Raises UserError when there is no such entry or an argument is wrong, ConflictError when
        `version` is given and the entry's words have another one by now.
        """
        words = None if text is None else documents.normalized(entries.checked_text(text))
        kind = None if kind is None else entries.checked_kind(kind)
        status = None if status is None else entries.checked_status(status)

        def change(draft: Draft) -> tuple[Step, ...]:
            found = self._required(draft, entry_id, version)
            old = entries.from_block(found, self.scope)
            new = replace(
                old, text=words or old.text, kind=kind or old.kind, status=status or old.status
            )
            if new.text != old.text:
                own = old.status if old.superseded_by else entries.status_of_words(source)
                new = replace(new, source=source, status=status or own)
            # Whoever says anew what holds has looked at the code as it is now.
            has_looked = bool(words or status)
            anchors = self._stamped(old.anchors) if has_looked else self._followed(old.anchors)
            new = replace(new, anchors=anchors)
            # What is not UTF-8 shows as escapes, and must go back as the bytes it was.
            kept = found.text if words is None else words
            if new.kind != old.kind:
                draft.remove(entry_id)
                changes.add(draft, new, kept)
            else:
                changes.change(draft, new, kept)
            return (Step(old, new),)

        return self._change_alone("update", source, change)

    def supersede(
        self, entry_id: str, text: str, kind: str | None, source: str, version: str | None = None
    ) -> Entry:
        """Add `text` in place of an entry, which stays in the file, marked and out of searches.

        Raises UserError when there is no such entry or the text is wrong, ConflictError as
        `update` does.
        """
        words = documents.normalized(entries.checked_text(text))
        kind = None if kind is None else entries.checked_kind(kind)
        successor = new_id()

        def change(draft: Draft) -> tuple[Step, ...]:
            found = self._required(draft, entry_id, version)
            old = entries.from_block(found, self.scope)
            if old.superseded_by:
                message = f"entry {entry_id} was superseded by {old.superseded_by}"
                raise UserError(f"{message}; supersede that one instead")
            known_kind = old.kind if old.kind in SECTIONS else "knowledge"
            new = Entry(
                id=successor,
                text=words,
                kind=kind or known_kind,
                status=entries.status_of_words(source),
                scope=self.scope,
                source=source,
                created_at=utc_now(),
                anchors=self._stamped(old.anchors),
                superseded_by=None,
            )
            marked = replace(old, superseded_by=successor, status="superseded")
            changes.change(draft, marked, found.text)
            return (Step(old, marked), changes.add(draft, new))

        return self._change_alone("supersede", source, change)

    def forget(self, entry_id: str, source: str, version: str | None = None) -> Entry:
        """Take an entry out of the file, and return what it was. Raises as `update` does."""

        def change(draft: Draft) -> tuple[Step, ...]:
            found = self._required(draft, entry_id, version)
            draft.remove(entry_id)
            return (Step(entries.from_block(found, self.scope), None),)

        return self._change_alone("forget", source, change)

    def add_all(self, added: Sequence[Entry], source: str) -> Change:
        """Add entries that were taken over from elsewhere, as they are, in one change.

        Raises WorldError, with nothing added, when one of them would not read back.
        """

        def change(draft: Draft) -> tuple[Step, ...]:
            document = draft.whole()
            # Someone else may be taking the same things over at this moment.
            there = {each.text for each in document.entries} & {entry.text for entry in added}
            fresh = [entry for entry in added if entry.text not in there]
            draft.put(changes.with_all_added(document, fresh))
            return tuple(Step(None, entry) for entry in fresh)

        make_private_dir(self.path.parent)
        with self._file.locked():
            return self._change(IMPORT, source, change)

    def ensure(self) -> None:
        """Make the file, with its headings and no entry, unless it is there."""
        make_private_dir(self.path.parent)
        with self._file.locked(), contextlib.suppress(ChangedMeanwhileError):
            base = self._file.read()
            if base.signature is None:
                self._file.replace(base, entries.empty_file(self._title).encode())

    def undo(self, number: int | None, source: str) -> Change:
        """Take a change back: the one of this number, or the newest that was not taken back.

        An undo is a change and can be taken back by its number. Raises UserError when there is no
        such change, when it was taken back, or when an entry has changed since.
        """
        self.refresh()
        undone = self.revisions.newest_to_undo() if number is None else self.revisions.get(number)
        if undone.undone_by is not None:
            message = f"change {undone.id} was taken back by change {undone.undone_by}"
            raise UserError(f"{message}; to redo it, undo that one")

        def change(draft: Draft) -> tuple[Step, ...]:
            changes.take_back(draft, undone.steps, self.scope, self.mask)
            return tuple(Step(step.after, step.before) for step in reversed(undone.steps))

        with self._file.locked():
            return self._change("undo", source, change, undoes=undone.id)

    def get(self, entry_id: str) -> Entry | None:
        """The entry with this id, as the index has it."""
        self.refresh()
        return self.index.get(entry_id)

    def span(self, entry_id: str) -> Span | None:
        """Where the entry with this id stands."""
        self.refresh()
        if self.index.get(entry_id) is None:
            return None
        lines = self._draft(self._file.read()).lines_of(entry_id)
        if lines is not None:
            return Span(*lines)
        _, document = self._file.document()
        found = document.find(entry_id)
        if found is None:
            return None
        last = document.line_of(max(found.block.start, found.block.end - 1))
        return Span(document.line_of(found.block.start), last + 1)

    def all(self) -> list[Entry]:
        """Every entry, in file order."""
        _, document = self._file.document()
        return [entries.from_block(block, self.scope) for block in document.entries]

    def each(self) -> Iterator[Entry]:
        """Every entry in file order, one by one: a large memory is not held as objects."""
        for block in documents.each_entry(self.content()):
            yield entries.from_block(block, self.scope)

    def content(self) -> str:
        """The file's text as of one moment; empty when there is no file."""
        if self._file.signature() is None:
            return ""
        with self._file.locked():
            return documents.decoded(self._file.read().data)

    def search(
        self, question: str, *, kind: str | None, include_superseded: bool
    ) -> list[tuple[float, Entry]]:
        """The entries that hold a word of `question`, best first, with scores."""
        self.refresh()
        return self.index.search(question, kind=kind, include_superseded=include_superseded)

    def naming(self, symbol: str) -> list[Entry]:
        """Entries whose text or anchors hold `symbol` as a word, best first."""
        self.refresh()
        return self.index.naming(symbol)

    def similar(self, text: str, entry_id: str) -> list[Entry]:
        """The entries other than `entry_id` that say nearly the same as `text`."""
        self.refresh()
        return self.index.similar(text, entry_id)

    def count(self) -> int:
        """How many entries there are."""
        self.refresh()
        return self.index.count()

    def counts(self) -> tuple[int, int]:
        """How many rows the index has, and how many entries the file; they should be equal."""
        return self.count(), len(self._file.document()[1].entries)

    def looks(self, entry: Entry) -> tuple[tuple[str, Look], ...]:
        """What became of the code that an entry is about, by its anchors without stamps."""
        if self._anchors is None:
            return ()
        return tuple((bare(anchor), self._anchors.look(anchor)) for anchor in entry.anchors)

    def find_lost(self) -> None:
        """Search for all code that is gone from where entries say, and wait until that is done."""
        if self._anchors is not None:
            self._anchors.prepare(anchor for entry in self.all() for anchor in entry.anchors)

    def former_anchors(self, path: str, symbol: str) -> tuple[str, ...]:
        """The anchors of old whose code is known to be at this symbol now."""
        return () if self._anchors is None else self._anchors.former(path, symbol)

    def follow(self, source: str) -> Change | None:
        """Rewrite the anchors whose code moved without a change; None when there are none."""
        self.find_lost()
        moved = [entry.id for entry in self.all() if self._followed(entry.anchors) != entry.anchors]

        def change(draft: Draft) -> tuple[Step, ...]:
            steps: list[Step] = []
            for entry_id in moved:
                found = self._required(draft, entry_id, None)
                old = entries.from_block(found, self.scope)
                new = replace(old, anchors=self._followed(old.anchors))
                changes.change(draft, new, found.text)
                steps.append(Step(old, new))
            return tuple(steps)

        if not moved:
            return None
        with self._file.locked():
            return self._change("follow", source, change)

    def refresh(self) -> int:
        """Bring the index level with the file; how many entries were new, changed or gone."""
        if self.index.is_level(self._file.signature()):
            return 0
        make_private_dir(self.path.parent)
        # Under the lock, so that no change of ours is taken for one by hand.
        with self._file.locked():
            # Another process of ours may have been between its file and its index.
            is_level = self.index.is_level(self._file.signature())
            return 0 if is_level else self._bring_level()

    def _append(self, entry: Entry) -> bool:
        """Add an entry whose place is the very end of the file, which is where most go: at a cost
        that does not grow with the file. False when its place is elsewhere."""
        base = self._file.signature()
        layout = self._layout(base)
        place = layout and layout.places.get(SECTIONS[entry.kind])
        if base is None or layout is None or place is None or place.end != base.size:
            return False
        end = self._file.end(place.start, base)
        if end is None:
            return False
        draft = Draft(end, SECTIONS.values(), layout, self.index.known, begins=place.start)
        if not draft.add_here(SECTIONS[entry.kind], entry.text, entries.to_metadata(entry)):
            return False
        written = self._file.append(base, draft.to_bytes().removeprefix(end))
        if written is None:
            return self._file.document()[1].find(entry.id) is not None
        self._follow("add", entry.source, base, written, (Step(None, entry),), draft)
        return True

    def _change_alone(
        self, action: str, source: str, change: Callable[[Draft], tuple[Step, ...]]
    ) -> Entry:
        """Change the file and return the entry that the change is about: the last it touches."""
        make_private_dir(self.path.parent)
        with self._file.locked():
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
            base = self._file.read()
            draft = self._draft(base)
            steps = change(draft)
            try:
                written = self._file.replace(base, draft.to_bytes())
            except ChangedMeanwhileError:
                continue
            number = self._follow(action, source, base.signature, written, steps, draft, undoes)
            return Change(number, utc_now(), source, action, undoes, None, steps)
        raise self._file.give_up()

    def _draft(self, base: Read) -> Draft:
        if base.signature is None:
            template = entries.empty_file(self._title).encode()
            return Draft(template, SECTIONS.values(), None, self.index.known)
        layout = self._layout(base.signature)
        return Draft(base.data, SECTIONS.values(), layout, self.index.known)

    def _layout(self, signature: Signature | None) -> Layout | None:
        """What the index knows of the file; nothing when it cannot be asked: the file is the truth,
        and can be cut whole."""
        with contextlib.suppress(WorldError):
            return self.index.layout(signature)
        return None

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
            number = self.revisions.record(action, source, steps, undoes=undoes)
            entries_now = [step.after for step in steps if step.after]
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

    def _bring_level(self, recorded: set[str] | None = None) -> int:
        """Compare file and index whole; the lock is held. What differs and is not `recorded` was
        changed by hand."""
        signature, document = self._file.document()
        found = (
            (entries.from_block(block, self.scope), size_of(document, block))
            for block in document.entries
        )
        layout = layout_of(document, SECTIONS.values())
        differences = self.index.bring_level(signature, layout, found)
        if differences is None:
            return len(document.entries)
        steps = (Step(before, after) for before, after in differences)
        by_hand = [step for step in steps if step.entry_id not in (recorded or ())]
        if by_hand:
            with contextlib.suppress(WorldError):
                self.revisions.record("edit", BY_HAND, by_hand)
        return len(differences)

    def _stamped(self, anchors: tuple[str, ...]) -> tuple[str, ...]:
        return anchors if self._anchors is None else tuple(map(self._anchors.stamped, anchors))

    def _followed(self, anchors: tuple[str, ...]) -> tuple[str, ...]:
        return anchors if self._anchors is None else tuple(map(self._anchors.followed, anchors))

    def _required(self, draft: Draft, entry_id: str, version: str | None) -> EntryBlock:
        found = draft.find(entry_id)
        if found is None:
            raise UserError(no_such_entry(entry_id))
        if version is not None:
            now = self.mask(entries.from_block(found, self.scope).text)
            if entries.version_of(now) != version:
                message = f"entry {entry_id} has changed since you saw it, so it was left as it is"
                raise ConflictError(f"{message}; it now reads:\n{now}", now)
        return found


def no_such_entry(entry_id: str) -> str:
    """The sentence for an id that names nothing."""
    shown = entry_id.encode("utf-8", "backslashreplace").decode()[:40]
    if not looks_like_id(entry_id):
        return f"{shown!r} is not an id; ids come with every entry that a search or a list returns"
    return f"there is no entry {shown}; search again, it may have been edited or forgotten"
