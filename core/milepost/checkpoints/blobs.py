"""The contents in the store: each once, packed, verified whenever it is read.

A content whose place another took is packed against that one (`base`), which for an edited file
leaves a few bytes of it. That is done when nobody waits, see `repack`.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, NamedTuple

from milepost.base.errors import WorldError
from milepost.checkpoints.content import RAW, Packed, pack, pack_against, unpack
from milepost.checkpoints.rows import select_many

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Iterable, Iterator, Mapping

# Reading an old content unpacks the whole chain; sixteen small steps stay below a millisecond.
MAX_CHAIN = 16

# Unpacking holds both contents in memory, and what is larger is seldom text that was edited.
_MAX_DELTA_BYTES = 1024 * 1024

# Packed smaller than this, a content is not worth another look.
_MIN_DELTA_BYTES = 200

# Smaller than this, a content is packed as fast as it is looked for.
_LOOKED_FOR_BYTES = 64 * 1024

# As much as one large file; a batch of source files is far below it.
_AT_ONCE_BYTES = 8 * 1024 * 1024

_SUCCESSORS = """
    SELECT DISTINCT change.old_blob, change.new_blob, blob.size, blob.sha256
    FROM change JOIN blob ON blob.id = change.old_blob
    WHERE change.snapshot = ? AND blob.encoding <> 2
    AND change.new_blob IS NOT NULL AND change.new_blob <> change.old_blob
    AND blob.size <= ? AND length(blob.data) >= ?
    AND NOT EXISTS (
        SELECT 1 FROM current WHERE current.path = change.path AND current.blob = change.old_blob
    )
"""


class Blobs:
    """Puts contents into the store, inside the caller's transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def find(self, hashes: Iterable[bytes]) -> dict[bytes, int]:
        """The ids of those contents that are there, by their hashes."""
        query = "SELECT sha256, id FROM blob WHERE sha256 IN (?)"
        return dict(select_many(self._connection, query, hashes))

    def put(self, contents: Mapping[bytes, bytes | None]) -> dict[bytes, int]:
        """The ids of contents by their hashes; those are stored that are not there. None stands for
        one that was stored before; it is missing in the answer when it was forgotten since."""
        # What was read is nearly always new. Only of a large content it is worth while to look
        # whether it has to be packed.
        known = self.find(
            each for each, data in contents.items() if data is None or len(data) > _LOOKED_FOR_BYTES
        )
        new = {
            sha256: data
            for sha256, data in contents.items()
            if data is not None and sha256 not in known
        }
        if not new:
            return known
        cursor = self._connection.executemany(
            "INSERT INTO blob (sha256, size, encoding, data) VALUES (?, ?, ?, ?) "
            "ON CONFLICT (sha256) DO NOTHING",
            ((sha256, len(data), *pack(data)) for sha256, data in new.items()),
        )
        if cursor.rowcount != len(new):
            return known | self.find(new)
        # Each has the id after the largest: sqlite.org/autoinc.html.
        (last,) = self._connection.execute("SELECT last_insert_rowid()").fetchone()
        return known | dict(zip(new, range(last - len(new) + 1, last + 1), strict=True))

    def put_data(self, *texts: bytes | None) -> list[int | None]:
        """`put` for what nobody has the hashes of; None stays None."""
        hashes = [None if data is None else hashlib.sha256(data).digest() for data in texts]
        pairs = zip(hashes, texts, strict=True)
        # Nearly always these are there already.
        wanted = {sha256: data for sha256, data in pairs if sha256 and data is not None}
        ids = self.find(wanted)
        ids |= self.put({each: data for each, data in wanted.items() if each not in ids})
        return [None if sha256 is None else ids[sha256] for sha256 in hashes]


class Kept(NamedTuple):
    """A content of the store, verified."""

    blob: int
    sha256: bytes
    data: bytes


def content_of(connection: sqlite3.Connection, blob: int) -> bytes:
    """The bytes of a content, verified. Raises WorldError when they are damaged."""
    # Whoever holds no lock may read while another process packs it anew, once.
    for _ in range(2):
        (content,) = contents_of(connection, [blob])
        if content is not None:
            return content.data
    raise WorldError("a stored content is damaged; older or newer restore points may be whole")


def contents_of(connection: sqlite3.Connection, wanted: Collection[int]) -> Iterator[Kept | None]:
    """Contents in the order in which they are wanted; None for one that is damaged or missing. They
    are read some at a time: in a time and a memory that are bounded."""
    entries = _entries(connection, wanted)
    some: list[list[int]] = []
    size = 0
    for blob in wanted:
        chain = _chain(entries, blob)
        some.append(chain)
        size += sum(entries[each].size for each in chain)
        if size > _AT_ONCE_BYTES:
            yield from _unpacked(connection, entries, some)
            some, size = [], 0
    yield from _unpacked(connection, entries, some)


class _Entry(NamedTuple):
    """What is known of a content before it is read."""

    encoding: int
    size: int
    sha256: bytes
    base: int | None


def _entries(connection: sqlite3.Connection, wanted: Iterable[int]) -> dict[int, _Entry]:
    """The entries of these contents, and of all that they are packed against."""
    entries: dict[int, _Entry] = {}
    missing = set(wanted)
    while missing:
        query = "SELECT id, encoding, size, sha256, base FROM blob WHERE id IN (?)"
        found = {row[0]: _Entry(*row[1:]) for row in select_many(connection, query, missing)}
        entries.update(found)
        bases = {entry.base for entry in found.values() if entry.base is not None}
        missing = bases - entries.keys()
    return entries


def _chain(entries: Mapping[int, _Entry], blob: int) -> list[int]:
    """What has to be unpacked one after the other, the content itself last; empty when something of
    it is missing, or it has no end."""
    chain = [blob]
    while chain[-1] in entries and len(chain) <= len(entries):
        base = entries[chain[-1]].base
        if base is None:
            chain.reverse()
            return chain
        chain.append(base)
    return []


def _unpacked(
    connection: sqlite3.Connection, entries: Mapping[int, _Entry], chains: list[list[int]]
) -> Iterator[Kept | None]:
    query = "SELECT id, data FROM blob WHERE id IN (?)"
    stored = dict(select_many(connection, query, {blob for chain in chains for blob in chain}))
    for chain in chains:
        if not chain or not stored.keys() >= set(chain):
            yield None
            continue
        packed = [
            Packed(entries[blob].encoding, stored[blob], entries[blob].size) for blob in chain
        ]
        blob, sha256 = chain[-1], entries[chain[-1]].sha256
        data = unpack(packed, sha256)
        yield None if data is None else Kept(blob, sha256, data)


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
        replaced, kept = contents_of(connection, [old, new])
        if replaced is None or kept is None or len(kept.data) > _MAX_DELTA_BYTES:
            continue
        data, base = replaced.data, kept.data
        encoding, packed = pack_against(data, base)
        chain = [Packed(RAW, base, len(base)), Packed(encoding, packed, size)]
        (length,) = connection.execute(
            "SELECT length(data) FROM blob WHERE id = ?", (old,)
        ).fetchone()
        # What cannot be read back as it was is not replaced.
        if len(packed) < length and unpack(chain, sha256) == data:
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
