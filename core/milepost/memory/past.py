"""What a memory was after one of its changes, told by the changes that came later."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from milepost.base.clock import unix_time
from milepost.base.errors import UserError
from milepost.memory.revisions import Step

if TYPE_CHECKING:
    from milepost.memory.entry import Entry
    from milepost.memory.store import MemoryStore


@dataclass(frozen=True, slots=True)
class Turned:
    """An entry that has changed since: what it was `then` and is `now` (None: not there), by whose
    hands, the last of them last, and the number of its last change."""

    entry_id: str
    then: Entry | None
    now: Entry | None
    actors: tuple[str, ...]
    last: int

    @property
    def step(self) -> Step:
        """The step that `MemoryStore.go_back` takes back."""
        return Step(self.then, self.now)


def turned_since(store: MemoryStore, number: int, at: str) -> list[Turned]:
    """The entries that are not what they were after the change `number`, which was the newest at
    the time `at`. Raises UserError when the log does not go back to it."""
    store.refresh()
    _check(store, number, at)
    turned: dict[str, Turned] = {}
    for change in store.revisions.since(number):
        for step in change.steps:
            first = turned.get(step.entry_id)
            turned[step.entry_id] = Turned(
                step.entry_id,
                step.before if first is None else first.then,
                step.after,
                (*(() if first is None else first.actors), change.actor),
                change.id,
            )
    return [each for each in turned.values() if each.then != each.now]


def _check(store: MemoryStore, number: int, at: str) -> None:
    """A log that was made anew counts from 1 again, and its numbers mean something else."""
    newest = store.revisions.newest()
    is_other = number > newest
    if not is_other and number:
        made = unix_time(store.revisions.get(number).at)
        is_other = (made or 0.0) > (unix_time(at) or 0.0)
    if is_other:
        message = f"the log of the {store.label} memory does not go back to that point"
        raise UserError(f"{message}; earlier versions of its entries are gone")
