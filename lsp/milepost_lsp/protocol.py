"""The words on the wire that are ours: commands, their arguments, and the `milepost/*` messages.

`docs/protocol.md` describes them for people who write a client. Names are camelCase there and
snake_case here; `arguments.py` and `convert.py` translate. What a command answers with are the
core's own views (`milepost.api`), in camelCase.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

REMEMBER = "milepost.memory.remember"
ABOUT = "milepost.memory.about"
LIST = "milepost.memory.list"
FORGET = "milepost.memory.forget"
CONFIRM = "milepost.memory.confirm"
LOG = "milepost.memory.log"
UNDO_MEMORY = "milepost.memory.undo"
BRIEF = "milepost.memory.brief"
CHECKPOINT = "milepost.checkpoint.save"
GO_BACK = "milepost.checkpoint.goBack"
UNDO = "milepost.checkpoint.undo"
SET_GOAL = "milepost.goal.set"
VERIFY_GOAL = "milepost.goal.verify"

MEMORY_DID_CHANGE = "milepost/memory/didChange"

# What the server announces under `capabilities.experimental.milepost`; a client reads it to know
# which messages it may expect. Raised when a message changes its meaning.
PROTOCOL_VERSION = 1

# What `json.loads` makes and `json.dumps` takes; it is given a shape where it comes in.
Json: TypeAlias = Any

Kind = Literal["context", "rule", "decision", "knowledge"]
# `note` is what stands under headings of the user's own; nobody else puts an entry there.
AnyKind = Literal["context", "rule", "decision", "knowledge", "note"]
Scope = Literal["project", "worktree", "session", "task", "global"]


@dataclass(frozen=True, slots=True)
class Position:
    """LSP's position: zero-based, `character` in the units agreed at initialize."""

    line: int
    character: int


@dataclass(frozen=True, slots=True)
class Range:
    """LSP's range, `end` excluded."""

    start: Position
    end: Position


@dataclass(frozen=True, slots=True)
class RememberArguments:
    """Either `text`, or `uri` with `range` to take the text from a document's buffer."""

    text: str | None = None
    uri: str | None = None
    range: Range | None = None
    kind: Kind = "knowledge"
    scope: Scope | None = None
    session: str | None = None
    task: str | None = None
    anchors: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class AboutArguments:
    """`uri` is the document in which the symbol was seen."""

    symbol: str
    uri: str | None = None


@dataclass(frozen=True, slots=True)
class ListArguments:
    """A page of the entries in file order."""

    kind: AnyKind | None = None
    scope: Scope | None = None
    session: str | None = None
    task: str | None = None
    offset: int = 0
    limit: int = 50
    uri: str | None = None


@dataclass(frozen=True, slots=True)
class BriefArguments:
    """`about` is the task in plain words, `uri` the document that it is about."""

    about: str | None = None
    budget_tokens: int = 2_000
    uri: str | None = None


@dataclass(frozen=True, slots=True)
class ForgetArguments:
    """`id` is an entry's, as search, list or a document symbol gave it; `version` is that of the
    words that the user saw, and when they are others by now, nothing is changed."""

    id: str
    version: str | None = None
    uri: str | None = None


@dataclass(frozen=True, slots=True)
class ConfirmArguments:
    """As for forgetting."""

    id: str
    version: str | None = None
    uri: str | None = None


@dataclass(frozen=True, slots=True)
class LogArguments:
    """The newest changes of a memory; those of one entry with its `id`. `scope` may name one of
    several, such as `task T1`."""

    id: str | None = None
    scope: str = "project"
    limit: int = 20
    uri: str | None = None


@dataclass(frozen=True, slots=True)
class UndoMemoryArguments:
    """Without `change`, the newest that was not taken back. `scope` is as for the log."""

    change: int | None = None
    scope: str = "project"
    uri: str | None = None


@dataclass(frozen=True, slots=True)
class CheckpointArguments:
    """`label` is free text that helps to find the point again."""

    label: str = ""
    uri: str | None = None


@dataclass(frozen=True, slots=True)
class GoBackArguments:
    """Without `id` the user is asked which point; without `apply` the user is asked whether.

    `apply` false answers with the preview and asks nothing.
    """

    id: int | None = None
    apply: bool | None = None
    paths: tuple[str, ...] = ()
    force: bool = False
    uri: str | None = None


@dataclass(frozen=True, slots=True)
class UndoArguments:
    """Takes the newest restore back."""

    uri: str | None = None


@dataclass(frozen=True, slots=True)
class SetGoalArguments:
    """Either `condition`, or `uri` with `range` to take it from a document's buffer.

    In text taken from a buffer, a line that starts with `$ ` is a check.
    """

    condition: str | None = None
    checks: tuple[str, ...] = ()
    timeout_s: float = 300.0
    uri: str | None = None
    range: Range | None = None


@dataclass(frozen=True, slots=True)
class VerifyGoalArguments:
    """Without `goal_id`, the newest active goal; `fresh` runs checks whose evidence still holds."""

    goal_id: str | None = None
    fresh: bool = False
    uri: str | None = None


@dataclass(frozen=True, slots=True)
class MemoryDidChange:
    """A memory file changed on disk, by this server or by anyone else.

    `changed` counts the entries that came, went or read differently since the last notice.
    """

    uri: str
    changed: int
