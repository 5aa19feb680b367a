"""The rows of the snapshot store: its tables, and their values as types.

`current` is the manifest of the newest snapshot with the signatures that let the next scan skip
what did not change; `change` holds, per snapshot and path, the state before and after. Modes are
those of lstat (type and permissions); NULL means that there was nothing. A file with a mode but no
blob was seen and could not be kept (too large, unreadable, being written).
"""

from __future__ import annotations

import json
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from milepost.base.errors import WorldError
from milepost.checkpoints.content import unpack

if TYPE_CHECKING:
    import os
    import sqlite3

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
)


class State(NamedTuple):
    """What a path is at a point: its mode (None: nothing there) and its content's blob."""

    mode: int | None
    blob: int | None


ABSENT = State(None, None)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A point as it is listed. `before` is set on restores: the point that takes it back."""

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
    left_out: tuple[tuple[str, str], ...]
    left_out_total: int


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the manifest, with the hash of its blob."""

    path_id: int
    state: State
    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int
    settled: bool
    sha256: bytes | None

    def is_unchanged(self, found: os.stat_result) -> bool:
        """Whether lstat says what it said when the row was written."""
        if self.state.mode != found.st_mode:
            return False
        if stat.S_ISDIR(found.st_mode):
            return True
        return self.settled and (
            self.size, self.mtime_ns, self.ctime_ns, self.inode
        ) == (found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino)  # fmt: skip


SNAPSHOT_COLUMNS = (
    "id, at, actor, label, kind, origin, before, tree_hash, files_changed, files_total, "
    "left_out, left_out_total"
)

ROW_SOURCE = (
    "path.id, mode, blob, current.size, mtime_ns, ctime_ns, inode, settled, sha256 "
    "FROM current JOIN path ON path.id = current.path LEFT JOIN blob ON blob.id = current.blob"
)


def content_of(connection: sqlite3.Connection, blob: int) -> bytes:
    """The bytes of a blob, verified. Raises WorldError when they are damaged."""
    row = connection.execute(
        "SELECT encoding, data, size, sha256 FROM blob WHERE id = ?", (blob,)
    ).fetchone()
    if row is None:
        raise WorldError("a stored file's content is missing; run `milepost doctor`")
    return unpack(*row)


def newest(connection: sqlite3.Connection) -> Snapshot | None:
    row = connection.execute(
        f"SELECT {SNAPSHOT_COLUMNS} FROM snapshot ORDER BY id DESC LIMIT 1"  # noqa: S608
    ).fetchone()
    return None if row is None else snapshot_of(row)


def snapshot_of(row: tuple[object, ...]) -> Snapshot:
    values = list(row)
    values[7] = bytes(values[7]).hex()  # type: ignore[call-overload]
    values[10] = tuple((path, reason) for path, reason in json.loads(str(values[10])))
    return Snapshot(*values)  # type: ignore[arg-type]


def find_row(connection: sqlite3.Connection, name: bytes) -> Row | None:
    row = connection.execute(f"SELECT {ROW_SOURCE} WHERE name = ?", (name,)).fetchone()
    return None if row is None else row_of(row)


def row_of(row: tuple[int, int, int | None, int, int, int, int, int, bytes | None]) -> Row:
    path_id, mode, blob, size, mtime_ns, ctime_ns, inode, settled, sha256 = row
    state = State(mode, blob)
    return Row(path_id, state, size, mtime_ns, ctime_ns, inode, bool(settled), sha256)
