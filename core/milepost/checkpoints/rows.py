"""The rows of the snapshot store: its tables, and their values as types.

`current` is the manifest of the newest snapshot with the signatures that let the next scan skip
what did not change; `change` holds, per snapshot and path, the state before and after. Modes are
those of lstat (type and permissions); NULL means that there was nothing. A file with a mode but no
blob was seen and could not be kept (too large, unreadable, being written). `action` holds what
agents did between two points, `claim` which files the user's editor has written.
"""

from __future__ import annotations

import stat
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from milepost.checkpoints.names import bounds

if TYPE_CHECKING:
    import os
    import sqlite3
    from collections.abc import Iterable, Iterator

MIGRATIONS = (
    """
    CREATE TABLE snapshot (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        at TEXT NOT NULL, actor TEXT NOT NULL, label TEXT NOT NULL, kind TEXT NOT NULL,
        origin INTEGER, before INTEGER,
        tree_hash BLOB NOT NULL, policy INTEGER NOT NULL, exclude INTEGER REFERENCES blob,
        files_changed INTEGER NOT NULL, files_total INTEGER NOT NULL,
        left_out TEXT NOT NULL, left_out_total INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE blob (
        id INTEGER PRIMARY KEY, sha256 BLOB NOT NULL UNIQUE,
        size INTEGER NOT NULL, encoding INTEGER NOT NULL, data BLOB NOT NULL
    ) STRICT;
    CREATE TABLE path (id INTEGER PRIMARY KEY, name BLOB NOT NULL UNIQUE) STRICT;
    CREATE TABLE change (
        path INTEGER NOT NULL REFERENCES path, snapshot INTEGER NOT NULL REFERENCES snapshot,
        old_mode INTEGER, old_blob INTEGER REFERENCES blob,
        new_mode INTEGER, new_blob INTEGER REFERENCES blob,
        adopted INTEGER NOT NULL,
        PRIMARY KEY (path, snapshot)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX change_snapshot ON change (snapshot);
    CREATE TABLE current (
        path INTEGER PRIMARY KEY REFERENCES path,
        mode INTEGER NOT NULL, blob INTEGER REFERENCES blob,
        size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, ctime_ns INTEGER NOT NULL,
        inode INTEGER NOT NULL, settled INTEGER NOT NULL
    ) STRICT;
    """,
    # Without references from `change` and `current`: to delete a content, SQLite would look through
    # both for each one. `uncovered` is the list that stood in `left_out`, kept once for all points
    # that share it.
    """
    ALTER TABLE blob ADD COLUMN base INTEGER REFERENCES blob;
    CREATE INDEX blob_base ON blob (base) WHERE base IS NOT NULL;
    ALTER TABLE snapshot ADD COLUMN session TEXT NOT NULL DEFAULT '';
    ALTER TABLE snapshot ADD COLUMN name TEXT;
    ALTER TABLE snapshot ADD COLUMN pinned INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE snapshot ADD COLUMN uncovered INTEGER;
    CREATE UNIQUE INDEX snapshot_name ON snapshot (name) WHERE name IS NOT NULL;
    CREATE TABLE changed (
        path INTEGER NOT NULL, snapshot INTEGER NOT NULL,
        old_mode INTEGER, old_blob INTEGER, new_mode INTEGER, new_blob INTEGER,
        adopted INTEGER NOT NULL, hand INTEGER NOT NULL,
        PRIMARY KEY (path, snapshot)
    ) STRICT, WITHOUT ROWID;
    INSERT INTO changed SELECT *, 0 FROM change;
    DROP TABLE change;
    ALTER TABLE changed RENAME TO change;
    CREATE INDEX change_snapshot ON change (snapshot);
    CREATE TABLE present (
        path INTEGER PRIMARY KEY, mode INTEGER NOT NULL, blob INTEGER,
        size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, ctime_ns INTEGER NOT NULL,
        inode INTEGER NOT NULL, settled INTEGER NOT NULL
    ) STRICT;
    INSERT INTO present SELECT * FROM current;
    DROP TABLE current;
    ALTER TABLE present RENAME TO current;
    CREATE INDEX current_blob ON current (blob) WHERE blob IS NOT NULL;
    CREATE TABLE action (
        id INTEGER PRIMARY KEY, actor TEXT NOT NULL, began REAL NOT NULL,
        first INTEGER NOT NULL, last INTEGER, hand INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE claim (
        name BLOB PRIMARY KEY, hand INTEGER NOT NULL, size INTEGER NOT NULL,
        mtime_ns INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    """,
    # What stands beside the files (see `beside`), and what else than files a restore brought back.
    """
    CREATE TABLE beside (
        snapshot INTEGER PRIMARY KEY, memory TEXT NOT NULL, session TEXT NOT NULL,
        position INTEGER NOT NULL, tasks INTEGER, goals INTEGER, summary INTEGER
    ) STRICT;
    ALTER TABLE snapshot ADD COLUMN parts TEXT NOT NULL DEFAULT '';
    """,
    # In the order of the points: those of a new one are written side by side, and what lies between
    # two points is read from one place.
    """
    CREATE TABLE changed (
        path INTEGER NOT NULL, snapshot INTEGER NOT NULL,
        old_mode INTEGER, old_blob INTEGER, new_mode INTEGER, new_blob INTEGER,
        adopted INTEGER NOT NULL, hand INTEGER NOT NULL,
        PRIMARY KEY (snapshot, path)
    ) STRICT, WITHOUT ROWID;
    INSERT INTO changed SELECT * FROM change ORDER BY snapshot, path;
    DROP TABLE change;
    ALTER TABLE changed RENAME TO change;
    CREATE INDEX change_path ON change (path);
    """,
    # Points that were made by looking only are told from others by their kind (see `listing`).
    """
    UPDATE snapshot SET kind = 'seen' WHERE kind = 'automatic' AND (
        label IN ('seen by a diff', 'seen by a look at a goal')
        OR label LIKE 'before going back to %'
    ) AND id NOT IN (SELECT before FROM snapshot WHERE before IS NOT NULL)
    AND id NOT IN (SELECT first FROM action);
    """,
    # Beside the content's id its hash, which every comparison needs: the contents are in large rows
    # that lie all over the file.
    """
    ALTER TABLE current ADD COLUMN sha256 BLOB;
    UPDATE current SET sha256 = (SELECT sha256 FROM blob WHERE blob.id = current.blob);
    """,
    # Every point would have to keep it level, and only what tidies ever looked into it.
    "DROP INDEX current_blob;",
    # It was most of what a point of many files had to write, and is asked for one path at a time.
    "DROP INDEX change_path;",
)

# The kind of a point that was made by looking only.
LOOKED = "seen"

# Whose hands made a change, by its number in `change.hand`. `other` is what came between the
# actions of agents: the user's, or another process's.
HANDS: tuple[str, ...] = ("unknown", "agent", "user", "restore", "other")


class State(NamedTuple):
    """What a path is at a point: its mode (None: nothing there) and its content's blob."""

    mode: int | None
    blob: int | None


ABSENT = State(None, None)


class Request(NamedTuple):
    """What a snapshot is to say of itself. `kind` is saved, automatic, turn (of the user's),
    restored, undone, before or after (an action), or seen (by looking only); `hand` made the
    changes that it finds, as far as the caller knows. `parts` is what a restore brought back beside
    files, in its own words."""

    actor: str
    label: str = ""
    kind: str = "saved"
    origin: int | None = None
    before: int | None = None
    session: str = ""
    hand: str = "unknown"
    parts: str = ""


class Snapshot(NamedTuple):
    """A point as it is listed. `before` is set on restores: the point that takes it back; `origin`
    is the point that it went back to."""

    id: int
    at: str
    actor: str
    label: str
    kind: str
    origin: int | None
    before: int | None
    tree_hash: str
    files_changed: int
    files_total: int
    left_out_total: int
    session: str
    name: str | None
    pinned: bool
    parts: str


class Row(NamedTuple):
    """A row of the manifest, with the hash of its blob."""

    path_id: int
    mode: int
    blob: int | None
    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int
    settled: int  # 0 or 1
    sha256: bytes | None

    @property
    def is_readable(self) -> bool:
        """Whether its content is kept, and was read when nobody was writing it."""
        return bool(self.settled) and (self.blob is not None or stat.S_ISDIR(self.mode))

    def is_unchanged(self, found: os.stat_result) -> bool:
        """Whether lstat says what it said when the row was written."""
        return self.mode == found.st_mode and (
            stat.S_ISDIR(self.mode)
            or (
                self.mtime_ns == found.st_mtime_ns
                and self.ctime_ns == found.st_ctime_ns
                and self.size == found.st_size
                and self.inode == found.st_ino
                and bool(self.settled)
            )
        )


SNAPSHOT_COLUMNS = (
    "id, at, actor, label, kind, origin, before, tree_hash, files_changed, files_total, "
    "left_out_total, session, name, pinned, parts"
)

ROW_SOURCE = (
    "path.id, mode, blob, size, mtime_ns, ctime_ns, inode, settled, sha256 "
    "FROM current JOIN path ON path.id = current.path"
)


# A statement is kept by its words for the next time, so lists have only so many lengths.
_LENGTHS = (1, 2, 4, 8, 16, 32, 64, 128, 256)


def newest(connection: sqlite3.Connection) -> Snapshot | None:
    row = connection.execute(
        f"SELECT {SNAPSHOT_COLUMNS} FROM snapshot ORDER BY id DESC LIMIT 1"  # noqa: S608
    ).fetchone()
    return None if row is None else snapshot_of(row)


def snapshot_of(row: tuple[object, ...]) -> Snapshot:
    values = list(row)
    values[7] = bytes(values[7]).hex()  # type: ignore[call-overload]
    values[13] = bool(values[13])
    return Snapshot(*values)  # type: ignore[arg-type]


def find_rows(connection: sqlite3.Connection, names: Iterable[bytes]) -> dict[bytes, Row]:
    """The manifest's rows of these paths, of those that have one."""
    found = select_many(connection, f"SELECT name, {ROW_SOURCE} WHERE name IN (?)", names)
    return {row[0]: Row(*row[1:]) for row in found}


def select_many(
    connection: sqlite3.Connection, query: str, values: Iterable[bytes | int]
) -> Iterator[tuple[Any, ...]]:
    """The rows of a query whose one `?` stands for a list of values, in no order. To ask for many
    at once takes a third of the time of asking for each."""
    wanted = list(values)
    for start in range(0, len(wanted), _LENGTHS[-1]):
        some: list[bytes | int | None] = [*wanted[start : start + _LENGTHS[-1]]]
        length = next(length for length in _LENGTHS if length >= len(some))
        some += [None] * (length - len(some))
        yield from connection.execute(_with_marks(query, length), some)


@lru_cache(maxsize=64)
def _with_marks(query: str, length: int) -> str:
    return query.replace("?", ",".join("?" * length))


def rows_below(connection: sqlite3.Connection, folder: bytes) -> dict[bytes, Row]:
    """The manifest of all that is below a folder; of everything for the root."""
    rows = connection.execute(
        f"SELECT name, {ROW_SOURCE} WHERE name >= ? AND name < ?",
        bounds(folder),
    )
    return {row[0]: Row(*row[1:]) for row in rows}
