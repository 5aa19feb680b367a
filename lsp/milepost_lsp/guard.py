"""pygls 2.1.1 with its defects worked around, so that no message hangs, leaks or kills.

Each method says which defect it answers; `tests/lsp/test_guard.py` has a test for each. This is
also the one place where an exception becomes words for the client.
"""

from __future__ import annotations

import asyncio
import contextvars
import json
import logging
from collections.abc import Awaitable, Callable, Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar, cast

import attrs
import cattrs
from lsprotocol import types
from pygls.exceptions import JsonRpcException, JsonRpcMethodNotFound
from pygls.lsp.server import LanguageServer
from pygls.protocol import LanguageServerProtocol, lsp_method

from milepost import api
from milepost_lsp.arguments import ArgumentError, read_message
from milepost_lsp.convert import to_json
from milepost_lsp.documents import Documents
from milepost_lsp.protocol import CHAT_VERSION, PROTOCOL_VERSION, SCHEME
from milepost_lsp.protocol.announcing import ServerAnnouncement
from milepost_lsp.protocol.message import Request

if TYPE_CHECKING:
    from concurrent.futures import Future

    from milepost_lsp.protocol import Json
    from milepost_lsp.protocol.message import Notification

log = logging.getLogger(__name__)

P = TypeVar("P")
R = TypeVar("R")

Command = Callable[[types.ExecuteCommandParams], Awaitable[Any]]

PARSE_ERROR = -32700
INVALID_REQUEST = -32600
METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602
INTERNAL_ERROR = -32603
NOT_INITIALIZED = -32002
REQUEST_CANCELLED = -32800
# LSP's own code for "a right request that failed, and the message is for people".
REQUEST_FAILED = -32803

# An error is shown in a toast; the structure of a whole message is not what helps there.
ERROR_CHARS = 400


class GuardedProtocol(LanguageServerProtocol):
    """Answers every request exactly once, whatever it is.

    pygls writes its own handlers as generators, so that they can call the user's, and takes plain
    functions and coroutines just as well; pyright cannot know.
    """

    def __init__(self, server: GuardedServer, converter: cattrs.Converter) -> None:
        super().__init__(server, converter)
        self.ended = asyncio.Event()
        self.exit_code = 0
        self.commands: dict[str, Command] = {}
        self.messages: dict[str, Request[Any, Any] | Notification[Any]] = {}
        self._is_initialized = False
        self._is_furnished = False
        # What the client said in initialize.
        self.greeting: types.InitializeParams | None = None

    def end(self, exit_code: int | None = None) -> None:
        """Ends serving; without a code, by whether the client said shutdown before it left."""
        if not self.ended.is_set():
            self.exit_code = (0 if self._shutdown else 1) if exit_code is None else exit_code
            self._cancel_pending()
            self.ended.set()

    def receive(self, body: bytes) -> None:
        """Takes one message off the wire. Never raises."""
        try:
            message: Any = json.loads(body)
        except (ValueError, RecursionError) as error:
            self.refuse(None, PARSE_ERROR, f"this is not JSON: {type(error).__name__}")
            return
        try:
            self.handle_message(message)
        except Exception:
            log.exception("a message could not be handled")

    def refuse(self, msg_id: str | int | None, code: int, message: str) -> None:
        """Answers with an error. `msg_id` None: the request could not be read."""
        error = {"code": code, "message": message[:ERROR_CHARS]}
        self._send_data({"jsonrpc": "2.0", "id": msg_id, "error": error})

    def structure_message(self, data: dict[str, Any]) -> Json:
        """Leaves everything as it is (defect 2).

        pygls uses this as json's object_hook, so any nested object with a "jsonrpc" key, such as
        a log in a command's arguments, was taken for a message and lost the request its answer.
        """
        return data

    def handle_message(self, message: Json) -> None:
        """Structures a message once, at the top, and answers what cannot be (defect 1).

        pygls let the client wait for ever when the parameters did not fit.
        """
        fields = cast("dict[str, Any]", message) if isinstance(message, dict) else {}
        if fields.get("jsonrpc") != "2.0":
            self.refuse(None, INVALID_REQUEST, 'a message is one object with "jsonrpc": "2.0"')
            return
        method, msg_id = fields.get("method"), _as_id(fields.get("id"))
        # Each handler runs in a context of its own, as pygls does it.
        context = contextvars.copy_context()
        if self._is_initialized and not self._is_furnished and method != types.EXIT:
            self._is_furnished = True
            cast("GuardedServer", self._server).furnish()
        if method is None and ("result" in fields or "error" in fields):
            context.run(self._take_response, fields)
        elif not isinstance(method, str):
            self.refuse(msg_id, INVALID_REQUEST, "`method` must be a text")
        elif "id" not in fields:
            context.run(self._take_notification, method, fields)
        elif msg_id is None:
            self.refuse(None, INVALID_REQUEST, "`id` must be a text or a whole number")
        else:
            context.run(self._take_request, msg_id, method, fields)

    def _take_request(self, msg_id: str | int, method: str, fields: dict[str, Any]) -> None:
        if self._shutdown:
            self.refuse(msg_id, INVALID_REQUEST, "the server is shutting down")
        elif not self._is_initialized and method != types.INITIALIZE:
            self.refuse(msg_id, NOT_INITIALIZED, "send initialize first")
        elif self._is_initialized and method == types.INITIALIZE:
            self.refuse(msg_id, INVALID_REQUEST, "the server is already initialized")
        elif not self._knows(method):
            self.refuse(msg_id, METHOD_NOT_FOUND, f"there is no method {method}")
        else:
            try:
                request = self._structure(method, fields)
            except _Malformed as error:
                self.refuse(msg_id, INVALID_PARAMS, f"{method}: {error}")
            else:
                self._handle_request(msg_id, method, request.params)

    def _take_notification(self, method: str, fields: dict[str, Any]) -> None:
        if method != types.EXIT and (self._shutdown or not self._is_initialized):
            return
        if method != types.CANCEL_REQUEST and not self._knows(method):
            return
        try:
            notification = self._structure(method, fields)
        except _Malformed as error:
            log.warning("ignored a malformed %s: %s", method, error)
        else:
            self._handle_notification(method, getattr(notification, "params", None))

    def _take_response(self, fields: dict[str, Any]) -> None:
        msg_id = _as_id(fields.get("id"))
        future = None if msg_id is None else self._request_futures.pop(msg_id, None)
        if msg_id is None or future is None or future.done():
            return
        shape = self._result_types.pop(msg_id, None)
        try:
            if "error" in fields:
                answer = self._converter.structure(fields, types.ResponseErrorMessage)
                future.set_exception(
                    JsonRpcException.from_error(answer.error)
                    if answer.error
                    else JsonRpcException("the client answered with an empty error")
                )
            else:
                answer = self._converter.structure(fields, shape) if shape else None
                future.set_result(answer.result if answer else fields["result"])
        except Exception as error:  # noqa: BLE001  (cattrs raises whatever its hooks raise)
            log.warning("the client's answer could not be read: %s", _first_fault(error))
            future.set_exception(JsonRpcException("the client's answer could not be read"))

    def _structure(self, method: str, fields: dict[str, Any]) -> Json:
        if method in self.messages:
            return _structure_ours(self.messages[method], fields)
        shape = self.get_message_type(method)
        if shape is None:
            raise _Malformed("unknown to LSP")
        if ("id" in fields) != ("id" in attrs.fields_dict(shape)):
            raise _Malformed("a request has an id and a notification has none")
        try:
            return self._converter.structure(fields, shape)
        except Exception as error:
            raise _Malformed(_first_fault(error)) from error

    def _knows(self, method: str) -> bool:
        try:
            self._get_handler(method)
        except JsonRpcMethodNotFound:
            return False
        return True

    def _cancel_pending(self) -> None:
        for future in list(self._request_futures.values()):
            future.cancel()

    def _execute_handler(self, msg_id: Any, handler: Any, callback: Any, *more: Any, **named: Any):  # noqa: ANN202, ANN401  (as pygls has it)
        """Lets go of what a handler's work is known by, when it has ended.

        pygls keeps it for ever where a notification's handler is a generator, as all that keep
        documents are: two kilobytes for each letter typed (defect 10).
        """
        super()._execute_handler(msg_id, handler, callback, *more, **named)
        future = self._request_futures.get(msg_id)
        if future is not None:
            future.add_done_callback(lambda done: self._let_go(msg_id, done))

    def _let_go(self, msg_id: Any, done: Future[Any]) -> None:  # noqa: ANN401  (an id of pygls's)
        if self._request_futures.get(msg_id) is done:
            del self._request_futures[msg_id]

    def _send_handler_result(self, future: Future[Any], *, msg_id: str | int) -> None:
        """Sends a handler's answer, or its failure in one clean sentence.

        pygls put the traceback, with the paths of this machine, into `error.data`.
        """
        self._request_futures.pop(msg_id, None)
        if future.cancelled():
            self.refuse(msg_id, REQUEST_CANCELLED, "cancelled")
        elif (error := future.exception()) is not None:
            self.refuse(msg_id, *words_for(error))
        else:
            self._send_response(msg_id, result=future.result())

    def _check_handler_result(self, future: Future[Any]) -> None:
        if not future.cancelled() and (error := future.exception()) is not None:
            self._server.report_server_error(cast("Exception", error), JsonRpcException)

    @lsp_method(types.INITIALIZE)
    def lsp_initialize(
        self, params: types.InitializeParams
    ) -> Generator[Any, Any, types.InitializeResult]:
        """Keeps documents with LSP's lines (see `text.py`) and announces our messages."""
        result = yield from super().lsp_initialize(params)
        pygls_own = self.workspace
        self._workspace = Documents(
            pygls_own.root_uri,
            types.TextDocumentSyncKind.Incremental,
            list(pygls_own.folders.values()),
            pygls_own.position_encoding,
        )
        if result.capabilities.workspace is None:
            result.capabilities.workspace = types.WorkspaceOptions()
        # pygls knows the request and does not announce it.
        result.capabilities.workspace.text_document_content = types.TextDocumentContentOptions(
            schemes=[SCHEME]
        )
        ours = ServerAnnouncement(PROTOCOL_VERSION, CHAT_VERSION)
        result.capabilities.experimental = {"milepost": to_json(ours)}
        self._is_initialized = True
        self.greeting = params
        return result

    @lsp_method(types.WORKSPACE_EXECUTE_COMMAND)
    async def lsp_workspace__execute_command(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, params: types.ExecuteCommandParams
    ) -> Json:
        """Runs a command as one task, so that `$/cancelRequest` reaches it (defect 4).

        pygls answered "cancelled" and let the command run on.
        """
        command = self.commands.get(params.command)
        if command is None:
            raise ArgumentError(f"there is no command {params.command[:80]}")
        return await command(params)

    @lsp_method(types.SHUTDOWN)
    def lsp_shutdown(self, *_: object) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Cancels what is pending, over a copy (defect 5).

        Cancelling removes futures from the dictionary that pygls was iterating over.
        """
        self._shutdown = True
        self._cancel_pending()

    @lsp_method(types.EXIT)
    def lsp_exit(self, *_: object) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Ends with 1 when no shutdown came before, as LSP asks (defect 7)."""
        self.end()


class GuardedServer(LanguageServer):
    """pygls' server, speaking of its own faults only where nothing can fill up (defect 8)."""

    # Made by pygls from the class it is given, and never replaced.
    protocol: GuardedProtocol  # pyright: ignore[reportIncompatibleVariableOverride]

    def add_command(self, name: str, command: Command) -> None:
        """Registers a command of workspace/executeCommand."""
        self.protocol.commands[name] = command
        self.command(name)(command)  # for the list in the capabilities

    def add_request(self, request: Request[P, R], handler: Callable[[P], Awaitable[R]]) -> None:
        """Registers a request of ours, its parameters read into their dataclass (defect 3).

        `$/cancelRequest` cancels the handler, which may answer all the same.
        """

        async def answer(params: P) -> Json:
            return to_json(await handler(params))

        self.protocol.messages[request.method] = request
        self.feature(request.method)(answer)

    def add_notification(self, notification: Notification[P], handler: Callable[[P], None]) -> None:
        """Registers a notification of ours. The handler runs in its turn and must not wait."""

        def take(params: P) -> None:
            handler(params)

        self.protocol.messages[notification.method] = notification
        self.feature(notification.method)(take)

    def furnish(self) -> None:
        """Registers what initialize does not need: called with the first message after it."""

    async def release(self) -> bool:
        """Ends what the features keep running; False when something would not end."""
        return True

    def report_server_error(self, error: Exception, source: object) -> None:  # noqa: ARG002
        """Writes to the logs; pygls showed every internal fault in a toast."""
        message = words_for(error)[1]
        self.window_log_message(types.LogMessageParams(types.MessageType.Error, message))


def words_for(error: BaseException) -> tuple[int, str]:
    """The error code and the sentence for a failed request."""
    match error:
        case ArgumentError():
            return INVALID_PARAMS, str(error)
        case api.Stopped() | asyncio.CancelledError():
            return REQUEST_CANCELLED, str(error) or "cancelled"
        case api.MilepostError():
            return REQUEST_FAILED, str(error)
        case JsonRpcException():
            return error.code, error.message
        case _:
            log.error("a handler failed", exc_info=error)
            return INTERNAL_ERROR, (
                f"Milepost has a fault of its own here ({type(error).__name__}); start it with "
                "--log-file to see where, and please report it"
            )


@dataclass(frozen=True, slots=True)
class _Ours:
    """A message of ours with its parameters read."""

    params: Json


def _structure_ours(
    message: Request[Any, Any] | Notification[Any], fields: dict[str, Any]
) -> _Ours:
    """Reads a message of ours.

    pygls makes a namedtuple of what it does not know, which loses and renames keys (defect 3).
    """
    if ("id" in fields) != isinstance(message, Request):
        raise _Malformed("a request has an id and a notification has none")
    try:
        return _Ours(read_message(message.params, fields.get("params")))
    except ArgumentError as error:
        raise _Malformed(str(error)) from error


class _Malformed(Exception):  # noqa: N818  (an answer in the making, not an error of ours)
    """The parameters do not fit the method."""


def _first_fault(error: Exception) -> str:
    faults = [str(fault) for fault in cattrs.transform_error(error)]
    return " ".join(faults[0].split()) if faults else "the parameters do not fit"


def _as_id(value: object) -> str | int | None:
    return value if isinstance(value, (str, int)) and not isinstance(value, bool) else None
