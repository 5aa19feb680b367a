"""One snapshot in the making: a scan compared with the manifest, written in one transaction."""

from __future__ import annotations

import hashlib
import json
import os
import stat
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from milepost.checkpoints.content import TOO_LARGE, Unreadable, pack, read
from milepost.checkpoints.policy import MAX_FILE_BYTES, POLICY, RULE_FILES, PastRules
from milepost.checkpoints.rows import (
    ABSENT,
    ROW_SOURCE,
    SNAPSHOT_COLUMNS,
    Row,
    Snapshot,
    State,
    content_of,
    row_of,
    snapshot_of,
)

if TYPE_CHECKING:
    import sqlite3

    from milepost.checkpoints.scan import Scan

# How many of the paths that are left out are named with a snapshot; all are counted.
MAX_LEFT_OUT_NAMED = 200

# File systems with coarse clocks give one time to two writes this close together, so a file that
# was written so shortly before it was read is read again next time.
_RACY_NS = 20_000_000

_HASH_MODULUS = 1 << 256


@dataclass(slots=True)
class _Found:
    """A path as the scan found it, its content stored."""

    mode: int
    blob: int | None
    sha256: bytes | None
    stat: os.stat_result
    settled: bool


@dataclass(slots=True)
class Taking:
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
        rows = self.connection.execute(f"SELECT name, {ROW_SOURCE}").fetchall()
        self.manifest = {row[0]: row_of(row[1:]) for row in rows}
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
        adopted = self._adopted(newest)
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
            "policy, exclude, files_changed, files_total, left_out, left_out_total) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                *described,
                (tree_hash % _HASH_MODULUS).to_bytes(32, "big"),
                POLICY,
                self._put_blob(hashlib.sha256(self.scanned.exclude).digest(), self.scanned.exclude),
                len(self.changed),
                total,
                json.dumps(named[:MAX_LEFT_OUT_NAMED]),
                len(named),
            ),
        )
        snapshot_id = cursor.lastrowid or 0
        for name, (row, found) in self.changed.items():
            self._put_change(snapshot_id, name, row, found, adopts=name in adopted)
        row = self.connection.execute(
            f"SELECT {SNAPSHOT_COLUMNS} FROM snapshot WHERE id = ?",  # noqa: S608
            (snapshot_id,),
        ).fetchone()
        return snapshot_of(row)

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
            (path_id, snapshot_id, *old, *new, adopts),
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

    def _adopted(self, newest: Snapshot | None) -> set[bytes]:
        """The paths that are new to us and may be older than the newest snapshot, because the
        rules of then left them out."""
        new = [name for name, (row, _) in self.changed.items() if row is None]
        if newest is None or not new:
            return set()
        policy, exclude = self.connection.execute(
            "SELECT policy, exclude FROM snapshot WHERE id = ?", (newest.id,)
        ).fetchone()
        if policy != POLICY:
            return set(new)
        files = {
            name: content_of(self.connection, row.state.blob)
            for name, row in self.manifest.items()
            if name.rpartition(b"/")[2] in RULE_FILES and row.state.blob is not None
        }
        past = PastRules(content_of(self.connection, exclude), files)
        return {name for name in new if past.ignored(name, is_dir=_is_folder(self.changed[name]))}


def _is_folder(change: tuple[Row | None, _Found | None]) -> bool:
    return change[1] is not None and _is_dir(change[1])


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
