"""One snapshot in the making: what was found compared with the manifest, in one transaction."""

from __future__ import annotations

import json
import stat
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from milepost.base.clock import utc_now
from milepost.base.errors import UserError
from milepost.checkpoints.blobs import Blobs, content_of
from milepost.checkpoints.content import Unreadable, read
from milepost.checkpoints.names import inside, shown
from milepost.checkpoints.policy import MAX_FILES, POLICY, RULE_FILES, PastRules
from milepost.checkpoints.rows import (
    ABSENT,
    HANDS,
    Request,
    Row,
    Snapshot,
    find_rows,
    rows_below,
    select_many,
)
from milepost.checkpoints.scan import TOO_MANY
from milepost.checkpoints.tree_hash import MODULUS, share_of

if TYPE_CHECKING:
    import os
    import sqlite3
    from collections.abc import Iterable

    from milepost.checkpoints.scan import Scan

# How many of the paths that are left out are named with a snapshot; all are counted.
MAX_LEFT_OUT_NAMED = 200

# File systems with coarse clocks give one time to two writes this close together, so a file that
# was written so shortly before it was read is read again next time.
_RACY_NS = 20_000_000

# Contents are stored many at a time, and no more of them are held in memory than this and a file.
_STORED_AT_ONCE_BYTES = 4 * 1024 * 1024

_TORN = "was open for writing when it was read, so it may be half of what was being written"


@dataclass(frozen=True, slots=True)
class Known:
    """What the caller knows of the database `base` and of the project, and holds the lock since:
    rows of the manifest, the ids of contents by their hashes, and what it wrote into which files,
    with what the system said of them right afterwards.

    Somebody else may have written into such a file at the same moment. So what was written there is
    what the snapshot says, and the next one reads it.
    """

    base: object = None
    rows: dict[bytes, Row] = field(default_factory=dict[bytes, Row])
    contents: dict[bytes, int] = field(default_factory=dict[bytes, int])
    written: dict[bytes, tuple[os.stat_result, bytes]] = field(
        default_factory=dict[bytes, "tuple[os.stat_result, bytes]"]
    )


NOTHING_KNOWN = Known()


class Uncovered(NamedTuple):
    """What a snapshot says of the paths that it leaves out: all of them with the reasons, the rules
    that stand in no file (see `Scan.exclude`), and of both what is kept with it. The first of the
    paths are named, for people."""

    snapshot: int
    exclude: bytes
    left_out: dict[bytes, str]
    named: tuple[tuple[str, str], ...]
    kept: tuple[int | None, int | None]


@dataclass(slots=True)
class _Found:
    """A path as it was found. What is read has its hash, and a blob once it is stored."""

    stat: os.stat_result
    settled: bool
    sha256: bytes | None = None
    blob: int | None = None

    @property
    def is_dir(self) -> bool:
        return stat.S_ISDIR(self.stat.st_mode)

    def row(self, path_id: int) -> tuple[object, ...]:
        """Its row in the manifest."""
        found = self.stat
        return (
            path_id, found.st_mode, self.blob, found.st_size, found.st_mtime_ns, found.st_ctime_ns,
            found.st_ino, self.settled, self.sha256,
        )  # fmt: skip


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
    known: Known = NOTHING_KNOWN
    # What the last snapshot of this process left out, and, once written, what this one does.
    uncovered: Uncovered | None = None
    manifest: dict[bytes, Row] = field(default_factory=dict[bytes, Row])
    changed: dict[bytes, tuple[Row | None, _Found | None]] = field(
        default_factory=dict[bytes, "tuple[Row | None, _Found | None]"]
    )
    touched: dict[bytes, _Found] = field(default_factory=dict[bytes, _Found])
    # Files to look at again even if nothing is reported of them.
    again: set[bytes] = field(default_factory=set[bytes])
    linked: set[bytes] = field(default_factory=set[bytes])
    blobs: Blobs = field(init=False)
    # What was read, with the contents to store; None for one that is in the store already.
    _unstored: list[tuple[bytes, _Found, bytes, bytes | None]] = field(
        default_factory=list["tuple[bytes, _Found, bytes, bytes | None]"]
    )
    _unstored_bytes: int = 0

    def __post_init__(self) -> None:
        self.blobs = Blobs(self.connection)

    def compare(self) -> None:
        """Find what was added, changed or removed; contents are stored on the way."""
        self.manifest = self._manifest()
        for name, found_stat in self.scanned.found.items():
            self._compare_one(name, found_stat)
            if self._unstored_bytes > _STORED_AT_ONCE_BYTES:
                self._store_read()
        self._store_read()
        for name in self.manifest.keys() - self.scanned.found.keys():
            if not self.scanned.is_blind_at(name):
                self.changed[name] = (self.manifest[name], None)

    @property
    def left_out(self) -> dict[bytes, str]:
        """All that the snapshot leaves out, and why."""
        if not self.scanned.left_out:
            return self.left_out_before
        return {**self.left_out_before, **self.scanned.left_out}

    def refresh_manifest(self) -> None:
        """Note the new signatures of files whose content is what it was."""
        if self.touched:
            self._put_current(
                found.row(self.manifest[name].path_id) for name, found in self.touched.items()
            )

    def write(self, request: Request, newest: Snapshot | None) -> Snapshot:
        """Write the snapshot and its changes, and bring the manifest level. Raises UserError when
        there are too many files."""
        self.refresh_manifest()
        adopted = self._adopted(newest)
        tree_hash, total = self._sums(newest)
        left_out = self.left_out
        named, kept = self._put_uncovered(left_out, newest)
        at, tree_bytes = utc_now(), tree_hash.to_bytes(32, "big")
        cursor = self.connection.execute(
            "INSERT INTO snapshot (at, actor, label, kind, origin, before, session, parts, "
            "tree_hash, policy, exclude, files_changed, files_total, left_out, uncovered, "
            "left_out_total) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, '', ?, ?)",
            (
                at, request.actor, request.label, request.kind, request.origin, request.before,
                request.session, request.parts, tree_bytes, POLICY, kept[0], len(self.changed),
                total, kept[1], len(left_out),
            ),
        )  # fmt: skip
        snapshot_id = cursor.lastrowid or 0
        self._put_changes(snapshot_id, HANDS.index(request.hand), adopted)
        self.uncovered = Uncovered(snapshot_id, self.scanned.exclude, left_out, named, kept)
        return Snapshot(
            id=snapshot_id,
            at=at,
            actor=request.actor,
            label=request.label,
            kind=request.kind,
            origin=request.origin,
            before=request.before,
            tree_hash=tree_bytes.hex(),
            files_changed=len(self.changed),
            files_total=total,
            left_out_total=len(left_out),
            session=request.session,
            name=None,
            pinned=False,
            parts=request.parts,
        )

    def _put_uncovered(
        self, left_out: dict[bytes, str], newest: Snapshot | None
    ) -> tuple[tuple[tuple[str, str], ...], tuple[int | None, int | None]]:
        """Store what the snapshot leaves out: what of it is named, and the ids of what is kept."""
        last = self.uncovered
        # The newest snapshot stays, and with it what it refers to.
        if (
            last is not None
            and newest is not None
            and last.snapshot == newest.id
            and last.left_out is left_out
            and last.exclude == self.scanned.exclude
        ):
            return last.named, last.kept
        paths = sorted(left_out)[:MAX_LEFT_OUT_NAMED]
        named = tuple((shown(path), left_out[path]) for path in paths)
        exclude, text = self.blobs.put_data(self.scanned.exclude, json.dumps(named).encode())
        return named, (exclude, text)

    def _manifest(self) -> dict[bytes, Row]:
        """The manifest of what was looked at."""
        dirty = self.scanned.dirty
        if dirty is None:
            return rows_below(self.connection, b"")
        wanted = dirty.trees | dirty.paths
        rows = {name: self.known.rows[name] for name in wanted & self.known.rows.keys()}
        rows.update(find_rows(self.connection, wanted - rows.keys()))
        folders = set(dirty.trees)
        for name, row in rows.items():
            if stat.S_ISDIR(row.mode):
                found = self.scanned.found.get(name)
                if found is None or not stat.S_ISDIR(found.st_mode):
                    folders.add(name)
        for name in folders:
            rows.update(rows_below(self.connection, name))
        return rows

    def _compare_one(self, name: bytes, found_stat: os.stat_result) -> None:
        row = self.manifest.get(name)
        is_file = stat.S_ISREG(found_stat.st_mode)
        if is_file and found_stat.st_nlink > 1:
            self.linked.add(name)
        if row is not None and row.is_unchanged(found_stat):
            if row.blob is None and is_file:
                # It was too large or could not be read, and may be kept by now.
                self._read(name, found_stat)
        elif not is_file and stat.S_ISDIR(found_stat.st_mode):
            self._note(name, _Found(found_stat, settled=True))
        elif not self._is_stored(name, found_stat):
            self._read(name, found_stat)

    def _note(self, name: bytes, found: _Found) -> None:
        """Note what was found at a path whose row does not say so."""
        row = self.manifest.get(name)
        if row is None or row.blob != found.blob or row.mode != found.stat.st_mode:
            self.changed[name] = (row, found)
        elif found.blob is not None or found.is_dir:
            self.touched[name] = found
        elif not row.is_unchanged(found.stat):
            self.changed[name] = (row, found)  # it cannot be kept, and is not what it was

    def _read(self, name: bytes, found_stat: os.stat_result) -> None:
        """Read a file or link, to be stored with the others that are read."""
        try:
            content = read(inside(self.root, name), found_stat, self.max_file_bytes)
        except Unreadable as reason:
            self.scanned.left_out[name] = str(reason)
            if reason.passing:
                self.again.add(name)
            self._note(name, _Found(found_stat, settled=not reason.passing))
            return
        if content is None:
            self.again.add(name)  # gone since it was found; the next snapshot sees to it
            return
        if content.is_torn:
            self.scanned.left_out[name] = _TORN
            self.again.add(name)
        is_racy = time.time_ns() - content.found.st_mtime_ns <= _RACY_NS
        settled = not is_racy and not content.is_torn
        sha256, data = content.sha256, content.data
        self._unstored.append((name, _Found(content.found, settled, sha256), sha256, data))
        self._unstored_bytes += len(data)

    def _is_stored(self, name: bytes, found_stat: os.stat_result) -> bool:
        """Whether its content was stored before, and need not be read now."""
        is_written = name in self.known.written
        if not is_written and name not in self.stored:
            return False
        then, sha256 = self.known.written[name] if is_written else self.stored[name]
        is_same = (then.st_mode, then.st_size, then.st_mtime_ns, then.st_ctime_ns, then.st_ino) == (
            found_stat.st_mode, found_stat.st_size, found_stat.st_mtime_ns,
            found_stat.st_ctime_ns, found_stat.st_ino,
        )  # fmt: skip
        if is_same:
            found = _Found(found_stat, not is_written, sha256)
            self._unstored.append((name, found, sha256, None))
            if is_written:
                self.again.add(name)
        return is_same

    def _store_read(self) -> None:
        """Store what was read, and note it."""
        while self._unstored:
            some, self._unstored, self._unstored_bytes = self._unstored, [], 0
            known = self.known.contents
            ids = self.blobs.put(
                {sha256: data for _, _, sha256, data in some if sha256 not in known}
            )
            for name, found, sha256, _ in some:
                found.blob = ids.get(sha256) or known.get(sha256)
                if found.blob is None:
                    self._read(name, found.stat)  # forgotten since it was stored
                else:
                    self._note(name, found)

    def _sums(self, newest: Snapshot | None) -> tuple[int, int]:
        """The hash of the tree and the number of its files."""
        tree_hash = int(newest.tree_hash, 16) if newest else 0
        total = newest.files_total if newest else 0
        for name, (row, found) in self.changed.items():
            if row is not None:
                total -= not stat.S_ISDIR(row.mode)
                tree_hash -= share_of(name, row.mode, row.sha256, row.size, row.mtime_ns)
            if found is not None:
                now = found.stat
                total += not stat.S_ISDIR(now.st_mode)
                tree_hash += share_of(name, now.st_mode, found.sha256, now.st_size, now.st_mtime_ns)
        if total > MAX_FILES:
            raise UserError(TOO_MANY)
        return tree_hash % MODULUS, total

    def _hands(self, hand: int) -> dict[bytes, int]:
        """Whose the changes are that someone has claimed: the editor tells what it wrote, and what
        is as it was written then is the user's. A restore knows its own."""
        claims = self.connection.execute("SELECT name, hand, size, mtime_ns FROM claim").fetchall()
        hands: dict[bytes, int] = {}
        for name, whose, size, mtime_ns in claims:
            found = self.changed.get(name, (None, None))[1]
            if name in self.changed:
                self.connection.execute("DELETE FROM claim WHERE name = ?", (name,))
            if found is None or HANDS[hand] == "restore":
                continue
            if (found.stat.st_size, found.stat.st_mtime_ns) == (size, mtime_ns):
                hands[name] = whose
        return hands

    def _put_changes(self, snapshot_id: int, hand: int, adopted: set[bytes]) -> None:
        """Write what changed, and bring the manifest level with it."""
        hands = self._hands(hand)
        ids = self._path_ids()
        self.connection.executemany(
            "INSERT INTO change VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                (
                    ids[name], snapshot_id,
                    *(ABSENT if row is None else (row.mode, row.blob)),
                    *(ABSENT if found is None else (found.stat.st_mode, found.blob)),
                    name in adopted, hands.get(name, hand),
                )
                for name, (row, found) in self.changed.items()
            ),
        )  # fmt: skip
        gone = [(ids[name],) for name, (_, found) in self.changed.items() if found is None]
        if gone:
            self.connection.executemany("DELETE FROM current WHERE path = ?", gone)
        self._put_current(
            found.row(ids[name]) for name, (_, found) in self.changed.items() if found is not None
        )

    def _path_ids(self) -> dict[bytes, int]:
        """The ids of the paths that changed; new ones get theirs."""
        ids = {name: row.path_id for name, (row, _) in self.changed.items() if row is not None}
        new = self._new()
        if new:
            self.connection.executemany(
                "INSERT OR IGNORE INTO path (name) VALUES (?)", ((name,) for name in new)
            )
            query = "SELECT name, id FROM path WHERE name IN (?)"
            ids.update(select_many(self.connection, query, new))
        return ids

    def _put_current(self, rows: Iterable[tuple[object, ...]]) -> None:
        self.connection.executemany(
            "INSERT OR REPLACE INTO current VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows
        )

    def _adopted(self, newest: Snapshot | None) -> set[bytes]:
        """The paths that are new to us and may be older than the newest snapshot, because the
        rules of then left them out."""
        new = self._new()
        if newest is None or not new:
            return set()
        policy, exclude = self.connection.execute(
            "SELECT policy, exclude FROM snapshot WHERE id = ?", (newest.id,)
        ).fetchone()
        if policy != POLICY:
            return new
        then = content_of(self.connection, exclude)
        has_new_rules = any(name.rpartition(b"/")[2] in RULE_FILES for name in self.changed)
        if then == self.scanned.exclude and not has_new_rules:
            return set()
        past = PastRules(then, self._past_rule_files())
        return {name for name in new if past.ignored(name, is_dir=_is_folder(self.changed[name]))}

    def _new(self) -> set[bytes]:
        """The paths that the manifest does not have."""
        return self.changed.keys() - self.manifest.keys()

    def _past_rule_files(self) -> dict[bytes, bytes]:
        rows = self.connection.execute(
            "SELECT name, blob FROM current JOIN path ON path.id = current.path "
            "WHERE blob IS NOT NULL AND (name IN (?1, ?2) OR substr(name, -length(?1) - 1) = ?3 "
            "OR substr(name, -length(?2) - 1) = ?4)",
            (*RULE_FILES, *(b"/" + name for name in RULE_FILES)),
        )
        return {name: content_of(self.connection, blob) for name, blob in rows.fetchall()}


def _is_folder(change: tuple[Row | None, _Found | None]) -> bool:
    return change[1] is not None and change[1].is_dir
