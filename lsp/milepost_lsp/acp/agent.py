"""The agent's side of ACP: one method of the protocol a method here."""

from __future__ import annotations

import logging
import os
import threading
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from milepost import __version__, api
from milepost_lsp.acp.blocks import read_blocks
from milepost_lsp.acp.updates import to_update
from milepost_lsp.acp.wire import INTERNAL_ERROR, INVALID_PARAMS, Params, Wrong

if TYPE_CHECKING:
    from collections.abc import Callable

    from milepost_lsp.acp.wire import Wire
    from milepost_lsp.protocol import Json

log = logging.getLogger(__name__)

PROTOCOL_VERSION = 1

_MODES = {
    "build": ("Build", "Works on the project, with restore points around every change"),
    "plan": ("Plan", "Looks and plans; nothing is changed"),
    "compose": ("Compose", "Goes from a specification over a plan to a reviewed change"),
}

_LISTED = 50

# An editor has its files at hand; one that does not answer is not waited for.
_READ_S = 5.0

# How long leaving waits for turns to end; what they had done is kept in any case.
CLOSE_GRACE_S = 3.0

_STOPS = {"not_met": "end_turn", "budget": "max_turn_requests"}


@dataclass(slots=True)
class _Open:
    """A session that the client works with; `is_new` until its first prompt."""

    workspace: api.Workspace
    chat: api.Chat
    is_new: bool
    mode: str = "build"


class Agent:
    """Serves one client."""

    def __init__(self, wire: Wire, project: str | None) -> None:
        self._wire = wire
        self._project = project
        self._actor = "user:acp"
        self._reads_files = False
        self._guard = threading.Lock()
        self._workspaces: dict[str, api.Workspace] = {}
        self._sessions: dict[str, _Open] = {}
        self._prompts: dict[str | int, str] = {}
        self._told = 0

    def serve(self) -> None:
        """Answer until the client is gone; then what still runs is cancelled."""
        try:
            self._wire.serve(
                {
                    "initialize": self.initialize,
                    "authenticate": lambda _params, _id: {},
                    "session/new": self.new,
                    "session/load": self.load,
                    "session/resume": self.resume,
                    "session/list": self.list,
                    "session/fork": self.fork,
                    "session/close": self.close_session,
                    "session/delete": self.delete,
                    "session/set_mode": self.set_mode,
                    "session/prompt": self.prompt,
                },
                {"session/cancel": self.cancel, "$/cancel_request": self.cancel_request},
            )
        finally:
            workspaces = tuple(self._workspaces.values())
            for workspace in workspaces:
                workspace.chat().close()
            self._wire.close(CLOSE_GRACE_S)
            for workspace in workspaces:
                workspace.close()

    # Beginning

    def initialize(self, params: Params, _id: str | int | None) -> Json:
        """Says what there is; a client that knows a newer protocol goes on with ours or leaves."""
        client = api.plain_name((params.part("clientInfo").maybe_text("name") or "").lower())
        if client:
            self._actor = f"user:{client}"
        self._reads_files = params.part("clientCapabilities").part("fs").flag("readTextFile")
        return {
            "protocolVersion": PROTOCOL_VERSION,
            "agentInfo": {"name": "milepost", "title": "Milepost", "version": __version__},
            "agentCapabilities": {
                "loadSession": True,
                "promptCapabilities": {"image": False, "audio": False, "embeddedContext": True},
                "mcpCapabilities": {"http": False, "sse": False},
                "sessionCapabilities": {
                    "list": {}, "delete": {}, "fork": {}, "resume": {}, "close": {},
                },
            },
            "authMethods": [],
        }  # fmt: skip

    def new(self, params: Params, _id: str | int | None) -> Json:
        """A session. Nothing is kept of it before it is prompted."""
        workspace = self._workspace(params.text("cwd"))
        session = workspace.chat().new_id()
        opened = _Open(workspace, workspace.chat(), is_new=True)
        with self._guard:
            self._sessions[session] = opened
        return {"sessionId": session, "modes": self._modes(opened)}

    def load(self, params: Params, _id: str | int | None) -> Json:
        """A session of before, with all that was said, and from then on what others do in it."""
        session = params.text("sessionId")
        opened = self._open(session, params.text("cwd"))
        transcript = opened.chat.load(session, hear=self._tell)
        for event in transcript.events:
            self._tell(event)
        return {"modes": self._modes(opened)}

    def resume(self, params: Params, _id: str | int | None) -> Json:
        """A session of before, whose words the client has."""
        session = params.text("sessionId")
        opened = self._open(session, params.text("cwd"))
        return {"modes": self._modes(opened)}

    def list(self, params: Params, _id: str | int | None) -> Json:
        """The sessions of the project, a page of them."""
        workspace = self._workspace(params.maybe_text("cwd"))
        offset = _offset(params.maybe_text("cursor"))
        page = workspace.chat().sessions(_LISTED, offset)
        shown: dict[str, Json] = {
            "sessions": [
                {
                    "sessionId": each.id,
                    "cwd": workspace.project.root,
                    "title": each.title,
                    "updatedAt": each.updated_at,
                }
                for each in page.sessions
            ]
        }
        after = offset + len(page.sessions)
        return shown | ({"nextCursor": str(after)} if after < page.total else {})

    def fork(self, params: Params, _id: str | int | None) -> Json:
        """A session that begins like another one."""
        source = self._open(params.text("sessionId"), params.text("cwd"))
        forked = source.chat.fork(params.text("sessionId"))
        opened = _Open(source.workspace, source.chat, is_new=False, mode=source.mode)
        with self._guard:
            self._sessions[forked.id] = opened
        return {"sessionId": forked.id, "modes": self._modes(opened)}

    # Working

    def set_mode(self, params: Params, _id: str | int | None) -> Json:
        """How the next prompts are worked on."""
        opened = self._known(params.text("sessionId"))
        mode = params.text("modeId")
        if mode not in opened.chat.modes:
            raise Wrong(INVALID_PARAMS, f"there is no mode {mode[:40]!r}")
        opened.mode = mode
        return {}

    def prompt(self, params: Params, request: str | int | None) -> Json:
        """A turn, from what the user says to how it ended."""
        session = params.text("sessionId")
        opened = self._known(session)
        blocks = read_blocks(params.items("prompt"), opened.workspace.project.root)
        turn = opened.chat.turn(
            blocks,
            tell=self._tell,
            session=None if opened.is_new else session,
            new=session if opened.is_new else None,
            mode=opened.mode,
            ask=self._ask,
            buffers=self._buffer(session) if self._reads_files else None,
        )
        if request is not None:
            self._prompts[request] = session
        try:
            result = turn.run()
        finally:
            if request is not None:
                self._prompts.pop(request, None)
            # Also when it failed: from the first word on it is kept.
            opened.is_new = opened.is_new and not turn.has_begun
        if result.stop_reason == "error":
            raise Wrong(INTERNAL_ERROR, result.message)
        if result.stop_reason == "not_met":
            note = api.ChatNotice("warning", f"the goal is not met: {result.message}")
            self._tell(api.ChatEvent(session, result.turn, note))
        usage = result.usage
        return {
            "stopReason": _STOPS.get(result.stop_reason, result.stop_reason),
            "usage": {
                "totalTokens": usage.input_tokens + usage.output_tokens,
                "inputTokens": usage.input_tokens,
                "outputTokens": usage.output_tokens,
            },
        }

    def cancel(self, params: Params) -> None:
        """Ends the turn of a session, in whichever process it runs; its prompt is answered with
        `cancelled`."""
        self._known(params.text("sessionId")).chat.stop(params.text("sessionId"))

    def cancel_request(self, params: Params) -> None:
        """The same by the request that is under way; others end soon by themselves."""
        request = params.identity("requestId")
        session = None if request is None else self._prompts.get(request)
        if session is not None:
            self._known(session).chat.cancel(session)

    # Ending

    def close_session(self, params: Params, _id: str | int | None) -> Json:
        """Ends what runs in a session, and tells no more of it."""
        session = params.text("sessionId")
        opened = self._known(session)
        opened.chat.cancel(session)
        opened.chat.unfollow(session)
        with self._guard:
            self._sessions.pop(session, None)
        return {}

    def delete(self, params: Params, _id: str | int | None) -> Json:
        """Deletes a session with all that was said in it."""
        session = params.text("sessionId")
        with self._guard:
            opened = self._sessions.pop(session, None)
        if opened is None or not opened.is_new:
            chat = opened.chat if opened else self._workspace(None).chat()
            chat.delete(session)
        return {}

    # What the turn tells and asks

    def _tell(self, event: api.ChatEvent) -> None:
        opened = self._sessions.get(event.session)
        if opened is None:
            return
        with self._guard:
            self._told += 1
            number = self._told
        update = to_update(event.update, opened.workspace.project.root, number)
        if update is not None:
            self._wire.notify("session/update", {"sessionId": event.session, "update": update})

    def _ask(self, request: api.PermissionRequest) -> Future[str | None]:
        answer = self._wire.ask(
            "session/request_permission",
            {
                "sessionId": request.session,
                "toolCall": {
                    "toolCallId": request.call_id,
                    "title": request.title,
                    "status": "pending",
                    "content": [
                        {"type": "content", "content": {"type": "text", "text": request.reason}}
                    ],
                },
                "options": [
                    {"optionId": option.id, "name": option.name, "kind": option.kind}
                    for option in request.options
                ],
            },
        )
        return _chosen(answer)

    def _buffer(self, session: str) -> Callable[[str], str | None]:
        """The editor's own text of a file, saved or not."""

        def read(path: str) -> str | None:
            asked = self._wire.ask("fs/read_text_file", {"sessionId": session, "path": path})
            try:
                answer = asked.result(_READ_S)
            except (api.MilepostError, TimeoutError) as error:
                asked.cancel()
                log.debug("the editor has no %s: %s", path, error)
                return None
            try:
                return Params(answer).maybe_text("content")
            except Wrong:
                return None

        return read

    # Which project, which session

    def _workspace(self, folder: str | None) -> api.Workspace:
        if folder is None and self._project is None:
            with self._guard:
                first = next(iter(self._workspaces.values()), None)
            if first is not None:
                return first
            folder = str(Path.cwd())
        if folder is not None and not os.path.isabs(folder):  # noqa: PTH117  (text of the wire)
            raise Wrong(INVALID_PARAMS, f"cwd must be an absolute path, not {folder[:200]}")
        key = self._project or folder or ""
        with self._guard:
            if key not in self._workspaces:
                candidates = [folder] if folder else []
                opened = api.open_workspace(self._project, candidates=candidates, actor=self._actor)
                if not _holds(opened.project.root, folder) and self._project is None:
                    opened.close()
                    raise Wrong(
                        INVALID_PARAMS,
                        f"{folder} is not a folder that can be a project: open one with version "
                        "control or a manifest",
                    )
                opened.watch()
                self._workspaces[key] = opened
            return self._workspaces[key]

    def _open(self, session: str, folder: str) -> _Open:
        with self._guard:
            known = self._sessions.get(session)
        if known is not None:
            return known
        workspace = self._workspace(folder)
        shown = workspace.chat().session(session)
        mode = shown.mode if shown.mode in workspace.chat().modes else "build"
        opened = _Open(workspace, workspace.chat(), is_new=False, mode=mode)
        with self._guard:
            self._sessions[session] = opened
        return opened

    def _known(self, session: str) -> _Open:
        with self._guard:
            opened = self._sessions.get(session)
        if opened is None:
            raise Wrong(
                INVALID_PARAMS, f"there is no session {session[:80]} here; make or load one first"
            )
        return opened

    def _modes(self, opened: _Open) -> Json:
        available = [
            {"id": mode, "name": _MODES[mode][0], "description": _MODES[mode][1]}
            for mode in opened.chat.modes
            if mode in _MODES
        ]
        return {"currentModeId": opened.mode, "availableModes": available}


def _chosen(answer: Future[Json]) -> Future[str | None]:
    """The option that was chosen; whoever cancels it cancels the question."""
    chosen: Future[str | None] = Future()

    def settle(done: Future[Json]) -> None:
        if chosen.cancelled():
            return
        if done.cancelled() or done.exception() is not None:
            chosen.set_result(None)
            return
        try:
            option = Params(done.result()).part("outcome").maybe_text("optionId")
        except Wrong:
            option = None
        chosen.set_result(option)

    answer.add_done_callback(settle)
    chosen.add_done_callback(lambda done: answer.cancel() if done.cancelled() else None)
    return chosen


def _holds(root: str, folder: str | None) -> bool:
    return folder is None or Path(os.path.realpath(folder)).is_relative_to(os.path.realpath(root))


def _offset(cursor: str | None) -> int:
    if cursor is None:
        return 0
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) < 10):
        raise Wrong(INVALID_PARAMS, "cursor must be one that session/list answered with")
    return int(cursor)
