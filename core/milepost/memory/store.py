"""The memory of one scope: a Markdown file that holds the truth, the index and the revisions.

What may be done with entries stands here; how it gets into the file, in `writing`.
"""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING

from milepost.base.clock import utc_now
from milepost.base.errors import UserError
from milepost.base.files import ChangedMeanwhileError
from milepost.base.ids import new_id
from milepost.memory import changes, edits, repeated
from milepost.memory import document as documents
from milepost.memory import entry as entries
from milepost.memory.entry import SECTIONS, Entry
from milepost.memory.file import ATTEMPTS
from milepost.memory.layout import layout_of
from milepost.memory.revisions import IMPORT, Change, Step
from milepost.memory.writing import MemoryWriter

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from milepost.memory.draft import Draft


# How the two sides of a move begin in the log; the other scope's label follows.
MOVED_FROM = "move from "
MOVED_TO = "move to "


class MemoryStore(MemoryWriter):
    """The entries of one memory file, to be read and changed."""

    def add(
        self, text: str, kind: str, status: str, source: str, anchors: tuple[str, ...]
    ) -> Entry:
        """Remember `text`. Durable when this returns.

        Raises UserError when an argument is not as `entry` wants it, WorldError when the file
        cannot be written.
        """
        added = self._new(text, kind, status, source, anchors)
        self._add(added)
        return added

    def add_compared(
        self, text: str, kind: str, status: str, source: str, anchors: tuple[str, ...]
    ) -> tuple[Entry, list[Entry]]:
        """`add`, and the entries that say nearly the same, nearest first. Of two processes that
        remember the same thing at once, the second is told of the first's."""
        added = self._new(text, kind, status, source, anchors)
        return added, self._add(added, compares=True)

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
            # What a stranger claims of an entry does not become true by another word in it.
            known = self._seen(old).status
            new = replace(
                old, text=words or old.text, kind=kind or old.kind, status=status or known
            )
            if new.text != old.text:
                own = old.status if old.superseded_by else entries.status_of_words(source)
                new = replace(new, source=source, status=status or own)
            # Whoever says anew what holds has looked at the code as it is now.
            has_looked = bool(words or status)
            anchors = (
                self._anchors.all_stamped(old.anchors)
                if has_looked
                else self._anchors.all_followed(old.anchors)
            )
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
            new = Entry(
                id=successor,
                text=words,
                kind=kind or (old.kind if old.kind in SECTIONS else "knowledge"),
                status=entries.status_of_words(source),
                scope=self.scope,
                source=source,
                created_at=utc_now(),
                anchors=self._anchors.all_stamped(old.anchors),
                superseded_by=None,
            )
            return edits.superseded(draft, found, old, new)

        return self._change_alone("supersede", source, change)

    def forget(self, entry_id: str, source: str, version: str | None = None) -> Entry:
        """Take an entry out of the file, and return what it was. Raises as `update` does."""
        return self._without("forget", entry_id, source, version)

    def receive(self, entry: Entry, source: str, origin: str) -> Entry:
        """Take in an entry that comes from another scope, `origin`, with all that is known of it.
        It keeps its id, unless another entry has it here. Durable when this returns."""

        def change(draft: Draft) -> tuple[Step, ...]:
            return edits.received(draft, entry, self.scope)

        return self._change_alone(f"{MOVED_FROM}{origin}", source, change)

    def adopt(self, found: list[tuple[str, Entry]], source: str, origin: str) -> int:
        """Take in the entries of another file, `origin`, each under its heading; how many were not
        here yet. Durable when this returns."""
        with self._locked():
            done = self._change(
                f"{MOVED_FROM}{origin}", source, lambda draft: edits.adopted(draft, found)
            )
        return len(done.steps)

    def put_aside(self, stamp: str) -> Path | None:
        """Give the file a name that is not read, by a copy when it lies in a repository; its new
        path, or None when there is no file."""
        return self._file.put_aside(self.folder / f"{self.path.name}.moved-{stamp}")

    def give(self, entry_id: str, source: str, target: str) -> Entry:
        """Take an entry out of the file that another scope, `target`, has taken in."""
        return self._without(f"{MOVED_TO}{target}", entry_id, source)

    def add_all(self, added: Sequence[Entry], source: str) -> Change:
        """Add entries that were taken over from elsewhere, as they are, in one change.

        Raises WorldError, with nothing added, when one of them would not read back.
        """
        with self._locked():
            return self._change(IMPORT, source, lambda draft: edits.imported(draft, added))

    def ensure(self) -> None:
        """Make the file, with its headings and no entry, unless it is there."""
        with self._locked(), contextlib.suppress(ChangedMeanwhileError):
            base = self._file.read()
            if base.signature is None:
                self._file.replace(base, edits.template(self._title, self.scope))

    def tidy(self) -> bool:
        """Bring what stands under repeated headings together; False when there is nothing to bring.
        No entry becomes another by that, so the log does not speak of it."""
        with self._locked():
            for _ in range(ATTEMPTS):
                base = self._base()
                changed = repeated.gathered(documents.parse(base.data))
                if changed is None or base.signature is None:
                    return False
                if not self.index.is_level(base.signature):
                    self._bring_level()
                try:
                    written = self._file.replace(base, changed.to_bytes())
                except ChangedMeanwhileError:
                    continue
                layout = layout_of(changed, SECTIONS.values())
                if written:
                    self.index.put(base.signature, written, layout, ())
                return True
        raise self._file.give_up()

    def undo(self, number: int | None, source: str) -> Change:
        """Take a change back: the one of this number, or the newest that was not taken back.

        An undo is a change and can be taken back by its number. Raises UserError when there is no
        such change, when it was taken back, or when an entry has changed since.
        """
        undone = self.undoable(number)
        with self._locked():
            change = self._taking_back(undone.steps)
            return self._change("undo", source, change, undoes=undone.id)

    def go_back(
        self, steps: Sequence[Step], source: str, action: str
    ) -> tuple[Change | None, set[str]]:
        """Make entries what each step says they were `before`. Those that are not as it says they
        were `after` are left alone: their ids; and the change, None when all are left."""
        with self._locked():
            draft = self._draft(self._base())
            left = changes.changed_since(draft, steps, self.scope, self.mask)
            kept = [step for step in steps if step.entry_id not in left]
            if not kept:
                return None, left
            return self._change(action, source, self._taking_back(kept)), left

    def undoable(self, number: int | None) -> Change:
        """The change that an undo would take back. Raises UserError, as `undo` does."""
        self.refresh()
        head = self._head()
        log = self.revisions
        undone = log.newest_to_undo(head) if number is None else log.get(number)
        if undone.undone_by is not None:
            message = f"change {undone.id} was taken back by change {undone.undone_by}"
            raise UserError(f"{message}; to redo it, undo that one")
        comes_back = any(step.before and not step.after for step in undone.steps)
        if comes_back and undone.head != head:
            # There it was forgotten; here it may never have been, or be gone for good.
            message = f"change {undone.id} was made on {undone.head or 'another head'}"
            raise UserError(f"{message}, and git has {head or 'none'} now; add the entry anew")
        return undone

    def rehearse_undo(self, undone: Change) -> None:
        """Raise UserError when this change cannot be taken back as the file is now."""
        self._taking_back(undone.steps)(self._draft(self._base()))

    def _taking_back(self, steps: Sequence[Step]) -> Callable[[Draft], tuple[Step, ...]]:
        return lambda draft: edits.taken_back(draft, steps, self.scope, self.mask)

    def _without(
        self, action: str, entry_id: str, source: str, version: str | None = None
    ) -> Entry:
        def change(draft: Draft) -> tuple[Step, ...]:
            found = self._required(draft, entry_id, version)
            draft.remove(entry_id)
            return (Step(entries.from_block(found, self.scope), None),)

        return self._change_alone(action, source, change)

    def follow(self, source: str) -> Change | None:
        """Rewrite the anchors whose code moved without a change; None when there are none."""
        self.find_lost()
        moved = [
            entry.id
            for entry in self.all()
            if self._anchors.all_followed(entry.anchors) != entry.anchors
        ]

        def change(draft: Draft) -> tuple[Step, ...]:
            steps: list[Step] = []
            for entry_id in moved:
                found = self._required(draft, entry_id, None)
                old = entries.from_block(found, self.scope)
                new = replace(old, anchors=self._anchors.all_followed(old.anchors))
                changes.change(draft, new, found.text)
                steps.append(Step(old, new))
            return tuple(steps)

        if not moved:
            return None
        with self._locked():
            return self._change("follow", source, change)

    def _new(
        self, text: str, kind: str, status: str, source: str, anchors: tuple[str, ...]
    ) -> Entry:
        return Entry(
            id=new_id(),
            text=documents.normalized(entries.checked_text(text)),
            kind=entries.checked_kind(kind),
            status=entries.checked_status(status),
            scope=self.scope,
            source=source,
            created_at=utc_now(),
            anchors=self._anchors.all_stamped(entries.checked_anchors(anchors)),
            superseded_by=None,
        )
