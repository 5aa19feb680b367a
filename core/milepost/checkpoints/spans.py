"""What became of each path between two points, told by the changes that lie between them.

They are read once, in their order, whatever is asked about them: the first tells what a path was,
the last what it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from milepost.checkpoints.rows import HANDS, State, select_many

if TYPE_CHECKING:
    import sqlite3


@dataclass(frozen=True, slots=True)
class Span:
    """What became of the paths that were changed after one point up to another: their states at
    both, which are the same where a change was taken back; whose hands it was, `several` where more
    than one had a hand in it; and which of them a changed rule brought in."""

    states: dict[bytes, tuple[State, State]]
    hands: dict[bytes, str]
    adopted: frozenset[bytes]

    def ends(self) -> dict[bytes, tuple[State, State]]:
        """The paths that differ, with their states at both points."""
        return {name: (then, now) for name, (then, now) in self.states.items() if then != now}


def span(connection: sqlite3.Connection, older: int, newer: int) -> Span:
    """What became of each path after one point up to another."""
    rows = connection.execute(
        "SELECT path, old_mode, old_blob, new_mode, new_blob, hand, adopted FROM change "
        "WHERE snapshot > ? AND snapshot <= ? ORDER BY snapshot",
        (older, newer),
    ).fetchall()
    # There may be many changes of a path, so what is done for each of them is done in bulk.
    first = {row[0]: row for row in reversed(rows)}
    last = {row[0]: row for row in rows}
    names = dict(select_many(connection, "SELECT id, name FROM path WHERE id IN (?)", first))
    hands: dict[int, str] = {}
    for path, hand in {(row[0], row[5]) for row in rows}:
        hands[path] = "several" if path in hands else HANDS[hand]
    return Span(
        {name: (State(*first[path][1:3]), State(*last[path][3:5])) for path, name in names.items()},
        {names[path]: hand for path, hand in hands.items()},
        frozenset(names[row[0]] for row in rows if row[6]),
    )
