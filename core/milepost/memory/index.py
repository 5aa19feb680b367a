"""The index over a memory file: made from it, level with it, and deletable at any time.

It knows the file by its signature. When that differs, the file is read and the rows are brought
level in one transaction; when it does not, a search costs one stat and one query.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from typing import TYPE_CHECKING, cast

from milepost.base.clock import unix_time
from milepost.base.sqlite import Database
from milepost.base.symbols import holds_word
from milepost.memory import uses
from milepost.memory.anchors import bare
from milepost.memory.draft import Known
from milepost.memory.entry import SECTIONS, Entry, Scope
from milepost.memory.index_rows import (
    digest_of,
    entry_of,
    known_layout,
    known_signature,
    remember_signature,
    row_of,
)
from milepost.search import alike, table, vectors
from milepost.search.engine import Only
from milepost.search.ranking import FACTS
from milepost.search.terms import stems_in_each

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from milepost.base.files import Signature
    from milepost.memory.layout import Layout
    from milepost.search.embedding import Embedding

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
    table.GONE_SCHEMA,
    alike.SCHEMA,
    # What an append and a change of one entry need to know of the file, so that they need not read
    # it whole.
    """
    DROP TABLE file;
    DROP TABLE entry;
    DELETE FROM doc;
    DELETE FROM doc_word;
    DELETE FROM doc_tail;
    CREATE TABLE file (
        one INTEGER PRIMARY KEY CHECK (one = 1),
        size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL,
        ctime_ns INTEGER NOT NULL, inode INTEGER NOT NULL,
        newline TEXT NOT NULL, places TEXT NOT NULL
    ) STRICT;
    CREATE TABLE entry (
        rowid INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE, digest BLOB NOT NULL, size INTEGER NOT NULL,
        kind TEXT NOT NULL, status TEXT NOT NULL, source TEXT NOT NULL,
        created_at TEXT, anchors TEXT NOT NULL, superseded_by TEXT
    ) STRICT;
    CREATE INDEX entry_not_first ON entry (size) WHERE size = -1;
    """,
    vectors.SCHEMA,
    uses.SCHEMA,
)

# An entry's anchors are its title too: paths and names, which people ask for by their parts.
_SELECT = """
    SELECT entry.rowid, id, doc.body, kind, status, source, created_at, anchors, superseded_by
    FROM entry JOIN doc ON doc.rowid = entry.rowid
"""

_INSERT = """
    INSERT INTO entry (rowid, id, digest, size, kind, status, source, created_at, anchors,
    superseded_by) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""

# What the user said or confirmed comes before what an agent inferred, at like relevance.
_TRUST = {"stated": 1.2, "confirmed": 1.2, "unverified": 1.0, "superseded": 0.5}

# Two entries are alike when they share this much of all their words: the same fact put a little
# differently, rather than two facts about one thing.
_ALIKE = 0.6

# So many entries that may be alike are compared by all their words: of 10,000 sentences six find
# two in a thousand more, and the caller is told of three at most.
_COMPARED = 4

# So many new entries, and no fewer than there are, are added all at once.
_MANY = 200

# A page cache that holds the inner pages of an index over a million entries.
_FILLING_CACHE_KIB = 65_536

# Pages that are merged between two looks at the clock: some milliseconds.
_MERGED_PAGES = 200

# A smaller file is written anew as a whole soon after something was forgotten, because SQLite keeps
# copies of rows in the free parts of its pages; that is done in some ten milliseconds.
_VACUUMED_BYTES = 8 * 1024 * 1024

# How many entries are looked through for a symbol as it is written.
_NAMING = 150


class Index:
    """The rows of one memory file."""

    def __init__(
        self,
        path: Path,
        scope: Scope,
        mask: Callable[[str], str],
        embedding: Embedding | None = None,
    ) -> None:
        self._scope: Scope = scope
        self._mask = mask
        self._counts = table.TermCounts()
        # Whether something was forgotten and not yet wiped out; None: not looked. Another process
        # may have died before it was done.
        self._has_gone: bool | None = None
        self._merging = 0
        self._cleaning = threading.Lock()
        self.database = Database(
            path,
            _MIGRATIONS,
            durability="NORMAL",
            erases=True,
            loss="It is made again from the Markdown; nothing is lost.",
        )
        self.uses = uses.Uses(self.database)
        self._embedding = embedding
        if embedding is not None:
            embedding.serve(self.database)

    def is_level(self, signature: Signature | None) -> bool:
        """Whether the rows are those of the file with this signature (None: of no file)."""
        with self.database.reading() as connection:
            return self._level(connection) == signature

    def digests(self) -> dict[str, bytes]:
        """The digest of each row, by the entry's id."""
        with self.database.reading() as connection:
            return dict(connection.execute("SELECT id, digest FROM entry").fetchall())

    def layout(self, signature: Signature | None) -> Layout | None:
        """The layout of the file with this signature; None when the rows are not level with it, or
        when some ids depend on entries before them and no change is a matter of one entry."""
        with self.database.reading() as connection:
            known = known_layout(connection)
        return known[1] if known is not None and known[0] == signature else None

    def known(self, entry_id: str) -> Known | None:
        """What is known of where an entry stands that carries its id."""
        with self.database.reading() as connection:
            row = connection.execute(
                "SELECT size, kind FROM entry WHERE id = ? AND size > 0", (entry_id,)
            ).fetchone()
        return None if row is None else Known(row[0], SECTIONS.get(row[1], ""))

    def get(self, entry_id: str) -> Entry | None:
        """The entry with this id."""
        with self.database.reading() as connection:
            row = connection.execute(f"{_SELECT} WHERE id = ?", (entry_id,)).fetchone()
        return None if row is None else entry_of(row[1:], self._scope)

    def bring_level(
        self,
        signature: Signature | None,
        layout: Layout,
        entries: Iterable[tuple[Entry, int]],
    ) -> list[tuple[Entry | None, Entry | None]] | None:
        """Make the rows those of `entries`, with their sizes, and return what differed, before and
        after. None when there were no rows of any file to compare with.
        """
        wanted = {entry.id: (digest_of(entry), entry, size) for entry, size in entries}
        with self.database.writing() as connection:
            known = known_signature(connection)
            rows = cast(
                "list[tuple[int, str, bytes, int]]",
                connection.execute("SELECT rowid, id, digest, size FROM entry").fetchall(),
            )
            stale = {
                key: rowid
                for rowid, key, digest, _ in rows
                if key not in wanted or wanted[key][0] != digest
            }
            before = self._at(connection, list(stale.values()))
            fresh = wanted.keys() - (key for _, key, _, _ in rows) | (wanted.keys() & stale.keys())
            for key in stale:
                self._remove(connection, key)
            connection.executemany(
                "UPDATE entry SET size = ? WHERE rowid = ?",
                (
                    (wanted[key][2], rowid)
                    for rowid, key, _, size in rows
                    if key not in stale and wanted[key][2] != size
                ),
            )
            # In the file's order, so that rows which are never changed stay in it.
            self._insert_all(connection, [row for key, row in wanted.items() if key in fresh])
            remember_signature(connection, signature, layout)
        self._wake()
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

    def put(
        self,
        before: Signature,
        after: Signature,
        layout: Layout,
        entries: Iterable[tuple[Entry, int]],
        gone: Iterable[str] = (),
    ) -> bool:
        """Add or replace `entries`, with their sizes, and take out those that are `gone`, of a file
        that was level at `before` and now is `after`.

        False, and nothing done, when the rows were not level at `before`.
        """
        with self.database.writing() as connection:
            if known_signature(connection) != before:
                return False
            for entry_id in gone:
                self._remove(connection, entry_id)
            for entry, size in entries:
                self._remove(connection, entry.id)
                self._insert(connection, digest_of(entry), entry, size)
            remember_signature(connection, after, layout)
        self._wake()
        return True

    def clean(self, *, within_s: float | None) -> bool:
        """Wipe what was forgotten out of the file, where its words linger on after a row is gone;
        without a limit, out of the free parts of a large file too.

        Whether that is done; when the time was not enough, or others use the file, call again.
        """
        if not self._cleaning.acquire(blocking=within_s is None):
            return False
        try:
            return self._clean(within_s)
        finally:
            self._cleaning.release()

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
                only=Only(
                    "EXISTS (SELECT 1 FROM entry WHERE entry.rowid = doc.rowid "
                    "AND (:kind IS NULL OR kind = :kind) AND (:all OR status <> 'superseded'))",
                    {"kind": kind, "all": include_superseded},
                ),
                embedder=self._embedding and self._embedding.embedder(),
            )
            found = self._at(connection, [rowid for rowid, _ in ranked])
        weighed = [(score * trust(found[rowid].status), found[rowid]) for rowid, score in ranked]
        return sorted(weighed, key=lambda pair: -pair[0])

    def naming(self, symbol: str) -> tuple[Signature | None, list[Entry]]:
        """Entries whose text or anchors hold `symbol` as a word, as it is written, best first; and
        the signature of the file that they are of, or of one before it."""
        with self.database.reading() as connection:
            # First, so that what is found is never older.
            level = self._level(connection)
            rowids = table.naming(connection, symbol, _NAMING)
            found = self._at(connection, rowids) if rowids else {}
        return level, [
            entry
            # One that another process took out meanwhile is not there any more.
            for entry in map(found.get, rowids)
            if entry is not None
            and entry.status != "superseded"
            and any(holds_word(text, symbol) for text in (entry.text, *entry.anchors))
        ]

    def anchored(self, path: str) -> list[Entry]:
        """The entries that name this file in an anchor, in the order of the file."""
        with self.database.reading() as connection:
            rows = connection.execute(
                f"{_SELECT} WHERE instr(anchors, ?) AND superseded_by IS NULL "
                "ORDER BY entry.rowid LIMIT ?",
                (path, _NAMING),
            ).fetchall()
        found = [entry_of(row[1:], self._scope) for row in rows]
        return [
            entry
            for entry in found
            if any(bare(anchor).partition("#")[0] == path for anchor in entry.anchors)
        ]

    def anchor_paths(self, most: int) -> set[str]:
        """The files that entries name in anchors; of very many the first."""
        with self.database.reading() as connection:
            rows = connection.execute(
                "SELECT DISTINCT anchors FROM entry WHERE anchors <> '' LIMIT ?", (most,)
            ).fetchall()
        return {
            bare(anchor).partition("#")[0] for (anchors,) in rows for anchor in anchors.split("\n")
        }

    def similar(self, text: str, entry_id: str) -> list[Entry]:
        """The entries other than `entry_id` that say nearly the same as `text`, nearest first.

        Looked for by samples of the words, and compared by all of them.
        """
        with self.database.reading() as connection:
            # The entry itself is among them.
            rows = alike.find(connection, text, _COMPARED + 1)
            own, *each = stems_in_each([text, *(body for _, body in rows)])
            likeness = {
                rowid: len(own & theirs) / len(own | theirs) if own | theirs else 0.0
                for (rowid, _), theirs in zip(rows, each, strict=True)
            }
            near = [rowid for rowid in likeness if likeness[rowid] >= _ALIKE]
            found = self._at(connection, near) if near else {}
        nearest = sorted(found, key=likeness.__getitem__, reverse=True)
        others = (found[rowid] for rowid in nearest if found[rowid].id != entry_id)
        return [other for other in others if not other.superseded_by]

    def _clean(self, within_s: float | None) -> bool:
        until = None if within_s is None else time.monotonic() + within_s
        if until is None and self.database.path.exists():
            self._has_gone = True
        while self._has_gone:
            with self.database.writing() as connection:
                number = self._merging or table.noted(connection)
                is_merged = not number or table.merged(
                    connection, _MERGED_PAGES, anew=not self._merging
                )
                self._merging = 0 if is_merged else number
                if is_merged:
                    table.forget(connection, number)
                    self._has_gone = table.noted(connection) > 0
            if is_merged and not self._has_gone:
                self._has_gone = not self.database.wipe_free_space(
                    vacuum_below=sys.maxsize if until is None else _VACUUMED_BYTES
                )
                return not self._has_gone
            if until is not None and time.monotonic() > until:
                return False
        return True

    def _level(self, connection: sqlite3.Connection) -> Signature | None:
        if self._has_gone is None:
            self._has_gone = table.noted(connection) > 0
        return known_signature(connection)

    def _wake(self) -> None:
        if self._embedding is not None:
            self._embedding.wake()

    def _insert(
        self, connection: sqlite3.Connection, digest: bytes, entry: Entry, size: int
    ) -> None:
        text = self._text(entry)
        rowid = table.put(connection, None, text)
        alike.keep(connection, rowid, text.body)
        connection.execute(_INSERT, row_of(rowid, digest, entry, size))

    def _insert_all(
        self, connection: sqlite3.Connection, rows: list[tuple[bytes, Entry, int]]
    ) -> None:
        (there,) = connection.execute("SELECT count(*) FROM entry").fetchone()
        if len(rows) < max(_MANY, there):
            for digest, entry, size in rows:
                self._insert(connection, digest, entry, size)
            return
        (usual,) = connection.execute("PRAGMA cache_size").fetchone()
        connection.execute(f"PRAGMA cache_size=-{_FILLING_CACHE_KIB}")
        filling = table.Filling(connection)
        keys: list[tuple[int, int]] = []
        for digest, entry, size in rows:
            text = self._text(entry)
            rowid = filling.put(text)
            keys.extend((key, rowid) for key in alike.keys(text.body))
            connection.execute(_INSERT, row_of(rowid, digest, entry, size))
        filling.finish()
        alike.keep_all(connection, keys)
        connection.execute(f"PRAGMA cache_size={usual}")

    def _remove(self, connection: sqlite3.Connection, entry_id: str) -> None:
        row = connection.execute("SELECT rowid FROM entry WHERE id = ?", (entry_id,)).fetchone()
        if row is None:
            return
        body = table.remove(connection, row[0])
        if body is not None:
            alike.drop(connection, row[0], body)
        connection.execute("DELETE FROM entry WHERE rowid = ?", (row[0],))
        self._has_gone = True

    def _text(self, entry: Entry) -> table.Text:
        title = "\n".join(map(bare, entry.anchors))
        return table.Text(title, self._mask(entry.text), unix_time(entry.created_at))

    def _at(self, connection: sqlite3.Connection, rowids: list[int]) -> dict[int, Entry]:
        rows = connection.execute(
            f"{_SELECT} WHERE entry.rowid IN (SELECT value FROM json_each(?))",  # noqa: S608
            (json.dumps(rowids),),
        ).fetchall()
        return {row[0]: entry_of(row[1:], self._scope) for row in rows}


def trust(status: str) -> float:
    """What an entry of this status weighs."""
    return _TRUST.get(status, 1.0)
