"""JSON-RPC 2.0 over stdin and stdout, one message a line, in both directions.

stdout belongs to the protocol alone: the descriptors are taken away before anything else runs, so
that a stray print or a child's output goes to stderr, and a child cannot eat the client's messages.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import threading
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, cast

from milepost import api

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from milepost_lsp.protocol import Json

    Handler = Callable[["Params", str | int | None], Json]

log = logging.getLogger(__name__)

PARSE_ERROR, INVALID_REQUEST, METHOD_NOT_FOUND, INVALID_PARAMS, INTERNAL_ERROR = (
    -32700, -32600, -32601, -32602, -32603,
)  # fmt: skip

# An editor may send whole files along; more than this is no prompt.
MAX_MESSAGE_BYTES = 32 * 1024 * 1024

_CHUNK_BYTES = 256 * 1024

# A prompt takes a thread as long as it runs. One editor has a handful of sessions at work at most,
# and the quick requests beside them must never wait for one.
_THREADS = 32


class Wrong(Exception):  # noqa: N818  (an answer, not a fault)
    """A request that is answered with an error: a code of JSON-RPC, and a sentence."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class Params:
    """The parameters of a message; what is asked of them has the wanted type or is refused."""

    def __init__(self, values: Json) -> None:
        if values is not None and not isinstance(values, dict):
            raise Wrong(INVALID_PARAMS, "the parameters must be an object")
        self._values = cast("dict[str, Json]", values or {})

    def text(self, name: str) -> str:
        """A string that must be there."""
        value = self._values.get(name)
        if not isinstance(value, str):
            raise Wrong(INVALID_PARAMS, f"{name} must be a string")
        return value

    def maybe_text(self, name: str) -> str | None:
        """A string, or None when it is missing or null."""
        return None if self._values.get(name) is None else self.text(name)

    def items(self, name: str) -> list[Params]:
        """A list of objects that must be there."""
        value = self._values.get(name)
        if not isinstance(value, list):
            raise Wrong(INVALID_PARAMS, f"{name} must be a list")
        return [Params(each) for each in cast("list[Json]", value)]

    def part(self, name: str) -> Params:
        """An object; empty when it is missing or null."""
        return Params(self._values.get(name))

    def flag(self, name: str) -> bool:
        """A boolean, false unless given."""
        return self._values.get(name) is True

    def identity(self, name: str) -> str | int | None:
        """A request's id."""
        value = self._values.get(name)
        return value if isinstance(value, (str, int)) and not isinstance(value, bool) else None


class Wire:
    """The connection with one client."""

    def __init__(self) -> None:
        sys.stdout.flush()
        self._in, self._out = os.dup(0), os.dup(1)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.close(nothing)
        os.dup2(2, 1)
        self._writing = threading.Lock()
        self._guard = threading.Lock()
        self._asked: dict[int, Future[Json]] = {}
        self._last = 0
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="acp")
        self._running: set[Future[None]] = set()

    def serve(
        self, requests: Mapping[str, Handler], notifications: Mapping[str, Callable[[Params], None]]
    ) -> None:
        """Answer until the client closes stdin. Requests run on threads and are answered when they
        end; notifications are taken in the order in which they come."""
        for line in self._lines():
            try:
                self._take(line, requests, notifications)
            except Wrong as wrong:
                self._send_error(None, wrong.code, str(wrong))

    def notify(self, method: str, params: Json) -> None:
        """Tell the client something."""
        self._send({"jsonrpc": "2.0", "method": method, "params": params})

    def ask(self, method: str, params: Json) -> Future[Json]:
        """Ask the client. The future has its result, or a WorldError; cancel it when the answer is
        not wanted any more."""
        future: Future[Json] = Future()
        with self._guard:
            self._last += 1
            number = self._last
            self._asked[number] = future
        self._send({"jsonrpc": "2.0", "id": number, "method": method, "params": params})
        return future

    def close(self, grace_s: float) -> None:
        """Give up what is asked of the client, and wait for the requests under way, but no longer
        than this."""
        with self._guard:
            asked = tuple(self._asked.values())
            self._asked.clear()
        for future in asked:
            future.cancel()
        self._pool.shutdown(wait=False)
        wait(tuple(self._running), grace_s)

    def _take(
        self,
        line: bytes,
        requests: Mapping[str, Handler],
        notifications: Mapping[str, Callable[[Params], None]],
    ) -> None:
        message = _parsed(line)
        method, number = message.get("method"), message.get("id")
        if method is None:
            self._settle(message)
        elif not isinstance(method, str):
            raise Wrong(INVALID_REQUEST, "method must be a string")
        elif "id" not in message:
            handler = notifications.get(method)
            if handler is not None:
                try:
                    handler(Params(message.get("params")))
                except (Wrong, api.MilepostError) as error:
                    log.warning("%s: %s", method, error)
        elif method in requests:
            work = self._pool.submit(self._answer, requests[method], message, number)
            self._running.add(work)
            work.add_done_callback(self._running.discard)
        else:
            self._send_error(number, METHOD_NOT_FOUND, f"there is no method {method[:80]}")

    def _answer(self, handler: Handler, message: dict[str, Json], number: Json) -> None:
        try:
            result = handler(Params(message.get("params")), number)
        except Wrong as wrong:
            self._send_error(number, wrong.code, str(wrong))
        except api.UserError as error:
            self._send_error(number, INVALID_PARAMS, str(error))
        except api.MilepostError as error:
            self._send_error(number, INTERNAL_ERROR, str(error))
        except Exception:
            # The one place where a bug of ours becomes words.
            log.exception("%s failed", message.get("method"))
            sorry = "Milepost failed here; that is a bug. Its log (--log-file) says where"
            self._send_error(number, INTERNAL_ERROR, sorry)
        else:
            self._send({"jsonrpc": "2.0", "id": number, "result": result})

    def _settle(self, message: dict[str, Json]) -> None:
        """Take the client's answer to what it was asked."""
        number = message.get("id")
        with self._guard:
            future = self._asked.pop(number, None) if isinstance(number, int) else None
        if future is None or not future.set_running_or_notify_cancel():
            return
        error = message.get("error")
        if error is None:
            future.set_result(message.get("result"))
        else:
            future.set_exception(api.WorldError(f"the editor answered with an error: {error}"))

    def _send_error(self, number: Json, code: int, message: str) -> None:
        self._send({"jsonrpc": "2.0", "id": number, "error": {"code": code, "message": message}})

    def _send(self, message: Json) -> None:
        data = json.dumps(message, ensure_ascii=True, separators=(",", ":")).encode() + b"\n"
        with self._writing:
            try:
                view = memoryview(data)
                while view:
                    view = view[os.write(self._out, view) :]
            except OSError:
                # The client is gone; the reader notices.
                log.debug("nobody reads", exc_info=True)

    def _lines(self) -> Iterator[bytes]:
        buffer = bytearray()
        while chunk := os.read(self._in, _CHUNK_BYTES):
            *ends, rest = chunk.split(b"\n")
            for end in ends:
                buffer += end[: MAX_MESSAGE_BYTES + 1 - len(buffer)]
                if buffer.strip():
                    yield bytes(buffer)
                buffer.clear()
            buffer += rest[: MAX_MESSAGE_BYTES + 1 - len(buffer)]


def _parsed(line: bytes) -> dict[str, Json]:
    if len(line) > MAX_MESSAGE_BYTES:
        raise Wrong(INVALID_REQUEST, f"a message may have {MAX_MESSAGE_BYTES:,} bytes")
    try:
        message: Json = json.loads(line)
    except (ValueError, RecursionError):
        raise Wrong(PARSE_ERROR, "this is no JSON; write one message a line") from None
    if not isinstance(message, dict):
        raise Wrong(INVALID_REQUEST, "a message must be an object")
    return cast("dict[str, Json]", message)
