"""What stands beside the files at a point: memory, tasks, goals, and how far the session was.

Of memory, which keeps every change of its own, a point holds the number of the newest change; of
the rest a copy, once for all points that share it. Points at which nothing beside the files differs
from the point before have no row of their own.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Literal, NamedTuple

from milepost.checkpoints.blobs import content_of

if TYPE_CHECKING:
    import sqlite3

    from milepost.checkpoints.blobs import Blobs

# How deep one looks beside the files for a difference: not at all, at what is remembered, planned
# and wanted, or also at how far the session is.
Depth = Literal["none", "state", "all"]

_COLUMNS = "memory, session, position, tasks, goals, summary"


class Beside(NamedTuple):
    """`memory` is the newest change of each memory by its label, but for those of which it could
    not be told. `position` is the newest item of the session's transcript, 0 when it has none.
    `tasks` and `goals` are as their rooms dump them, None when that could not be told; `summary` is
    what checkpoint.md says, None when there is none."""

    memory: tuple[tuple[str, int], ...] = ()
    session: str = ""
    position: int = 0
    tasks: bytes | None = None
    goals: bytes | None = None
    summary: bytes | None = None


def keep(connection: sqlite3.Connection, blobs: Blobs, snapshot_id: int, beside: Beside) -> None:
    """Note what stands beside the files of this new point, if it is not what stood there before."""
    row = _row(blobs, beside)
    last = connection.execute(
        f"SELECT {_COLUMNS} FROM beside ORDER BY snapshot DESC LIMIT 1"  # noqa: S608
    ).fetchone()
    if last != row:
        connection.execute(
            f"INSERT INTO beside (snapshot, {_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)",  # noqa: S608
            (snapshot_id, *row),
        )


def beside_at(connection: sqlite3.Connection, snapshot_id: int) -> Beside | None:
    """What stood beside the files of a point; None when that was not kept then."""
    row = connection.execute(
        f"SELECT {_COLUMNS} FROM beside WHERE snapshot <= ? ORDER BY snapshot DESC LIMIT 1",  # noqa: S608
        (snapshot_id,),
    ).fetchone()
    if row is None:
        return None
    memory, session, position, *bodies = row
    tasks, goals, summary = (
        None if blob is None else content_of(connection, blob) for blob in bodies
    )
    numbers = tuple((label, number) for label, number in json.loads(memory))
    return Beside(numbers, session, position, tasks, goals, summary)


def is_like(
    around: Beside | None, connection: sqlite3.Connection, snapshot_id: int, depth: Depth
) -> bool:
    """Whether what stands around is, as deep as one looks, what stood there at that point."""
    if depth == "none" or around is None:
        return True
    then = beside_at(connection, snapshot_id)
    if depth == "all" or then is None:
        return around == then
    return (around.memory, around.tasks, around.goals) == (then.memory, then.tasks, then.goals)


def drop_unneeded(connection: sqlite3.Connection) -> None:
    """Delete the rows that no point that is left goes back to."""
    connection.execute(
        """
        DELETE FROM beside WHERE coalesce(
            (SELECT min(id) FROM snapshot WHERE id >= beside.snapshot) >=
            (SELECT min(later.snapshot) FROM beside AS later
             WHERE later.snapshot > beside.snapshot), 0)
        """
    )


def _row(blobs: Blobs, beside: Beside) -> tuple[object, ...]:
    bodies = (beside.tasks, beside.goals, beside.summary)
    return (
        json.dumps(beside.memory),
        beside.session,
        beside.position,
        *blobs.put_data(*bodies),
    )
