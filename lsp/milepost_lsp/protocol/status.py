"""Where a project stands, and what happened in it elsewhere."""

from __future__ import annotations

from dataclasses import dataclass

from milepost_lsp.protocol.message import Notification


@dataclass(frozen=True, slots=True)
class StatusProject:
    """The project; `id` is the first part of its `milepost:` URIs."""

    id: str
    name: str
    root: str


@dataclass(frozen=True, slots=True)
class StatusGoal:
    """The newest goal that is not met or abandoned; a limit of null is none."""

    id: str
    condition: str
    state: str
    max_verifications: int | None
    max_seconds: float | None


@dataclass(frozen=True, slots=True)
class StatusCheckpoint:
    """The newest restore point."""

    id: int
    label: str
    created_at: str


@dataclass(frozen=True, slots=True)
class Status:
    """`model` is KIND:NAME, null when none is configured; `checkpointError` says why no restore
    point could be made; `running` are sessions."""

    project: StatusProject
    goal: StatusGoal | None
    checkpoint: StatusCheckpoint | None
    checkpoint_error: str | None
    model: str | None
    running: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MemoryDidChange:
    """`changed` counts the entries that came, went or read differently since the last notice."""

    uri: str
    changed: int


@dataclass(frozen=True, slots=True)
class CheckpointDidChange:
    """`uri` is the project's root, `newest` its newest restore point."""

    uri: str
    newest: int | None


@dataclass(frozen=True, slots=True)
class GoalDidChange:
    """`uri` is the project's root."""

    uri: str


@dataclass(frozen=True, slots=True)
class StatusDidChange:
    """`uri` is the project's root."""

    uri: str
    status: Status


MEMORY_DID_CHANGE = Notification(
    "milepost/memory/didChange",
    MemoryDidChange,
    "A memory file changed on disk, by this server or by any other process. Every change that "
    "follows an answered request on the project is told.",
    needs="memory",
)
CHECKPOINT_DID_CHANGE = Notification(
    "milepost/checkpoint/didChange",
    CheckpointDidChange,
    "A restore point came or went, in whatever process.",
    needs="memory",
)
GOAL_DID_CHANGE = Notification(
    "milepost/goal/didChange",
    GoalDidChange,
    "A goal changed, in whatever process.",
    needs="memory",
)
STATUS_DID_CHANGE = Notification(
    "milepost/status/didChange",
    StatusDidChange,
    "The status of a project is another one.",
    needs="memory",
)
