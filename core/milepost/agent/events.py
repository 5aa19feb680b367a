"""What a session tells whoever watches it, as it happens.

The same events go to a terminal, a chat panel and a CI log. What must not be lost stands in the
transcript; these are for looking on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from milepost.providers.message import Usage


@dataclass(frozen=True, slots=True)
class Said:
    """More words of the worker; `is_thought` when it only thinks."""

    text: str
    is_thought: bool = False


@dataclass(frozen=True, slots=True)
class TookBack:
    """The reply broke off and comes again: forget what was said since the last step."""

    reason: str


@dataclass(frozen=True, slots=True)
class CallBegan:
    """A tool is about to run, on this subject."""

    call_id: str
    tool: str
    subject: str


@dataclass(frozen=True, slots=True)
class CallEnded:
    """What came of a tool call. `before_id` and `after_id` are restore points around it, when it
    could change files."""

    call_id: str
    tool: str
    text: str
    failed: bool
    paths: tuple[str, ...] = ()
    before_id: int | None = None
    after_id: int | None = None


@dataclass(frozen=True, slots=True)
class StepEnded:
    """The model answered once; what that took, and what the session took so far."""

    step: int
    usage: Usage
    cost_usd: float | None
    window_share: float


@dataclass(frozen=True, slots=True)
class CheckpointWritten:
    """checkpoint.md was written, by the writer or (without one) by code alone."""

    path: str
    by_model: bool


@dataclass(frozen=True, slots=True)
class WindowRebuilt:
    """The window was filled anew from what is kept: how many tokens it had and has."""

    before_tokens: int
    after_tokens: int


@dataclass(frozen=True, slots=True)
class Warned:
    """Something that the user should know: a failed restore point, a model that repeats itself."""

    text: str


@dataclass(frozen=True, slots=True)
class Judged:
    """The goal was looked at when the worker wanted to stop."""

    verdict: str
    reason: str


@dataclass(frozen=True, slots=True)
class PhaseBegan:
    """A phase of a composition began; `round_number` counts how often the work is built."""

    name: str
    round_number: int


@dataclass(frozen=True, slots=True)
class PhaseEnded:
    """A phase ended: `verdict` is done, pass or back (the work has to be built again, for this
    reason)."""

    name: str
    verdict: str
    reason: str


Event = (
    Said | TookBack | CallBegan | CallEnded | StepEnded | CheckpointWritten | WindowRebuilt
    | Warned | Judged | PhaseBegan | PhaseEnded
)  # fmt: skip
