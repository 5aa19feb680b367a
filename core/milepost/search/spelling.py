"""Words that a question nearly has: a letter off, a piece of a longer one, or grown by an ending.

Asked only for terms that stand in no row, so a word that is there is never second-guessed. The
words of all texts and their stems are kept in a table of their own: FTS5's vocabulary has no
spellings, and to look one word up in it costs as much as a hundred here. A second table holds the
tails of each word, so that `bouncer` leads to pgbouncer: a trigram index over the texts does that
too, but doubles the time of a search and answers worse on prose (measured).
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from milepost.search.terms import stems, tokens

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

# The words of texts that are gone, until it is seen which of them no other text has.
GONE_SCHEMA = """
    CREATE TABLE doc_gone (number INTEGER PRIMARY KEY AUTOINCREMENT, words TEXT NOT NULL) STRICT;
"""

_LETTERS = "abcdefghijklmnopqrstuvwxyz"

# In shorter words one letter makes another word more often than a mistake: port, post, part.
_MIN_LETTERS = 5

# Longer runs of letters are keys and encodings; nobody misspells them, and texts are full of them.
_MAX_LETTERS = 24

_WORD = re.compile(rf"(?<![^\W_])[a-z]{{{_MIN_LETTERS},{_MAX_LETTERS}}}(?![^\W_])")

# A mistake has one or two readings; what has more is a short word with many neighbours.
_MAX_GUESSES = 3


def learn(connection: sqlite3.Connection, text: str) -> None:
    """Keep the words of a text."""
    words = words_of(text)
    new = _keep(connection, words)
    if new:
        _keep(connection, set(tokens(" ".join(new))) - words)
        connection.executemany("INSERT OR IGNORE INTO doc_tail VALUES (?, ?)", _tails(new))


def words_of(text: str) -> set[str]:
    """The words of a text that `learn` keeps."""
    return set(_WORD.findall(text.lower()))


def learn_all(connection: sqlite3.Connection, words: set[str]) -> None:
    """Keep the words of many texts, each once and in the order of the tables."""
    new = sorted(_keep(connection, words))
    _keep(connection, set(tokens(" ".join(new))) - words)
    connection.executemany("INSERT OR IGNORE INTO doc_tail VALUES (?, ?)", sorted(_tails(new)))


def unlearn(connection: sqlite3.Connection, text: str) -> None:
    """Note the words of a text that is gone: to look whether a text that stays has them costs too
    much to wait for."""
    words = json.dumps(sorted(words_of(text)))
    connection.execute("INSERT INTO doc_gone (words) VALUES (?)", (words,))


def forget(connection: sqlite3.Connection, noted: Iterable[str]) -> None:
    """Let go of noted words that no text has: what was forgotten must not linger here."""
    words: set[str] = set()
    for each in noted:
        words.update(json.loads(each))
    stem_of = dict(zip(words, tokens(" ".join(words)), strict=True))
    gone = {
        word: stem
        for word, stem in stem_of.items()
        if not connection.execute(
            "SELECT 1 FROM doc_fts WHERE doc_fts MATCH ? LIMIT 1", (word,)
        ).fetchone()
    }
    connection.executemany(
        "DELETE FROM doc_word WHERE word = ?", [(word,) for pair in gone.items() for word in pair]
    )
    connection.executemany("DELETE FROM doc_tail WHERE tail = ? AND word = ?", _tails(gone))


def guesses(connection: sqlite3.Connection, term: str) -> tuple[str, ...]:
    """Known words for a term that is not: those one letter off, else those that begin with it, else
    those whose stem is one letter off, else those that hold it, else the longest beginning."""
    if not _WORD.fullmatch(term):
        return ()
    (stem,) = stems(term)
    return (
        _known(connection, _one_off(term))
        or _longer(connection, term)
        or _known(connection, _one_off(stem))
        or _holding(connection, term)
        or _known(connection, _beginnings(term))[:1]
    )


def _tails(words: Iterable[str]) -> list[tuple[str, str]]:
    return [(word[at:], word) for word in words for at in range(1, len(word) - _MIN_LETTERS + 1)]


def _one_off(word: str) -> set[str]:
    """What one letter left out, put in, exchanged or swapped with the next makes of a word."""
    cuts = [(word[:at], word[at:]) for at in range(len(word) + 1)]
    return {
        *(head + tail[1:] for head, tail in cuts if tail),
        *(head + tail[1] + tail[0] + tail[2:] for head, tail in cuts if len(tail) > 1),
        *(head + letter + tail[1:] for head, tail in cuts if tail for letter in _LETTERS),
        *(head + letter + tail for head, tail in cuts for letter in _LETTERS),
    }


def _beginnings(word: str) -> set[str]:
    return {word[:end] for end in range(_MIN_LETTERS, len(word))}


def _keep(connection: sqlite3.Connection, words: set[str]) -> list[str]:
    """Add words; those that were new."""
    rows = connection.execute(
        "INSERT OR IGNORE INTO doc_word SELECT value FROM json_each(?) WHERE true RETURNING word",
        (json.dumps(sorted(words)),),
    )
    return [row[0] for row in rows]


def _known(connection: sqlite3.Connection, words: Iterable[str]) -> tuple[str, ...]:
    rows = connection.execute(
        "SELECT word FROM doc_word WHERE word IN (SELECT value FROM json_each(?)) "
        "ORDER BY length(word) DESC, word LIMIT ?",
        (json.dumps(list(words)), _MAX_GUESSES),
    )
    return tuple(row[0] for row in rows)


def _longer(connection: sqlite3.Connection, term: str) -> tuple[str, ...]:
    rows = connection.execute(
        "SELECT word FROM doc_word WHERE word > :term AND word < :term || '{' "
        "ORDER BY length(word), word LIMIT :most",
        {"term": term, "most": _MAX_GUESSES},
    )
    return tuple(row[0] for row in rows)


def _holding(connection: sqlite3.Connection, term: str) -> tuple[str, ...]:
    rows = connection.execute(
        "SELECT DISTINCT word FROM doc_tail WHERE tail >= :term AND tail < :term || '{' "
        "ORDER BY length(word), word LIMIT :most",
        {"term": term, "most": _MAX_GUESSES},
    )
    return tuple(row[0] for row in rows)
