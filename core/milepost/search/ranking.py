"""Deciding among the candidates: titles, neighbours, sessions and age.

FTS5 pools the lengths of all columns, so a short title in a long text drowns: titles are scored
once more by a BM25 of their own. In a record of work the line that answers often stands beside the
line that matches, so each row lends part of its score to its neighbours and to its session. Work
ages fast, facts slowly. The weights were found on public sets of conversations, code and commits
(see tests/bench/recall).
"""

from __future__ import annotations

import math
import time
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from milepost.search.terms import stems, words_of_title

if TYPE_CHECKING:
    import sqlite3

# What a title adds to a row's score, beside its share in FTS5's own.
_TITLE_WEIGHT = 0.5

# BM25's constants (Robertson and Zaragoza, "The Probabilistic Relevance Framework", 2009).
_K1 = 1.2
_B = 0.75

# What a row gains from the scores of the two rows before it and the two after it.
_NEIGHBOURS = ((-1, 0.5), (-2, 0.25), (1, 0.3), (2, 0.15))

# What a row gains from the best row of its session.
_SESSION_WEIGHT = 0.5

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
    profile: Profile,
) -> list[tuple[int, float]]:
    """The rowids, best first, with scores of which 1 is the best word match."""
    if not candidates:
        return []
    titles = _title_scores(connection, candidates, asked)
    scores = {
        one.rowid: one.score + _TITLE_WEIGHT * titles.get(one.rowid, 0.0) for one in candidates
    }
    best = max(scores.values()) or 1.0
    scores = {rowid: score / best for rowid, score in scores.items()}
    ages = {one.rowid: one.at for one in candidates}
    if profile.is_record:
        scores = _with_neighbours(connection, candidates, scores, ages)
    now = time.time()
    weighed = (
        (rowid, score * _freshness(ages[rowid], now, profile)) for rowid, score in scores.items()
    )
    return sorted(weighed, key=lambda pair: (-pair[1], pair[0]))


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
    total = int(connection.execute("SELECT max(rowid) FROM doc").fetchone()[0])
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
