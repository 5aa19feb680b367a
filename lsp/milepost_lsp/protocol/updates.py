"""The updates of a session, shaped like the Agent Client Protocol's, with ours added.

Each has a `session_update` that says which it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

ToolKind = Literal["read", "edit", "search", "execute", "think", "other"]
CallStatus = Literal["pending", "in_progress", "completed", "failed"]


@dataclass(frozen=True, slots=True)
class TextBlock:
    """Plain words, or Markdown where a model wrote them."""

    text: str
    type: Literal["text"] = "text"


@dataclass(frozen=True, slots=True)
class Usage:
    """What a turn took; `costUsd` is null when a price is not known."""

    input_tokens: int
    output_tokens: int
    cost_usd: float | None


@dataclass(frozen=True, slots=True)
class UserMessageChunk:
    """What the user said: for the other editors of the session, and on load."""

    content: TextBlock
    session_update: Literal["user_message_chunk"] = "user_message_chunk"


@dataclass(frozen=True, slots=True)
class AgentMessageChunk:
    """A piece of the answer."""

    content: TextBlock
    session_update: Literal["agent_message_chunk"] = "agent_message_chunk"


@dataclass(frozen=True, slots=True)
class AgentThoughtChunk:
    """A piece of what the model thought aloud."""

    content: TextBlock
    session_update: Literal["agent_thought_chunk"] = "agent_thought_chunk"


@dataclass(frozen=True, slots=True)
class AgentMessageReset:
    """What was said since the last step does not count, and why."""

    reason: str
    session_update: Literal["agent_message_reset"] = "agent_message_reset"


@dataclass(frozen=True, slots=True)
class CallLocation:
    """A place that a tool call is about; `line` is zero-based."""

    uri: str
    line: int | None


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A tool call begins. `subject` is what it is about: a path, a command line."""

    tool_call_id: str
    title: str
    kind: ToolKind
    status: CallStatus
    tool: str
    subject: str
    locations: tuple[CallLocation, ...]
    session_update: Literal["tool_call"] = "tool_call"


@dataclass(frozen=True, slots=True)
class CallContent:
    """Output of a tool call."""

    content: TextBlock
    type: Literal["content"] = "content"


@dataclass(frozen=True, slots=True)
class CallDiff:
    """A file that a tool call changed; null for a text that was not there, or is gone."""

    uri: str
    old_text: str | None
    new_text: str | None
    type: Literal["diff"] = "diff"


CallOutput: TypeAlias = CallContent | CallDiff


@dataclass(frozen=True, slots=True)
class CallCheckpoints:
    """The restore points around a tool call."""

    before: int | None
    after: int | None


@dataclass(frozen=True, slots=True)
class ToolCallUpdate:
    """A tool call went on or ended. `proposalId` names its edits, to keep or to take back."""

    tool_call_id: str
    status: CallStatus
    content: tuple[CallOutput, ...]
    checkpoints: CallCheckpoints
    proposal_id: str | None
    session_update: Literal["tool_call_update"] = "tool_call_update"


@dataclass(frozen=True, slots=True)
class PlanEntry:
    """A step of a plan: a task, by its id."""

    id: str
    content: str
    status: CallStatus


@dataclass(frozen=True, slots=True)
class Plan:
    """The whole plan, as it stands now."""

    entries: tuple[PlanEntry, ...]
    session_update: Literal["plan"] = "plan"


@dataclass(frozen=True, slots=True)
class RecalledEntry:
    """An entry of memory that was given to the model, and where it stands (`line` zero-based);
    null where it has no file."""

    id: str
    text: str
    scope: str
    status: str
    uri: str | None
    line: int | None


@dataclass(frozen=True, slots=True)
class MemoryRecall:
    """What memory had to say."""

    entries: tuple[RecalledEntry, ...]
    session_update: Literal["memory_recall"] = "memory_recall"


@dataclass(frozen=True, slots=True)
class CheckpointMade:
    """A restore point was made."""

    checkpoint_id: int
    label: str
    session_update: Literal["checkpoint"] = "checkpoint"


@dataclass(frozen=True, slots=True)
class GoalVerdict:
    """What was found when "done" was looked at."""

    goal_id: str | None
    verdict: str
    reason: str
    session_update: Literal["goal_verdict"] = "goal_verdict"


@dataclass(frozen=True, slots=True)
class UsageUpdate:
    """What the turn took so far; `windowShare` of 1 is a full window."""

    input_tokens: int
    output_tokens: int
    cost_usd: float | None
    window_share: float
    step: int
    session_update: Literal["usage_update"] = "usage_update"


@dataclass(frozen=True, slots=True)
class SessionInfoUpdate:
    """The session has another title."""

    title: str
    session_update: Literal["session_info_update"] = "session_info_update"


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that the user should know."""

    level: Literal["info", "warning", "error"]
    text: str
    session_update: Literal["notice"] = "notice"


@dataclass(frozen=True, slots=True)
class TurnEnded:
    """The same words with which the prompt is answered, for who did not send it. `stopReason` is
    as there."""

    stop_reason: str
    message: str
    usage: Usage
    session_update: Literal["turn_ended"] = "turn_ended"


Update: TypeAlias = (
    UserMessageChunk
    | AgentMessageChunk
    | AgentThoughtChunk
    | AgentMessageReset
    | ToolCall
    | ToolCallUpdate
    | Plan
    | MemoryRecall
    | CheckpointMade
    | GoalVerdict
    | UsageUpdate
    | SessionInfoUpdate
    | Notice
    | TurnEnded
)
