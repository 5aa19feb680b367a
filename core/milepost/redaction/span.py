"""A stretch of text that holds a secret, and how overlapping stretches become one."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable


class Span(NamedTuple):
    """`text[start:end]` is secret. `rank` is how much its finder knew of it: 0 for a maker's own
    mark, more for a guess; of spans that overlap, the lowest rank names the kind. `secret` is what
    stands there in plain, when that is known to differ (an encoded value)."""

    start: int
    end: int
    rank: int
    kind: str
    secret: str | None = None


def merged(spans: Iterable[Span]) -> list[Span]:
    """The spans in order, none of which touches another's characters."""
    result: list[Span] = []
    for span in sorted(spans):
        if result and span.start < result[-1].end:
            result[-1] = _union(result[-1], span)
        else:
            result.append(span)
    return result


def _union(one: Span, other: Span) -> Span:
    known = min(one, other, key=lambda span: (span.rank, span.start - span.end))
    start, end = min(one.start, other.start), max(one.end, other.end)
    if (known.start, known.end) == (start, end):
        return known
    return Span(start, end, known.rank, known.kind, known.secret)
