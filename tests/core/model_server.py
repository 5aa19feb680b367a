"""A model's server on loopback that speaks both dialects and misbehaves as it is told.

It is a real HTTP server in a thread of its own. `acts` are played one for each request; an act is
a function that gets the connection and writes whatever bytes it wants.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Self


@dataclass
class Asked:
    """A request that came in."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]


@dataclass
class Connection:
    """One request's way back."""

    writer: asyncio.StreamWriter
    reader: asyncio.StreamReader
    asked: Asked
    gone: threading.Event = field(default_factory=threading.Event)

    async def head(
        self, status: int = 200, kind: str = "text/event-stream", **headers: str
    ) -> None:
        named = "".join(f"{key.replace('_', '-')}: {value}\r\n" for key, value in headers.items())
        await self.raw(
            f"HTTP/1.1 {status} X\r\ncontent-type: {kind}\r\nconnection: close\r\n{named}\r\n"
        )

    async def raw(self, text: str | bytes) -> None:
        self.writer.write(text if isinstance(text, bytes) else text.encode())
        await self.writer.drain()

    async def event(self, data: object, name: str = "") -> None:
        head = f"event: {name}\n" if name else ""
        await self.raw(f"{head}data: {json.dumps(data)}\n\n")

    async def wait_until_gone(self) -> None:
        """Until the client has hung up."""
        while await self.reader.read(1024):
            pass
        self.gone.set()


Act = Callable[[Connection], Awaitable[None]]


class ModelServer:
    """Plays acts; `asked` are the requests that came."""

    def __init__(self, acts: Iterable[Act]) -> None:
        self.asked: list[Asked] = []
        self.connections: list[Connection] = []
        self._acts = iter(acts)
        self._ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(10)
        assert not self._thread.is_alive()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve())
        self._loop.close()

    async def _serve(self) -> None:
        self._over = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self._port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._over.wait()
        server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await server.wait_closed()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await self._answer(reader, writer)
        except (asyncio.CancelledError, ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self._tasks.discard(task)
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {
            key.lower(): value.strip() for key, _, value in (h.partition(":") for h in head[1:])
        }
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        asked = Asked(head[0].split()[1], headers, json.loads(body or b"{}"))
        self.asked.append(asked)
        connection = Connection(writer, reader, asked)
        self.connections.append(connection)
        await next(self._acts)(connection)


def openai_reply(
    say: str = "",
    *,
    think: str = "",
    calls: tuple[tuple[str, object], ...] = (),
    finish: str | None = None,
    usage: dict[str, object] | None = None,
) -> Act:
    """A whole reply in the chat completions dialect, in small pieces, calls interleaved."""

    async def act(connection: Connection) -> None:
        await connection.head()
        for start in range(0, len(think), 5):
            await connection.event(_chunk(reasoning_content=think[start : start + 5]))
        for start in range(0, len(say), 5):
            await connection.event(_chunk(content=say[start : start + 5]))
        texts = [json.dumps(given) for _, given in calls]
        for index, (name, _) in enumerate(calls):
            function = {"name": name, "arguments": ""}
            piece = {"index": index, "id": f"call_{index}", "function": function}
            await connection.event(_chunk(tool_calls=[piece]))
        for at in range(0, max(map(len, texts), default=0), 7):
            for index, text in enumerate(texts):
                piece = {"index": index, "function": {"arguments": text[at : at + 7]}}
                await connection.event(_chunk(tool_calls=[piece]))
        ending = finish or ("tool_calls" if calls else "stop")
        await connection.event({"choices": [{"delta": {}, "finish_reason": ending}]})
        if usage is not None:
            await connection.event({"choices": [], "usage": usage})
        await connection.raw("data: [DONE]\n\n")

    return act


def anthropic_reply(
    say: str = "",
    *,
    think: str = "",
    calls: tuple[tuple[str, object], ...] = (),
    finish: str | None = None,
    usage: dict[str, object] | None = None,
) -> Act:
    """A whole reply in the Messages dialect, in small pieces."""

    async def act(connection: Connection) -> None:
        await connection.head()
        counted = usage or {"input_tokens": 10, "output_tokens": 1}
        await connection.event({"type": "message_start", "message": {"usage": counted}})
        await connection.event({"type": "ping"})
        blocks: list[tuple[dict[str, object], list[dict[str, object]]]] = []
        if think:
            pieces: list[dict[str, object]] = [
                {"type": "thinking_delta", "thinking": think[at : at + 5]}
                for at in range(0, len(think), 5)
            ]
            pieces.append({"type": "signature_delta", "signature": "c2ln"})
            blocks.append(({"type": "thinking", "thinking": ""}, pieces))
        if say:
            pieces = [
                {"type": "text_delta", "text": say[at : at + 5]} for at in range(0, len(say), 5)
            ]
            blocks.append(({"type": "text", "text": ""}, pieces))
        for number, (name, given) in enumerate(calls):
            text = json.dumps(given)
            pieces = [
                {"type": "input_json_delta", "partial_json": text[at : at + 7]}
                for at in range(0, len(text), 7)
            ]
            head = {"type": "tool_use", "id": f"toolu_{number}", "name": name, "input": {}}
            blocks.append((head, pieces))
        for index, (block, pieces) in enumerate(blocks):
            start = {"type": "content_block_start", "index": index, "content_block": block}
            await connection.event(start, "content_block_start")
            for piece in pieces:
                delta = {"type": "content_block_delta", "index": index, "delta": piece}
                await connection.event(delta, "content_block_delta")
            await connection.event({"type": "content_block_stop", "index": index})
        ending = finish or ("tool_use" if calls else "end_turn")
        delta = {"type": "message_delta", "delta": {"stop_reason": ending}}
        await connection.event({**delta, "usage": {"output_tokens": 42}})
        await connection.event({"type": "message_stop"})

    return act


def refusal(status: int, body: object, **headers: str) -> Act:
    """An answer that is no reply."""

    async def act(connection: Connection) -> None:
        await connection.head(status, "application/json", **headers)
        await connection.raw(body if isinstance(body, str) else json.dumps(body))

    return act


def broken_off(*events: object, reset: bool = False) -> Act:
    """Some events, and then the connection ends."""

    async def act(connection: Connection) -> None:
        await connection.head()
        for event in events:
            await connection.event(event)
        if reset:
            connection.writer.transport.abort()

    return act


def silence(*events: object) -> Act:
    """Some events, and then nothing more until the client hangs up."""

    async def act(connection: Connection) -> None:
        await connection.head()
        for event in events:
            await connection.event(event)
        await connection.wait_until_gone()

    return act


def endless(piece: bytes) -> Act:
    """The same bytes, again and again."""

    async def act(connection: Connection) -> None:
        await connection.head()
        while True:
            await connection.raw(piece)

    return act


def _chunk(**delta: object) -> dict[str, object]:
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": None}]}
