"""The content store: snapshots of a workspace as rows in one SQLite file.

Only what changed is stored. `current` is the manifest of the newest snapshot with the signatures
that let the next scan skip what did not change; `change` holds, per snapshot and path, the state
before and after. History is one line and append-only, so the state of a path at point N is the
`old` side of its first change after N, or its `current` row when there was none. A restore is one
more snapshot, and can itself be taken back.

Modes are those of lstat (type and permissions); NULL means that there was nothing. A file with a
mode but no blob was seen and could not be kept (too large, unreadable, being written).
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from milepost.base.clock import utc_now
from milepost.base.errors import UserError, WorldError
from milepost.base.files import locked
from milepost.base.sqlite import Database
from milepost.checkpoints.content import TOO_LARGE, Unreadable, pack, read, unpack
from milepost.checkpoints.policy import MAX_FILE_BYTES
from milepost.checkpoints.scan import Scan, scan

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

_MIGRATIONS = (
    """
    CREATE TABLE snapshot (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        at TEXT NOT NULL, actor TEXT NOT NULL, label TEXT NOT NULL, kind TEXT NOT NULL,
        origin INTEGER, before INTEGER,
        tree_hash BLOB NOT NULL, rules_digest BLOB NOT NULL,
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

# The first snapshot of a large project takes tens of seconds; whoever comes second waits for it.
LOCK_TIMEOUT_S = 180.0

# How many of the paths that are left out are named with a snapshot; all are counted.
MAX_LEFT_OUT_NAMED = 200

MAX_LABEL_CHARS = 200

# File systems with coarse clocks give one time to two writes this close together, so a file that
# was written so shortly before it was read is read again next time.
_RACY_NS = 20_000_000

_HASH_MODULUS = 1 << 256


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


class SnapshotStore:
    """The snapshots of one workspace root."""

    def __init__(self, root: Path, folder: Path) -> None:
        self.root = root
        self.database = Database(
            folder / "snapshots.db",
            _MIGRATIONS,
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
            taking = _Taking(connection, os.fsencode(self.root), scanned)
            taking.compare()
            newest = _newest(connection)
            if newest is not None and not even_if_unchanged and not taking.changed:
                taking.refresh_manifest()
                return newest
            row = (utc_now(), actor, label, kind, origin, before)
            return taking.write(row, newest)

    def page(self, limit: int, before: int | None) -> list[Snapshot]:
        """The snapshots older than `before`, newest first."""
        with self.database.reading() as connection:
            rows = connection.execute(
                f"SELECT {_SNAPSHOT} FROM snapshot WHERE ?1 IS NULL OR id < ?1 "  # noqa: S608
                "ORDER BY id DESC LIMIT ?2",
                (before, limit),
            ).fetchall()
        return [_snapshot(row) for row in rows]

    def get(self, snapshot_id: int) -> Snapshot:
        """The snapshot with this id. Raises UserError when there is none."""
        with self.database.reading() as connection:
            row = connection.execute(
                f"SELECT {_SNAPSHOT} FROM snapshot WHERE id = ?",  # noqa: S608
                (min(snapshot_id, 2**62),),
            ).fetchone()
        if row is None:
            raise UserError(f"there is no restore point {snapshot_id}; list them to see their ids")
        return _snapshot(row)

    def newest_restore(self) -> Snapshot | None:
        """The newest snapshot that a restore left behind."""
        with self.database.reading() as connection:
            row = connection.execute(
                f"SELECT {_SNAPSHOT} FROM snapshot WHERE before IS NOT NULL "  # noqa: S608
                "ORDER BY id DESC LIMIT 1"
            ).fetchone()
        return None if row is None else _snapshot(row)

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
            found = ((name, _row_of(connection, name)) for name in names)
            return {name: row for name, row in found if row is not None}

    def content(self, blob: int) -> bytes:
        """The bytes of a blob, verified. Raises WorldError when they are damaged."""
        with self.database.reading() as connection:
            row = connection.execute(
                "SELECT encoding, data, size, sha256 FROM blob WHERE id = ?", (blob,)
            ).fetchone()
        if row is None:
            raise WorldError("a stored file's content is missing; run `milepost doctor`")
        return unpack(*row)

    def close(self) -> None:
        """Close the database."""
        self.database.close()


_SNAPSHOT = (
    "id, at, actor, label, kind, origin, before, tree_hash, files_changed, files_total, "
    "left_out, left_out_total"
)

_ROW = (
    "path.id, mode, blob, current.size, mtime_ns, ctime_ns, inode, settled, sha256 "
    "FROM current JOIN path ON path.id = current.path LEFT JOIN blob ON blob.id = current.blob"
)


@dataclass(slots=True)
class _Found:
    """A path as the scan found it, its content stored."""

    mode: int
    blob: int | None
    sha256: bytes | None
    stat: os.stat_result
    settled: bool


@dataclass(slots=True)
class _Taking:
    """One snapshot in the making: what differs from the manifest, inside one transaction."""

    connection: sqlite3.Connection
    root: bytes
    scanned: Scan
    manifest: dict[bytes, Row] = field(default_factory=dict[bytes, Row])
    changed: dict[bytes, tuple[Row | None, _Found | None]] = field(
        default_factory=dict[bytes, "tuple[Row | None, _Found | None]"]
    )
    touched: dict[bytes, _Found] = field(default_factory=dict[bytes, _Found])

    def compare(self) -> None:
        """Find what was added, changed or removed; contents are stored on the way."""
        rows = self.connection.execute(f"SELECT name, {_ROW}").fetchall()
        self.manifest = {row[0]: _row(row[1:]) for row in rows}
        for name, found_stat in self.scanned.found.items():
            row = self.manifest.get(name)
            if row is not None and row.is_unchanged(found_stat):
                if row.state.blob is None and stat.S_ISREG(found_stat.st_mode):
                    reason = TOO_LARGE if row.size > MAX_FILE_BYTES else "could not be read"
                    self.scanned.left_out.append((name, reason))
                continue
            found = self._read(name, found_stat)
            if found is None:
                continue  # gone since the scan; the loop below or the next snapshot sees to it
            old = ABSENT if row is None else row.state
            if old != State(found.mode, found.blob) or (found.blob is None and not _is_dir(found)):
                self.changed[name] = (row, found)
            else:
                self.touched[name] = found
        for name, row in self.manifest.items():
            if name not in self.scanned.found and not self.scanned.is_blind_at(name):
                self.changed[name] = (row, None)

    def refresh_manifest(self) -> None:
        """Note the new signatures of files whose content is what it was."""
        for name, found in self.touched.items():
            self._put_current(self.manifest[name].path_id, found)

    def write(
        self,
        described: tuple[str, str, str, str, int | None, int | None],
        newest: Snapshot | None,
    ) -> Snapshot:
        """Write the snapshot and its changes, and bring the manifest level."""
        self.refresh_manifest()
        tree_hash = int(newest.tree_hash, 16) if newest else 0
        total = newest.files_total if newest else 0
        for name, (row, found) in self.changed.items():
            if row is not None:
                total -= not stat.S_ISDIR(row.state.mode or 0)
                tree_hash -= _path_hash(name, row.state, row.sha256, row.size, row.mtime_ns)
            if found is not None:
                total += not _is_dir(found)
                state = State(found.mode, found.blob)
                tree_hash += _path_hash(
                    name, state, found.sha256, found.stat.st_size, found.stat.st_mtime_ns
                )
        named = [(_shown(path), reason) for path, reason in self.scanned.left_out]
        cursor = self.connection.execute(
            "INSERT INTO snapshot (at, actor, label, kind, origin, before, tree_hash, "
            "rules_digest, files_changed, files_total, left_out, left_out_total) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                *described,
                (tree_hash % _HASH_MODULUS).to_bytes(32, "big"),
                self.scanned.rules_digest,
                len(self.changed),
                total,
                json.dumps(named[:MAX_LEFT_OUT_NAMED]),
                len(named),
            ),
        )
        snapshot_id = cursor.lastrowid or 0
        adopts = newest is not None and self._rules_changed()
        for name, (row, found) in self.changed.items():
            self._put_change(snapshot_id, name, row, found, adopts=adopts)
        row = self.connection.execute(
            f"SELECT {_SNAPSHOT} FROM snapshot WHERE id = ?",  # noqa: S608
            (snapshot_id,),
        ).fetchone()
        return _snapshot(row)

    def _read(self, name: bytes, found_stat: os.stat_result) -> _Found | None:
        if stat.S_ISDIR(found_stat.st_mode):
            return _Found(found_stat.st_mode, None, None, found_stat, settled=True)
        try:
            content = read(os.path.join(self.root, name), found_stat)
        except Unreadable as reason:
            self.scanned.left_out.append((name, str(reason)))
            return _Found(found_stat.st_mode, None, None, found_stat, settled=not reason.passing)
        if content is None:
            return None
        sha256 = content.sha256
        settled = time.time_ns() - content.found.st_mtime_ns > _RACY_NS
        blob = self._put_blob(sha256, content.data)
        return _Found(content.found.st_mode, blob, sha256, content.found, settled)

    def _put_blob(self, sha256: bytes, data: bytes) -> int:
        row = self.connection.execute("SELECT id FROM blob WHERE sha256 = ?", (sha256,)).fetchone()
        if row is not None:
            return int(row[0])
        encoding, stored = pack(data)
        cursor = self.connection.execute(
            "INSERT INTO blob (sha256, size, encoding, data) VALUES (?, ?, ?, ?)",
            (sha256, len(data), encoding, stored),
        )
        return cursor.lastrowid or 0

    def _put_change(
        self, snapshot_id: int, name: bytes, row: Row | None, found: _Found | None, *, adopts: bool
    ) -> None:
        if row is not None:
            path_id = row.path_id
        else:
            self.connection.execute("INSERT OR IGNORE INTO path (name) VALUES (?)", (name,))
            path_id = self.connection.execute(
                "SELECT id FROM path WHERE name = ?", (name,)
            ).fetchone()[0]
        old = ABSENT if row is None else row.state
        new = ABSENT if found is None else State(found.mode, found.blob)
        self.connection.execute(
            "INSERT INTO change VALUES (?, ?, ?, ?, ?, ?, ?)",
            (path_id, snapshot_id, *old, *new, adopts and row is None),
        )
        if found is None:
            self.connection.execute("DELETE FROM current WHERE path = ?", (path_id,))
        else:
            self._put_current(path_id, found)

    def _put_current(self, path_id: int, found: _Found) -> None:
        info = found.stat
        self.connection.execute(
            "INSERT OR REPLACE INTO current VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                path_id, found.mode, found.blob, info.st_size, info.st_mtime_ns,
                info.st_ctime_ns, info.st_ino, found.settled,
            ),
        )  # fmt: skip

    def _rules_changed(self) -> bool:
        row = self.connection.execute(
            "SELECT rules_digest FROM snapshot ORDER BY id DESC LIMIT 1 OFFSET 1"
        ).fetchone()
        return row is not None and row[0] != self.scanned.rules_digest


def _path_hash(name: bytes, state: State, sha256: bytes | None, size: int, mtime_ns: int) -> int:
    """A path's share of the tree hash, which is the sum of all shares modulo 2**256: a change of
    one file changes it by a subtraction and an addition, however large the tree is.

    Source: Bellare and Micciancio, "A New Paradigm for Collision-Free Hashing" (AdHASH).
    """
    if stat.S_ISDIR(state.mode or 0):
        content = b""
    elif sha256 is None:
        content = b"%d:%d" % (size, mtime_ns)
    else:
        content = sha256
    share = hashlib.sha256(b"%d:%s:%d:%s" % (len(name), name, state.mode or 0, content))
    return int.from_bytes(share.digest(), "big")


def _is_dir(found: _Found) -> bool:
    return stat.S_ISDIR(found.mode)


def _shown(path: bytes) -> str:
    return path.decode("utf-8", "backslashreplace")


def _newest(connection: sqlite3.Connection) -> Snapshot | None:
    row = connection.execute(
        f"SELECT {_SNAPSHOT} FROM snapshot ORDER BY id DESC LIMIT 1"  # noqa: S608
    ).fetchone()
    return None if row is None else _snapshot(row)


def _snapshot(row: tuple[object, ...]) -> Snapshot:
    values = list(row)
    values[7] = bytes(values[7]).hex()  # type: ignore[call-overload]
    values[10] = tuple((path, reason) for path, reason in json.loads(str(values[10])))
    return Snapshot(*values)  # type: ignore[arg-type]


def _row_of(connection: sqlite3.Connection, name: bytes) -> Row | None:
    row = connection.execute(f"SELECT {_ROW} WHERE name = ?", (name,)).fetchone()
    return None if row is None else _row(row)


def _row(row: tuple[int, int, int | None, int, int, int, int, int, bytes | None]) -> Row:
    path_id, mode, blob, size, mtime_ns, ctime_ns, inode, settled, sha256 = row
    state = State(mode, blob)
    return Row(path_id, state, size, mtime_ns, ctime_ns, inode, bool(settled), sha256)
