"""How much a session may take, and how much it has taken."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from milepost.providers.message import Usage

if TYPE_CHECKING:
    from milepost.agent.record import Past

# A session that is left alone ends some time: no task that went well took more steps than this.
MAX_STEPS = 2_000


@dataclass(frozen=True, slots=True)
class Budget:
    """The limits; None where there is none."""

    steps: int = MAX_STEPS
    tokens: int | None = None
    cost_usd: float | None = None
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Taken:
    """What one request to another model than the worker's took; the cost in US dollars, None where
    nobody knows it."""

    model: str
    usage: Usage
    cost_usd: float | None


@dataclass(slots=True)
class Spent:
    """What was taken so far, background requests included."""

    steps: int = 0
    usage: Usage = field(default_factory=Usage)
    cost_usd: float = 0.0
    is_cost_known: bool = True
    started: float = field(default_factory=time.monotonic)

    def add(self, usage: Usage, cost_usd: float | None) -> None:
        """Count a request."""
        self.usage += usage
        self.cost_usd += cost_usd or 0.0
        self.is_cost_known = self.is_cost_known and cost_usd is not None

    def take(self, past: Past) -> None:
        """Count what the session took before."""
        self.steps += past.steps
        for usage, cost_usd in past.taken:
            self.add(usage, cost_usd)

    def exceeded(self, budget: Budget) -> str | None:
        """Which limit is reached, in words; None when there is room."""
        tokens = self.usage.input_tokens + self.usage.output_tokens
        if self.steps >= budget.steps:
            return f"{budget.steps} steps are taken"
        if budget.tokens is not None and tokens >= budget.tokens:
            return f"{tokens:,} of {budget.tokens:,} tokens are used"
        if budget.cost_usd is not None and self.cost_usd >= budget.cost_usd:
            return f"{self.cost_usd:.2f} of {budget.cost_usd:.2f} US dollars are spent"
        if budget.seconds is not None and time.monotonic() - self.started >= budget.seconds:
            return f"{budget.seconds:g} seconds are over"
        return None
