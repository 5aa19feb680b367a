"""One snapshot in the making: what was found compared with the manifest, in one transaction."""

from __future__ import annotations

import json
import os
import stat
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from milepost.base.clock import utc_now
from milepost.base.errors import UserError
from milepost.checkpoints.blobs import Blobs, content_of
from milepost.checkpoints.content import Unreadable, read
from milepost.checkpoints.names import shown
from milepost.checkpoints.policy import MAX_FILES, POLICY, RULE_FILES, PastRules
from milepost.checkpoints.rows import (
    ABSENT,
    HANDS,
    SNAPSHOT_COLUMNS,
    Request,
    Row,
    Snapshot,
    State,
    find_row,
    rows_below,
    snapshot_of,
)
from milepost.checkpoints.scan import TOO_MANY
from milepost.checkpoints.tree_hash import MODULUS, share_of

if TYPE_CHECKING:
    import sqlite3

    from milepost.checkpoints.scan import Scan

# How many of the paths that are left out are named with a snapshot; all are counted.
MAX_LEFT_OUT_NAMED = 200

# File systems with coarse clocks give one time to two writes this close together, so a file that
# was written so shortly before it was read is read again next time.
_RACY_NS = 20_000_000

_TORN = "was open for writing when it was read, so it may be half of what was being written"


@dataclass(slots=True)
class _Found:
    """A path as it was found, its content stored."""

    mode: int
    blob: int | None
    sha256: bytes | None
    stat: os.stat_result
    settled: bool


@dataclass(slots=True)
class Taking:
    """One snapshot in the making: what differs from the manifest, inside one transaction.

    `left_out_before` is what the parts that nobody looked at leave out; `stored` are contents that
    are in the store already, by path, with what lstat said then.
    """

    connection: sqlite3.Connection
    root: bytes
    scanned: Scan
    max_file_bytes: int
    left_out_before: dict[bytes, str] = field(default_factory=dict[bytes, str])
    stored: dict[bytes, tuple[os.stat_result, bytes]] = field(
        default_factory=dict[bytes, "tuple[os.stat_result, bytes]"]
    )
    manifest: dict[bytes, Row] = field(default_factory=dict[bytes, Row])
    changed: dict[bytes, tuple[Row | None, _Found | None]] = field(
        default_factory=dict[bytes, "tuple[Row | None, _Found | None]"]
    )
    touched: dict[bytes, _Found] = field(default_factory=dict[bytes, _Found])
    # Files to look at again even if nothing is reported of them.
    again: set[bytes] = field(default_factory=set[bytes])
    linked: set[bytes] = field(default_factory=set[bytes])
    blobs: Blobs = field(init=False)

    def __post_init__(self) -> None:
        self.blobs = Blobs(self.connection)

    def compare(self) -> None:
        """Find what was added, changed or removed; contents are stored on the way."""
        self.manifest = self._manifest()
        for name, found_stat in self.scanned.found.items():
            self._compare_one(name, found_stat)
        for name, row in self.manifest.items():
            if name not in self.scanned.found and not self.scanned.is_blind_at(name):
                self.changed[name] = (row, None)

    @property
    def left_out(self) -> dict[bytes, str]:
        """All that the snapshot leaves out, and why."""
        if not self.scanned.left_out:
            return self.left_out_before
        return {**self.left_out_before, **self.scanned.left_out}

    def refresh_manifest(self) -> None:
        """Note the new signatures of files whose content is what it was."""
        for name, found in self.touched.items():
            self._put_current(self.manifest[name].path_id, found)

    def write(self, request: Request, newest: Snapshot | None) -> Snapshot:
        """Write the snapshot and its changes, and bring the manifest level. Raises UserError when
        there are too many files."""
        self.refresh_manifest()
        adopted = self._adopted(newest)
        tree_hash, total = self._sums(newest)
        left_out = self.left_out
        named = [(shown(path), left_out[path]) for path in sorted(left_out)[:MAX_LEFT_OUT_NAMED]]
        cursor = self.connection.execute(
            "INSERT INTO snapshot (at, actor, label, kind, origin, before, session, parts, "
            "tree_hash, policy, exclude, files_changed, files_total, left_out, uncovered, "
            "left_out_total) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, '', ?, ?)",
            (
                utc_now(), request.actor, request.label, request.kind, request.origin,
                request.before, request.session, request.parts, tree_hash.to_bytes(32, "big"),
                POLICY, self.blobs.put_data(self.scanned.exclude), len(self.changed), total,
                self.blobs.put_data(json.dumps(named).encode()), len(left_out),
            ),
        )  # fmt: skip
        snapshot_id = cursor.lastrowid or 0
        hands = self._hands(request.hand)
        for name, (row, found) in self.changed.items():
            hand = hands.get(name, HANDS.index(request.hand))
            self._put_change(snapshot_id, name, row, found, adopts=name in adopted, hand=hand)
        row = self.connection.execute(
            f"SELECT {SNAPSHOT_COLUMNS} FROM snapshot WHERE id = ?",  # noqa: S608
            (snapshot_id,),
        ).fetchone()
        return snapshot_of(row)

    def _manifest(self) -> dict[bytes, Row]:
        """The manifest of what was looked at."""
        dirty = self.scanned.dirty
        if dirty is None:
            return rows_below(self.connection, b"")
        rows: dict[bytes, Row] = {}
        for name in (*dirty.trees, *dirty.paths):
            row = find_row(self.connection, name)
            if row is not None:
                rows[name] = row
            found = self.scanned.found.get(name)
            is_dir = found is not None and stat.S_ISDIR(found.st_mode)
            was_dir = row is not None and stat.S_ISDIR(row.state.mode or 0)
            if name in dirty.trees or (was_dir and not is_dir):
                rows.update(rows_below(self.connection, name))
        return rows

    def _compare_one(self, name: bytes, found_stat: os.stat_result) -> None:
        row = self.manifest.get(name)
        is_file = stat.S_ISREG(found_stat.st_mode)
        if is_file and found_stat.st_nlink > 1:
            self.linked.add(name)
        if row is not None and row.is_unchanged(found_stat):
            if row.state.blob is None and is_file:
                # It was too large or could not be read, and may be kept by now.
                found = self._read(name, found_stat)
                if found is not None and found.blob is not None:
                    self.changed[name] = (row, found)
            return
        found = self._read(name, found_stat)
        if found is None:
            return  # gone since it was found; the next snapshot sees to it
        old = ABSENT if row is None else row.state
        if old != State(found.mode, found.blob) or (found.blob is None and not _is_dir(found)):
            self.changed[name] = (row, found)
        else:
            self.touched[name] = found

    def _read(self, name: bytes, found_stat: os.stat_result) -> _Found | None:
        if stat.S_ISDIR(found_stat.st_mode):
            return _Found(found_stat.st_mode, None, None, found_stat, settled=True)
        known = self._already_stored(name, found_stat)
        if known is not None:
            return known
        try:
            content = read(os.path.join(self.root, name), found_stat, self.max_file_bytes)
        except Unreadable as reason:
            self.scanned.left_out[name] = str(reason)
            if reason.passing:
                self.again.add(name)
            return _Found(found_stat.st_mode, None, None, found_stat, settled=not reason.passing)
        if content is None:
            self.again.add(name)
            return None
        if content.is_torn:
            self.scanned.left_out[name] = _TORN
            self.again.add(name)
        sha256 = content.sha256
        is_racy = time.time_ns() - content.found.st_mtime_ns <= _RACY_NS
        blob = self.blobs.put(sha256, content.data)
        settled = not is_racy and not content.is_torn
        return _Found(content.found.st_mode, blob, sha256, content.found, settled)

    def _already_stored(self, name: bytes, found_stat: os.stat_result) -> _Found | None:
        if name not in self.stored:
            return None
        then, sha256 = self.stored[name]
        is_same = (then.st_mode, then.st_size, then.st_mtime_ns, then.st_ctime_ns, then.st_ino) == (
            found_stat.st_mode, found_stat.st_size, found_stat.st_mtime_ns,
            found_stat.st_ctime_ns, found_stat.st_ino,
        )  # fmt: skip
        blob = self.blobs.find(sha256) if is_same else None
        if blob is None:
            return None
        return _Found(found_stat.st_mode, blob, sha256, found_stat, settled=True)

    def _sums(self, newest: Snapshot | None) -> tuple[int, int]:
        """The hash of the tree and the number of its files."""
        tree_hash = int(newest.tree_hash, 16) if newest else 0
        total = newest.files_total if newest else 0
        for name, (row, found) in self.changed.items():
            if row is not None:
                total -= not stat.S_ISDIR(row.state.mode or 0)
                tree_hash -= share_of(name, row.state, row.sha256, row.size, row.mtime_ns)
            if found is not None:
                total += not _is_dir(found)
                state = State(found.mode, found.blob)
                tree_hash += share_of(
                    name, state, found.sha256, found.stat.st_size, found.stat.st_mtime_ns
                )
        if total > MAX_FILES:
            raise UserError(TOO_MANY)
        return tree_hash % MODULUS, total

    def _hands(self, hand: str) -> dict[bytes, int]:
        """Whose the changes are that someone has claimed: the editor tells what it wrote, and what
        is as it was written then is the user's. A restore knows its own."""
        claims = self.connection.execute("SELECT name, hand, size, mtime_ns FROM claim").fetchall()
        hands: dict[bytes, int] = {}
        for name, whose, size, mtime_ns in claims:
            found = self.changed.get(name, (None, None))[1]
            if name in self.changed:
                self.connection.execute("DELETE FROM claim WHERE name = ?", (name,))
            if found is None or hand == "restore":
                continue
            if (found.stat.st_size, found.stat.st_mtime_ns) == (size, mtime_ns):
                hands[name] = whose
        return hands

    def _put_change(
        self,
        snapshot_id: int,
        name: bytes,
        row: Row | None,
        found: _Found | None,
        *,
        adopts: bool,
        hand: int,
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
            "INSERT INTO change VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (path_id, snapshot_id, *old, *new, adopts, hand),
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
        then = content_of(self.connection, exclude)
        has_new_rules = any(name.rpartition(b"/")[2] in RULE_FILES for name in self.changed)
        if then == self.scanned.exclude and not has_new_rules:
            return set()
        past = PastRules(then, self._past_rule_files())
        return {name for name in new if past.ignored(name, is_dir=_is_folder(self.changed[name]))}

    def _past_rule_files(self) -> dict[bytes, bytes]:
        rows = self.connection.execute(
            "SELECT name, blob FROM current JOIN path ON path.id = current.path "
            "WHERE blob IS NOT NULL AND (name IN (?1, ?2) OR substr(name, -length(?1) - 1) = ?3 "
            "OR substr(name, -length(?2) - 1) = ?4)",
            (*RULE_FILES, *(b"/" + name for name in RULE_FILES)),
        )
        return {name: content_of(self.connection, blob) for name, blob in rows.fetchall()}


def _is_folder(change: tuple[Row | None, _Found | None]) -> bool:
    return change[1] is not None and _is_dir(change[1])


def _is_dir(found: _Found) -> bool:
    return stat.S_ISDIR(found.mode)
