"""Deciding among the candidates: titles, neighbours, sessions and age.

FTS5 pools the lengths of all columns, so a short title in a long text drowns: titles are scored
once more by a BM25 of their own. In a record of work the line that answers often stands beside the
line that matches, so each row lends part of its score to its neighbours and to its session. Work
ages fast, facts slowly. The weights were found on public sets of conversations, code and commits
(see tests/bench/recall).
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from milepost.search.terms import stems, words_of_title

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

# What a title adds to a row's score, beside its share in FTS5's own. Less is worse where every row
# has a path (measured); with more, the path of one row beats the text of another that says it all.
_TITLE_WEIGHT = 0.75

# BM25's constants (Robertson and Zaragoza, "The Probabilistic Relevance Framework", 2009).
_K1 = 1.2
_B = 0.75

# What a row gains that holds every path, flag or number of the question as it is written: enough to
# come before rows that hold the same words apart, too little to come before a row that holds more.
_LITERAL_WEIGHT = 0.5

# How much of a row is read for that: an entry is a paragraph, but a tool call may carry a file, and
# all candidates together should cost a millisecond.
_READ_CHARS = 4_000

# What a row gains from the scores of the two rows before it and the two after it.
_NEIGHBOURS = ((-1, 0.5), (-2, 0.25), (1, 0.3), (2, 0.15))

# What a row gains from the best row of its session.
_SESSION_WEIGHT = 0.5

# A row whose meaning is far from the question may lose all that its words gave it, but not its
# place among others like it.
_LEAST_SCORE = 0.01

_DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Profile:
    """How a kind of text ages, and whether it is a record in which neighbours matter. A new text
    is worth 1 + `recency_weight`, falling by e in `recency_days`."""

    recency_weight: float
    recency_days: float
    is_record: bool


FACTS = Profile(recency_weight=0.3, recency_days=365.0, is_record=False)
WORK = Profile(recency_weight=1.0, recency_days=365.0, is_record=True)


class Candidate(NamedTuple):
    """A row that holds a term, with FTS5's score."""

    rowid: int
    score: float
    title: str
    at: float | None
    session: str
    place: int


def rank(
    connection: sqlite3.Connection,
    candidates: list[Candidate],
    asked: tuple[str, ...],
    literals: tuple[str, ...],
    profile: Profile,
    *,
    now: float,
    nearness: Callable[[list[int]], dict[int, float]] | None = None,
) -> list[tuple[int, float]]:
    """The rowids, best first, with scores of which 1 is the best word match.

    `nearness` tells what each row gains or loses by its meaning, where a model is at hand.
    """
    if not candidates:
        return []
    titles = _title_scores(connection, candidates, asked)
    scores = {
        one.rowid: one.score + _TITLE_WEIGHT * titles.get(one.rowid, 0.0) for one in candidates
    }
    best = max(scores.values()) or 1.0
    scores = {rowid: score / best for rowid, score in scores.items()}
    for rowid, share in _held(connection, candidates, literals).items():
        scores[rowid] += _LITERAL_WEIGHT * share
    if nearness is not None:
        for rowid, gain in nearness(list(scores)).items():
            scores[rowid] = _positive(scores[rowid] + gain)
    ages = {one.rowid: one.at for one in candidates}
    if profile.is_record:
        scores = _with_neighbours(connection, candidates, scores, ages)
    weighed = (
        (rowid, score * _freshness(ages[rowid], now, profile)) for rowid, score in scores.items()
    )
    return sorted(weighed, key=lambda pair: (-pair[1], pair[0]))


def _positive(score: float) -> float:
    """The score in the same order above zero: what follows are factors, which would turn around
    what is below."""
    return score if score > _LEAST_SCORE else _LEAST_SCORE * math.exp(score - _LEAST_SCORE)


def _freshness(at: float | None, now: float, profile: Profile) -> float:
    if at is None:
        return 1.0
    # A clock that was set back must not make a text come from the future.
    age_days = max(0.0, now - at) / _DAY_S
    return 1.0 + profile.recency_weight * math.exp(-age_days / profile.recency_days)


def _title_scores(
    connection: sqlite3.Connection, candidates: list[Candidate], asked: tuple[str, ...]
) -> dict[int, float]:
    """BM25 of the titles alone; the mean length is that of the candidates' titles."""
    titles = {
        one.rowid: Counter(stem for word in words_of_title(one.title) for stem in stems(word))
        for one in candidates
        if one.title
    }
    if not titles:
        return {}
    # Where few rows have a title, a word is rare in titles without saying much.
    newest = int(connection.execute("SELECT max(rowid) FROM doc").fetchone()[0])
    total = newest * len(titles) / len(candidates)
    mean = sum(counts.total() for counts in titles.values()) / len(titles)
    scores: defaultdict[int, float] = defaultdict(float)
    for stem in {stem for term in asked for stem in stems(term)}:
        row = connection.execute(
            "SELECT doc FROM doc_columns WHERE term = ? AND col = 'title'", (stem,)
        ).fetchone()
        if row is None:
            continue
        idf = math.log(1.0 + (total - row[0] + 0.5) / (row[0] + 0.5)) if total > row[0] else 0.0
        for rowid, counts in titles.items():
            times = counts[stem]
            if times:
                norm = 1.0 - _B + _B * counts.total() / mean
                scores[rowid] += idf * times * (_K1 + 1.0) / (times + _K1 * norm)
    return scores


def _held(
    connection: sqlite3.Connection, candidates: list[Candidate], literals: tuple[str, ...]
) -> dict[int, float]:
    """The share of the question's literals that each row holds. `app.py` may end a path and `tests`
    begin one, but `1.2` is not in 1.2.3, nor `--no` in --no-verify."""
    if not literals:
        return {}
    patterns = {
        literal: re.compile(rf"(?<!\w)(?<!\d\.){re.escape(literal)}(?![-.]?\w)")
        for literal in literals
    }
    rows = connection.execute(
        "SELECT rowid, title || ' ' || substr(body, 1, ?) FROM doc "
        "WHERE rowid IN (SELECT value FROM json_each(?))",
        (_READ_CHARS, json.dumps([one.rowid for one in candidates])),
    )
    shares: dict[int, float] = {}
    for rowid, text in rows:
        lowered = text.lower()
        held = [
            lit for lit, pattern in patterns.items() if lit in lowered and pattern.search(lowered)
        ]
        shares[rowid] = len(held) / len(patterns)
    return shares


def _with_neighbours(
    connection: sqlite3.Connection,
    candidates: list[Candidate],
    scores: dict[int, float],
    ages: dict[int, float | None],
) -> dict[int, float]:
    """The scores with what rows lend each other; rows that hold no term may come in by it."""
    at_place = {(one.session, one.place): one.rowid for one in candidates if one.session}
    for place, rowid, at in _neighbours(connection, at_place):
        at_place[place] = rowid
        ages[rowid] = at
    best_of: defaultdict[str, float] = defaultdict(float)
    for one in candidates:
        best_of[one.session] = max(best_of[one.session], scores[one.rowid])
    lent = {one.rowid: scores[one.rowid] for one in candidates if not one.session}
    for (session, place), rowid in at_place.items():
        score = scores.get(rowid, 0.0) + _SESSION_WEIGHT * best_of[session]
        for distance, weight in _NEIGHBOURS:
            neighbour = at_place.get((session, place + distance))
            score += weight * scores.get(neighbour, 0.0) if neighbour is not None else 0.0
        lent[rowid] = score
    return lent


def _neighbours(
    connection: sqlite3.Connection, at_place: dict[tuple[str, int], int]
) -> list[tuple[tuple[str, int], int, float | None]]:
    """The rows beside the candidates that are no candidates themselves."""
    wanted = {
        (session, place + distance)
        for session, place in at_place
        for distance, _ in _NEIGHBOURS
        if (session, place + distance) not in at_place
    }
    found: list[tuple[tuple[str, int], int, float | None]] = []
    for session, place in wanted:
        row = connection.execute(
            "SELECT rowid, at FROM doc WHERE session = ? AND place = ? AND session <> ''",
            (session, place),
        ).fetchone()
        if row is not None:
            found.append(((session, place), row[0], row[1]))
    return found
