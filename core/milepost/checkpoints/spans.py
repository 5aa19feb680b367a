"""What became of each path between two points, told by the changes that lie between them.

The first change of a path tells what it was, the last what it is. There may be many of each, after
days of work or some going back and forth; so SQLite finds the two, and no other is read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from milepost.checkpoints.rows import HANDS, State

if TYPE_CHECKING:
    import sqlite3


_SPAN = """
    SELECT name, first.old_mode, first.old_blob, last.new_mode, last.new_blob,
        one_hand, other_hand, any_adopted
    FROM (
        SELECT path AS id, min(snapshot) AS oldest, max(snapshot) AS newest,
            min(hand) AS one_hand, max(hand) AS other_hand, max(adopted) AS any_adopted
        FROM change WHERE snapshot > ? AND snapshot <= ? GROUP BY path
    )
    JOIN change AS first ON first.snapshot = oldest AND first.path = id
    JOIN change AS last ON last.snapshot = newest AND last.path = id
    JOIN path USING (id)
"""


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
    states: dict[bytes, tuple[State, State]] = {}
    hands: dict[bytes, str] = {}
    adopted: set[bytes] = set()
    for name, *ends, one_hand, other_hand, is_adopted in connection.execute(_SPAN, (older, newer)):
        states[name] = State(*ends[:2]), State(*ends[2:])
        hands[name] = HANDS[one_hand] if one_hand == other_hand else "several"
        if is_adopted:
            adopted.add(name)
    return Span(states, hands, frozenset(adopted))
