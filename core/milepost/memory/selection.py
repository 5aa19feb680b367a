"""What goes into a window that holds only so many tokens, and what stays out.

Greedy by value per token, in three rounds: rules, then what the task is about, then background,
each with a share that it cannot exceed while the others still want room; a last round gives away
what is left. A source, such as one huge AGENTS.md, has a share too, so that it cannot push out what
the user said. What says nearly the same as something taken is not taken again.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from milepost.search.terms import stems, terms

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Group = Literal["rules", "task", "background"]

GROUPS: tuple[Group, ...] = ("rules", "task", "background")

# How much of the budget may be gone when a group has had its turn.
_SHARES = {"rules": 0.5, "task": 0.85, "background": 1.0}

# What a source other than memory itself may take before the last round.
_SOURCE_SHARE = 0.25

# Below this an entry is short, and being shorter is no merit.
_SHORT_TOKENS = 40

# Two texts are one when they share this much of their words. Where one denies or counts something,
# all must be the same in the same order: "push; never open a request" has the very words of "never
# push; open a request", and ports 8080 and 8081 differ in one.
_ALIKE = 0.8

_DENIALS = frozenset(
    {
        "no", "not", "never", "don't", "dont", "cannot", "can't", "avoid", "without", "except",
        "unless", "isn't", "nor", "neither",
    }
)  # fmt: skip
_WORD = re.compile(r"[\w']+")


@dataclass(frozen=True, slots=True)
class Candidate:
    """Something that could go in. `source` is empty for what memory itself says; `tokens` is what
    it costs, the line about its origin included; `place` is its place among equals."""

    id: str
    text: str
    group: Group
    value: float
    tokens: int
    place: int
    source: str = ""


@dataclass(frozen=True, slots=True)
class Selection:
    """What goes in, the best first within its group, and what does not: for want of room, or
    because something taken says it (`repeated`, each with the id of what says it)."""

    taken: tuple[Candidate, ...]
    left: tuple[Candidate, ...]
    repeated: dict[str, str]

    @property
    def tokens(self) -> int:
        """What all that is taken costs."""
        return sum(one.tokens for one in self.taken)


def select(candidates: Iterable[Candidate], budget_tokens: int) -> Selection:
    """The most valuable of `candidates` that fit; the same for the same."""
    ordered = sorted(candidates, key=_merit)
    chosen = _Chosen(budget_tokens)
    for group in GROUPS:
        limit = int(budget_tokens * _SHARES[group])
        chosen.take([one for one in ordered if one.group == group], limit, is_last=False)
    chosen.take(ordered, budget_tokens, is_last=True)
    taken = sorted(
        chosen.taken.values(), key=lambda one: (GROUPS.index(one.group), -one.value, one.place)
    )
    left = (one for one in ordered if one.id not in chosen.taken | chosen.repeated)
    return Selection(
        tuple(taken), tuple(sorted(left, key=lambda one: (-one.value, one.place))), chosen.repeated
    )


@dataclass(slots=True)
class _Chosen:
    """What is taken so far."""

    budget_tokens: int
    tokens: int = 0
    taken: dict[str, Candidate] = field(default_factory=dict[str, Candidate])
    repeated: dict[str, str] = field(default_factory=dict[str, str])
    by_source: dict[str, int] = field(default_factory=dict[str, int])
    likenesses: dict[str, _Likeness] = field(default_factory=dict[str, "_Likeness"])

    def take(self, candidates: Sequence[Candidate], limit: int, *, is_last: bool) -> None:
        for one in candidates:
            if one.id in self.taken or one.id in self.repeated:
                continue
            of_source = self.by_source.get(one.source, 0) + one.tokens
            is_capped = bool(one.source) and of_source > self.budget_tokens * _SOURCE_SHARE
            if self.tokens + one.tokens > limit or (is_capped and not is_last):
                continue
            likeness = _Likeness.of(one.text)
            said_by = next(
                (known for known, other in self.likenesses.items() if likeness.is_like(other)), None
            )
            if said_by is not None:
                self.repeated[one.id] = said_by
                continue
            self.taken[one.id] = one
            self.likenesses[one.id] = likeness
            self.tokens += one.tokens
            self.by_source[one.source] = of_source


@dataclass(frozen=True, slots=True)
class _Likeness:
    """What two texts are compared by."""

    words: frozenset[str]
    sequence: tuple[str, ...]
    is_decisive: bool

    @classmethod
    def of(cls, text: str) -> _Likeness:
        plain = tuple(_WORD.findall(text.lower()))
        is_decisive = any(word in _DENIALS or any(map(str.isdigit, word)) for word in plain)
        words = {stem for term in terms(text) for stem in stems(term)}
        return cls(frozenset(words), plain, is_decisive)

    def is_like(self, other: _Likeness) -> bool:
        if self.is_decisive or other.is_decisive:
            return self.sequence == other.sequence
        both = len(self.words & other.words)
        return both > 0 and both >= _ALIKE * len(self.words | other.words)


def _merit(one: Candidate) -> tuple[float, bool, int]:
    # At like merit, memory's own words come first, so that a repetition is the other one.
    return -one.value / max(one.tokens, _SHORT_TOKENS), bool(one.source), one.place
