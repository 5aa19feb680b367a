"""The chat: a prompt that is answered at the end of its turn, and the stream in between."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from milepost_lsp.protocol.message import Notification, Request
from milepost_lsp.protocol.places import Range
from milepost_lsp.protocol.updates import TextBlock, Update, Usage

Mode = Literal["build", "plan", "compose"]

StopReason = Literal["end_turn", "not_met", "budget", "max_tokens", "refusal", "cancelled", "error"]


@dataclass(frozen=True, slots=True)
class FileBlock:
    """A document, or its `range`; `text` overrides what stands there. Unsaved buffers count as
    they stand."""

    uri: str
    range: Range | None = None
    text: str | None = None
    type: Literal["file"] = "file"


@dataclass(frozen=True, slots=True)
class MemoryBlock:
    """An entry of memory."""

    id: str
    type: Literal["memory"] = "memory"


@dataclass(frozen=True, slots=True)
class DiagnosticBlock:
    """A diagnostic of the editor; `severity` is LSP's number."""

    uri: str
    range: Range
    message: str
    severity: int | None = None
    source: str | None = None
    code: str | int | None = None
    type: Literal["diagnostic"] = "diagnostic"


Block: TypeAlias = TextBlock | FileBlock | MemoryBlock | DiagnosticBlock


@dataclass(frozen=True, slots=True)
class PromptParams:
    """Without `sessionId` a session begins. `@memory words` and `@file:path` in a text are resolved
    by the server."""

    prompt: tuple[Block, ...]
    session_id: str | None = None
    mode: Mode | None = None
    model: str | None = None
    uri: str | None = None
    work_done_token: str | int | None = None


@dataclass(frozen=True, slots=True)
class PromptResult:
    """How the turn ended, in one sentence too. A cancelled turn is a result, and keeps what was
    said."""

    session_id: str
    turn_id: str
    stop_reason: StopReason
    message: str
    usage: Usage


@dataclass(frozen=True, slots=True)
class CancelChatParams:
    """The session whose turn is to end, whichever process runs it. With `turn_id` only if it is
    that one: another editor's may have ended, and the next begun, before this is heard."""

    session_id: str
    turn_id: str | None = None


@dataclass(frozen=True, slots=True)
class UpdateParams:
    """`seq` grows by one per session, so that a client sees that it missed nothing."""

    session_id: str
    turn_id: str
    seq: int
    update: Update


PROMPT = Request(
    "milepost/chat/prompt",
    PromptParams,
    PromptResult,
    "One turn of the chat; answered when it ended, by `$/cancelRequest` too. A second prompt on a "
    "session that is running is refused (-32803).",
)
CANCEL = Notification(
    "milepost/chat/cancel", CancelChatParams, "Ends the running turn of a session.", sender="client"
)
UPDATE = Notification(
    "milepost/chat/update",
    UpdateParams,
    "What happens in a turn, in order, to clients that announced `chat`.",
    needs="chat",
)
