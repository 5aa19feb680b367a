"""A searchable table inside a database of its owner's.

The owner puts `SCHEMA` into its first migration and keeps what else it knows of a row in tables of
its own, under the same rowid. FTS5 gives the candidates; `ranking` decides among them. A column
holds the parts of compound names, another the date as words, because people ask for both. For terms
that stand in no row, `spelling` knows words that are nearly them; the schema has its tables too.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache, partial
from typing import TYPE_CHECKING

from milepost.search import spelling
from milepost.search.engine import Asked, Fts5, Only
from milepost.search.ranking import Profile, rank
from milepost.search.terms import literals, parts_of_text, stems_of_each, terms
from milepost.search.vectors import nearness

if TYPE_CHECKING:
    import sqlite3

    from milepost.search.engine import Engine
    from milepost.search.vectors import Embedder

_ADDED = """
    CREATE TRIGGER doc_added AFTER INSERT ON doc BEGIN
        INSERT INTO doc_fts(rowid, title, body, parts, date)
        VALUES (new.rowid, new.title, new.body, new.parts, new.date);
    END;
"""

SCHEMA = (
    """
    CREATE TABLE doc (
        rowid INTEGER PRIMARY KEY,
        title TEXT NOT NULL, body TEXT NOT NULL, parts TEXT NOT NULL, date TEXT NOT NULL,
        at REAL, session TEXT NOT NULL, place INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX doc_session ON doc (session, place) WHERE session <> '';
    CREATE VIRTUAL TABLE doc_fts USING fts5(
        title, body, parts, date, content='doc', content_rowid='rowid',
        tokenize='porter unicode61 remove_diacritics 2'
    );
    CREATE VIRTUAL TABLE doc_terms USING fts5vocab('doc_fts', 'row');
    CREATE VIRTUAL TABLE doc_columns USING fts5vocab('doc_fts', 'col');
    """  # noqa: S608  (it is made of constants)
    + _ADDED
    + """
    CREATE TRIGGER doc_removed AFTER DELETE ON doc BEGIN
        INSERT INTO doc_fts(doc_fts, rowid, title, body, parts, date)
        VALUES ('delete', old.rowid, old.title, old.body, old.parts, old.date);
    END;
    CREATE TABLE doc_word (word TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
    CREATE TABLE doc_tail (
        tail TEXT NOT NULL, word TEXT NOT NULL, PRIMARY KEY (tail, word)
    ) STRICT, WITHOUT ROWID;
    """
)

# What an owner that takes rows out adds to its migrations.
GONE_SCHEMA = spelling.GONE_SCHEMA

# How many rows FTS5 hands to the ranking; two hundred more changed no result (measured).
_CANDIDATES = 150

_FTS5 = Fts5()
_EVERY_ROW = Only()

# A guess costs half a millisecond; a question of more unknown words is a pasted text.
_GUESSED_TERMS = 4

# How many terms' counts are kept: those of some hundred questions.
_MAX_COUNTS = 5_000

# FTS5 says so little of a merge that had something to do: at least as many rows changed.
_MERGE_CHANGES = 2


@dataclass(frozen=True, slots=True)
class Text:
    """What is searched of a row. `title` is a name or a path; `at` is in Unix seconds. Rows of one
    `session` that stand at neighbouring `place`s speak of the same thing."""

    title: str
    body: str
    at: float | None = None
    session: str = ""
    place: int = 0


class TermCounts:
    """In how many rows each term stands, roughly: counting reads the whole list of a term's rows,
    so a count is kept until the table has grown by a tenth."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}
        self._rows = 0

    @property
    def rows(self) -> int:
        """How many rows there are, roughly."""
        return self._rows

    def of(self, connection: sqlite3.Connection, asked: tuple[str, ...]) -> dict[str, int]:
        """The count of each term; of a term of several words, that of the rarest."""
        (newest,) = connection.execute("SELECT max(rowid) FROM doc").fetchone()
        rows = int(newest or 0)
        if not self._rows <= rows <= self._rows * 1.1 or len(self._counts) > _MAX_COUNTS:
            self._counts, self._rows = {}, rows
        return {
            term: min((self._of(connection, stem) for stem in each), default=0)
            for term, each in zip(asked, stems_of_each(asked), strict=True)
        }

    def _of(self, connection: sqlite3.Connection, stem: str) -> int:
        # A term that stood in no row is looked up anew: the row that has it may just have come.
        count = self._counts.get(stem, 0)
        if not count:
            row = connection.execute("SELECT doc FROM doc_terms WHERE term = ?", (stem,)).fetchone()
            count = self._counts[stem] = int(row[0]) if row else 0
        return count


def put(connection: sqlite3.Connection, rowid: int | None, text: Text) -> int:
    """Add a row (or replace the one with this rowid) and return its rowid."""
    if rowid is not None:
        remove(connection, rowid)
    parts = parts_of_text(_whole(text))
    spelling.learn(connection, f"{_whole(text)} {parts}")
    return _inserted(connection, rowid, text, parts)


class Filling:
    """Many rows added at once, at least as many as there are. Their words are collected and kept at
    the end, and FTS5 reads all rows anew then: by that it takes a quarter of the time a row."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        """Inside a transaction, which is to be rolled back unless `finish` is called."""
        self._connection = connection
        self._words: set[str] = set()
        connection.execute("DROP TRIGGER doc_added")

    def put(self, text: Text) -> int:
        """Add a row and return its rowid."""
        parts = parts_of_text(_whole(text))
        self._words |= spelling.words_of(f"{_whole(text)} {parts}")
        return _inserted(self._connection, None, text, parts)

    def finish(self) -> None:
        """Make what was added searchable."""
        self._connection.execute("INSERT INTO doc_fts (doc_fts) VALUES ('rebuild')")
        self._connection.execute(_ADDED)
        spelling.learn_all(self._connection, self._words)


def remove(connection: sqlite3.Connection, rowid: int) -> str | None:
    """Take a row out; its body, or None when there was none. Its words linger until
    `merged` is done and `forget` called."""
    gone = connection.execute(
        "DELETE FROM doc WHERE rowid = ? RETURNING title || ' ' || body || ' ' || parts, body",
        (rowid,),
    ).fetchall()
    if not gone:
        return None
    ((words, body),) = gone
    spelling.unlearn(connection, words)
    return body


def search(
    connection: sqlite3.Connection,
    question: str,
    profile: Profile,
    counts: TermCounts,
    *,
    only: Only = _EVERY_ROW,
    now: float | None = None,
    embedder: Embedder | None = None,
    engine: Engine = _FTS5,
) -> list[tuple[int, float]]:
    """The rowids that answer `question`, best first, with scores (1 is a good match).

    `counts` belongs to this table and is kept from search to search.
    `only` says which rows the owner lets through.
    `now` is the moment of the question in Unix seconds, when that is not now.
    `embedder` is a model that made vectors of rows, for tables with the schema of `vectors` too.
    """
    asked = terms(question)
    if not asked:
        return []
    found = counts.of(connection, asked)
    guessed = _guessed(connection, found)
    if guessed:
        asked = (*asked, *guessed)
        found |= counts.of(connection, guessed)
    wanted = Asked({term: found[term] for term in asked}, counts.rows, only)
    candidates = engine.candidates(connection, wanted, _CANDIDATES)
    at = time.time() if now is None else now
    near = None if embedder is None else partial(nearness, connection, embedder, question)
    return rank(connection, candidates, asked, literals(question), profile, now=at, nearness=near)


def merged(connection: sqlite3.Connection, pages: int, *, anew: bool) -> bool:
    """Bring the lists of words together, about `pages` pages of them; whether that is all.

    FTS5 keeps the words of rows that are gone until the lists in which they stand are merged with
    the lists that say so. `anew` begins with all there is now; go on without. (FTS5's own
    `secure-delete` makes the table unreadable to a SQLite before 3.42.)
    """
    before = connection.total_changes
    connection.execute(
        "INSERT INTO doc_fts (doc_fts, rank) VALUES ('merge', ?)", (-pages if anew else pages,)
    )
    # The command itself counts as one change.
    return connection.total_changes - before < _MERGE_CHANGES


def noted(connection: sqlite3.Connection) -> int:
    """The number of the last row that is gone and not forgotten; 0 when there is none."""
    return int(connection.execute("SELECT max(number) FROM doc_gone").fetchone()[0] or 0)


def forget(connection: sqlite3.Connection, number: int) -> None:
    """Let go of the words of all rows that were gone at `number`, once the lists are merged."""
    rows = connection.execute(
        "DELETE FROM doc_gone WHERE number <= ? RETURNING words", (number,)
    ).fetchall()
    spelling.forget(connection, (row[0] for row in rows))


def naming(connection: sqlite3.Connection, word: str, limit: int) -> list[int]:
    """The rowids of texts in which `word` stands as it is written, best first."""
    quoted = word.replace('"', " ")
    if not re.search(r"\w", quoted):
        return []
    rows = connection.execute(
        "SELECT rowid FROM doc_fts WHERE doc_fts MATCH ? ORDER BY rank LIMIT ?",
        ("{title body} : " + f'"{quoted}"', limit),
    ).fetchall()
    return [int(row[0]) for row in rows]


def _whole(text: Text) -> str:
    return f"{text.title} {text.body}"


def _inserted(connection: sqlite3.Connection, rowid: int | None, text: Text, parts: str) -> int:
    cursor = connection.execute(
        "INSERT INTO doc (rowid, title, body, parts, date, at, session, place) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            rowid, text.title, text.body, parts, _date(text.at),
            text.at, text.session, text.place,
        ),
    )  # fmt: skip
    return cursor.lastrowid or 0


def _guessed(connection: sqlite3.Connection, found: dict[str, int]) -> tuple[str, ...]:
    """Known words for the terms that stand in no row."""
    missing = [term for term, count in found.items() if not count][:_GUESSED_TERMS]
    return tuple(guess for term in missing for guess in spelling.guesses(connection, term))


@lru_cache(maxsize=64)
def _day(number: int) -> str:
    return datetime.fromtimestamp(number * 86_400, UTC).strftime("%d %B %Y").lstrip("0")


def _date(at: float | None) -> str:
    """A day as people write it, such as 9 July 2022."""
    return "" if at is None else _day(int(at // 86_400))
