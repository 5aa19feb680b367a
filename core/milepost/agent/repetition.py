"""Telling that a worker goes round in circles.

Two signs: the same step with the same result again and again (calls, or words when there are none),
and a short cycle of steps that repeats. The first time a sign shows, the worker is told; when it
goes on, the session stops rather than burn its budget.
"""

from __future__ import annotations

import hashlib
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from milepost.providers.message import Message

# The same call with the same result is looked at twice by careful workers, three times by some.
_SAME = 4

# A cycle of two or three calls that has gone round so often leads nowhere.
_ROUNDS = 3
_LONGEST_CYCLE = 4

# How far back is looked: the longest cycle that counts, as often as it takes.
_KEPT = _LONGEST_CYCLE * _ROUNDS + _SAME

# How many steps after a warning the worker has to change its ways.
_GRACE_STEPS = 6


class Repetition:
    """Watches the steps of one session."""

    def __init__(self) -> None:
        self._steps: deque[str] = deque(maxlen=_KEPT)
        self._warned_at: int | None = None
        self._count = 0

    def note(self, reply: Message, results: tuple[str, ...]) -> None:
        """Take in a step: what the worker did and what came of it."""
        calls = [f"{call.name}\0{call.arguments}" for call in reply.calls]
        said = [] if calls else [reply.text.strip()]
        text = "\1".join([*calls, *said, *results])
        self._steps.append(hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest())
        self._count += 1

    def sign(self) -> str | None:
        """What speaks for a circle, in words for the worker; None when nothing does."""
        steps = list(self._steps)
        if len(steps) >= _SAME and len(set(steps[-_SAME:])) == 1:
            return f"the last {_SAME} steps were the same, with the same result"
        for length in range(2, _LONGEST_CYCLE + 1):
            tail = steps[-length * _ROUNDS :]
            if len(tail) == length * _ROUNDS and tail == tail[:length] * _ROUNDS:
                return f"the same {length} steps came {_ROUNDS} times in a row"
        return None

    def is_beyond_help(self) -> bool:
        """Whether the worker was warned and still goes round. Otherwise a warning counts from
        now on."""
        if self._warned_at is not None and self._count - self._warned_at <= _GRACE_STEPS:
            return self._count - self._warned_at >= _SAME
        self._warned_at = self._count
        return False
