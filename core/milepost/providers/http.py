"""Requests to a model's server, as a provider: connections, limits, retries and server-sent events.

What differs between servers is a `Dialect`: how a request is written and how its events are read.
A request is sent again when the server is busy, when the network fails, and when a reply breaks
off: until a reply is whole none of its tools has run, so nothing is done twice.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Protocol, cast

from milepost.providers.message import Finished, Restarted
from milepost.providers.provider import ModelError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping

    import httpx

    from milepost.providers.catalogue import Model
    from milepost.providers.message import Event, Reply, Request
    from milepost.providers.provider import FailureKind

# Five attempts with doubling pauses bridge about fifteen seconds of a server's trouble.
_ATTEMPTS = 5
_FIRST_PAUSE_S = 0.5

# A server that asks for a longer pause is not waited for; the user hears when to come back.
_LONGEST_PAUSE_S = 60.0

# The largest event that a model needs is a file it writes with one tool call, and no reply is
# longer than a few hundred thousand tokens; more is a server gone wrong.
_MAX_LINE_BYTES = 8 * 1024 * 1024
_MAX_REPLY_BYTES = 64 * 1024 * 1024

# How much of a failure's body is read, and how much of its words is shown.
_MAX_FAILURE_BYTES = 64 * 1024
_SHOWN_CHARS = 300

_CONNECT_S = 10.0

_BUSY = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})

# How the servers of today say that a conversation is too long; there is no common code for it.
_TOO_LONG = (
    "context_length_exceeded", "maximum context length", "prompt is too long", "context window",
    "exceeds the available context size", "context length exceeded", "input is too long",
)  # fmt: skip

# An account without money answers as if it were busy, and waiting does not help.
_SPENT = ("insufficient_quota", "insufficient balance", "credit balance is too low")


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a server may take: to the first event (a local model may first read a long
    conversation), from one event to the next, and for all of a reply."""

    first_event_s: float = 300.0
    silence_s: float = 90.0
    whole_s: float = 1_800.0
    first_pause_s: float = _FIRST_PAUSE_S


class Reader(Protocol):
    """Reads the events of one reply. `is_over` when no more can come."""

    is_over: bool

    def read(self, name: str, data: Mapping[str, object]) -> Iterator[Event]:
        """The events that one server-sent event amounts to. Raises ModelError."""
        ...

    def reply(self) -> Reply | None:
        """The whole reply; None when its end was not read."""
        ...


class Dialect(Protocol):
    """How one kind of server is spoken to."""

    def headers(self, key: str) -> dict[str, str]:
        """The headers of a request, with the key to the account (may be empty)."""
        ...

    def path(self) -> str:
        """Where requests go below the base URL."""
        ...

    def body(self, model: Model, request: Request) -> dict[str, object]:
        """The request as JSON."""
        ...

    def reader(self, model: Model, request: Request) -> Reader:
        """What reads the reply to `request`."""
        ...


class HttpProvider:
    """A model behind a URL."""

    def __init__(
        self,
        model: Model,
        dialect: Dialect,
        base_url: str,
        *,
        key: str = "",
        patience: Patience | None = None,
    ) -> None:
        """`base_url` is what comes before the dialect's path, such as `http://127.0.0.1:8000/v1`.
        `key` is sent to that server and appears in no message."""
        self.model = model
        self._dialect = dialect
        self._url = base_url.rstrip("/") + dialect.path()
        self._key = key
        self._patience = patience or Patience()
        self._client: httpx.AsyncClient | None = None

    async def stream(self, request: Request) -> AsyncGenerator[Event]:
        """Ask, and ask again where that may help."""
        body = json.dumps(self._dialect.body(self.model, request), ensure_ascii=False).encode()
        for attempt in range(_ATTEMPTS):
            is_begun = False
            try:
                async for event in self._attempt(request, body):
                    is_begun = True
                    yield event
            except ModelError as error:
                pause_s = self._pause_s(error, attempt)
                if pause_s is None:
                    raise
                if is_begun:
                    yield Restarted(str(error))
                await asyncio.sleep(pause_s)
            else:
                return

    async def close(self) -> None:
        """Close the connections; the provider may be used again."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    def _pause_s(self, error: ModelError, attempt: int) -> float | None:
        """How long to wait before asking again; None when that is no use."""
        if error.kind not in {"busy", "network", "nonsense"} or attempt + 1 == _ATTEMPTS:
            return None
        if error.retry_after_s is not None:
            return error.retry_after_s if error.retry_after_s <= _LONGEST_PAUSE_S else None
        # Spread, so that the agents of one machine do not come back all at once.
        return self._patience.first_pause_s * 2**attempt * random.uniform(0.75, 1.25)  # noqa: S311

    async def _attempt(self, request: Request, body: bytes) -> AsyncIterator[Event]:
        import httpx  # noqa: PLC0415  (heavy, and most commands ask no model)

        reader = self._dialect.reader(self.model, request)
        try:
            async with (
                asyncio.timeout(self._patience.whole_s),
                self._connected().stream(
                    "POST", self._url, content=body, headers=self._dialect.headers(self._key)
                ) as response,
            ):
                if response.status_code != 200:
                    raise await self._failure(response)
                async for name, data in self._events(response):
                    for event in reader.read(name, data):
                        yield event
                    if reader.is_over:
                        break
        except httpx.HTTPError as error:
            what = type(error).__name__ if not str(error) else str(error)
            message = f"no connection to {self._url} ({self._shown(what)})"
            raise ModelError(
                f"{message}; look at the address, the network and the server", "network"
            ) from error
        except httpx.InvalidURL as error:
            raise ModelError(f"{self._url} is no URL ({error}); correct it", "refused") from error
        except TimeoutError as error:
            seconds = f"{self._patience.silence_s:g} s of silence or {self._patience.whole_s:g} s"
            message = f"{self.model.name} did not finish within {seconds}; ask again"
            raise ModelError(message, "network") from error
        reply = reader.reply()
        if reply is None:
            raise ModelError(f"the reply of {self.model.name} broke off; ask again", "network")
        yield Finished(reply)

    def _connected(self) -> httpx.AsyncClient:
        import httpx  # noqa: PLC0415  (heavy, and most commands ask no model)

        if self._client is None:
            # Waiting for the next byte is limited per event below.
            limits = httpx.Timeout(None, connect=_CONNECT_S, pool=_CONNECT_S)
            self._client = httpx.AsyncClient(timeout=limits, follow_redirects=False)
        return self._client

    async def _events(
        self, response: httpx.Response
    ) -> AsyncIterator[tuple[str, Mapping[str, object]]]:
        """The server-sent events, parsed: name and data.

        Format: WHATWG HTML, "Server-sent events". A server that does not stream, whatever it was
        asked for, sends one object instead.
        """
        kind = response.headers.get("content-type", "")
        if "json" in kind and "event-stream" not in kind:
            text = b"".join([line async for line in self._lines(response)])
            yield "", self._object(text)
            return
        name, data = "", bytearray()
        async for line in self._lines(response):
            if not line:
                if bytes(data).strip() == b"[DONE]":
                    return
                if data:
                    yield name, self._object(bytes(data))
                name, data = "", bytearray()
            elif line.startswith(b"event:"):
                name = line.removeprefix(b"event:").strip().decode("utf-8", "replace")
            elif line.startswith(b"data:"):
                data += (b"\n" if data else b"") + line.removeprefix(b"data:").removeprefix(b" ")
                if len(data) > _MAX_LINE_BYTES:
                    raise self._too_much()

    async def _lines(self, response: httpx.Response) -> AsyncIterator[bytes]:
        """The lines of a reply without their ends, as they come, within the limits."""
        pending = bytearray()
        size = 0
        limit_s = self._patience.first_event_s
        chunks = response.aiter_bytes()
        while True:
            async with asyncio.timeout(limit_s):
                chunk = await anext(chunks, None)
            if chunk is None:
                break
            limit_s = self._patience.silence_s
            size += len(chunk)
            pending += chunk
            if b"\n" in chunk:
                *lines, rest = bytes(pending).split(b"\n")
                pending = bytearray(rest)
                for line in lines:
                    yield line.removesuffix(b"\r")
            if size > _MAX_REPLY_BYTES or len(pending) > _MAX_LINE_BYTES:
                raise self._too_much()
        yield bytes(pending)
        yield b""

    def _too_much(self) -> ModelError:
        message = f"{self.model.name} sent more than a reply can hold; ask for less at once"
        return ModelError(message, "refused")

    def _object(self, data: bytes) -> Mapping[str, object]:
        try:
            value: object = json.loads(data)
        except (ValueError, RecursionError):
            value = None
        if not isinstance(value, dict):
            shown = self._shown(data[:_SHOWN_CHARS].decode("utf-8", "replace"))
            message = f"{self.model.name} sent an event that is no JSON object ({shown})"
            raise ModelError(f"{message}; ask again", "nonsense")
        found = cast("dict[str, object]", value)
        if found.get("error") or found.get("type") == "error":
            raise self._told(200, json.dumps(found.get("error")), None)
        return found

    async def _failure(self, response: httpx.Response) -> ModelError:
        body = b""
        async with asyncio.timeout(self._patience.silence_s):
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > _MAX_FAILURE_BYTES:
                    break
        text = body.decode("utf-8", "replace")
        return self._told(response.status_code, text, _retry_after_s(response.headers))

    def _told(self, status: int, text: str, retry_after_s: float | None) -> ModelError:
        """The failure that a server told with a status and a body, or in mid-stream (200)."""
        words = text.lower()
        who = f"{self._url} answered {status}" if status != 200 else f"{self._url} broke off"
        kind: FailureKind = "refused"
        advice = "correct the request or the settings of the model"
        if any(sign in words for sign in _TOO_LONG) or status == 413:
            kind, advice = "too_long", "make the conversation shorter"
        elif any(sign in words for sign in _SPENT) or status == 402:
            advice = "look at the account's credit"
        elif status in {401, 403}:
            advice = "check the model's key"
        elif status == 404:
            advice = "check the model's name and base URL"
        elif status in _BUSY or status == 200:
            kind, advice = "busy", "try again later"
            if retry_after_s is not None:
                advice = f"try again in {retry_after_s:.0f} s"
        message = f"{who} ({self._shown(_words_of(text)) or 'without a word'}); {advice}"
        return ModelError(message, kind, retry_after_s=retry_after_s)

    def _shown(self, text: str) -> str:
        """Words of a server for a message: short, on one line, without our key."""
        if self._key:
            text = text.replace(self._key, "[key]")
        text = " ".join(text.split())
        return text if len(text) <= _SHOWN_CHARS else f"{text[:_SHOWN_CHARS]}..."


def _words_of(text: str) -> str:
    """What an error's body says in words, if it is of the usual forms."""
    try:
        value: object = json.loads(text)
    except (ValueError, RecursionError):
        return text
    for key in ("error", "message"):
        if isinstance(value, dict):
            value = cast("dict[str, object]", value).get(key, cast("object", value))
    return value if isinstance(value, str) else text


def _retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait as a server asks for it: RFC 9110, section 10.2.3, and the finer header that
    some servers send."""
    exact = headers.get("retry-after-ms", "")
    if exact.replace(".", "", 1).isdigit():
        return float(exact) / 1000
    asked = headers.get("retry-after", "")
    if asked.replace(".", "", 1).isdigit():
        return float(asked)
    try:
        at = parsedate_to_datetime(asked).timestamp()
    except ValueError:
        return None
    return max(0.0, at - time.time())
