"""Sessions of the chat: list, load, fork, rename, delete."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from milepost_lsp.protocol.message import Nothing, Request
from milepost_lsp.protocol.updates import Update


@dataclass(frozen=True, slots=True)
class ChatSession:
    """A session. It is running while a turn is, in whatever process."""

    session_id: str
    title: str
    state: Literal["running", "active", "ended"]
    created_at: str
    updated_at: str
    mode: str


@dataclass(frozen=True, slots=True)
class ListSessionsParams:
    """A page of the sessions, newest first."""

    uri: str | None = None
    limit: int = 50
    offset: int = 0


@dataclass(frozen=True, slots=True)
class SessionPage:
    """A page, and how many there are."""

    sessions: tuple[ChatSession, ...]
    total: int


@dataclass(frozen=True, slots=True)
class LoadSessionParams:
    """`limit` is of updates, the newest."""

    session_id: str
    uri: str | None = None
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class TurnUpdate:
    """An update and where it belongs."""

    turn_id: str
    seq: int
    update: Update


@dataclass(frozen=True, slots=True)
class Transcript:
    """What was said and done; `isCut` when the beginning is missing."""

    session: ChatSession
    updates: tuple[TurnUpdate, ...]
    is_cut: bool


@dataclass(frozen=True, slots=True)
class ForkSessionParams:
    """Up to, not including, `turnId`; without it, all."""

    session_id: str
    turn_id: str | None = None
    uri: str | None = None


@dataclass(frozen=True, slots=True)
class RenameSessionParams:
    """A title for people."""

    session_id: str
    title: str
    uri: str | None = None


@dataclass(frozen=True, slots=True)
class DeleteSessionParams:
    """The session that is to go, with its notes."""

    session_id: str
    uri: str | None = None


LIST = Request(
    "milepost/session/list",
    ListSessionsParams,
    SessionPage,
    "The sessions of a project, newest first.",
)
LOAD = Request(
    "milepost/session/load",
    LoadSessionParams,
    Transcript,
    "What was said and done in a session; from then on this client gets its updates, also when "
    "another editor, in another process, prompts in it.",
)
FORK = Request(
    "milepost/session/fork",
    ForkSessionParams,
    ChatSession,
    "A new session with a beginning of another one: to edit a prompt and send it again.",
)
RENAME = Request(
    "milepost/session/rename", RenameSessionParams, ChatSession, "Gives a session another title."
)
DELETE = Request("milepost/session/delete", DeleteSessionParams, Nothing, "Deletes a session.")
