"""What several indexes found, as one list, within a budget of tokens."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from milepost.api import views
from milepost.base.symbols import last_name
from milepost.base.tokens import clip, count
from milepost.memory.anchors import bare
from milepost.search.terms import stems, stems_of_each, terms, tokens, words_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from milepost.memory.entry import Entry
    from milepost.memory.store import MemoryStore

    # A score, the memory that an entry is from, and the entry.
    Find = tuple[float, MemoryStore | None, Entry]

# What a result costs besides its words: the id, the score and where it comes from.
_FACTS_TOKENS = 40

# A shorter piece of an entry tells nothing.
_LEAST_TOKENS = 15

# Enough to decide between finds that are about as good, and less than the weight of a status.
_NEARNESS = {"task": 1.09, "session": 1.09, "worktree": 1.06, "project": 1.03, "global": 1.0}

# A word that was guessed stands in no text, so an index counts for no less than this of its scores.
_LEAST_SHARE = 0.4

# An entry is a few sentences; of a longer one, so much is looked at.
_READ_CHARS = 4_000


def merged(
    question: str, found: Iterable[tuple[MemoryStore | None, list[tuple[float, Entry]]]]
) -> list[Find]:
    """The hits of several indexes, best first, each with the memory that it is from (None: it is a
    rule of an agents' own file).

    Each index gives its own best hit about the same score, however little of the question that one
    holds: the best of three notes may hold one word, the best of a thousand entries all of them. So
    an index counts by the share of the question's terms that its best hit holds, and by half of the
    best such share when it was found by other than its terms. And what is nearer to the work at
    hand counts a little more.
    """
    indexes = [(store, hits) for store, hits in found if hits]
    asked = {stem for term in terms(question) for stem in stems(term)}
    shares = [_share(asked, hits[0][1]) for _, hits in indexes]
    most = max(shares, default=0.0) or 1.0
    weighed: list[Find] = []
    for share, (store, hits) in zip(shares, indexes, strict=True):
        counts = max(_LEAST_SHARE, (share or most / 2) / most)
        weighed += (
            (score * counts * _NEARNESS[entry.scope], store, entry) for score, entry in hits
        )
    return sorted(weighed, key=lambda find: -find[0])


def within(
    found: Sequence[Find],
    budget_tokens: int,
    viewed: Callable[[MemoryStore | None, Entry], views.Entry],
) -> tuple[list[views.Hit], int]:
    """The best of `found` that fit, whole while there is room, then one of them shortened; and how
    many more there are."""
    hits: list[views.Hit] = []
    room = budget_tokens
    for score, store, entry in found:
        view = viewed(store, entry)
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
    text = " ".join((*entry.anchors, entry.text))[:_READ_CHARS]
    if text.isascii():
        found = {stem for each in stems_of_each(words_of(text)) for stem in each}
    else:
        found = set(tokens(text))
    return len(asked & found) / len(asked) if asked else 0.0


def is_anchored(entry: Entry, path: str, symbol: str, was_here: set[str]) -> bool:
    """Whether an entry is about this symbol in this file, by its anchors or by what became of
    their code."""
    for anchor in map(bare, entry.anchors):
        at, _, name = anchor.partition("#")
        if anchor in was_here or (at == path and symbol in (name, last_name(name))):
            return True
    return False


def renamed(
    stores: tuple[MemoryStore, ...], was_here: set[str], symbol: str, known: set[str]
) -> list[tuple[MemoryStore | None, Entry]]:
    """Entries about a symbol that was renamed, which name it as it was."""
    names = {last_name(anchor.partition("#")[2]) for anchor in was_here} - {symbol, ""}
    found: dict[str, tuple[MemoryStore | None, Entry]] = {}
    for store in stores:
        for entry in (e for name in names for e in store.naming(name)):
            if entry.id not in known and was_here.intersection(map(bare, entry.anchors)):
                found.setdefault(entry.id, (store, entry))
    return list(found.values())


def advice(searched: int, *, kind: str | None, scope: str | None) -> str:
    """What to say when nothing was found."""
    if searched == 0:
        return "nothing is remembered here yet"
    narrowed = " without kind or scope" if kind or scope else ""
    return f"no entry of {searched} holds any of these words; try others{narrowed}"


def is_at(entry: Entry, path: str | None) -> bool:
    """Whether an entry is anchored in this file or folder."""
    paths = (bare(anchor).partition("#")[0] for anchor in entry.anchors)
    return path is not None and any(f"{each}/".startswith(f"{path}/") for each in paths)
