"""Texts that say nearly the same, found at a cost that does not grow with the table.

Each text is kept by a few numbers. Its words are put in an order that has nothing to do with their
meaning, that of a hash; the first five are its sample, and every three of them make a key. Texts
that share most of their words share most of their samples, and so a key (a bottom-k sketch: Broder,
"On the resemblance and containment of documents", 1997). Of pairs that share 60 % of their words
nine in ten share a key, at 80 % nearly all; at 10 % one in a hundred (simulated). Whoever asks
compares what is found by all words.
"""

from __future__ import annotations

import re
import zlib
from functools import lru_cache
from itertools import combinations
from typing import TYPE_CHECKING

from milepost.search.terms import STOP_WORDS, terms

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

SCHEMA = """
    CREATE TABLE doc_alike (
        key INTEGER NOT NULL, doc INTEGER NOT NULL, PRIMARY KEY (key, doc)
    ) STRICT, WITHOUT ROWID;
"""

# Ten keys a text. With six words there are twenty, which find a few more and cost twice as much.
_SAMPLE = 5
_AT_ONCE = 3

# Texts of one mould ("moved X to Y") share keys by the thousand; the newest of them will do, and
# those that share the most keys come first. Among 10,000 sentences of prose, a hundred of each find
# no more.
_ROWS_PER_KEY = 16

_NEWEST_OF_KEY = (
    "SELECT doc FROM (SELECT doc FROM doc_alike WHERE key = ? "  # noqa: S608  (constants)
    f"ORDER BY doc DESC LIMIT {_ROWS_PER_KEY})"
)

_WORD = re.compile(r"\w+")

# Enough to tell port from portal, and it makes one word of listens and listening.
_STEM_CHARS = 6

# A prime (FNV's, of 32 bits) spreads sums of products well.
_PRIME = 16_777_619
_KEY_BITS = 0x7FFF_FFFF


def keep(connection: sqlite3.Connection, rowid: int, text: str) -> None:
    """Keep a text's keys."""
    connection.executemany(
        "INSERT OR IGNORE INTO doc_alike VALUES (?, ?)", [(key, rowid) for key in keys(text)]
    )


def keep_all(connection: sqlite3.Connection, rows: Iterable[tuple[int, int]]) -> None:
    """Keep many keys with their rowids; in the order of the table, that is ten times faster."""
    connection.executemany("INSERT OR IGNORE INTO doc_alike VALUES (?, ?)", sorted(rows))


def drop(connection: sqlite3.Connection, rowid: int, text: str) -> None:
    """Let go of a text's keys."""
    connection.executemany(
        "DELETE FROM doc_alike WHERE key = ? AND doc = ?", [(key, rowid) for key in keys(text)]
    )


def find(connection: sqlite3.Connection, text: str, limit: int) -> list[tuple[int, str]]:
    """The rowids and bodies of texts that may be alike, those that share the most keys first."""
    wanted = tuple(keys(text))
    if not wanted:
        return []
    # One statement takes a third of the time of ten.
    each = " UNION ALL ".join([_NEWEST_OF_KEY] * len(wanted))
    return connection.execute(
        f"SELECT rowid, body FROM (SELECT doc AS near FROM ({each}) "  # noqa: S608  (constants)
        "GROUP BY doc ORDER BY count(*) DESC, doc DESC LIMIT ?) JOIN doc ON rowid = near",
        (*wanted, limit),
    ).fetchall()


def keys(text: str) -> set[int]:
    """The keys of a text; the same for ever, for they are kept."""
    if text.isascii():
        every = set(_WORD.findall(text.lower()))
        words = every - STOP_WORDS or every
    else:
        # Chinese, Japanese and Korean have no spaces between words.
        words = set(terms(text))
    sample = sorted(set(map(_hash, words)))[:_SAMPLE]
    if len(sample) < _AT_ONCE:
        return {_key(*(*sample, 0, 0)[:_AT_ONCE])} if sample else set()
    found = {_key(*few) for few in combinations(sample, _AT_ONCE)}
    if len(sample) == _AT_ONCE:
        # A text of three words is like one of two.
        found.update(_key(*few, 0) for few in combinations(sample, 2))
    return found


@lru_cache(maxsize=20_000)
def _hash(word: str) -> int:
    """The place of a word in the order; a checksum of short words is not evenly spread before it is
    multiplied."""
    # Names and numbers are told apart by their ends.
    stem = word.rstrip("s")[:_STEM_CHARS] if word.isalpha() else word
    return (zlib.crc32(stem.encode()) * _PRIME) & 0xFFFF_FFFF


def _key(first: int, second: int, third: int) -> int:
    return (first * 3 + second * 5 + third * 7) & _KEY_BITS
