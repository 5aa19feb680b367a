"""Which snapshots are listed, and what they count.

A diff, a preview or a look at a goal makes a snapshot when something changed, so that nothing is
lost of what was seen. It stands for nothing that anybody did: lists leave it out until it is named,
pinned, or taken as the beginning of an action or a restore. What it found counts with the
next one that is listed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from milepost.checkpoints.rows import LOOKED, SNAPSHOT_COLUMNS, Snapshot, snapshot_of

if TYPE_CHECKING:
    import sqlite3

    from milepost.checkpoints.rows import Request

_LISTED = f"(kind <> '{LOOKED}' OR pinned OR name IS NOT NULL)"


def page(
    connection: sqlite3.Connection,
    limit: int,
    before: int | None,
    offset: int = 0,
    *,
    has_looked: bool = True,
) -> list[Snapshot]:
    """The snapshots older than `before`, newest first; with `has_looked` also those that were made
    by looking only."""
    rows = connection.execute(
        f"SELECT {SNAPSHOT_COLUMNS} FROM snapshot WHERE (?1 IS NULL OR id < ?1) "  # noqa: S608
        f"AND (?4 OR {_LISTED}) ORDER BY id DESC LIMIT ?2 OFFSET ?3",
        (before, limit, offset, has_looked),
    ).fetchall()
    found = [snapshot_of(row) for row in rows]
    return found if has_looked else [counted(connection, each) for each in found]


def marked(
    connection: sqlite3.Connection,
) -> tuple[int | None, int, tuple[tuple[int, str | None], ...]]:
    """The newest listed snapshot's id, how many are listed, and those that have a name or are
    pinned."""
    newest_id, total = connection.execute(
        f"SELECT max(id), count(*) FROM snapshot WHERE {_LISTED}"  # noqa: S608
    ).fetchone()
    kept = connection.execute(
        "SELECT id * 2 + pinned, name FROM snapshot WHERE name IS NOT NULL OR pinned"
    ).fetchall()
    return newest_id, total, tuple(kept)


def counted(connection: sqlite3.Connection, snapshot: Snapshot) -> Snapshot:
    """The snapshot with the changes counted since the listed one before it."""
    listed, any_before = connection.execute(
        f"SELECT (SELECT max(id) FROM snapshot WHERE id < ?1 AND {_LISTED}), "  # noqa: S608
        "(SELECT max(id) FROM snapshot WHERE id < ?1)",
        (snapshot.id,),
    ).fetchone()
    # The first one that is listed stays what it was: it found the project.
    if listed is None or listed == any_before:
        return snapshot
    (count,) = connection.execute(
        "SELECT count(DISTINCT path) FROM change WHERE snapshot > ? AND snapshot <= ?",
        (listed, snapshot.id),
    ).fetchone()
    return snapshot._replace(files_changed=count)


def promoted(connection: sqlite3.Connection, looked: Snapshot, request: Request) -> Snapshot:
    """A snapshot that was made by looking, when somebody begins something from it: from now on it
    is what the request would have made."""
    words = {
        "kind": request.kind,
        "label": request.label,
        "actor": request.actor,
        "session": request.session,
    }
    connection.execute(
        "UPDATE snapshot SET kind = :kind, label = :label, actor = :actor, session = :session "
        "WHERE id = :id",
        {**words, "id": looked.id},
    )
    return looked._replace(**words)
