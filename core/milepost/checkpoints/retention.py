"""Forgetting old points: by their age, their number, and the bytes they take.

A point that goes out of the middle leaves its changes to the next one that stays, so that every
point that stays is what it was. Pinned and named points stay, and so do the newest point and what
would take the newest restore back.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING

from milepost.base.clock import unix_time
from milepost.checkpoints import beside

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

    from milepost.checkpoints.store import SnapshotStore

# A few points are no burden, however old they are.
_ALWAYS_KEPT = 20

# Empty pages are used again; only a file that is mostly empty is worth writing anew.
_WORTH_SHRINKING = 0.5

# Whoever was looking for the right size halves what may go this often; then all of it goes.
_HALVINGS = 12


@dataclass(frozen=True, slots=True)
class Limits:
    """What is kept at most; None: any. `bytes` counts the packed contents."""

    age_s: float | None = None
    count: int | None = None
    bytes: int | None = None


# A month is longer than anybody remembers what a point was for; 5,000 points are listed and
# searched in milliseconds; 2 GiB are the history of a large project and no burden to a disk.
DEFAULT = Limits(age_s=30 * 86_400, count=5_000, bytes=2 * 1024**3)


def forget(store: SnapshotStore, limits: Limits) -> int:
    """Forget the points beyond the limits, the oldest first, and the content that only they need.
    How many went. Hold `store.exclusive()`."""
    with store.database.writing() as connection:
        removable = _removable(connection)
        chosen = _too_old_or_many(connection, removable, limits)
        _forget(connection, chosen)
        if limits.bytes is not None:
            rest = [each for each in removable if each not in chosen]
            chosen |= _until_small(connection, rest, limits.bytes)
    if chosen:
        _give_back(store, _WORTH_SHRINKING)
    return len(chosen)


def forget_before(store: SnapshotStore, oldest_kept: int) -> int:
    """Forget the points before this one that may go. How many went. Hold `store.exclusive()`.
    Raises UserError when there is no such point."""
    store.get(oldest_kept)
    with store.database.writing() as connection:
        chosen = {each for each in _removable(connection, always_kept=1) if each < oldest_kept}
        _forget(connection, chosen)
    _give_back(store, 0.0)
    return len(chosen)


def _removable(connection: sqlite3.Connection, always_kept: int = _ALWAYS_KEPT) -> list[int]:
    """The points that nobody holds on to, the oldest first."""
    rows = connection.execute(
        """
        SELECT id FROM snapshot WHERE NOT pinned AND name IS NULL
        AND id NOT IN (SELECT id FROM snapshot ORDER BY id DESC LIMIT ?)
        AND id NOT IN (
            SELECT coalesce(before, 0) FROM snapshot WHERE before IS NOT NULL
            ORDER BY id DESC LIMIT 1
        ) AND id <> (SELECT coalesce(max(id), 0) FROM snapshot WHERE before IS NOT NULL)
        AND id NOT IN (SELECT first FROM action WHERE last IS NULL AND began > ?)
        ORDER BY id
        """,
        (always_kept, time.time() - 3_600),
    )
    return [row[0] for row in rows]


def _too_old_or_many(
    connection: sqlite3.Connection, removable: list[int], limits: Limits
) -> set[int]:
    chosen: set[int] = set()
    rows = connection.execute("SELECT id, at FROM snapshot ORDER BY id").fetchall()
    if limits.age_s is not None:
        oldest = time.time() - limits.age_s
        old = {each for each, at in rows if (unix_time(at) or oldest) < oldest}
        chosen |= old.intersection(removable)
    if limits.count is not None:
        excess = len(rows) - len(chosen) - limits.count
        chosen.update([each for each in removable if each not in chosen][: max(0, excess)])
    return chosen


def _until_small(connection: sqlite3.Connection, rest: list[int], most: int) -> set[int]:
    """Forget the oldest of the rest, half of it at a time, until the contents fit."""
    gone: set[int] = set()
    for turn in range(_HALVINGS):
        (size,) = connection.execute("SELECT total(length(data)) FROM blob").fetchone()
        if size <= most or not rest:
            break
        half = len(rest) if turn == _HALVINGS - 1 else (len(rest) + 1) // 2
        oldest, rest = set(rest[:half]), rest[half:]
        _forget(connection, oldest)
        gone |= oldest
    return gone


def _forget(connection: sqlite3.Connection, chosen: set[int]) -> None:
    """Take these points out of the line."""
    if not chosen:
        return
    connection.execute(
        "CREATE TEMP TABLE IF NOT EXISTS going (id INTEGER PRIMARY KEY, heir INTEGER NOT NULL)"
    )
    connection.execute("DELETE FROM temp.going")
    connection.executemany("INSERT INTO temp.going VALUES (?, ?)", _heirs(connection, chosen))
    connection.execute("DELETE FROM snapshot WHERE id IN (SELECT id FROM temp.going)")
    connection.execute(
        "UPDATE snapshot SET before = NULL WHERE before IN (SELECT id FROM temp.going)"
    )
    oldest = "(SELECT min(id) FROM snapshot)"
    # What happened up to the oldest point is never read again.
    connection.execute(f"DELETE FROM change WHERE snapshot <= {oldest}")  # noqa: S608
    _merge(connection)
    beside.drop_unneeded(connection)
    _drop_unneeded(connection)


def _heirs(connection: sqlite3.Connection, chosen: set[int]) -> Iterator[tuple[int, int]]:
    """Each of these points with the next that stays. The newest of all stays always."""
    heir = 0
    for (each,) in connection.execute("SELECT id FROM snapshot ORDER BY id DESC").fetchall():
        if each in chosen:
            yield each, heir
        else:
            heir = each


def _merge(connection: sqlite3.Connection) -> None:
    """Give the changes of the points that go to the next that stays: the state before the first of
    them, the state after the last, and whose they were if they were one's."""
    rows = connection.execute(
        """
        SELECT change.path, heir, old_mode, old_blob, new_mode, new_blob, adopted, hand
        FROM (
            SELECT id, heir FROM temp.going UNION SELECT heir, heir FROM temp.going
        ) JOIN change ON change.snapshot = id ORDER BY heir, change.path, id
        """
    ).fetchall()
    connection.execute("DELETE FROM change WHERE snapshot IN (SELECT id FROM temp.going)")
    connection.executemany(
        "INSERT OR REPLACE INTO change VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (_merged(list(group)) for _, group in groupby(rows, key=itemgetter(0, 1))),
    )


def _merged(group: list[tuple[int, ...]]) -> tuple[int, ...]:
    """One change instead of several of a path, in their order."""
    path, heir, old_mode, old_blob, _, _, _, hand = group[0]
    new_mode, new_blob = group[-1][4:6]
    adopted = max(row[6] for row in group)
    is_ones = all(row[7] == hand for row in group)
    return path, heir, old_mode, old_blob, new_mode, new_blob, adopted, hand if is_ones else 0


def _drop_unneeded(connection: sqlite3.Connection) -> None:
    """Delete the contents that no point needs, nor a content that is packed against them."""
    dropped = 1
    while dropped:
        dropped = connection.execute(
            "DELETE FROM blob WHERE id NOT IN (SELECT old_blob FROM change WHERE old_blob "
            "UNION SELECT new_blob FROM change WHERE new_blob "
            "UNION SELECT blob FROM current WHERE blob "
            "UNION SELECT exclude FROM snapshot WHERE exclude "
            "UNION SELECT uncovered FROM snapshot WHERE uncovered "
            "UNION SELECT tasks FROM beside WHERE tasks "
            "UNION SELECT goals FROM beside WHERE goals "
            "UNION SELECT summary FROM beside WHERE summary "
            "UNION SELECT base FROM blob WHERE base)"
        ).rowcount
    connection.execute(
        "DELETE FROM path WHERE id NOT IN (SELECT path FROM change UNION SELECT path FROM current)"
    )


def _give_back(store: SnapshotStore, least: float) -> None:
    """Make the file as small as what it holds, when at least this share of it is empty."""
    with store.database.reading() as connection:
        (empty,) = connection.execute("PRAGMA freelist_count").fetchone()
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        if empty > least * pages:
            connection.execute("VACUUM")
    store.database.checkpoint()
