"""What several indexes found, as one list, within a budget of tokens."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from milepost.api import views
from milepost.base.tokens import clip, count
from milepost.search.terms import stems, terms, tokens

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from milepost.memory.entry import Entry

# What a result costs besides its words: the id, the score and where it comes from.
_FACTS_TOKENS = 40

# A shorter piece of an entry tells nothing.
_LEAST_TOKENS = 15


def merged(question: str, found: Iterable[list[tuple[float, Entry]]]) -> list[tuple[float, Entry]]:
    """The hits of several indexes, best first.

    Each index gives its own best hit about the same score, however little of the question that one
    holds. So an index counts by the share of the question's terms that its best hit holds, and by
    half of the best such share when it was found by other than its terms.
    """
    indexes = [hits for hits in found if hits]
    if len(indexes) > 1:
        asked = {stem for term in terms(question) for stem in stems(term)}
        shares = [_share(asked, hits[0][1]) for hits in indexes]
        most = max(shares) or 1.0
        indexes = [
            [(score * (share or most / 2) / most, entry) for score, entry in hits]
            for share, hits in zip(shares, indexes, strict=True)
        ]
    return sorted((pair for hits in indexes for pair in hits), key=lambda pair: -pair[0])


def within(
    found: Sequence[tuple[float, Entry]],
    budget_tokens: int,
    viewed: Callable[[Entry], views.Entry],
) -> tuple[list[views.Hit], int]:
    """The best of `found` that fit, whole while there is room, then one of them shortened; and how
    many more there are."""
    hits: list[views.Hit] = []
    room = budget_tokens
    for score, entry in found:
        view = viewed(entry)
        cost = count(view.text) + _FACTS_TOKENS
        if cost > room and room < _FACTS_TOKENS + _LEAST_TOKENS:
            break
        if cost > room:
            short = dataclasses.replace(view, text=clip(view.text, room - _FACTS_TOKENS))
            hits.append(views.Hit(short, round(score, 3), is_shortened=True))
            break
        hits.append(views.Hit(view, round(score, 3)))
        room -= cost
    return hits, len(found) - len(hits)


def _share(asked: set[str], entry: Entry) -> float:
    held = asked.intersection(tokens(" ".join((entry.text, *entry.anchors))))
    return len(held) / len(asked) if asked else 0.0
