"""The content store: snapshots of a workspace as rows in one SQLite file.

Only what changed is stored. History is one line and append-only, so the state of a path at point N
is the `old` side of its first change after N, or its manifest row when there was none. A restore is
one more snapshot, and can itself be taken back.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from milepost.base.clock import utc_now
from milepost.base.errors import UserError
from milepost.base.files import locked
from milepost.base.sqlite import Database
from milepost.checkpoints.rows import (
    ABSENT,
    MIGRATIONS,
    SNAPSHOT_COLUMNS,
    Row,
    Snapshot,
    State,
    content_of,
    find_row,
    newest,
    snapshot_of,
)
from milepost.checkpoints.scan import scan
from milepost.checkpoints.taking import Taking

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

# The first snapshot of a large project takes tens of seconds; whoever comes second waits for it.
LOCK_TIMEOUT_S = 180.0

MAX_LABEL_CHARS = 200


class SnapshotStore:
    """The snapshots of one workspace root."""

    def __init__(self, root: Path, folder: Path) -> None:
        self.root = root
        self.database = Database(
            folder / "snapshots.db",
            MIGRATIONS,
            durability="FULL",
            loss="The restore points up to now are in that file only; new ones start from here.",
        )
        self._lock = folder / "snapshots.lock"

    def exclusive(self) -> AbstractContextManager[None]:
        """One process and thread at a time takes snapshots of this workspace or restores it."""
        return locked(self._lock, timeout_s=LOCK_TIMEOUT_S)

    def take(
        self,
        *,
        label: str,
        actor: str,
        kind: str = "saved",
        origin: int | None = None,
        before: int | None = None,
        even_if_unchanged: bool = True,
    ) -> Snapshot:
        """Snapshot the workspace. Durable when this returns; hold `exclusive` around it.

        With `even_if_unchanged` off, the newest snapshot is returned when nothing differs from it.
        """
        if len(label) > MAX_LABEL_CHARS or any(not char.isprintable() for char in label):
            raise UserError(
                f"a label is one line of at most {MAX_LABEL_CHARS} printable characters"
            )
        scanned = scan(self.root)
        with self.database.writing() as connection:
            taking = Taking(connection, os.fsencode(self.root), scanned)
            taking.compare()
            last = newest(connection)
            if last is not None and not even_if_unchanged and not taking.changed:
                taking.refresh_manifest()
                return last
            row = (utc_now(), actor, label, kind, origin, before)
            return taking.write(row, last)

    def seen(self, label: str, actor: str) -> Snapshot:
        """A snapshot of the workspace as it is: the newest when nothing differs from it, else a new
        one. Hold `exclusive` around it."""
        return self.take(label=label, actor=actor, kind="automatic", even_if_unchanged=False)

    def page(self, limit: int, before: int | None) -> list[Snapshot]:
        """The snapshots older than `before`, newest first."""
        with self.database.reading() as connection:
            rows = connection.execute(
                f"SELECT {SNAPSHOT_COLUMNS} FROM snapshot WHERE ?1 IS NULL OR id < ?1 "  # noqa: S608
                "ORDER BY id DESC LIMIT ?2",
                (before, limit),
            ).fetchall()
        return [snapshot_of(row) for row in rows]

    def get(self, snapshot_id: int) -> Snapshot:
        """The snapshot with this id. Raises UserError when there is none."""
        with self.database.reading() as connection:
            row = connection.execute(
                f"SELECT {SNAPSHOT_COLUMNS} FROM snapshot WHERE id = ?",  # noqa: S608
                (min(snapshot_id, 2**62),),
            ).fetchone()
        if row is None:
            raise UserError(f"there is no restore point {snapshot_id}; list them to see their ids")
        return snapshot_of(row)

    def newest_restore(self) -> Snapshot | None:
        """The newest snapshot that a restore left behind."""
        with self.database.reading() as connection:
            row = connection.execute(
                f"SELECT {SNAPSHOT_COLUMNS} FROM snapshot WHERE before IS NOT NULL "  # noqa: S608
                "ORDER BY id DESC LIMIT 1"
            ).fetchone()
        return None if row is None else snapshot_of(row)

    def between(self, older: int, newer: int) -> dict[bytes, tuple[State, State]]:
        """The paths that differ between two points, with their states at each."""
        with self.database.reading() as connection:
            rows = connection.execute(
                """
                SELECT name, old_mode, old_blob, new_mode, new_blob FROM change
                JOIN path ON path.id = change.path
                WHERE snapshot > ? AND snapshot <= ? ORDER BY snapshot
                """,
                (older, newer),
            ).fetchall()
        ends: dict[bytes, tuple[State, State]] = {}
        for name, old_mode, old_blob, new_mode, new_blob in rows:
            first = ends[name][0] if name in ends else State(old_mode, old_blob)
            ends[name] = (first, State(new_mode, new_blob))
        return {name: pair for name, pair in ends.items() if pair[0] != pair[1]}

    def adopted_after(self, snapshot_id: int) -> set[bytes]:
        """Paths that a changed rule brought in after this point: they may be older than it."""
        with self.database.reading() as connection:
            rows = connection.execute(
                "SELECT name FROM change JOIN path ON path.id = change.path "
                "WHERE snapshot > ? AND adopted",
                (snapshot_id,),
            ).fetchall()
        return {row[0] for row in rows}

    def state_at(self, snapshot_id: int, name: bytes) -> State:
        """What the path was at a point."""
        with self.database.reading() as connection:
            row = connection.execute(
                """
                SELECT old_mode, old_blob FROM change JOIN path ON path.id = change.path
                WHERE name = ? AND snapshot > ? ORDER BY snapshot LIMIT 1
                """,
                (name, snapshot_id),
            ).fetchone()
            if row is None:
                row = connection.execute(
                    "SELECT mode, blob FROM current JOIN path ON path.id = current.path "
                    "WHERE name = ?",
                    (name,),
                ).fetchone()
        return ABSENT if row is None else State(*row)

    def rows(self, names: Iterator[bytes]) -> dict[bytes, Row]:
        """The manifest's rows of these paths."""
        with self.database.reading() as connection:
            found = ((name, find_row(connection, name)) for name in names)
            return {name: row for name, row in found if row is not None}

    def content(self, blob: int) -> bytes:
        """The bytes of a blob, verified. Raises WorldError when they are damaged."""
        with self.database.reading() as connection:
            return content_of(connection, blob)

    def prune(self, oldest_kept: int) -> int:
        """Forget the points before `oldest_kept`, and all content that only they need. How many
        points went. Hold `exclusive` around it. Raises UserError when there is no such point."""
        self.get(oldest_kept)
        with self.database.writing() as connection:
            # The state at a point is read from the changes after it, so those up to the oldest
            # point that is kept are never read again.
            connection.execute("DELETE FROM change WHERE snapshot <= ?", (oldest_kept,))
            connection.execute("UPDATE snapshot SET before = NULL WHERE before < ?", (oldest_kept,))
            gone = connection.execute("DELETE FROM snapshot WHERE id < ?", (oldest_kept,)).rowcount
            connection.execute(
                "DELETE FROM blob WHERE id NOT IN (SELECT old_blob FROM change WHERE old_blob "
                "UNION SELECT new_blob FROM change WHERE new_blob "
                "UNION SELECT blob FROM current WHERE blob "
                "UNION SELECT exclude FROM snapshot WHERE exclude)"
            )
            connection.execute(
                "DELETE FROM path WHERE id NOT IN "
                "(SELECT path FROM change UNION SELECT path FROM current)"
            )
        with self.database.reading() as connection:
            connection.execute("VACUUM")
        return gone

    def close(self) -> None:
        """Close the database."""
        self.database.close()
