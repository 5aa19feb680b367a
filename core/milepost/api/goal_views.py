"""What the guests see around goals: what holds commands, and how a judge judged."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class JudgedCase:
    """What a judge said to a case whose right verdict is known. A hostile case holds words that
    want the judge to say met."""

    name: str
    is_hostile: bool
    wanted: str
    verdict: str
    reason: str
    seconds: float


@dataclass(frozen=True, slots=True)
class JudgeTrial:
    """How a model judged all cases. `false_met` counts what is not done and was called done;
    `quotes_refused` is part of `unverifiable`; the cost is None when a price is not known."""

    model: str
    cases: tuple[JudgedCase, ...]
    false_met: int
    false_not_met: int
    unverifiable: int
    quotes_refused: int
    input_tokens: int
    output_tokens: int
    cost_usd: float | None
    seconds: float


@dataclass(frozen=True, slots=True)
class SandboxUse:
    """What holds the commands of checks and workers here. `name` is `none` where nothing does, and
    `off` where the user wants nothing; `why` says why it is no other, `gaps` what commands can do
    all the same."""

    name: str
    holds: bool
    why: str
    has_network: bool
    gaps: tuple[str, ...]
