"""The commands of workspace/executeCommand, and their arguments: one JSON object each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from milepost import api
from milepost_lsp.protocol.places import Range

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
STATUS = "milepost.status"
SEARCH = "milepost.memory.search"
EDIT = "milepost.memory.edit"
LOCATE = "milepost.memory.locate"
LIST_CHECKPOINTS = "milepost.checkpoint.list"
DIFF_CHECKPOINTS = "milepost.checkpoint.diff"
PIN_CHECKPOINT = "milepost.checkpoint.pin"
NAME_CHECKPOINT = "milepost.checkpoint.name"
REDO = "milepost.checkpoint.redo"
LIST_GOALS = "milepost.goal.list"
PROPOSE_CHECKS = "milepost.goal.propose"
PAUSE_GOAL = "milepost.goal.pause"
RESUME_GOAL = "milepost.goal.resume"
ABANDON_GOAL = "milepost.goal.abandon"
SET_GOAL_BUDGET = "milepost.goal.setBudget"
ALLOW_GOAL = "milepost.goal.allow"
LIST_GOAL_SIGNS = "milepost.goal.signs"
ACCEPT_GOAL_CHANGES = "milepost.goal.acceptChanges"
READ_DOCUMENT = "milepost.document.read"
OPEN_CHAT = "milepost.chat.open"
SEND_CHAT = "milepost.chat.send"
STOP_CHAT = "milepost.chat.stop"

Kind = Literal["context", "rule", "decision", "knowledge"]
# `note` is what stands under headings of the user's own; nobody else puts an entry there.
AnyKind = Literal["context", "rule", "decision", "knowledge", "note"]
Scope = Literal["project", "worktree", "session", "task", "global"]


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
class LocateArguments:
    """`id` is an entry's."""

    id: str
    uri: str | None = None


@dataclass(frozen=True, slots=True)
class EntryPlace:
    """The file that an entry stands in, and its first line, zero-based."""

    uri: str
    line: int


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

    `apply` false answers with the preview and asks nothing. `what` is files, memory, conversation,
    tasks, goal, several of them with commas between, or all.
    """

    id: int | None = None
    apply: bool | None = None
    paths: tuple[str, ...] = ()
    force: bool = False
    what: str = "files"
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
class StatusArguments:
    """`uri` is a document or a folder."""

    uri: str | None = None


@dataclass(frozen=True, slots=True)
class SearchArguments:
    """`query` is plain words."""

    query: str
    kind: AnyKind | None = None
    scope: Scope | None = None
    limit: int = 20
    uri: str | None = None


@dataclass(frozen=True, slots=True)
class EditArguments:
    """`version` is that of the words that the user saw, and when they are others by now, nothing is
    changed."""

    id: str
    text: str
    version: str | None = None
    uri: str | None = None


@dataclass(frozen=True, slots=True)
class ListCheckpointsArguments:
    """A page of the restore points, newest first; with `all` also those that were only made because
    somebody looked at a diff, a preview or a goal."""

    limit: int = 20
    offset: int = 0
    uri: str | None = None
    all: bool = False


@dataclass(frozen=True, slots=True)
class CheckpointPage:
    """Part of the restore points; `nextOffset` is null at the end."""

    checkpoints: tuple[api.Checkpoint, ...]
    next_offset: int | None


@dataclass(frozen=True, slots=True)
class DiffCheckpointsArguments:
    """From a restore point to another one, or to the files as they are now; of one `path`, or of
    all."""

    from_: int
    to: int | None = None
    path: str | None = None
    uri: str | None = None


@dataclass(frozen=True, slots=True)
class CheckpointDiff:
    """The changes, and as much of their unified diff as is worth reading."""

    changes: tuple[api.Change, ...]
    text: str


@dataclass(frozen=True, slots=True)
class PinCheckpointArguments:
    """A pinned point is kept when old ones are forgotten."""

    id: int
    pinned: bool = True
    uri: str | None = None


@dataclass(frozen=True, slots=True)
class NameCheckpointArguments:
    """A named point is kept when old ones are forgotten."""

    id: int
    name: str
    uri: str | None = None


@dataclass(frozen=True, slots=True)
class RedoArguments:
    """Does the restore again that was taken back."""

    uri: str | None = None


@dataclass(frozen=True, slots=True)
class ListGoalsArguments:
    """`uri` is a document or a folder."""

    uri: str | None = None


@dataclass(frozen=True, slots=True)
class GoalList:
    """The goals, newest first."""

    goals: tuple[api.Goal, ...]


@dataclass(frozen=True, slots=True)
class ProposeChecksArguments:
    """The words of a goal that is not set yet."""

    condition: str
    uri: str | None = None


@dataclass(frozen=True, slots=True)
class ProposedChecks:
    """What the words seem to ask for in this project, for the user to take, change or leave;
    nothing was run."""

    checks: tuple[api.Check, ...]


@dataclass(frozen=True, slots=True)
class GoalArguments:
    """The goal that is meant."""

    goal_id: str
    uri: str | None = None


@dataclass(frozen=True, slots=True)
class SetGoalBudgetArguments:
    """How often, and for how many seconds in all, the goal may be verified; null is no limit."""

    goal_id: str
    max_verifications: int | None = None
    max_seconds: float | None = None
    uri: str | None = None


@dataclass(frozen=True, slots=True)
class AcceptGoalChangesArguments:
    """The signs, by the ids of a verdict, that are taken for honest changes; without any, all that
    there are now."""

    goal_id: str
    signs: tuple[str, ...] = ()
    uri: str | None = None


@dataclass(frozen=True, slots=True)
class ReadDocumentArguments:
    """`uri` is that of a `milepost:` document."""

    uri: str


@dataclass(frozen=True, slots=True)
class DocumentText:
    """What a `milepost:` document says."""

    text: str


@dataclass(frozen=True, slots=True)
class Known:
    """What memory knows about a symbol."""

    symbol: str
    entries: tuple[api.Entry, ...]


@dataclass(frozen=True, slots=True)
class OpenChatArguments:
    """The chat as a Markdown document, for clients without a panel: that of a session, or a new
    one."""

    session_id: str | None = None
    uri: str | None = None


@dataclass(frozen=True, slots=True)
class SendChatArguments:
    """Sends what stands below the last “You” of a chat's document, `uri`; the answer is appended by
    `workspace/applyEdit`."""

    uri: str
    mode: Literal["build", "plan", "compose"] | None = None
    model: str | None = None


@dataclass(frozen=True, slots=True)
class StopChatArguments:
    """Stops the answer that is being written into a chat's document, `uri`."""

    uri: str


@dataclass(frozen=True, slots=True)
class ChatPage:
    """A chat's document."""

    uri: str
    session_id: str
