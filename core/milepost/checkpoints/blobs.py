"""The contents in the store: each once, packed, verified whenever it is read.

A content that only older points need is packed against the one that took its place (`base`), which
for an edited file leaves a few bytes of it. That is done when nobody waits, see `repack`.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from milepost.base.errors import WorldError
from milepost.checkpoints.content import pack, pack_against, unpack

if TYPE_CHECKING:
    import sqlite3

# Reading an old content unpacks the whole chain; sixteen small steps stay below a millisecond.
MAX_CHAIN = 16

# Unpacking holds both contents in memory, and what is larger is seldom text that was edited.
_MAX_DELTA_BYTES = 1024 * 1024

# Packed smaller than this, a content is not worth another look.
_MIN_DELTA_BYTES = 200

_SUCCESSORS = """
    SELECT DISTINCT change.old_blob, change.new_blob, blob.size, blob.sha256
    FROM change JOIN blob ON blob.id = change.old_blob
    WHERE change.snapshot = ? AND blob.encoding <> 2
    AND change.new_blob IS NOT NULL AND change.new_blob <> change.old_blob
    AND blob.size <= ? AND length(blob.data) >= ?
    AND NOT EXISTS (SELECT 1 FROM current WHERE current.blob = change.old_blob)
"""


class Blobs:
    """Puts contents into the store, inside the caller's transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def find(self, sha256: bytes) -> int | None:
        """The id of a content by its hash."""
        row = self._connection.execute("SELECT id FROM blob WHERE sha256 = ?", (sha256,)).fetchone()
        return None if row is None else int(row[0])

    def put(self, sha256: bytes, data: bytes) -> int:
        """The id of a content; it is stored when it is not there."""
        known = self.find(sha256)
        if known is not None:
            return known
        encoding, stored = pack(data)
        cursor = self._connection.execute(
            "INSERT INTO blob (sha256, size, encoding, data) VALUES (?, ?, ?, ?)",
            (sha256, len(data), encoding, stored),
        )
        return cursor.lastrowid or 0

    def put_data(self, data: bytes) -> int:
        """`put` for something whose hash nobody has."""
        return self.put(hashlib.sha256(data).digest(), data)


def content_of(connection: sqlite3.Connection, blob: int) -> bytes:
    """The bytes of a content, verified. Raises WorldError when they are damaged."""
    row = connection.execute(
        "SELECT encoding, data, size, sha256, base FROM blob WHERE id = ?", (blob,)
    ).fetchone()
    if row is None:
        raise WorldError("a stored file's content is missing; run `milepost doctor`")
    encoding, stored, size, sha256, base = row
    return unpack(
        encoding, stored, size, sha256, None if base is None else content_of(connection, base)
    )


def repack(connection: sqlite3.Connection, snapshot_id: int) -> int:
    """Pack the contents that a point replaced against what replaced them; how many bytes that
    freed. Inside the caller's transaction."""
    freed = 0
    rows = connection.execute(
        _SUCCESSORS, (snapshot_id, _MAX_DELTA_BYTES, _MIN_DELTA_BYTES)
    ).fetchall()
    done: set[int] = set()
    for old, new, size, sha256 in rows:
        if old in done or not _may_lean(connection, old, new):
            continue
        done.add(old)
        data, base = content_of(connection, old), content_of(connection, new)
        if len(base) > _MAX_DELTA_BYTES:
            continue
        encoding, packed = pack_against(data, base)
        (length,) = connection.execute(
            "SELECT length(data) FROM blob WHERE id = ?", (old,)
        ).fetchone()
        # What cannot be read back as it was is not replaced.
        if len(packed) < length and unpack(encoding, packed, size, sha256, base) == data:
            connection.execute(
                "UPDATE blob SET encoding = ?, data = ?, base = ? WHERE id = ?",
                (encoding, packed, new, old),
            )
            freed += length - len(packed)
    return freed


def _may_lean(connection: sqlite3.Connection, old: int, new: int) -> bool:
    """Whether `old` may be packed against `new`: without a circle, and with no chain too long."""
    below = connection.execute(
        """
        WITH RECURSIVE chain (id, depth) AS (
            SELECT ?1, 0 UNION ALL
            SELECT blob.base, depth + 1 FROM blob JOIN chain ON blob.id = chain.id
            WHERE blob.base IS NOT NULL AND depth <= ?2
        ) SELECT id, depth FROM chain
        """,
        (new, MAX_CHAIN),
    ).fetchall()
    leaning = connection.execute(
        """
        WITH RECURSIVE leaning (id, depth) AS (
            SELECT ?1, 0 UNION ALL
            SELECT blob.id, depth + 1 FROM blob JOIN leaning ON blob.base = leaning.id
            WHERE depth <= ?2
        ) SELECT max(depth) FROM leaning
        """,
        (old, MAX_CHAIN),
    ).fetchone()[0]
    is_circle = any(each == old for each, _ in below)
    return not is_circle and max(depth for _, depth in below) + leaning + 1 <= MAX_CHAIN
