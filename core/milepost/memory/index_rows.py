"""What the index of a memory file keeps: a row for each entry, and the file it is level with."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from milepost.base.files import Signature
from milepost.memory.entry import Entry
from milepost.memory.layout import Layout, Place

if TYPE_CHECKING:
    import sqlite3

    from milepost.memory.entry import Scope


def row_of(rowid: int, digest: bytes, entry: Entry, size: int) -> tuple[object, ...]:
    """The row of an entry in the table `entry`."""
    return (
        rowid, entry.id, digest, size, entry.kind, entry.status, entry.source, entry.created_at,
        "\n".join(entry.anchors), entry.superseded_by,
    )  # fmt: skip


def entry_of(
    row: tuple[str, str, str, str, str, str | None, str, str | None], scope: Scope
) -> Entry:
    """The entry of a row: all but its number, digest and size, and with its text."""
    entry_id, text, kind, status, source, created_at, anchors, superseded_by = row
    return Entry(
        id=entry_id,
        text=text,
        kind=kind,
        status=status,
        scope=scope,
        source=source,
        created_at=created_at,
        anchors=tuple(anchors.split("\n")) if anchors else (),
        superseded_by=superseded_by,
    )


def digest_of(entry: Entry) -> bytes:
    """Sixteen bytes that are others as soon as anything of the entry is."""
    import hashlib  # noqa: PLC0415  (OpenSSL: 4 MB that a search can do without)

    return hashlib.sha256(repr(entry).encode()).digest()[:16]


def known_signature(connection: sqlite3.Connection) -> Signature | None:
    """The signature of the file that the index is level with."""
    row = connection.execute("SELECT size, mtime_ns, ctime_ns, inode FROM file").fetchone()
    return Signature(*row) if row else None


def known_layout(connection: sqlite3.Connection) -> tuple[Signature, Layout | None] | None:
    """`known_signature` and that file's layout, in one statement; no layout where some ids depend
    on entries before them."""
    row = connection.execute(
        "SELECT size, mtime_ns, ctime_ns, inode, newline, places, "
        "NOT EXISTS (SELECT 1 FROM entry WHERE size = -1) FROM file"
    ).fetchone()
    if row is None:
        return None
    *seen, newline, places, is_sure = row
    if not is_sure:
        return Signature(*seen), None
    made = {name: Place(*span) for name, span in json.loads(places).items()}
    return Signature(*seen), Layout(newline, made)


def remember_signature(
    connection: sqlite3.Connection, signature: Signature | None, layout: Layout
) -> None:
    """Note which file the index is level with, and where its sections end."""
    connection.execute("DELETE FROM file")
    if signature is not None:
        places = {name: (place.start, place.end) for name, place in layout.places.items()}
        # `astuple` copies deeply, at ten times the price.
        seen = (signature.size, signature.mtime_ns, signature.ctime_ns, signature.inode)
        connection.execute(
            "INSERT INTO file VALUES (1, ?, ?, ?, ?, ?, ?)",
            (*seen, layout.newline, json.dumps(places)),
        )
