"""The server's log, shown in the client's own: bounded, and never from a loop of its own making."""

from __future__ import annotations

import asyncio
import logging
import threading
from typing import TYPE_CHECKING

from lsprotocol import types

if TYPE_CHECKING:
    from collections.abc import Callable

# A client's log keeps everything it is sent; a fault that repeats itself must not fill it.
_MOST_IN_A_WHILE = 100
_WHILE_S = 60.0

_KINDS = {
    logging.DEBUG: types.MessageType.Log,
    logging.INFO: types.MessageType.Info,
    logging.WARNING: types.MessageType.Warning,
    logging.ERROR: types.MessageType.Error,
}


class ClientLog(logging.Handler):
    """Sends what is logged to one client; made on its loop."""

    def __init__(self, send: Callable[[str, types.MessageType], None]) -> None:
        super().__init__()
        self._send = send
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self._sent = 0
        self._since = 0.0

    def emit(self, record: logging.LogRecord) -> None:
        """Send a line, from whichever thread it comes. Without the traceback, which has paths."""
        if record.created - self._since > _WHILE_S:
            self._since, self._sent = record.created, 0
        self._sent += 1
        if self._sent > _MOST_IN_A_WHILE:
            return
        kind = _KINDS.get(record.levelno, types.MessageType.Log)
        line = f"{record.name}: {record.getMessage()}"
        if self._sent == _MOST_IN_A_WHILE:
            line += " (more of it is in the file of --log-file)"
        if threading.get_ident() == self._thread:
            self._send(line, kind)
        elif not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._send, line, kind)
