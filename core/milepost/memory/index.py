"""The index over a memory file: made from it, level with it, and deletable at any time.

It knows the file by its signature. When that differs, the file is read and the rows are brought
level in one transaction; when it does not, a search costs one stat and one query.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import astuple
from typing import TYPE_CHECKING, cast

from milepost.base.clock import age_days
from milepost.base.files import Signature
from milepost.base.query import match_expression, parts_of_text
from milepost.base.sqlite import Database
from milepost.memory.entry import Entry, Scope

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable
    from pathlib import Path

_MIGRATIONS = (
    """
    CREATE TABLE file (
        one INTEGER PRIMARY KEY CHECK (one = 1),
        size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL,
        ctime_ns INTEGER NOT NULL, inode INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE entry (
        rowid INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE, digest BLOB NOT NULL,
        text TEXT NOT NULL, parts TEXT NOT NULL,
        kind TEXT NOT NULL, status TEXT NOT NULL, source TEXT NOT NULL,
        created_at TEXT, anchors TEXT NOT NULL, superseded_by TEXT
    ) STRICT;
    CREATE VIRTUAL TABLE entry_fts USING fts5(
        text, parts, anchors, content='entry', content_rowid='rowid',
        tokenize='porter unicode61 remove_diacritics 2'
    );
    CREATE TRIGGER entry_added AFTER INSERT ON entry BEGIN
        INSERT INTO entry_fts(rowid, text, parts, anchors)
        VALUES (new.rowid, new.text, new.parts, new.anchors);
    END;
    CREATE TRIGGER entry_removed AFTER DELETE ON entry BEGIN
        INSERT INTO entry_fts(entry_fts, rowid, text, parts, anchors)
        VALUES ('delete', old.rowid, old.text, old.parts, old.anchors);
    END;
    """,
)

_COLUMNS = (
    "entry.id, entry.text, entry.kind, entry.status, entry.source, entry.created_at, "
    "entry.anchors, entry.superseded_by"
)

# How many rows FTS5 ranks before status and age have their say; past the first hundred the order
# below no longer changes what is shown.
_CANDIDATES = 150

# What the user said or confirmed comes before what an agent inferred, at like relevance.
_TRUST = {"stated": 1.2, "confirmed": 1.2, "unverified": 1.0, "superseded": 0.5}

# Facts age slowly: a fresh entry gains this much over an old one, falling over a year.
_RECENCY_WEIGHT = 0.3
_RECENCY_DAYS = 365.0


class Index:
    """The rows of one memory file."""

    def __init__(self, path: Path, scope: Scope) -> None:
        self._scope: Scope = scope
        self.database = Database(
            path,
            _MIGRATIONS,
            durability="NORMAL",
            loss="It is made again from the Markdown; nothing is lost.",
        )

    def is_level(self, signature: Signature | None) -> bool:
        """Whether the rows are those of the file with this signature (None: of no file)."""
        with self.database.reading() as connection:
            return _known_signature(connection) == signature

    def bring_level(self, signature: Signature | None, entries: Iterable[Entry]) -> int:
        """Make the rows those of `entries`; how many were added, changed or removed."""
        wanted = {entry.id: (_digest(entry), entry) for entry in entries}
        with self.database.writing() as connection:
            rows = cast(
                "list[tuple[str, bytes]]",
                connection.execute("SELECT id, digest FROM entry").fetchall(),
            )
            present = dict(rows)
            gone = [key for key, digest in present.items() if wanted.get(key, (b"",))[0] != digest]
            new = [pair for key, pair in wanted.items() if present.get(key) != pair[0]]
            connection.executemany("DELETE FROM entry WHERE id = ?", ((key,) for key in gone))
            for digest, entry in new:
                _insert(connection, digest, entry)
            _remember_signature(connection, signature)
        return len({*gone, *(entry.id for _, entry in new)})

    def put(self, before: Signature, after: Signature, entries: Iterable[Entry]) -> bool:
        """Add or replace `entries` of a file that was level at `before` and now is `after`.

        False, and nothing done, when the rows were not level at `before`.
        """
        with self.database.writing() as connection:
            if _known_signature(connection) != before:
                return False
            for entry in entries:
                connection.execute("DELETE FROM entry WHERE id = ?", (entry.id,))
                _insert(connection, _digest(entry), entry)
            _remember_signature(connection, after)
        return True

    def count(self) -> int:
        """How many rows there are."""
        with self.database.reading() as connection:
            return int(connection.execute("SELECT count(*) FROM entry").fetchone()[0])

    def search(
        self, question: str, *, kind: str | None, include_superseded: bool
    ) -> list[tuple[float, Entry]]:
        """The entries that hold a term of `question`, best first."""
        expression = match_expression(question)
        if expression is None:
            return []
        with self.database.reading() as connection:
            rows = connection.execute(
                f"""
                SELECT -rank, {_COLUMNS} FROM entry_fts JOIN entry ON entry.rowid = entry_fts.rowid
                WHERE entry_fts MATCH ? AND rank MATCH 'bm25(1.0, 0.5, 0.5)'
                  AND (? IS NULL OR kind = ?) AND (? OR status <> 'superseded')
                ORDER BY rank LIMIT {_CANDIDATES}
                """,  # noqa: S608  (constants)
                (expression, kind, kind, include_superseded),
            ).fetchall()
        scored = [
            (_weighed(row[0], entry), entry) for row in rows for entry in [self._entry(row[1:])]
        ]
        return sorted(scored, key=lambda pair: -pair[0])

    def naming(self, symbol: str) -> list[Entry]:
        """Entries whose text or anchors hold `symbol` as a word, as it is written, best first."""
        word = re.compile(rf"(?<!\w){re.escape(symbol)}(?!\w)")
        with self.database.reading() as connection:
            rows = connection.execute(
                f"""
                SELECT {_COLUMNS} FROM entry_fts JOIN entry ON entry.rowid = entry_fts.rowid
                WHERE entry_fts MATCH ? AND status <> 'superseded'
                ORDER BY rank LIMIT {_CANDIDATES}
                """,  # noqa: S608  (constants)
                ("{text anchors} : " + f'"{symbol.replace(chr(34), " ")}"',),
            ).fetchall()
        found = (self._entry(row) for row in rows)
        return [entry for entry in found if any(map(word.search, (entry.text, *entry.anchors)))]

    def _entry(self, row: tuple[str, str, str, str, str, str | None, str, str | None]) -> Entry:
        entry_id, text, kind, status, source, created_at, anchors, superseded_by = row
        return Entry(
            id=entry_id,
            text=text,
            kind=kind,
            status=status,
            scope=self._scope,
            source=source,
            created_at=created_at,
            anchors=tuple(anchors.split("\n")) if anchors else (),
            superseded_by=superseded_by,
        )


def _weighed(relevance: float, entry: Entry) -> float:
    age = age_days(entry.created_at)
    fresh = 0.0 if age is None else 1.0 / (1.0 + age / _RECENCY_DAYS)
    return relevance * _TRUST.get(entry.status, 1.0) * (1.0 + _RECENCY_WEIGHT * fresh)


def _insert(connection: sqlite3.Connection, digest: bytes, entry: Entry) -> None:
    connection.execute(
        "INSERT INTO entry (digest, parts, id, text, kind, status, source, created_at, anchors, "
        "superseded_by) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            digest,
            parts_of_text(entry.text),
            entry.id,
            entry.text,
            entry.kind,
            entry.status,
            entry.source,
            entry.created_at,
            "\n".join(entry.anchors),
            entry.superseded_by,
        ),
    )


def _digest(entry: Entry) -> bytes:
    return hashlib.sha256(repr(entry).encode()).digest()[:16]


def _known_signature(connection: sqlite3.Connection) -> Signature | None:
    row = connection.execute("SELECT size, mtime_ns, ctime_ns, inode FROM file").fetchone()
    return Signature(*row) if row else None


def _remember_signature(connection: sqlite3.Connection, signature: Signature | None) -> None:
    connection.execute("DELETE FROM file")
    if signature is not None:
        connection.execute("INSERT INTO file VALUES (1, ?, ?, ?, ?)", astuple(signature))
