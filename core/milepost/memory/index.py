"""The index over a memory file: made from it, level with it, and deletable at any time.

It knows the file by its signature. When that differs, the file is read and the rows are brought
level in one transaction; when it does not, a search costs one stat and one query.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import astuple
from typing import TYPE_CHECKING, cast

from milepost.base.clock import unix_time
from milepost.base.files import Signature
from milepost.base.sqlite import Database
from milepost.memory.anchors import bare
from milepost.memory.entry import Entry, Scope
from milepost.search import table
from milepost.search.ranking import FACTS
from milepost.search.terms import stems, terms

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable
    from pathlib import Path

_MIGRATIONS = (
    table.SCHEMA
    + """
    CREATE TABLE file (
        one INTEGER PRIMARY KEY CHECK (one = 1),
        size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL,
        ctime_ns INTEGER NOT NULL, inode INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE entry (
        rowid INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE, digest BLOB NOT NULL,
        kind TEXT NOT NULL, status TEXT NOT NULL, source TEXT NOT NULL,
        created_at TEXT, anchors TEXT NOT NULL, superseded_by TEXT
    ) STRICT;
    """,
)

# An entry's anchors are its title too: paths and names, which people ask for by their parts.
_SELECT = """
    SELECT entry.rowid, id, doc.body, kind, status, source, created_at, anchors, superseded_by
    FROM entry JOIN doc ON doc.rowid = entry.rowid
"""

# What the user said or confirmed comes before what an agent inferred, at like relevance.
_TRUST = {"stated": 1.2, "confirmed": 1.2, "unverified": 1.0, "superseded": 0.5}

# Two entries are alike when they share this much of all their words: the same fact put a little
# differently, rather than two facts about one thing.
_ALIKE = 0.6

# A near-duplicate is looked for by words that stand in at most so many rows together, which a save
# does not wait for noticeably; and so many finds are compared.
_RARE_ROWS = 300
_COMPARED = 8

# How many entries are looked through for a symbol as it is written.
_NAMING = 150


class Index:
    """The rows of one memory file."""

    def __init__(self, path: Path, scope: Scope, mask: Callable[[str], str]) -> None:
        self._scope: Scope = scope
        self._mask = mask
        self._counts = table.TermCounts()
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

    def bring_level(
        self, signature: Signature | None, entries: Iterable[Entry]
    ) -> list[tuple[Entry | None, Entry | None]] | None:
        """Make the rows those of `entries`, and return what differed, before and after.

        None when there were no rows of any file to compare with.
        """
        wanted = {entry.id: (_digest(entry), entry) for entry in entries}
        with self.database.writing() as connection:
            known = _known_signature(connection)
            rows = cast(
                "list[tuple[int, str, bytes]]",
                connection.execute("SELECT rowid, id, digest FROM entry").fetchall(),
            )
            stale = {
                key: rowid for rowid, key, digest in rows if wanted.get(key, (b"",))[0] != digest
            }
            before = self._at(connection, list(stale.values()))
            fresh = wanted.keys() - (key for _, key, _ in rows) | (wanted.keys() & stale.keys())
            for key in stale:
                _remove(connection, key)
            # In the file's order, so that rows which are never changed stay in it.
            for key, (digest, entry) in wanted.items():
                if key in fresh:
                    self._insert(connection, digest, entry)
            _remember_signature(connection, signature)
        if known is None:
            return None
        changed = [
            (before[rowid], wanted[key][1] if key in wanted else None)
            for key, rowid in stale.items()
        ]
        return [
            *changed,
            *((None, wanted[key][1]) for key in wanted if key in fresh - stale.keys()),
        ]

    def put(self, before: Signature, after: Signature, entries: Iterable[Entry]) -> bool:
        """Add or replace `entries` of a file that was level at `before` and now is `after`.

        False, and nothing done, when the rows were not level at `before`.
        """
        with self.database.writing() as connection:
            if _known_signature(connection) != before:
                return False
            for entry in entries:
                _remove(connection, entry.id)
                self._insert(connection, _digest(entry), entry)
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
        with self.database.reading() as connection:
            ranked = table.search(
                connection,
                question,
                FACTS,
                self._counts,
                only="EXISTS (SELECT 1 FROM entry WHERE entry.rowid = doc.rowid "
                "AND (:kind IS NULL OR kind = :kind) AND (:all OR status <> 'superseded'))",
                parameters={"kind": kind, "all": include_superseded},
            )
            found = self._at(connection, [rowid for rowid, _ in ranked])
        weighed = [
            (score * _TRUST.get(found[rowid].status, 1.0), found[rowid]) for rowid, score in ranked
        ]
        return sorted(weighed, key=lambda pair: -pair[0])

    def naming(self, symbol: str) -> list[Entry]:
        """Entries whose text or anchors hold `symbol` as a word, as it is written, best first."""
        word = re.compile(rf"(?<!\w){re.escape(symbol)}(?!\w)")
        with self.database.reading() as connection:
            rowids = table.naming(connection, symbol, _NAMING)
            found = self._at(connection, rowids)
        return [
            entry
            for entry in map(found.__getitem__, rowids)
            if entry.status != "superseded" and any(map(word.search, (entry.text, *entry.anchors)))
        ]

    def similar(self, text: str, entry_id: str) -> list[Entry]:
        """The entries other than `entry_id` that say nearly the same as `text`, nearest first.

        Looked for by the rarest words, which near-duplicates share, and compared by all of them.
        """
        words = terms(text)
        own = _stems_of(words)
        with self.database.reading() as connection:
            counts = self._counts.of(connection, words)
            rare: list[str] = []
            rows = 0
            for word in sorted(words, key=counts.__getitem__):
                rows += counts[word]
                if rare and rows > _RARE_ROWS:
                    break
                rare.append(word)
            ranked = table.search(connection, " ".join(rare), FACTS, self._counts)
            found = self._at(connection, [rowid for rowid, _ in ranked[:_COMPARED]])
        alike: list[tuple[float, Entry]] = []
        for other in found.values():
            theirs = _stems_of(terms(other.text))
            likeness = len(own & theirs) / len(own | theirs) if own | theirs else 0.0
            if other.id != entry_id and not other.superseded_by and likeness >= _ALIKE:
                alike.append((likeness, other))
        return [other for _, other in sorted(alike, key=lambda pair: -pair[0])]

    def _insert(self, connection: sqlite3.Connection, digest: bytes, entry: Entry) -> None:
        title = "\n".join(map(bare, entry.anchors))
        text = table.Text(title, self._mask(entry.text), unix_time(entry.created_at))
        rowid = table.put(connection, None, text)
        connection.execute(
            "INSERT INTO entry (rowid, id, digest, kind, status, source, created_at, anchors, "
            "superseded_by) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                rowid, entry.id, digest, entry.kind, entry.status, entry.source, entry.created_at,
                "\n".join(entry.anchors), entry.superseded_by,
            ),
        )  # fmt: skip

    def _at(self, connection: sqlite3.Connection, rowids: list[int]) -> dict[int, Entry]:
        rows = connection.execute(
            f"{_SELECT} WHERE entry.rowid IN (SELECT value FROM json_each(?))",  # noqa: S608
            (json.dumps(rowids),),
        ).fetchall()
        return {row[0]: self._entry(row[1:]) for row in rows}

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


def _stems_of(words: tuple[str, ...]) -> set[str]:
    return {stem for word in words for stem in stems(word)}


def _remove(connection: sqlite3.Connection, entry_id: str) -> None:
    row = connection.execute("SELECT rowid FROM entry WHERE id = ?", (entry_id,)).fetchone()
    if row is not None:
        table.remove(connection, row[0])
        connection.execute("DELETE FROM entry WHERE rowid = ?", (row[0],))


def _digest(entry: Entry) -> bytes:
    return hashlib.sha256(repr(entry).encode()).digest()[:16]


def _known_signature(connection: sqlite3.Connection) -> Signature | None:
    row = connection.execute("SELECT size, mtime_ns, ctime_ns, inode FROM file").fetchone()
    return Signature(*row) if row else None


def _remember_signature(connection: sqlite3.Connection, signature: Signature | None) -> None:
    connection.execute("DELETE FROM file")
    if signature is not None:
        connection.execute("INSERT INTO file VALUES (1, ?, ?, ?, ?)", astuple(signature))
