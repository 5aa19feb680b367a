"""How files differ between two points, as the guests see it."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

from milepost.api import point_views as views
from milepost.checkpoints.names import shown

if TYPE_CHECKING:
    from collections.abc import Iterable

    from milepost.checkpoints.rows import State
    from milepost.checkpoints.store import SnapshotStore


def between(store: SnapshotStore, from_id: int, to_id: int) -> tuple[views.Change, ...]:
    """How the files differ from one point to another, whichever is the older."""
    backwards = to_id < from_id
    span = min(from_id, to_id), max(from_id, to_id)
    steps = (
        (name, new, old) if backwards else (name, old, new)
        for name, (old, new) in sorted(store.between(*span).items())
    )
    return changes_of(steps, store.hands(*span))


def changes_of(
    steps: Iterable[tuple[bytes, State, State]], by: dict[bytes, str]
) -> tuple[views.Change, ...]:
    """Steps from a state to another as the guests see them; `by` is whose they are, by path."""
    return tuple(
        views.Change(shown(name), _kind(old, new), by.get(name, "unknown"))
        for name, old, new in steps
    )


def _kind(old: State, new: State) -> str:
    if old.mode is None:
        return "added"
    if new.mode is None:
        return "deleted"
    if stat.S_IFMT(old.mode) != stat.S_IFMT(new.mode):
        return "type"
    return "mode" if old.blob == new.blob and old.mode != new.mode else "modified"
