"""Hunks: how two texts differ line by line, and where some lines went when a text moved on."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import takewhile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

# difflib takes time by the product of both; two texts of this length still compare in a blink.
# What is longer, beginnings and ends in common left out, counts as one difference.
MAX_LINES = 3_000

# Stand before the first line and behind the last: they are always where they were.
_BEGIN, _END = "\0begin", "\0end"


@dataclass(frozen=True, slots=True)
class Span:
    """Lines of the old text, and the lines of the new one that stand there instead."""

    old_start: int
    old_end: int
    new_start: int
    new_end: int


def differences(old: Sequence[str], new: Sequence[str]) -> tuple[Span, ...]:
    """The places where two texts differ, in order; what is between them is the same."""
    found: list[Span] = []
    old_at = new_at = 0
    for old_start, new_start, size in _blocks(old, new):
        if old_start > old_at or new_start > new_at:
            found.append(Span(old_at, old_start, new_at, new_start))
        old_at, new_at = old_start + size, new_start + size
    if len(old) > old_at or len(new) > new_at:
        found.append(Span(old_at, len(old), new_at, len(new)))
    return tuple(found)


def place(expected: Sequence[str], now: Sequence[str], start: int, end: int) -> int | None:
    """The line at which the lines `start` to `end` of `expected` stand in `now`; None when
    something was changed there.

    The lines must be all there, with at least one of their neighbours; where lines are to be put
    between two others (`start` is `end`), with both.
    """
    was = (_BEGIN, *expected, _END)
    stands = (_BEGIN, *now, _END)
    first, last = start + 1, end + 1
    for was_at, stands_at, size in _blocks(was, stands):
        before, behind = first - was_at, was_at + size - last
        if before < 0 or behind < 0:
            continue
        is_held = before >= 1 and behind >= 1 if first == last else before >= 1 or behind >= 1
        return first - was_at + stands_at - 1 if is_held else None
    return None


def _blocks(one: Sequence[str], two: Sequence[str]) -> Iterator[tuple[int, int, int]]:
    """The longest stretches in common: where each stands in both, and its length."""
    head = _common(one, two)
    tail = _common(one[head:][::-1], two[head:][::-1])
    if head == len(one) == len(two):
        yield 0, 0, head
        return
    if head:
        yield 0, 0, head
    one_end, two_end = len(one) - tail, len(two) - tail
    if max(one_end, two_end) - head <= MAX_LINES:
        matcher = SequenceMatcher(None, one[head:one_end], two[head:two_end], autojunk=False)
        for block in matcher.get_matching_blocks():
            if block.size:
                yield block.a + head, block.b + head, block.size
    if tail:
        yield one_end, two_end, tail


def _common(one: Sequence[str], two: Sequence[str]) -> int:
    pairs = zip(one, two, strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
