"""MCP over stdin and stdout: one JSON message a line.

stdout belongs to the protocol alone. The descriptors are taken away before anything else runs, so
that a stray print, a library's warning or a child's output goes to stderr and a child cannot eat
the client's messages.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import threading
import time
from typing import TYPE_CHECKING

from milepost_mcp.limits import HEARTBEAT_S, MAX_MESSAGE_BYTES, PARENT_POLL_S
from milepost_mcp.server import Server
from milepost_mcp.session import Session

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

# As much as a pipe holds; for more, each read would have memory mapped and given back.
_CHUNK_BYTES = 64 * 1024


def serve(project: str | None) -> int:
    """Answer until the client closes stdin, dies, or sends SIGTERM. Returns the exit code."""
    wire = _Wire()
    server = Server(Session(project), wire.send)
    signal.signal(signal.SIGTERM, _end)
    try:
        try:
            for line in wire.lines(server):
                server.receive(line)
        finally:
            # A client that does not wait for the end must not cut short what is being closed.
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
    except (_Ended, KeyboardInterrupt):
        pass
    finally:
        server.close()
        # What is left to wait for are threads that have nothing to lose.
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
    return 0


class _Ended(BaseException):
    """SIGTERM came; no error, so what makes words of errors does not make words of it."""


def _end(_signal: int, _frame: FrameType | None) -> None:
    raise _Ended


class _Wire:
    """The two descriptors of the protocol."""

    def __init__(self) -> None:
        sys.stdout.flush()
        self._in = os.dup(0)
        self._out = os.dup(1)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.close(nothing)
        os.dup2(2, 1)
        self._guard = threading.Lock()
        self._parent = os.getppid()

    def send(self, message: bytes) -> None:
        """Write one line. A client that is gone is noticed by the reader."""
        with self._guard:
            try:
                view = memoryview(message)
                while view:
                    view = view[os.write(self._out, view) :]
            except OSError:
                pass

    def lines(self, server: Server) -> Iterator[bytes]:
        """The client's lines, without their ends, until it is gone; meanwhile the server may tell
        it once a second that its calls go on. A line that is too long is cut just above the limit,
        so that it is refused."""
        buffer = bytearray()
        ticked = time.monotonic()
        while True:
            turn_s = HEARTBEAT_S if server.is_busy else PARENT_POLL_S
            ready, _, _ = select.select([self._in], [], [], turn_s)
            if time.monotonic() - ticked >= HEARTBEAT_S:
                server.tick()
                ticked = time.monotonic()
            if not ready:
                if os.getppid() != self._parent:
                    return
                continue
            chunk = os.read(self._in, _CHUNK_BYTES)
            if not chunk:
                if buffer.strip():
                    yield bytes(buffer)
                return
            *ends, rest = chunk.split(b"\n")
            for end in ends:
                _extend(buffer, end)
                if buffer.strip():
                    yield bytes(buffer)
                buffer.clear()
            _extend(buffer, rest)


def _extend(buffer: bytearray, piece: bytes) -> None:
    """Grow a line, but never beyond what is needed to see that it is too long."""
    buffer += piece[: MAX_MESSAGE_BYTES + 1 - len(buffer)]
