"""The SDK's server, which takes our answers: the same tools, words and checks as over stdio.

The SDK speaks the protocol: versions, sessions, streams, envelopes. What is answered comes from
`answers.py` as it stands, on threads, because the core blocks and the event loop must not.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, Any, TypeVar, cast

from mcp.server.lowlevel import Server
from mcp.server.subscriptions import InMemorySubscriptionBus, ListenHandler, ResourceUpdated
from mcp.shared.exceptions import MCPError
from mcp.shared.message import ServerMessageMetadata
from mcp_types import (
    CompleteRequestParams,
    CreateMessageRequest,
    CreateMessageResult,
    ElicitRequest,
    ElicitResult,
    GetPromptRequestParams,
    PaginatedRequestParams,
    ReadResourceRequestParams,
    RequestParams,
    SubscribeRequestParams,
    SubscriptionFilter,
    SubscriptionsListenRequestParams,
    SubscriptionsListenResult,
    UnsubscribeRequestParams,
)

from milepost import __version__
from milepost_mcp import resources
from milepost_mcp.answers import (
    CAPABILITIES,
    INSTRUCTIONS,
    LIST_TTL_MS,
    MODERN_VERSIONS,
    SERVER_INFO,
    RpcError,
    Waiter,
    apology,
    failed,
    rpc_errors,
)
from milepost_mcp.limits import HEARTBEAT_S, MAX_SLOW_CALLS, QUICK_THREADS
from milepost_mcp.peer import ELICIT, SAMPLE, Returning, is_offered
from milepost_mcp.tools import TOOLS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Generator, Mapping

    from mcp.server.context import ServerRequestContext
    from starlette.requests import Request

    from milepost_mcp.peer import Peer
    from milepost_mcp.tools.tool import Tool
    from milepost_mcp.transports.http.clients import Client, Clients, Project

    Context = ServerRequestContext[Any, Any]
    _Handler = Callable[[Context, object], Awaitable[dict[str, Any]]]

_T = TypeVar("_T")

# How soon a call that waits for its client's answer notices that it was cancelled.
_ANSWER_POLL_S = 0.1

_REQUESTS: dict[str, tuple[Any, Any]] = {
    ELICIT: (ElicitRequest, ElicitResult),
    SAMPLE: (CreateMessageRequest, CreateMessageResult),
}

INTERNAL_ERROR = -32603

# What `app.py` puts into the ASGI scope for us.
FOLDER = "milepost.folder"
HOLDER = "milepost.holder"

_PLAIN = {
    "tools/list": PaginatedRequestParams,
    "prompts/list": PaginatedRequestParams,
    "prompts/get": GetPromptRequestParams,
    "resources/list": PaginatedRequestParams,
    "resources/templates/list": PaginatedRequestParams,
    "resources/read": ReadResourceRequestParams,
    "completion/complete": CompleteRequestParams,
}


class Protocol:
    """The handlers, and the SDK's `server` that they are registered with."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self._quick = ThreadPoolExecutor(QUICK_THREADS, thread_name_prefix="milepost")
        self._running: set[threading.Event] = set()
        self._slow = 0
        self._is_ending = False
        self._listening: dict[str | None, tuple[InMemorySubscriptionBus, ListenHandler]] = {}
        self.server: Server[Any] = Server(
            str(SERVER_INFO["name"]),
            title=str(SERVER_INFO["title"]),
            version=__version__,
            instructions=INSTRUCTIONS,
            get_tool_input_schema=_input_schema,
        )
        for method, params in _PLAIN.items():
            self.server.add_request_handler(method, params, _marked(self._plain))
        add = self.server.add_request_handler
        add("tools/call", RequestParams, _marked(self._call_tool))
        add("server/discover", RequestParams, _marked(self._discover))
        add("resources/subscribe", SubscribeRequestParams, self._subscribe)
        add("resources/unsubscribe", UnsubscribeRequestParams, self._unsubscribe)
        add("subscriptions/listen", SubscriptionsListenRequestParams, self._listen)

    def end_listening(self) -> None:
        """End the streams of the modern era as the protocol wants it, with a result."""
        self._is_ending = True
        for _, handler in self._listening.values():
            handler.close()

    def stop_calls(self) -> None:
        """Stop the calls that go on."""
        for stop in self._running:
            stop.set()

    def close(self) -> None:
        """Let the threads go; those that work on a call end with it."""
        self._quick.shutdown(wait=False, cancel_futures=True)

    async def _plain(self, context: Context, _params: object) -> dict[str, Any]:
        """Every request whose answer takes no time worth reporting."""
        with self._client(context) as client:

            def answer() -> dict[str, Any]:
                given = dict(context.params or {})
                return client.answers.answer(context.method, given, is_modern=_is_modern(context))

            return await self._on_thread(client, answer)

    async def _discover(self, _context: Context, _params: object) -> dict[str, Any]:
        return {
            "supportedVersions": list(MODERN_VERSIONS),
            "capabilities": CAPABILITIES,
            "instructions": INSTRUCTIONS,
            "ttlMs": LIST_TTL_MS,
            "cacheScope": "public",
        }

    async def _call_tool(self, context: Context, _params: object) -> dict[str, Any]:
        given = dict(context.params or {})
        with self._client(context) as client, _mcp_errors():
            tool = client.answers.tool(given)
            if not tool.is_slow:
                return await self._call(client, tool, given.get("arguments"), context)
            if self._slow >= MAX_SLOW_CALLS:
                return failed(f"{MAX_SLOW_CALLS} calls are running; wait for one of them to end")
            self._slow += 1
            try:
                return await self._call(client, tool, given.get("arguments"), context)
            finally:
                self._slow -= 1

    async def _call(
        self, client: Client, tool: Tool, arguments: object, context: Context
    ) -> dict[str, Any]:
        """Call `tool` on a thread, and meanwhile tell the client that it goes on."""
        stop = threading.Event()
        progress = _Progress(context)
        peer = _peer(context)
        results: list[dict[str, Any]] = []

        def call() -> None:
            waiter = Waiter(stop, progress.doing, peer)
            client.answers.call(tool, arguments, waiter, results.append)

        self._running.add(stop)
        heartbeat = asyncio.ensure_future(progress.beat())
        try:
            await self._on_thread(client, call, is_slow=tool.is_slow)
        finally:
            # Also when the client has gone: nobody waits for the call any more.
            stop.set()
            self._running.discard(stop)
            heartbeat.cancel()
        if not results:
            raise MCPError(INTERNAL_ERROR, "the server ends, and the call was stopped")
        return results[0]

    async def _subscribe(self, context: Context, _params: object) -> dict[str, Any]:
        """Handshake era: the session's own stream carries the notices."""
        given = dict(context.params or {})
        session, loop = context.session, asyncio.get_running_loop()

        def tell(uri: str) -> None:
            if not loop.is_closed():
                asyncio.run_coroutine_threadsafe(session.send_resource_updated(uri), loop)

        with self._client(context) as client:

            def subscribe() -> dict[str, Any]:
                with rpc_errors(is_modern=False):
                    uri = resources.uri_of(given)
                    if uri not in client.subscriptions:
                        client.subscriptions[uri] = client.project.watch.add(uri, tell)
                return {}

            return await self._on_thread(client, subscribe)

    async def _unsubscribe(self, context: Context, _params: object) -> dict[str, Any]:
        with self._client(context) as client, _mcp_errors(), rpc_errors(is_modern=False):
            end = client.subscriptions.pop(resources.uri_of(dict(context.params or {})), None)
            if end is not None:
                end()
        return {}

    async def _listen(
        self, context: Context, params: SubscriptionsListenRequestParams
    ) -> SubscriptionsListenResult:
        """Modern era: the answer to this request is the stream."""
        uris = list(dict.fromkeys(params.notifications.resource_subscriptions or ()))
        # Only what may change here is granted.
        wanted = SubscriptionFilter(resource_subscriptions=uris or None)
        params = params.model_copy(update={"notifications": wanted})
        loop = asyncio.get_running_loop()
        ends: list[Callable[[], None]] = []
        with self._client(context) as client:
            bus, handler = self._streams_of(client.project)

            def tell(uri: str) -> None:
                if not loop.is_closed():
                    asyncio.run_coroutine_threadsafe(bus.publish(ResourceUpdated(uri)), loop)

            def watch() -> None:
                with rpc_errors(is_modern=True):
                    ends.extend(client.project.watch.add(uri, tell) for uri in uris)

            try:
                await self._on_thread(client, watch)
                return await handler(context, params)
            finally:
                for end in ends:
                    end()

    def _streams_of(self, project: Project) -> tuple[InMemorySubscriptionBus, ListenHandler]:
        """The bus of a project and its listeners: the same URI is another thing elsewhere."""
        if project.folder not in self._listening:
            bus = InMemorySubscriptionBus()
            self._listening[project.folder] = (bus, ListenHandler(bus))
        return self._listening[project.folder]

    async def _on_thread(
        self, client: Client, work: Callable[[], _T], *, is_slow: bool = False
    ) -> _T:
        """Work for a client on a thread of the pool; slow work gets one of its own, so that the
        pool is free.

        When the waiter is cancelled the thread goes on to its end, because half a write is no
        write; and until then the client keeps what it has open.
        """
        with _mcp_errors():
            self._clients.hold(client)
            future = _started(work) if is_slow else self._quick.submit(work)
            future.add_done_callback(lambda _: self._clients.leave(client))
            return await asyncio.wrap_future(future)

    @contextlib.contextmanager
    def _client(self, context: Context) -> Generator[Client]:
        if self._is_ending:
            raise MCPError(INTERNAL_ERROR, "the server ends; connect again later")
        info = context.session.client_params
        name = info.client_info.name if info else ""
        request = _request(context)
        session = None if _is_modern(context) else request.headers.get("mcp-session-id")
        who = session or f"{request.scope.get(HOLDER)} {name}"
        client = self._clients.enter(_folder(context), who, name)
        try:
            yield client
        finally:
            self._clients.leave(client)


def _marked(handler: _Handler) -> _Handler:
    """The handler, its result marked as the modern era wants it: no more input is needed."""

    async def marked(context: Context, params: object) -> dict[str, Any]:
        result = await handler(context, params)
        return {"resultType": "complete", **result} if _is_modern(context) else result

    return marked


class _Progress:
    """What a call is doing, told to its client when that changes and once a second."""

    def __init__(self, context: Context) -> None:
        self._session = context.session
        self._doing = ""
        self._changed = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._started = time.monotonic()

    def doing(self, what: str) -> None:
        """Called on the call's thread."""
        self._doing = what
        with contextlib.suppress(RuntimeError):  # the loop has ended before the thread
            self._loop.call_soon_threadsafe(self._changed.set)

    async def beat(self) -> None:
        """Tell the client, for as long as the call goes on."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(HEARTBEAT_S):
                    await self._changed.wait()
            self._changed.clear()
            passed = round(time.monotonic() - self._started, 3)
            await self._session.report_progress(passed, message=self._doing)


@contextlib.contextmanager
def _mcp_errors() -> Generator[None]:
    """Our errors as the SDK's; a bug becomes an apology."""
    try:
        yield
    except RpcError as error:
        raise MCPError(error.code, str(error), error.data) from error
    except MCPError:
        raise
    except Exception as error:
        raise MCPError(INTERNAL_ERROR, apology()) from error


def _started(work: Callable[[], _T]) -> Future[_T]:
    """Work on a thread of its own."""
    future: Future[_T] = Future()
    future.set_running_or_notify_cancel()  # from here on it cannot be cancelled, only left alone

    def run() -> None:
        try:
            future.set_result(work())
        except Exception as error:  # noqa: BLE001  (it is raised where the result is awaited)
            future.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return future


class _Asking:
    """The client of the handshake era, as somebody who may be asked, on the stream of its call."""

    def __init__(self, context: Context) -> None:
        self._session = context.session
        self._request_id = context.request_id
        self._loop = asyncio.get_running_loop()
        declared = context.session.client_capabilities
        self._capabilities: dict[str, object] = (
            {} if declared is None else declared.model_dump(by_alias=True, exclude_none=True)
        )

    def offers(self, method: str) -> bool:
        """Whether it said that it takes such requests, and can be reached."""
        return self._session.can_send_request and is_offered(method, self._capabilities)

    def ask(
        self, method: str, params: Mapping[str, object], timeout_s: float, stop: threading.Event
    ) -> dict[str, object] | None:
        """Send a request from the call's thread, and wait for its result."""
        asked = asyncio.run_coroutine_threadsafe(self._send(method, params), self._loop)
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline and not stop.is_set():
            if not wait([asked], _ANSWER_POLL_S).done:
                continue
            # A client that cannot be reached, says an error or answers in another form says no.
            with contextlib.suppress(MCPError, ValueError, CancelledError):
                return asked.result()
            return None
        asked.cancel()
        return None

    async def _send(self, method: str, params: Mapping[str, object]) -> dict[str, object]:
        kind, result = _REQUESTS[method]
        request = kind.model_validate({"method": method, "params": params})
        metadata = ServerMessageMetadata(related_request_id=self._request_id)
        answer = await self._session.send_request(request, result, metadata=metadata)
        return answer.model_dump(by_alias=True, exclude_none=True)


def _peer(context: Context) -> Peer:
    if not _is_modern(context):
        return _Asking(context)
    declared = context.session.client_capabilities
    capabilities = declared.model_dump(by_alias=True, exclude_none=True) if declared else {}
    return Returning(capabilities, dict(context.params or {}).get("inputResponses"))


def _folder(context: Context) -> str | None:
    return cast("str | None", _request(context).scope[FOLDER])


def _request(context: Context) -> Request:
    """The HTTP request, which there always is here."""
    return cast("Request", context.request)


def _is_modern(context: Context) -> bool:
    return context.protocol_version in MODERN_VERSIONS


def _input_schema(name: str) -> Mapping[str, Any] | None:
    tool = TOOLS.get(name)
    return cast("Mapping[str, Any]", tool.definition()["inputSchema"]) if tool else None
