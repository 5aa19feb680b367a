"""What the guests see of the worker: its runs, what happens in them, and its sessions."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """How a run of the worker ended: `state` is met, not_met, budget, error or cancelled. `words`
    are the last that it said; `cost_usd` is None when a price is not known."""

    session: str
    state: str
    reason: str
    words: str
    steps: int
    input_tokens: int
    output_tokens: int
    cost_usd: float | None


@dataclass(frozen=True, slots=True)
class WorkSession:
    """A session of the worker; `state` is active (also when its process died) or ended."""

    id: str
    title: str
    actor: str
    state: str
    created_at: str
    updated_at: str


@dataclass(frozen=True, slots=True)
class RunEvent:
    """Something that happened while the worker worked. `kind` is said, thought, took_back (what was
    said since the last step does not count), call_began, call_ended, step_ended,
    checkpoint_written, window_rebuilt, warned, judged, phase_began or phase_ended (of a
    composition, named by `subject`; `round` counts how often the work is built); what a kind does
    not have is empty. `before_id` and `after_id` are the restore points around a call."""

    kind: str
    text: str = ""
    call_id: str = ""
    tool: str = ""
    subject: str = ""
    failed: bool = False
    paths: tuple[str, ...] = ()
    before_id: int | None = None
    after_id: int | None = None
    step: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float | None = None
    window_share: float = 0.0
    round: int = 0


@dataclass(frozen=True, slots=True)
class Question:
    """A call of the worker's that needs permission, and why."""

    tool: str
    subject: str
    reason: str


@dataclass(frozen=True, slots=True)
class SessionItem:
    """One thing in a session, in words; `number` grows across all sessions. `kind` is user,
    assistant, call, result, or how Milepost calls what it keeps beside these."""

    number: int
    session: str
    at: str
    kind: str
    text: str
    failed: bool = False


@dataclass(frozen=True, slots=True)
class UsageRow:
    """What was taken by one `actor` (worker, writer, judge or assist) with one model in one session
    on one `day` (UTC); of what was not asked for it is empty, and so is the session of what belongs
    to none: the judge's, and what helps in an editor. `cost_usd` is None when a price is not known.
    Of `requests`, `estimated` were not counted by their server."""

    session: str
    model: str
    actor: str
    day: str
    requests: int
    estimated: int
    input_tokens: int
    cache_read_tokens: int
    output_tokens: int
    cost_usd: float | None


@dataclass(frozen=True, slots=True)
class SummaryItem:
    """One thing that a section of checkpoint.md says, on the zero-based lines from `line` up to but
    not with `end_line`. `kind` is the one that it would have as an entry of memory, empty for what
    holds for the session only."""

    text: str
    line: int
    end_line: int
    kind: str


@dataclass(frozen=True, slots=True)
class SummarySection:
    """A section of checkpoint.md where it stands. `by` is who fills it: code, writer, or user for
    one that is none of ours."""

    title: str
    by: str
    line: int
    end_line: int
    items: tuple[SummaryItem, ...]


@dataclass(frozen=True, slots=True)
class SummaryFinding:
    """Something in checkpoint.md that a person should know: `kind` is missing, unknown, repeated or
    secret."""

    kind: str
    message: str
    line: int
    end_line: int


@dataclass(frozen=True, slots=True)
class SummaryWritten:
    """When checkpoint.md was written last, and when by its writer, who had seen the session up to
    the item `until` and (None: no writer has) nothing after it; `is_level` when there is nothing
    after it."""

    at: str | None
    writer_at: str | None
    until: int | None
    is_level: bool
