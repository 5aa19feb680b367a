"""What the guests see of a chat: what a prompt is made of, what happens in a turn, the sessions.

The updates have the shapes of the Agent Client Protocol, and some more for what only Milepost has.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

# What a call does, and how it stands: somebody is asked whether it may be done, it is under way, it
# has ended well or not.
ToolKind = Literal["read", "edit", "search", "execute", "think", "other"]
CallStatus = Literal["pending", "in_progress", "completed", "failed"]

StopReason = Literal["end_turn", "not_met", "budget", "max_tokens", "refusal", "cancelled", "error"]
SessionState = Literal["running", "active", "ended"]
Level = Literal["info", "warning", "error"]
OptionKind = Literal["allow_once", "allow_always", "reject_once"]


@dataclass(frozen=True, slots=True)
class TextBlock:
    """Words of the user's. `@memory WORDS` and `@file:PATH` in them are resolved."""

    text: str


@dataclass(frozen=True, slots=True)
class FileBlock:
    """A file of the project, or its lines from `line` up to but not with `end_line` (zero-based).
    `text` is what stands there in the editor; without it, it is looked up."""

    path: str
    line: int | None = None
    end_line: int | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True)
class MemoryBlock:
    """An entry of memory, by its id."""

    id: str


@dataclass(frozen=True, slots=True)
class DiagnosticBlock:
    """What a compiler or linter says of some lines of a file."""

    path: str
    line: int
    end_line: int
    message: str
    severity: str = ""
    source: str = ""
    code: str = ""


Block = TextBlock | FileBlock | MemoryBlock | DiagnosticBlock


@dataclass(frozen=True, slots=True)
class UserChunk:
    """Something that the user said."""

    text: str


@dataclass(frozen=True, slots=True)
class AgentChunk:
    """More of the worker's answer."""

    text: str


@dataclass(frozen=True, slots=True)
class ThoughtChunk:
    """More of what the worker thinks."""

    text: str


@dataclass(frozen=True, slots=True)
class MessageReset:
    """The answer broke off and comes again: what was said since the last step does not count."""

    reason: str


@dataclass(frozen=True, slots=True)
class CallPlace:
    """A file that a call is about, relative to the project's root; `line` is zero-based."""

    path: str
    line: int | None = None


@dataclass(frozen=True, slots=True)
class CallShown:
    """A tool that is called, and what it is about."""

    call_id: str
    title: str
    kind: ToolKind
    status: CallStatus
    tool: str
    subject: str
    places: tuple[CallPlace, ...] = ()


@dataclass(frozen=True, slots=True)
class FileDiff:
    """What a call made of a file: its text before (None: it was not there) and after (None: it is
    gone)."""

    path: str
    old: str | None
    new: str | None


@dataclass(frozen=True, slots=True)
class CallUpdate:
    """How a call goes on, or what came of it. `before_id` and `after_id` are restore points around
    it."""

    call_id: str
    status: CallStatus
    text: str = ""
    diffs: tuple[FileDiff, ...] = ()
    before_id: int | None = None
    after_id: int | None = None


@dataclass(frozen=True, slots=True)
class PlanEntry:
    """A task."""

    id: str
    content: str
    status: CallStatus


@dataclass(frozen=True, slots=True)
class Plan:
    """The whole plan as it is now."""

    entries: tuple[PlanEntry, ...]


@dataclass(frozen=True, slots=True)
class Recalled:
    """An entry that was remembered, and where it stands: an absolute path and a zero-based line."""

    id: str
    text: str
    scope: str
    status: str
    path: str
    line: int
    kind: str = ""


@dataclass(frozen=True, slots=True)
class MemoryRecall:
    """What memory was asked for, or offered by itself."""

    entries: tuple[Recalled, ...]


@dataclass(frozen=True, slots=True)
class PointMade:
    """A restore point to which one can go back."""

    checkpoint_id: int
    label: str


@dataclass(frozen=True, slots=True)
class GoalJudged:
    """What was found when the worker wanted to stop."""

    goal_id: str | None
    verdict: str
    reason: str


@dataclass(frozen=True, slots=True)
class TurnUsage:
    """What a turn took, background requests included; a cost of None is not known."""

    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float | None = None


@dataclass(frozen=True, slots=True)
class UsageUpdate:
    """What the turn took so far, and how full the window is."""

    usage: TurnUsage
    window_share: float
    step: int


@dataclass(frozen=True, slots=True)
class TitleSet:
    """The session has got a title."""

    title: str


@dataclass(frozen=True, slots=True)
class ChatNotice:
    """Something that the user should know."""

    level: Level
    text: str


@dataclass(frozen=True, slots=True)
class TurnEnded:
    """The turn is over, and why, in a sentence too."""

    stop_reason: StopReason
    message: str
    usage: TurnUsage


ChatUpdate = (
    UserChunk | AgentChunk | ThoughtChunk | MessageReset | CallShown | CallUpdate | Plan
    | MemoryRecall | PointMade | GoalJudged | UsageUpdate | TitleSet | ChatNotice | TurnEnded
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ChatEvent:
    """Something that happened in a session, in the turn with this id."""

    session: str
    turn: str
    update: ChatUpdate


@dataclass(frozen=True, slots=True)
class PermissionOption:
    """An answer that the user may give; `meaning` is what follows from it, in a sentence."""

    id: str
    name: str
    kind: OptionKind
    meaning: str


@dataclass(frozen=True, slots=True)
class PermissionRequest:
    """A call that needs the user's permission, and why."""

    session: str
    turn: str
    call_id: str
    title: str
    subject: str
    reason: str
    options: tuple[PermissionOption, ...]


@dataclass(frozen=True, slots=True)
class TurnResult:
    """How a turn ended; see TurnEnded."""

    session: str
    turn: str
    stop_reason: StopReason
    message: str
    usage: TurnUsage


@dataclass(frozen=True, slots=True)
class ChatSession:
    """A session. It is running while a turn is under way, in whatever process, and ended when it
    was a run from the terminal, which may be gone on with."""

    id: str
    title: str
    state: SessionState
    created_at: str
    updated_at: str
    mode: str
    forked_from: str | None


@dataclass(frozen=True, slots=True)
class ChatSessionPage:
    """Some of the sessions, the one that was worked on last first, and how many there are."""

    sessions: tuple[ChatSession, ...]
    total: int


@dataclass(frozen=True, slots=True)
class ChatTranscript:
    """A session as the events that it was made of; `is_cut` when older ones are left out."""

    session: ChatSession
    events: tuple[ChatEvent, ...]
    is_cut: bool
