"""Whose changes are whose: what an agent did between two points, and what the user's editor wrote.

The system does not tell which process wrote a file. What is known is when: what is found between
the points before and after an agent's action is the agent's, unless another agent was at work at
the same time, or the file is as the user's editor wrote it. What comes between actions is the
user's or another process's. Where neither is known, that is what is said.
"""

from __future__ import annotations

import os
import stat
import time
from typing import TYPE_CHECKING

from milepost.base.errors import UserError
from milepost.checkpoints.rows import HANDS, Request

if TYPE_CHECKING:
    import sqlite3

    from milepost.checkpoints.rows import Snapshot
    from milepost.checkpoints.store import SnapshotStore

# An action that never ended was killed; after so long it no longer casts doubt on others.
_LONGEST_S = 3_600

# The editor's last words on more files than this are not kept; a file has one.
_MAX_CLAIMS = 1_000


def begin(
    store: SnapshotStore, label: str, *, actor: str, hand: str, session: str
) -> tuple[int, Snapshot]:
    """Note that `actor` begins to act; the action's id, and the point before it. Hold
    `store.exclusive()`."""
    with store.database.reading() as connection:
        has_ended = connection.execute(
            "SELECT last = (SELECT max(id) FROM snapshot) FROM action ORDER BY id DESC LIMIT 1"
        ).fetchone()
        is_alone = not _others(connection, None)
    between = "other" if has_ended is not None and has_ended[0] and is_alone else "unknown"
    request = Request(actor, label, kind="before", session=session, hand=between)
    before = store.take(request, even_if_unchanged=False, beside="state")
    with store.database.writing() as connection:
        cursor = connection.execute(
            "INSERT INTO action (actor, began, first, hand) VALUES (?, ?, ?, ?)",
            (actor, time.time(), before.id, HANDS.index(hand)),
        )
        return cursor.lastrowid or 0, before


def finish(
    store: SnapshotStore, action: int, label: str, *, actor: str, session: str
) -> tuple[int, Snapshot]:
    """Note that an action has ended; the ids of the point before it, and the point after it. Hold
    `store.exclusive()`. Raises UserError when there is no such action, or it has ended."""
    with store.database.reading() as connection:
        row = connection.execute(
            "SELECT first, hand FROM action WHERE id = ? AND last IS NULL", (action,)
        ).fetchone()
    if row is None:
        raise UserError(f"no action {action} is under way; begin one first")
    first, hand = row
    after = store.take(
        Request(actor, label, kind="after", session=session),
        even_if_unchanged=False,
        beside="state",
    )
    with store.database.writing() as connection:
        if not _others(connection, action):
            connection.execute(
                "UPDATE change SET hand = ? WHERE snapshot > ? AND snapshot <= ? AND hand = 0",
                (hand, first, after.id),
            )
        connection.execute("UPDATE action SET last = ? WHERE id = ?", (after.id, action))
    return first, after


def claim(store: SnapshotStore, name: bytes, *, hand: str) -> None:
    """Note that the file is now as `hand` wrote it."""
    try:
        found = os.lstat(os.path.join(os.fsencode(store.root), name))
    except OSError:
        return
    if not stat.S_ISREG(found.st_mode):
        return
    with store.database.writing() as connection:
        connection.execute(
            "INSERT OR REPLACE INTO claim VALUES (?, ?, ?, ?)",
            (name, HANDS.index(hand), found.st_size, found.st_mtime_ns),
        )
        connection.execute(
            "DELETE FROM claim WHERE (SELECT count(*) FROM claim) > ? AND name <> ?",
            (_MAX_CLAIMS, name),
        )


def _others(connection: sqlite3.Connection, action: int | None) -> bool:
    """Whether another action was under way at the same time: it began later, or it has not ended,
    or ended after this one began."""
    first = connection.execute("SELECT first FROM action WHERE id = ?", (action,)).fetchone()
    row = connection.execute(
        """
        SELECT 1 FROM action WHERE id IS NOT ?1 AND (
            (last IS NULL AND began > ?2) OR id > ?1 OR last > ?3
        ) LIMIT 1
        """,
        (action, time.time() - _LONGEST_S, None if first is None else first[0]),
    ).fetchone()
    return row is not None
