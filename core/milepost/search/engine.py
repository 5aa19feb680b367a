"""Where the candidates come from: the seam at which another full-text engine can stand.

An engine says which rows hold the asked words, and how well by its own count. What else there is to
a row, and which comes first, is decided above it by `table` and `ranking`. An engine is told of no
change: the rows of `doc` are the truth, and an engine with an index of its own follows them, asking
SQLite for what it has not seen yet. FTS5 follows by triggers, inside the change itself.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from milepost.search.ranking import Candidate

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping

# Scoring a row costs a microsecond or two. When the terms stand in more rows than this, only rows
# that hold a rare one are scored, on all terms: milliseconds instead of hundreds of them at a
# million rows.
_SCORED_ROWS = 5_000

# A little more than the half, because the counts are rough.
_TELLING_SHARE = 0.6

# Weights of title, body, parts and date in FTS5's bm25. A word of a title counts twice; a part as
# much as a word, for to Chinese, Japanese and Korean the parts are the words.
_BM25 = "bm25(2.0, 1.0, 1.0, 1.0)"


@dataclass(frozen=True, slots=True)
class Only:
    """An SQL condition on `doc.rowid`, with named parameters."""

    condition: str = "1"
    parameters: Mapping[str, object] = field(default_factory=dict[str, object])


@dataclass(frozen=True, slots=True)
class Asked:
    """Terms to look for, with the number of rows each stands in, roughly, of how many rows; and
    the rows that the table's owner lets through."""

    rows_of: Mapping[str, int]
    rows: int
    only: Only


class Engine(Protocol):
    """Full-text search over the rows of `doc`."""

    def candidates(
        self, connection: sqlite3.Connection, asked: Asked, limit: int
    ) -> list[Candidate]:
        """The rows that hold any of the terms, best first, with scores above zero."""
        ...


class Fts5:
    """SQLite's own, in the same file and the same transaction as the rows."""

    def candidates(
        self, connection: sqlite3.Connection, asked: Asked, limit: int
    ) -> list[Candidate]:
        """By bm25; where the terms are common, only rows that hold a rare one."""
        rows = connection.execute(
            f"""
            SELECT doc.rowid, -rank, doc.title, doc.at, doc.session, doc.place
            FROM doc_fts JOIN doc ON doc.rowid = doc_fts.rowid
            WHERE doc_fts MATCH :match AND rank MATCH '{_BM25}' AND {asked.only.condition}
            ORDER BY rank LIMIT {limit}
            """,  # noqa: S608  (constants, and a condition written by the owner)
            {"match": _match(asked.rows_of, asked.rows), **asked.only.parameters},
        )
        return [Candidate(*row) for row in rows]


def _match(rows_of: Mapping[str, int], rows: int) -> str:
    """The FTS5 expression: any of the terms; where they are common, and a rare one."""
    if sum(rows_of.values()) <= _SCORED_ROWS:
        return _any(list(rows_of))
    # To bm25 a word that half of the rows hold is worth nothing, but it reads the list of them all.
    telling = [term for term, count in rows_of.items() if 0 < count < rows * _TELLING_SHARE]
    every = _any(telling or list(rows_of))
    rare: list[str] = []
    total = 0
    for term in sorted((term for term, rows in rows_of.items() if rows), key=rows_of.__getitem__):
        total += rows_of[term]
        if rare and total > _SCORED_ROWS:
            break
        rare.append(term)
    return f"({_any(rare)}) AND ({every})"


def _any(terms: list[str]) -> str:
    return " OR ".join(f'"{term}"' for term in terms)
