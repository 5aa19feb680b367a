"""Entries that go from one scope to another, and a project's memory that goes to another place.

Two files cannot be changed at once. So what comes in is written before anything is taken out: a
process that is killed in between leaves an entry in both, under one id, and the move can be
repeated. Each side has the move in its log, and an undo of either takes back both.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from milepost.api import views
from milepost.base.clock import utc_now
from milepost.base.errors import UserError, WorldError
from milepost.config import settings, settings_file
from milepost.memory.edits import conflict_words, no_such_entry
from milepost.memory.store import MOVED_FROM, MOVED_TO

if TYPE_CHECKING:
    from milepost.api.masking import Masking
    from milepost.api.scopes import Scopes
    from milepost.config import tables
    from milepost.config.projects import ProjectPaths
    from milepost.memory.entry import Entry
    from milepost.memory.revisions import Change
    from milepost.memory.store import MemoryStore

# An entry is moved a few times in its life; the other side of a move is among its newest changes.
_LOOKED_AT = 50


class Moves:
    """Moves between the scopes of one workspace."""

    def __init__(
        self, scopes: Scopes, actor: str, masking: Masking, resolved: ProjectPaths
    ) -> None:
        self._scopes = scopes
        self._actor = actor
        self._masking = masking
        self._root = resolved.root

    def move(self, entry_id: str, source: MemoryStore, target: MemoryStore) -> Entry:
        """Move an entry; as it is in its new place. Raises UserError when it is gone."""
        entry = source.get(entry_id)
        if entry is None:
            raise UserError(no_such_entry(entry_id))
        if source is target:
            self._finish(entry, target)
            return entry
        # What a person wrote into one file by hand is now written by us into another.
        clean = replace(entry, text=self._masking.text(entry.text))
        moved = target.receive(clean, self._actor, source.label)
        source.give(entry_id, self._actor, target.label)
        return moved

    def undo(self, store: MemoryStore, number: int | None) -> Change:
        """Take a change back, on both sides when it is of a move."""
        if not store.exists():
            raise UserError("there is no change of memory to take back")
        undone = store.undoable(number)
        label = _other_side(store, undone)
        if label is None:
            return store.undo(undone.id, self._actor)
        other = self._scopes.labelled(label)
        counterpart = self._counterpart(store, undone, other)
        store.rehearse_undo(undone)
        other.rehearse_undo(other.undoable(counterpart.id))
        if undone.steps[0].before is None:
            # It comes back over there before it goes from here.
            other.undo(counterpart.id, self._actor)
            return store.undo(undone.id, self._actor)
        done = store.undo(undone.id, self._actor)
        other.undo(counterpart.id, self._actor)
        return done

    def relocate(self, location: str) -> views.Relocation:
        """See `Memory.relocate`."""
        wanted = self._checked_location(location)
        source, target = self._scopes.one("project", ""), self._scopes.project_at(wanted)
        for store in (source, target):
            line = store.conflict()
            if line is not None:
                raise UserError(f"{conflict_words(store.path, line)}, then try again")
        found = [
            (section, replace(entry, text=self._masking.text(entry.text)))
            for section, entry in source.sections()
        ]
        moved = target.adopt(found, self._actor, f"project in {source.path.parent}")
        file = settings_file.set_value(self._root, "memory.location", wanted)
        try:
            backup = source.put_aside(utc_now().replace(":", ""))
        except OSError as error:
            message = f"{target.path} is the memory now, and {source.path} could not be put aside"
            raise WorldError(f"{message} ({error.strerror}); move it away yourself") from error
        self._scopes.relocate(wanted)
        return views.Relocation(
            path=str(target.path),
            moved=moved,
            present=len(found) - moved,
            backup=None if backup is None else str(backup),
            settings=str(file),
        )

    def _finish(self, entry: Entry, target: MemoryStore) -> None:
        """Take the entry out where a move that was cut short has left it."""
        for store in self._scopes.kept():
            twin = None if store is target else store.get(entry.id)
            if twin is not None and twin.text == entry.text:
                store.give(entry.id, self._actor, target.label)

    def _checked_location(self, location: str) -> tables.Location:
        if location not in ("user", "repo"):
            raise UserError(f"memory cannot be moved to {location!r}; move it to user or repo")
        if location == self._scopes.location:
            raise UserError(f"the project's memory is in the {location}'s place already")
        (now,) = (
            one for one in settings.effective(self._root) if one.key.name == "memory.location"
        )
        if now.origin == now.key.env:
            raise UserError(f"{now.origin} says where the memory is; unset it and try again")
        return "user" if location == "user" else "repo"

    def _counterpart(self, store: MemoryStore, undone: Change, other: MemoryStore) -> Change:
        """The other side's change of the same move that is not taken back."""
        entry_id = undone.steps[0].entry_id
        if other.exists():
            for change in other.revisions.page(_LOOKED_AT, entry_id):
                if change.undone_by is None and _other_side(other, change) == store.label:
                    return change
        message = f"the other side of change {undone.id} is no longer in the log of {other.label}"
        raise UserError(f"{message}; move entry {entry_id} back instead")


def _other_side(store: MemoryStore, change: Change) -> str | None:
    """The label of the scope on the other side, when the change is of a move or an undo of one."""
    while change.undoes is not None:
        change = store.revisions.get(change.undoes)
    for sign in (MOVED_FROM, MOVED_TO):
        if change.action.startswith(sign) and len(change.steps) == 1:
            return change.action.removeprefix(sign)
    return None
