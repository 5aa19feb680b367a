"""From a question in plain words to the terms that are looked for.

A user's words handed straight to MATCH are joined by AND and find nothing, and a stray quote or
`NEAR` makes them an error. So: words and the parts of compound names, stop words out; the table
quotes each and joins them by OR, and the ranking sorts out the rest.
"""

from __future__ import annotations

import re
import sqlite3
import threading
from functools import lru_cache

# A question of more terms than this gains nothing from the rest and costs as much again.
MAX_TERMS = 32

_WORD = re.compile(r"\w+")
_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_A-Za-z]+")

_STOP_WORDS = frozenset(
    re.findall(
        r"\w+",
        "a about am an and any are as at be been but by can could did do does doing for from had "
        "has have how i if in into is it its me my of on or our shall should so some such than "
        "that the their them then there these they this those to us was we were what when where "
        "which who whom why will with would you your",
    )
)


def terms(question: str) -> tuple[str, ...]:
    """The distinct terms to look for, in lower case; stop words only when there is nothing else."""
    words = [word for word in _WORD.findall(question) if word.strip("_")]
    found: dict[str, None] = {}
    for word in words:
        if word.lower() not in _STOP_WORDS:
            found[word.lower()] = None
            found.update(dict.fromkeys(parts(word)))
    if not found:
        found.update((word.lower(), None) for word in words)
    return tuple(found)[:MAX_TERMS]


def parts(word: str) -> tuple[str, ...]:
    """The parts of a camelCase or snake_case name, in lower case; nothing for a simple word."""
    found = tuple(part.lower() for part in _PARTS.findall(word))
    return found if len(found) > 1 else ()


def parts_of_text(text: str) -> str:
    """The parts of all compound names in `text`, for a column of their own."""
    found: dict[str, None] = {}
    for word in _WORD.findall(text):
        found.update(dict.fromkeys(parts(word)))
    return " ".join(found)


def words_of_title(title: str) -> tuple[str, ...]:
    """The words of a name or a path, compound names taken apart."""
    words: list[str] = []
    for word in _WORD.findall(title):
        words.extend(parts(word) or (word.lower(),))
    return tuple(words)


@lru_cache(maxsize=20_000)
def stems(term: str) -> tuple[str, ...]:
    """The tokens that FTS5's `porter unicode61` makes of a term: asked of FTS5 itself, so that no
    stemmer of ours can disagree with it."""
    with _STEMMER_GUARD:
        connection = _stemmer()
        connection.execute("DELETE FROM word")
        connection.execute("INSERT INTO word VALUES (?)", (term,))
        rows = connection.execute("SELECT term FROM token ORDER BY offset").fetchall()
    return tuple(row[0] for row in rows)


_STEMMER_GUARD = threading.Lock()


@lru_cache(maxsize=1)
def _stemmer() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    connection.executescript(
        "CREATE VIRTUAL TABLE word USING fts5(x, tokenize='porter unicode61 remove_diacritics 2');"
        "CREATE VIRTUAL TABLE token USING fts5vocab('word', 'instance');"
    )
    return connection
