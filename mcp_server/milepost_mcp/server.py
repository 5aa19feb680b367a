"""The protocol over stdio, in both eras: one JSON message a line.

Written by hand because the SDK takes a second to import and an agent does not wait that long (see
docs/decisions/0002). Every request gets exactly one answer; what is no request gets none, except
that a line which cannot be read at all is answered with a parse error. What is answered is in
`answers.py`; here are ids, envelopes, cancels and progress.

Handshake era (2024-11-05 to 2025-11-25): `initialize`, then requests. Modern era (2026-07-28): no
handshake; every request says in its `_meta` which version it speaks. Source: the specification at
modelcontextprotocol.io, checked against the SDK's server in the tests.
"""

from __future__ import annotations

import contextlib
import itertools
import queue
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from milepost_mcp import guard
from milepost_mcp.answers import (
    CAPABILITIES,
    HANDSHAKE_VERSIONS,
    INSTRUCTIONS,
    INVALID_PARAMS,
    INVALID_REQUEST,
    LIST_TTL_MS,
    MODERN_VERSIONS,
    SERVER_INFO,
    Answers,
    RpcError,
    Waiter,
    apology,
    failed,
    rpc_errors,
)
from milepost_mcp.limits import EXIT_GRACE_S, MAX_MESSAGE_BYTES, MAX_SLOW_CALLS
from milepost_mcp.peer import Returning, is_offered
from milepost_mcp.subscriptions import SUBSCRIPTION_KEY, Subscriptions
from milepost_mcp.watching import Watch

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from milepost_mcp.peer import Peer
    from milepost_mcp.session import Session
    from milepost_mcp.tools.tool import Tool

PARSE_ERROR = -32700
INTERNAL_ERROR = -32603
UNSUPPORTED_VERSION = -32022

# What the modern era has no more.
_HANDSHAKE_ONLY = frozenset(("ping", "resources/subscribe", "resources/unsubscribe"))

# How soon a call that waits for its client's answer notices that it was cancelled.
_ANSWER_POLL_S = 0.1

_VERSION_KEY = "io.modelcontextprotocol/protocolVersion"
_CAPABILITIES_KEY = "io.modelcontextprotocol/clientCapabilities"
_CLIENT_KEY = "io.modelcontextprotocol/clientInfo"
_SERVER_KEY = "io.modelcontextprotocol/serverInfo"


@dataclass(slots=True)
class _Request:
    """A request that is being answered."""

    id: object
    is_modern: bool
    progress_token: object = None
    peer: Peer | None = None
    stop: threading.Event = field(default_factory=threading.Event)
    started: float = field(default_factory=time.monotonic)
    doing: str = ""


class _Client:
    """The client of the handshake era, as somebody who may be asked."""

    def __init__(
        self,
        notify: Callable[[str, dict[str, object]], None],
        send: Callable[[bytes], None],
    ) -> None:
        self.capabilities: Mapping[str, object] = {}
        self._notify = notify
        self._send = send
        self._waiting: dict[object, queue.SimpleQueue[dict[str, object] | None]] = {}
        self._numbers = itertools.count(1)

    def offers(self, method: str) -> bool:
        """Whether it said at the beginning that it takes such requests."""
        return is_offered(method, self.capabilities)

    def ask(
        self, method: str, params: Mapping[str, object], timeout_s: float, stop: threading.Event
    ) -> dict[str, object] | None:
        """Send a request, and wait for its result."""
        request_id = f"milepost-{next(self._numbers)}"
        answers: queue.SimpleQueue[dict[str, object] | None] = queue.SimpleQueue()
        self._waiting[request_id] = answers
        message = {"jsonrpc": "2.0", "id": request_id, "method": method, "params": params}
        self._send(guard.encoded(message))
        deadline = time.monotonic() + timeout_s
        try:
            while time.monotonic() < deadline and not stop.is_set():
                with contextlib.suppress(queue.Empty):
                    return answers.get(timeout=_ANSWER_POLL_S)
        finally:
            del self._waiting[request_id]
        self._notify("notifications/cancelled", {"requestId": request_id})
        return None

    def answered(self, request_id: object, result: dict[str, object] | None) -> None:
        """The client answered; one that nobody waits for any more is nothing."""
        answers = self._waiting.get(request_id)
        if answers is not None:
            answers.put(result)


class Server:
    """Answers the messages of one connection through `send`, which must be thread-safe."""

    def __init__(self, session: Session, send: Callable[[bytes], None]) -> None:
        self._session = session
        self._send = send
        # Slow calls that are not answered yet, and the threads of all that have not ended.
        self._slow: dict[object, _Request] = {}
        self._threads: set[threading.Thread] = set()
        self._guard = threading.Lock()
        self._client = _Client(self._notify, send)
        self._answers = Answers(session)
        self._watch = Watch(session)
        self._subscriptions = Subscriptions(self._watch, self._notify)
        # What belongs to a connection; all else is asked of the answers.
        self._methods: dict[str, Callable[[Mapping[str, object], _Request], dict[str, object]]] = {
            "initialize": self._initialize,
            "ping": self._ping,
            "server/discover": self._discover,
            "resources/subscribe": self._subscribe,
            "resources/unsubscribe": self._unsubscribe,
        }

    def receive(self, line: bytes) -> None:
        """Answer one line."""
        if len(line) > MAX_MESSAGE_BYTES:
            limit = MAX_MESSAGE_BYTES // 1024**2
            self._fail(None, INVALID_REQUEST, f"a message may have {limit} MiB; send less at once")
            return
        try:
            message = guard.object_of(guard.decoded(line))
        except guard.ParseError as error:
            self._fail(None, PARSE_ERROR, str(error))
            return
        if message is None:
            self._fail(None, INVALID_REQUEST, "a message is one JSON object; batches are not taken")
            return
        self._answer(message)

    @property
    def is_busy(self) -> bool:
        """Whether a slow call goes on."""
        return bool(self._slow)

    def tick(self) -> None:
        """Tell clients that wait for a slow call that it is still going on."""
        with self._guard:
            waiting = list(self._slow.values())
        for request in waiting:
            self._progress(request)

    def close(self) -> None:
        """Stop what is running, give it a moment to end, and let go of the project."""
        for request_id in self._subscriptions.close():
            meta = {SUBSCRIPTION_KEY: request_id}
            self._succeed(_Request(request_id, is_modern=True), {"_meta": meta})
        self._watch.close()
        with self._guard:
            running, threads = list(self._slow.values()), list(self._threads)
        for request in running:
            request.stop.set()
        self._session.runs.close()
        deadline = time.monotonic() + EXIT_GRACE_S
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        self._session.close()

    def _answer(self, message: dict[str, object]) -> None:
        request_id, method = message.get("id"), message.get("method")
        if "id" not in message:
            if method == "notifications/cancelled":
                self._cancel(guard.object_of(message.get("params")))
            return
        if not guard.is_id(request_id):
            self._fail(None, INVALID_REQUEST, "an id is a string or a whole number")
            return
        if not isinstance(method, str):
            if "result" not in message and "error" not in message:
                self._fail(request_id, INVALID_REQUEST, "a request has a method")
            else:
                self._client.answered(request_id, guard.object_of(message.get("result")))
            return
        try:
            self._dispatch(request_id, method, message.get("params"))
        except RpcError as error:
            self._fail(request_id, error.code, str(error), error.data)
        except Exception:  # noqa: BLE001  (the one place where a bug of ours becomes words)
            self._fail(request_id, INTERNAL_ERROR, apology())

    def _dispatch(self, request_id: object, method: str, given: object) -> None:
        params = {} if given is None else guard.object_of(given)
        if params is None:
            raise RpcError(INVALID_PARAMS, "params must be an object")
        request = self._request(request_id, method, params)
        if method == "tools/call":
            self._call_tool(params, request)
            return
        with rpc_errors(is_modern=request.is_modern):
            if method == "subscriptions/listen" and request.is_modern:
                self._subscriptions.listen(request_id, params)
                return
            handler = self._methods.get(method)
            if handler is not None and not (request.is_modern and method in _HANDSHAKE_ONLY):
                self._succeed(request, handler(params, request))
                return
        self._succeed(request, self._answers.answer(method, params, is_modern=request.is_modern))

    def _request(self, request_id: object, method: str, params: Mapping[str, object]) -> _Request:
        """The request with what its `_meta` says. Raises RpcError for an envelope that is off."""
        meta = guard.object_of(params.get("_meta")) or {}
        is_modern = method == "server/discover" or (method != "initialize" and _VERSION_KEY in meta)
        if is_modern:
            version = meta.get(_VERSION_KEY)
            if _VERSION_KEY not in meta or guard.object_of(meta.get(_CAPABILITIES_KEY)) is None:
                keys = f"{_VERSION_KEY} and {_CAPABILITIES_KEY}"
                raise RpcError(INVALID_PARAMS, f"params._meta must carry {keys}")
            if version not in MODERN_VERSIONS:
                data = {"supported": list(MODERN_VERSIONS), "requested": version}
                raise RpcError(UNSUPPORTED_VERSION, "this protocol version is not served", data)
            self._session.introduce(meta.get(_CLIENT_KEY))
        token = meta.get("progressToken")
        peer: Peer = self._client
        if is_modern:
            peer = Returning(meta.get(_CAPABILITIES_KEY), params.get("inputResponses"))
        return _Request(request_id, is_modern, token if guard.is_id(token) else None, peer)

    def _initialize(self, params: Mapping[str, object], _request: _Request) -> dict[str, object]:
        self._session.introduce(params.get("clientInfo"))
        self._client.capabilities = guard.object_of(params.get("capabilities")) or {}
        asked = params.get("protocolVersion")
        return {
            "protocolVersion": asked if asked in HANDSHAKE_VERSIONS else HANDSHAKE_VERSIONS[-1],
            "capabilities": CAPABILITIES,
            "serverInfo": SERVER_INFO,
            "instructions": INSTRUCTIONS,
        }

    def _discover(self, _params: Mapping[str, object], _request: _Request) -> dict[str, object]:
        return {
            "supportedVersions": list(MODERN_VERSIONS),
            "capabilities": CAPABILITIES,
            "instructions": INSTRUCTIONS,
            "ttlMs": LIST_TTL_MS,
            "cacheScope": "public",
        }

    def _ping(self, _params: Mapping[str, object], _request: _Request) -> dict[str, object]:
        return {}

    def _subscribe(self, params: Mapping[str, object], _request: _Request) -> dict[str, object]:
        self._subscriptions.subscribe(params)
        return {}

    def _unsubscribe(self, params: Mapping[str, object], _request: _Request) -> dict[str, object]:
        self._subscriptions.unsubscribe(params)
        return {}

    def _call_tool(self, params: Mapping[str, object], request: _Request) -> None:
        tool = self._answers.tool(params)
        arguments = params.get("arguments")
        if not tool.is_slow:
            self._run(tool, arguments, request)
            return
        with self._guard:
            if request.id in self._slow:
                raise RpcError(INVALID_REQUEST, "a request with this id is being answered")
            if len(self._slow) >= MAX_SLOW_CALLS:
                busy = f"{MAX_SLOW_CALLS} calls are running; wait for one of them to end"
                self._succeed(request, failed(busy))
                return
            self._slow[request.id] = request
            thread = threading.Thread(
                target=self._run_slow, args=(tool, arguments, request), daemon=True
            )
            self._threads.add(thread)
        thread.start()

    def _run_slow(self, tool: Tool, arguments: object, request: _Request) -> None:
        try:
            self._run(tool, arguments, request)
        finally:
            self._forget(request)
            with self._guard:
                self._threads.discard(threading.current_thread())

    def _forget(self, request: _Request) -> None:
        """A slow call is answered, or needs no answer; another may have its id from now on."""
        with self._guard:
            if self._slow.get(request.id) is request:
                del self._slow[request.id]

    def _run(self, tool: Tool, arguments: object, request: _Request) -> None:
        def doing(what: str) -> None:
            request.doing = what
            self._progress(request)

        def send(result: dict[str, object]) -> None:
            if tool.is_slow:
                # The client may go on as soon as it reads this, while the history is still written.
                self._forget(request)
            self._succeed(request, result)

        # The reader's thread asks nobody: it is the one that would hear the answer.
        peer = request.peer if tool.is_slow else None
        self._answers.call(tool, arguments, Waiter(request.stop, doing, peer), send)

    def _cancel(self, params: dict[str, object] | None) -> None:
        """Stop a slow call or a listening; a late or unknown cancel is nothing."""
        target = (params or {}).get("requestId")
        if not guard.is_id(target):
            return
        self._subscriptions.cancel(target)
        with self._guard:
            request = self._slow.get(target)
        if request is not None:
            request.stop.set()

    def _progress(self, request: _Request) -> None:
        if request.progress_token is None or request.stop.is_set():
            return
        params = {
            "progressToken": request.progress_token,
            # Seconds: the one number that is known and always grows.
            "progress": round(time.monotonic() - request.started, 3),
            "message": request.doing,
        }
        self._notify("notifications/progress", params)

    def _notify(self, method: str, params: dict[str, object]) -> None:
        self._send(guard.encoded({"jsonrpc": "2.0", "method": method, "params": params}))

    def _succeed(self, request: _Request, result: dict[str, object]) -> None:
        if request.is_modern:
            meta = {**(guard.object_of(result.get("_meta")) or {}), _SERVER_KEY: SERVER_INFO}
            result = {"resultType": "complete", **result, "_meta": meta}
        self._send(guard.encoded({"jsonrpc": "2.0", "id": request.id, "result": result}))

    def _fail(self, request_id: object, code: int, message: str, data: object = None) -> None:
        error: dict[str, object] = {"code": code, "message": message}
        if data is not None:
            error["data"] = data
        self._send(guard.encoded({"jsonrpc": "2.0", "id": request_id, "error": error}))
