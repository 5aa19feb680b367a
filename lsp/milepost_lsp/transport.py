"""The wire: LSP's frames over stdio or a loopback socket, each feeding a GuardedProtocol.

Written here because pygls' own loops cannot be left in time (a thread blocked on stdin is joined at
exit), write to a closed stdout over and over, and take any header they do not know for a harmless
one. The last would let a web page POST a request to a loopback port, so an unknown header ends the
connection.
"""

from __future__ import annotations

import asyncio
import functools
import logging
import os
import re
import select
import signal
import threading
from typing import TYPE_CHECKING

from milepost_lsp.guard import PARSE_ERROR, GuardedServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from milepost_lsp.guard import GuardedProtocol

log = logging.getLogger(__name__)

READ_BYTES = 65_536
# Two short header lines; what is longer is no LSP client.
MAX_HEADER_BYTES = 4_096
# The largest message is a document being opened; editors refuse larger files themselves.
MAX_BODY_BYTES = 128 * 1024 * 1024
# Pieces read ahead of the loop; beyond them, the pipe holds the client back.
MAX_QUEUED = 4

_HEADER = re.compile(rb"(?i:content-length: *(\d{1,12})|content-type:[ -~]*)")


class FramingError(Exception):
    """What came is not LSP's framing; there is no telling where the next message would start."""


class Frames:
    """Cuts a stream of bytes into message bodies."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._length: int | None = None

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The bodies that are whole now."""
        self._buffer += data
        while self._read_header():
            length = self._length or 0
            if len(self._buffer) < length:
                return
            body = bytes(self._buffer[:length])
            del self._buffer[:length]
            self._length = None
            yield body

    def _read_header(self) -> bool:
        if self._length is not None:
            return True
        end = self._buffer.find(b"\r\n\r\n")
        lines = bytes(self._buffer[: max(end, 0)]).split(b"\r\n") if end >= 0 else []
        if end < 0:
            if len(self._buffer) > MAX_HEADER_BYTES:
                raise FramingError("there is no end to the header")
            # Refused as soon as it shows: a web server's client waits for an answer first.
            lines = bytes(self._buffer).split(b"\r\n")[:-1]
        length: int | None = None
        for line in lines:
            match = _HEADER.fullmatch(line)
            if not match:
                raise FramingError("a header that LSP does not have")
            length = int(match[1]) if match[1] else length
        if end < 0:
            return False
        if length is None or length > MAX_BODY_BYTES:
            raise FramingError("no Content-Length that can be met")
        del self._buffer[: end + 4]
        self._length = length
        return True


async def serve_stdio(server: GuardedServer) -> int:
    """Serves the client that started this process, until it leaves. Returns the exit code."""
    protocol = server.protocol
    loop = asyncio.get_running_loop()
    read_fd, write_fd = _take_stdio()
    protocol.set_writer(_Pipe(write_fd, protocol.end))
    _end_on_signals(loop, protocol.end)
    _follow(loop, read_fd, protocol)
    await protocol.ended.wait()
    if not await server.release():
        # A thread is stuck in the outside world, and Python would wait for it for ever.
        log.error("left while work was still under way")
        logging.shutdown()
        os._exit(protocol.exit_code)
    return protocol.exit_code


async def serve_tcp(host: str, port: int, build: Callable[[], GuardedServer]) -> int:
    """Serves clients on a loopback port, each with a server of its own, until interrupted."""
    loop = asyncio.get_running_loop()
    interrupted = asyncio.Event()
    _end_on_signals(loop, lambda _code: interrupted.set())

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server = build()
        protocol = server.protocol
        protocol.set_writer(_Stream(writer))
        reading = asyncio.create_task(_read_stream(reader, protocol.receive))
        leaving = asyncio.create_task(protocol.ended.wait())
        await asyncio.wait({reading, leaving}, return_when=asyncio.FIRST_COMPLETED)
        reading.cancel()
        leaving.cancel()
        protocol.end()
        writer.close()
        await server.release()

    listener = await asyncio.start_server(connected, host, port)
    log.info("listening on %s", listener.sockets[0].getsockname())
    async with listener:
        await interrupted.wait()
    return 0


async def _read_stream(reader: asyncio.StreamReader, receive: Callable[[bytes], None]) -> None:
    frames = Frames()
    try:
        while data := await reader.read(READ_BYTES):
            for body in frames.feed(data):
                receive(body)
    except (FramingError, OSError) as error:
        log.warning("a connection was dropped: %s", error)


class _Pipe:
    """pygls' writer over a descriptor. What comes after the client left is dropped (defect 5)."""

    def __init__(self, descriptor: int, on_lost: Callable[[], None]) -> None:
        self._descriptor = descriptor
        self._on_lost = on_lost
        self._is_open = True

    def write(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest and self._is_open:
            try:
                rest = rest[os.write(self._descriptor, rest) :]
            except BlockingIOError:
                # Some clients hand over pipes that do not block.
                select.select([], [self._descriptor], [])
            except OSError:
                self.close()
                self._on_lost()

    def close(self) -> None:
        self._is_open = False


class _Stream:
    """pygls' writer over a socket."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer

    def write(self, data: bytes) -> None:
        if not self._writer.is_closing():
            self._writer.write(data)

    def close(self) -> None:
        self._writer.close()


def _follow(loop: asyncio.AbstractEventLoop, descriptor: int, protocol: GuardedProtocol) -> None:
    """Hands what comes from the client to the protocol, on the loop, until nothing comes any more.

    The loop waits for a pipe or a socket itself: a thread between them costs each message two
    switches. A plain file cannot be waited for, and on Windows nothing can; there it is a thread.
    """
    frames = Frames()

    def take(data: bytes) -> bool:
        """Whether there is more to come."""
        try:
            for body in frames.feed(data):
                protocol.receive(body)
        except FramingError as error:
            protocol.refuse(None, PARSE_ERROR, f"{error}; the connection ends here")
            protocol.end(1)
        if not data:
            protocol.end()
        return not protocol.ended.is_set()

    def look() -> None:
        if not take(_read(descriptor)):
            loop.remove_reader(descriptor)

    try:
        loop.add_reader(descriptor, look)
    except (NotImplementedError, OSError):
        # A daemon, because nothing can wake it from its read when we leave first.
        pump = functools.partial(_pump, loop, descriptor, take)
        threading.Thread(target=pump, name="stdin", daemon=True).start()


def _pump(
    loop: asyncio.AbstractEventLoop, descriptor: int, take: Callable[[bytes], object]
) -> None:
    """Reads on a thread of its own."""
    slots = threading.BoundedSemaphore(MAX_QUEUED)

    def hand_over(data: bytes) -> None:
        slots.release()
        take(data)

    try:
        while True:
            data = _read(descriptor)
            slots.acquire()
            loop.call_soon_threadsafe(hand_over, data)
            if not data:
                return
    except RuntimeError:
        # The loop is closed: we left while a message was on its way.
        log.debug("the loop ended before its reader")


def _take_stdio() -> tuple[int, int]:
    """Moves the wire to private descriptors and leaves the null device in its place.

    So neither a stray print nor a child process that inherits 0 or 1 can touch it.
    """
    read_fd, write_fd = os.dup(0), os.dup(1)
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(null, 1)
    os.close(null)
    return read_fd, write_fd


def _read(descriptor: int) -> bytes:
    """What is there, when something is; nothing when nothing will come any more."""
    while True:
        try:
            return os.read(descriptor, READ_BYTES)
        except BlockingIOError:
            select.select([descriptor], [], [])
        except OSError as error:
            log.warning("reading from the client failed: %s", error)
            return b""


def _end_on_signals(loop: asyncio.AbstractEventLoop, end: Callable[[int], None]) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        try:
            loop.add_signal_handler(number, end, 128 + number)
        except NotImplementedError:
            # Windows has no such handlers; there the default ends the process.
            return
