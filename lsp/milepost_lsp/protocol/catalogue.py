"""Everything that goes over the wire beside LSP's own: what the generator and the tests go by.

The server does not import it: it loads all shapes, and a session uses a few.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from milepost import api
from milepost_lsp.protocol import (
    announcing,
    assist,
    chat,
    commands,
    permissions,
    proposals,
    sessions,
    updates,
)
from milepost_lsp.protocol import status as standing
from milepost_lsp.protocol.message import Notification, Request


@dataclass(frozen=True, slots=True)
class Command:
    """A command of workspace/executeCommand: its one argument, and what it answers with."""

    name: str
    arguments: type[Any]
    # A type such as `api.Entry`, `api.Restore | None` or `tuple[api.MemoryChange, ...]`.
    result: Any


@dataclass(frozen=True, slots=True)
class Subject:
    """The messages of one file."""

    name: str
    messages: tuple[Request[Any, Any] | Notification[Any], ...]


ANNOUNCEMENTS = (announcing.ClientAnnouncement, announcing.ServerAnnouncement)

# Kinds with a name of their own in the generated files.
ALIASES = {
    "Block": chat.Block,
    "Mode": chat.Mode,
    "StopReason": chat.StopReason,
    "Update": updates.Update,
    "CallStatus": updates.CallStatus,
    "ToolKind": updates.ToolKind,
    "CallOutput": updates.CallOutput,
    "HunkState": proposals.HunkState,
    "ProposalState": proposals.ProposalState,
    "EntryKind": commands.Kind,
    "AnyEntryKind": commands.AnyKind,
    "Scope": commands.Scope,
}

SUBJECTS = (
    Subject("chat", (chat.PROMPT, chat.CANCEL, chat.UPDATE)),
    Subject(
        "sessions",
        (sessions.LIST, sessions.LOAD, sessions.FORK, sessions.RENAME, sessions.DELETE),
    ),
    Subject("permissions", (permissions.REQUEST,)),
    Subject(
        "proposals",
        (proposals.LIST, proposals.ACCEPT, proposals.REJECT, proposals.DID_CHANGE),
    ),
    Subject(
        "status",
        (
            standing.MEMORY_DID_CHANGE,
            standing.CHECKPOINT_DID_CHANGE,
            standing.GOAL_DID_CHANGE,
            standing.STATUS_DID_CHANGE,
        ),
    ),
)

COMMANDS = (
    Command(commands.REMEMBER, commands.RememberArguments, api.Entry),
    Command(commands.ABOUT, commands.AboutArguments, commands.Known),
    Command(commands.LIST, commands.ListArguments, api.EntryPage),
    Command(commands.SEARCH, commands.SearchArguments, api.SearchResult),
    Command(commands.BRIEF, commands.BriefArguments, api.Brief),
    Command(commands.EDIT, commands.EditArguments, api.Entry),
    Command(commands.LOCATE, commands.LocateArguments, commands.EntryPlace),
    Command(commands.FORGET, commands.ForgetArguments, api.Entry),
    Command(commands.CONFIRM, commands.ConfirmArguments, api.Entry),
    Command(commands.LOG, commands.LogArguments, tuple[api.MemoryChange, ...]),
    Command(commands.UNDO_MEMORY, commands.UndoMemoryArguments, api.MemoryChange),
    Command(commands.CHECKPOINT, commands.CheckpointArguments, api.Checkpoint),
    Command(commands.LIST_CHECKPOINTS, commands.ListCheckpointsArguments, commands.CheckpointPage),
    Command(commands.DIFF_CHECKPOINTS, commands.DiffCheckpointsArguments, commands.CheckpointDiff),
    Command(commands.PIN_CHECKPOINT, commands.PinCheckpointArguments, api.Checkpoint),
    Command(commands.NAME_CHECKPOINT, commands.NameCheckpointArguments, api.Checkpoint),
    Command(commands.GO_BACK, commands.GoBackArguments, api.Restore | None),
    Command(commands.UNDO, commands.UndoArguments, api.Restore),
    Command(commands.REDO, commands.RedoArguments, api.Restore),
    Command(commands.SET_GOAL, commands.SetGoalArguments, api.Goal),
    Command(commands.VERIFY_GOAL, commands.VerifyGoalArguments, api.Verdict),
    Command(commands.LIST_GOALS, commands.ListGoalsArguments, commands.GoalList),
    Command(commands.PROPOSE_CHECKS, commands.ProposeChecksArguments, commands.ProposedChecks),
    Command(commands.PAUSE_GOAL, commands.GoalArguments, api.Goal),
    Command(commands.RESUME_GOAL, commands.GoalArguments, api.Goal),
    Command(commands.ABANDON_GOAL, commands.GoalArguments, api.Goal),
    Command(commands.SET_GOAL_BUDGET, commands.SetGoalBudgetArguments, api.Goal),
    Command(commands.ALLOW_GOAL, commands.GoalArguments, api.Goal),
    Command(commands.LIST_GOAL_SIGNS, commands.GoalArguments, tuple[api.Sign, ...]),
    Command(
        commands.ACCEPT_GOAL_CHANGES, commands.AcceptGoalChangesArguments, tuple[api.Sign, ...]
    ),
    Command(commands.OPEN_CHAT, commands.OpenChatArguments, commands.ChatPage),
    Command(commands.SEND_CHAT, commands.SendChatArguments, commands.ChatPage),
    Command(commands.STOP_CHAT, commands.StopChatArguments, commands.ChatPage),
    Command(assist.ASK, assist.AskArguments, api.Answer),
    Command(assist.EXPLAIN, assist.DiagnosticArguments, api.Answer),
    Command(assist.FIX, assist.DiagnosticArguments, assist.Edited),
    Command(assist.DOCUMENT, assist.CodeArguments, assist.Edited),
    Command(assist.TEST, assist.CodeArguments, assist.Edited),
    Command(proposals.ACCEPT_COMMAND, proposals.DecideProposalParams, proposals.Proposal),
    Command(proposals.REJECT_COMMAND, proposals.DecideProposalParams, proposals.Proposal),
    Command(commands.STATUS, commands.StatusArguments, standing.Status),
    Command(commands.READ_DOCUMENT, commands.ReadDocumentArguments, commands.DocumentText),
)
