"""From a question in plain words to the terms that are looked for.

A user's words handed straight to MATCH are joined by AND and find nothing, and a stray quote or
`NEAR` makes them an error. So: words and the parts of compound names, stop words out; the table
quotes each and joins them by OR, and the ranking sorts out the rest.

Chinese, Japanese and Korean run on without spaces, or with few, and FTS5 takes such a run for one
word. Its parts are the pairs of neighbouring characters: most words of these languages have two,
and a longer word is found by its pairs.
"""

from __future__ import annotations

import contextlib
import re
import sqlite3
import threading
import unicodedata
from functools import lru_cache
from itertools import chain, pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

# A question of more terms than this gains nothing from the rest and costs as much again.
MAX_TERMS = 32

# A question quotes one or two things as they are written; a pasted log would quote hundreds.
_MAX_LITERALS = 8

# Kana, the unified ideographs with their sign of repetition, Hangul.
_CJK = "々\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff\U00020000-\U0003ffff"

_WORD = re.compile(r"\w+")
_ASCII_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
# The E of E1207 stands in every error code, and finds them all.
_ONE_LETTER = re.compile(r"[a-z]")

# Most words of a text are simple; to step over them takes a third off the time of a save.
_SIMPLE = re.compile(r"[A-Za-z][a-z]*")
_NOT_SIMPLE = re.compile(r"(?<!\w)(?![A-Za-z][a-z]*(?!\w))\w+")
_SIGN = re.compile(r"[^\w'\u2019].*\w")

STOP_WORDS = frozenset(
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
    words: list[str] = _WORD.findall(_plain(question))
    found = dict.fromkeys(chain.from_iterable(map(_terms_of, words)))
    if not found:
        found = dict.fromkeys(word.lower() for word in words if word.strip("_"))
    return tuple(found)[:MAX_TERMS]


def literals(question: str) -> tuple[str, ...]:
    """What a question says with signs in it, in lower case: paths, flags, addresses, versions.
    FTS5 sees only their words, in any order and any place."""
    runs = (run.lstrip("\"'`([{<").rstrip("\"'`)]}>.,;:!?") for run in question.lower().split())
    return tuple(dict.fromkeys(run for run in runs if _SIGN.search(run)))[:_MAX_LITERALS]


def parts(word: str) -> tuple[str, ...]:
    """The parts of a camelCase or snake_case name, in lower case, and the pairs of characters of
    Chinese, Japanese and Korean; nothing for a simple word."""
    if word.isascii():
        simple = [part.lower() for part in _ASCII_PARTS.findall(word)]
        return tuple(simple) if simple != [word.lower()] else ()
    found: list[str] = []
    for part in _any_parts().findall(word):
        if _one_cjk().match(part):
            found.extend(map("".join, pairwise(part)) if len(part) > 1 else part)
        else:
            found.append(part.lower())
    return tuple(found) if found != [word.lower()] else ()


def parts_of_text(text: str) -> str:
    """The parts of all compound names in `text`, for a column of their own; of Chinese, Japanese
    and Korean the single characters too, for a question may consist of one."""
    plain = _plain(text)
    found: dict[str, None] = {}
    for word in _NOT_SIMPLE.findall(plain):
        found.update(dict.fromkeys(parts(word)))
    if not plain.isascii():
        found.update(dict.fromkeys(_one_cjk().findall(plain)))
    if plain != text:
        found.update((word.lower(), None) for word in _WORD.findall(plain) if word not in text)
    return " ".join(found)


def words_of_title(title: str) -> tuple[str, ...]:
    """The words of a name or a path, compound names taken apart."""
    words: list[str] = []
    for word in _WORD.findall(_plain(title)):
        words.extend(parts(word) or (word.lower(),))
    return tuple(words)


def tokens(text: str) -> tuple[str, ...]:
    """The tokens that FTS5's `porter unicode61` makes of a text: asked of FTS5 itself, so that no
    stemmer of ours can disagree with it."""
    return tokens_of_each((text,))[0]


def tokens_of_each(texts: Sequence[str]) -> list[tuple[str, ...]]:
    """The tokens of several texts, in little more time than those of one."""
    if sum(map(len, texts)) > _MAX_STEMMED_CHARS:
        with contextlib.closing(_new_stemmer()) as stemmer:
            return _tokens(stemmer, texts)
    with _STEMMER_GUARD:
        return _tokens(_stemmer(), texts)


def stems(term: str) -> tuple[str, ...]:
    """The tokens of a term: one, or one for each part of a snake_case name."""
    return stems_of_each((term,))[0]


def stems_of_each(terms: Sequence[str]) -> list[tuple[str, ...]]:
    """The tokens of several terms. Asking FTS5 costs a hundred times what it costs to remember, so
    it is asked for all that are new at once."""
    known = {term: _STEMS.get(term) for term in terms}
    missing = [term for term, tokens in known.items() if tokens is None]
    if missing:
        made = dict(zip(missing, tokens_of_each(missing), strict=True))
        if len(_STEMS) > _MAX_STEMS:
            _STEMS.clear()
        _STEMS.update(made)
        known |= made
    return [known[term] or () for term in terms]


def words_of(text: str) -> list[str]:
    """The words of a text of ASCII signs, in lower case, as `stems` takes them."""
    return _WORD.findall(text.lower())


# The words that people use, and those of a large project; a few MB.
_MAX_STEMS = 20_000
_STEMS: dict[str, tuple[str, ...]] = {}

_STEMMER_GUARD = threading.Lock()

# A stemmer that was given a whole vocabulary is ten times slower with single words ever after.
_MAX_STEMMED_CHARS = 100_000


# Compiling these two takes as long as a search; most texts are of ASCII signs.
@lru_cache(maxsize=1)
def _one_cjk() -> re.Pattern[str]:
    return re.compile(f"[{_CJK}]")


@lru_cache(maxsize=1)
def _any_parts() -> re.Pattern[str]:
    others = rf"[{_CJK}]+|[^\W\d_A-Za-z{_CJK}]+"
    return re.compile(rf"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|{others}")


@lru_cache(maxsize=1)
def _stemmer() -> sqlite3.Connection:
    return _new_stemmer()


def _new_stemmer() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    connection.executescript(
        "CREATE VIRTUAL TABLE word USING fts5("
        "x, content='', tokenize='porter unicode61 remove_diacritics 2');"
        "CREATE VIRTUAL TABLE token USING fts5vocab('word', 'instance');"
    )
    return connection


def _tokens(stemmer: sqlite3.Connection, texts: Sequence[str]) -> list[tuple[str, ...]]:
    # All at once, for a row that is deleted leaves its words behind for a while.
    stemmer.execute("INSERT INTO word (word) VALUES ('delete-all')")
    stemmer.execute("BEGIN")
    stemmer.executemany("INSERT INTO word (rowid, x) VALUES (?, ?)", enumerate(texts))
    stemmer.execute("COMMIT")
    rows: list[tuple[int, str]] = stemmer.execute(
        "SELECT doc, term FROM token ORDER BY doc, offset"
    ).fetchall()
    found: list[list[str]] = [[] for _ in texts]
    for number, term in rows:
        found[number].append(term)
    return [tuple(each) for each in found]


# Texts say the same words again and again, and a save looks at those of all texts it compares.
@lru_cache(maxsize=10_000)
def _terms_of(word: str) -> tuple[str, ...]:
    """The terms of one word; none of a stop word."""
    lower = word.lower()
    if lower in STOP_WORDS or not word.strip("_"):
        return ()
    if _SIMPLE.fullmatch(word):
        return (lower,)
    return lower, *(part for part in parts(word) if not _ONE_LETTER.fullmatch(part))


def _plain(text: str) -> str:
    """Full-width letters and digits, ligatures and half-width kana in their common form."""
    return text if text.isascii() else unicodedata.normalize("NFKC", text)


def stems_in_each(texts: list[str]) -> list[set[str]]:
    """The stems of the words of each text; all words are asked for at once. A word with digits in
    it is its own stem here: those are names and numbers, each new, and all would have to be asked
    for."""
    each = [terms(text) for text in texts]
    every = tuple(term for term in set(chain(*each)) if not _is_number(term))
    stems_of = dict(zip(every, stems_of_each(every), strict=True))
    return [{stem for term in found for stem in stems_of.get(term, (term,))} for found in each]


def _is_number(term: str) -> bool:
    return term.isalnum() and not term.isalpha()
