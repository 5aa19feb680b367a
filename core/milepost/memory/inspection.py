"""What is wrong among the entries of a memory file: two that say nearly the same, and two that
cannot both be true. No model is asked, so only what is plain is told.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

from milepost.search import alike
from milepost.search.terms import stems_in_each

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from milepost.memory.entry import Entry

# Two entries are near duplicates when they share this much of all their words: the same fact put a
# little differently, rather than two facts about one thing.
_ALIKE = 0.7

# Entries of one mould share keys by the hundred; the first of them stand for all.
_PER_KEY = 20

# Which words turn a sentence into its opposite.
_NEGATIONS = frozenset(
    {"not", "never", "no", "don't", "doesn't", "dont", "without", "cannot", "can't", "isn't",
     "mustn't", "shouldn't", "won't", "nor"}
)  # fmt: skip
# Helpers of a negation that its opposite does without.
_FILLERS = frozenset({"do", "does", "is", "are", "be", "always", "must", "should", "will", "can"})

# A sentence that gives one thing one value; two of them about one thing cannot both hold.
_CLAIM = re.compile(
    r"(?P<subject>[^\n.;]{3,80}?)\s+(?:is|are|must be|listens on|runs on|defaults to|=)\s+"
    r"(?P<value>[^\n]{1,40}?)\.?\s*",
    re.IGNORECASE,
)
_WORD = re.compile(r"[\w'./-]+")


@dataclass(frozen=True, slots=True)
class Pair:
    """Two entries, by their places in what was looked at, that should not stand beside each other:
    `kind` is duplicate or contradiction."""

    kind: str
    first: int
    second: int


def pairs(entries: Sequence[Entry]) -> Iterator[Pair]:
    """The pairs among these entries, each once; what was superseded is out of the question."""
    live = [(number, entry) for number, entry in enumerate(entries) if not entry.superseded_by]
    found: set[tuple[int, int]] = set()
    for first, second in _claims(live):
        found.add((first, second))
        yield Pair("contradiction", first, second)
    near = sorted(_near(live))
    numbers = list({number for pair in near for number in pair})
    each = stems_in_each([entries[number].text for number in numbers])
    stems = dict(zip(numbers, each, strict=True))
    for first, second in near:
        if (first, second) in found:
            continue
        one, other = entries[first].text, entries[second].text
        if _is_opposite(one, other):
            yield Pair("contradiction", first, second)
            continue
        ours, theirs = stems[first], stems[second]
        is_alike = len(ours & theirs) >= _ALIKE * len(ours | theirs)
        if is_alike and _numbers(one) == _numbers(other):
            yield Pair("duplicate", first, second)


def _near(live: Iterable[tuple[int, Entry]]) -> set[tuple[int, int]]:
    """The pairs that may be alike."""
    by_key: defaultdict[int, list[int]] = defaultdict(list)
    for number, entry in live:
        for key in alike.keys(entry.text):
            if len(by_key[key]) < _PER_KEY:
                by_key[key].append(number)
    return {pair for numbers in by_key.values() for pair in combinations(numbers, 2)}


def _claims(live: Iterable[tuple[int, Entry]]) -> Iterator[tuple[int, int]]:
    """The pairs that give one thing two values, both said by the user or confirmed."""
    told: dict[tuple[str, str], tuple[int, str]] = {}
    for number, entry in live:
        claim = _CLAIM.fullmatch(entry.text.strip())
        if claim is None or entry.status == "unverified":
            continue
        subject = " ".join(claim["subject"].lower().split())
        value = claim["value"].strip().lower().strip("`\"'")
        if not _is_definite(subject, claim["value"]):
            continue
        before, said = told.setdefault((entry.kind, subject), (number, value))
        if said != value:
            yield before, number


def _is_definite(subject: str, value: str) -> bool:
    """Whether the subject is one thing, and the value one of which it has just one: a number, a
    name or a literal."""
    names_one = subject.startswith(("the ", "our ", "`")) or subject.isidentifier()
    return names_one and len(value.split()) <= 3 and bool(re.search(r"[\d`A-Z]", value))


def _is_opposite(one: str, other: str) -> bool:
    """Whether one of two sentences says the same as the other with a negation in it."""
    ours, theirs = _WORD.findall(one.lower()), _WORD.findall(other.lower())
    negated = sum(word in _NEGATIONS for word in ours), sum(word in _NEGATIONS for word in theirs)
    if sorted(negated) != [0, 1]:
        return False
    return _content(ours) == _content(theirs) and len(_content(ours)) >= 2


def _content(words: Iterable[str]) -> set[str]:
    kept = (word.strip("./-'") for word in words if word not in _NEGATIONS | _FILLERS)
    return {word.removesuffix("s") for word in kept if word}


def _numbers(text: str) -> list[str]:
    return re.findall(r"\d+", text)
