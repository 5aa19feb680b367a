"""Permission: the server asks whether a tool call may be done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from milepost_lsp.protocol.message import Request


@dataclass(frozen=True, slots=True)
class PermissionOption:
    """One of the answers there are; `meaning` says in a sentence what follows from it."""

    option_id: str
    name: str
    kind: Literal["allow_once", "allow_always", "reject_once"]
    meaning: str


@dataclass(frozen=True, slots=True)
class PermissionParams:
    """What is to be done, and why it is asked."""

    session_id: str
    turn_id: str
    tool_call_id: str
    title: str
    subject: str
    reason: str
    options: tuple[PermissionOption, ...]


@dataclass(frozen=True, slots=True)
class PermissionOutcome:
    """What the user chose, if they did."""

    outcome: Literal["selected", "cancelled"]
    option_id: str | None = None


REQUEST = Request(
    "milepost/permission/request",
    PermissionParams,
    PermissionOutcome,
    "Sent to clients that announced `permissions`; the others are asked by "
    "`window/showMessageRequest`. No answer, or a cancelled turn, is a no.",
    sender="server",
    needs="permissions",
)
