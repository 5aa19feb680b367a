"""The least that a restore point can be, to tell what of its price is this machine's.

A queue of changes is drained, and what it names is read, hashed, packed and inserted in one
transaction: no ignore rules, no secrets, no lock, no look at what was there before, nothing beside
the files, no way back.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
from pathlib import Path

import zstandard

from milepost.checkpoints.inotify import Inotify

_SCHEMA = """
    PRAGMA journal_mode=WAL;
    PRAGMA synchronous=NORMAL;
    CREATE TABLE content (sha256 BLOB PRIMARY KEY, data BLOB NOT NULL) WITHOUT ROWID;
    CREATE TABLE change (
        point INTEGER, path BLOB, sha256 BLOB, mode INTEGER, PRIMARY KEY (point, path)
    ) WITHOUT ROWID;
    CREATE TABLE current (path BLOB PRIMARY KEY, sha256 BLOB, mtime_ns INTEGER) WITHOUT ROWID;
"""


class BarePoints:
    """Points of the files below `root`, all of which are plain and stay where they are."""

    def __init__(self, root: Path, database: Path) -> None:
        self._queue = Inotify()
        self._folders = {
            self._queue.add(os.fsencode(folder)): os.fsencode(folder)
            for folder, _, _ in os.walk(root)
        }
        self._connection = sqlite3.connect(database, isolation_level=None)
        self._connection.executescript(_SCHEMA)
        self._packer = zstandard.ZstdCompressor(level=1)
        self._points = 0
        # What is in the last point.
        self.saved: set[bytes] = set()

    def drain(self) -> set[bytes]:
        """The files that were written since the last call."""
        return {b"%s/%s" % (self._folders[watch], name) for watch, _, name in self._queue.read()}

    def save(self) -> None:
        """Make a point of what was written."""
        self._points += 1
        self.saved = self.drain()
        execute = self._connection.execute
        execute("BEGIN IMMEDIATE")
        for path in self.saved:
            handle = os.open(path, os.O_RDONLY)
            info = os.fstat(handle)
            data = os.read(handle, info.st_size + 1)
            os.close(handle)
            sha256 = hashlib.sha256(data).digest()
            packed = self._packer.compress(data)
            execute("INSERT OR IGNORE INTO content VALUES (?, ?)", (sha256, packed))
            execute("INSERT INTO change VALUES (?, ?, ?, ?)",
                    (self._points, path, sha256, info.st_mode))  # fmt: skip
            execute("INSERT OR REPLACE INTO current VALUES (?, ?, ?)",
                    (path, sha256, info.st_mtime_ns))  # fmt: skip
        execute("COMMIT")

    def close(self) -> None:
        """Give queue and database back."""
        self._queue.close()
        self._connection.close()
