"""Proposals: edits that a person accepts or rejects, hunk by hunk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from milepost_lsp.protocol.message import Notification, Request

# The commands by which a client without a view of proposals decides.
ACCEPT_COMMAND = "milepost.proposal.accept"
REJECT_COMMAND = "milepost.proposal.reject"

HunkState = Literal["open", "accepted", "rejected"]
ProposalState = Literal["open", "accepted", "rejected", "stale"]


@dataclass(frozen=True, slots=True)
class Hunk:
    """Lines of `oldText` and the lines of `newText` that take their place, zero-based."""

    id: str
    old_start: int
    old_lines: int
    new_start: int
    new_lines: int
    state: HunkState


@dataclass(frozen=True, slots=True)
class Proposal:
    """An edit of one document. With `isApplied` (the chat's worker did it) accepting a hunk keeps
    it and rejecting puts the old lines back; without (a code action) accepting writes it.
    `state` is open while a hunk is; then accepted when any hunk was, else rejected; stale when the
    document moved on so that no open hunk fits."""

    id: str
    uri: str
    title: str
    origin: Literal["chat", "action"]
    session_id: str | None
    is_applied: bool
    state: ProposalState
    old_text: str
    new_text: str
    hunks: tuple[Hunk, ...]


@dataclass(frozen=True, slots=True)
class ListProposalsParams:
    """With `uri` the proposals of that document, or of the project whose folder it is."""

    uri: str | None = None


@dataclass(frozen=True, slots=True)
class ProposalList:
    """Those that the server still knows, oldest first."""

    proposals: tuple[Proposal, ...]


@dataclass(frozen=True, slots=True)
class DecideProposalParams:
    """Without `hunks`, all that are open."""

    proposal_id: str
    hunks: tuple[str, ...] | None = None
    uri: str | None = None


@dataclass(frozen=True, slots=True)
class ProposalDidChange:
    """The proposal as it is now."""

    proposal: Proposal


LIST = Request(
    "milepost/proposal/list", ListProposalsParams, ProposalList, "The proposals there are."
)
ACCEPT = Request(
    "milepost/proposal/accept",
    DecideProposalParams,
    Proposal,
    "Takes hunks, by a versioned `workspace/applyEdit`. A hunk moves along when the document "
    "changed elsewhere, and is refused (-32803) when it changed there.",
)
REJECT = Request(
    "milepost/proposal/reject",
    DecideProposalParams,
    Proposal,
    "Turns hunks down; those that are in the file already are taken back, as above.",
)
DID_CHANGE = Notification(
    "milepost/proposal/didChange",
    ProposalDidChange,
    "A proposal is new, or was decided on, or went stale; to clients that announced `proposals`.",
    needs="proposals",
)
