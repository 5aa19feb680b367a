"""Ends a turn before its time: from any thread of the process that runs it, or from another one.

Whoever runs a turn looks every now and then for somebody who wants its end. That is one row by its
key in a database that it has open anyway, and it dies with the process: there is nothing that
another one would have to clean up.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from typing import TYPE_CHECKING, Any, TypeVar

from milepost.api.sessions import is_at_work
from milepost.base.errors import MilepostError
from milepost.history.turns import Wish

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Generator
    from pathlib import Path

    from milepost.history.transcript import Transcripts

T = TypeVar("T")

# A person who stops something waits this long and does not notice. A look takes some ten
# microseconds, which is nothing beside a turn.
_LOOK_S = 0.2

# A turn that begins or ends has its lock a moment before, or after, its row says so.
_MOMENT_S = 0.5


class Stop:
    """The end of one turn, as its runner sees it."""

    def __init__(self, turn: Callable[[], str] = lambda: "") -> None:
        """`turn` tells the turn's id, empty before it has one."""
        self._turn = turn
        self._guard = threading.Lock()
        self._is_wanted = False
        self._by = ""
        self._running: tuple[asyncio.AbstractEventLoop, asyncio.Task[Any]] | None = None
        self._look: Callable[[], Wish | None] = lambda: None

    @property
    def words(self) -> str:
        """Why a turn that was stopped ended."""
        return f"it was stopped by {self._by}" if self._by else "it was cancelled"

    @property
    def by(self) -> str:
        """Who stopped it from another process; empty when nobody did."""
        return self._by

    def want(self, by: str = "") -> None:
        """End the turn as soon as can be; from any thread, at any time."""
        with self._guard:
            if not self._is_wanted:
                self._is_wanted, self._by = True, by
            if self._running is not None:
                loop, task = self._running
                # The loop may have ended a moment ago.
                with contextlib.suppress(RuntimeError):
                    loop.call_soon_threadsafe(task.cancel)

    @contextlib.contextmanager
    def heeded(self, transcripts: Transcripts, session: str) -> Generator[None]:
        """Listen to other processes. The caller holds the session's lock."""
        turns = transcripts.turns
        token = turns.begin(session)
        self._look = lambda: turns.wish(session, token)
        try:
            yield
        finally:
            # A wish is for this turn's token alone, so that one which stays does no harm.
            with contextlib.suppress(MilepostError):
                turns.end(session)

    def run(self, work: Coroutine[Any, Any, T]) -> T | None:
        """Run a turn's work to its end, in a loop of its own. None when it was stopped before it
        could say how it ended."""
        return asyncio.run(self._run(work))

    async def _run(self, work: Coroutine[Any, Any, T]) -> T | None:
        task = asyncio.ensure_future(work)
        with self._guard:
            self._running = asyncio.get_running_loop(), task
            if self._is_wanted:
                task.cancel()
        listening = asyncio.ensure_future(self._listen())
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError:  # Ctrl-C in a terminal
            task.cancel()
            await asyncio.wait([task])
        finally:
            listening.cancel()
        return None if task.cancelled() else task.result()

    async def _listen(self) -> None:
        while True:
            # What cannot be read now is looked at again; the turn goes on all the same.
            with contextlib.suppress(MilepostError):
                wish = await asyncio.to_thread(self._look)
                if wish is not None and wish.turn in ("", self._turn()):
                    self.want(wish.by)
                    return
            await asyncio.sleep(_LOOK_S)


def ask_to_end(
    transcripts: Transcripts, folder: Path, session: str, by: str, turn: str | None = None
) -> bool:
    """Ask for the end of the turn that another process runs in a session, which has this folder;
    with its `turn` only if it is that one. Whether there is a turn that hears it. Durable."""
    if turn is not None and turn != _newest(transcripts, session):
        # It must not take the place of somebody's wish for the turn that runs.
        return False
    turns = transcripts.turns
    deadline = time.monotonic() + _MOMENT_S
    while is_at_work(folder):
        token = turns.token(session)
        if token and turns.ask_to_end(session, token, Wish(by, turn or "")):
            return True
        if time.monotonic() > deadline:
            break
        time.sleep(_MOMENT_S / 50)
    return False


def _newest(transcripts: Transcripts, session: str) -> str:
    """The id of the newest turn that has begun to be kept."""
    said = transcripts.newest_of(session, "user", 1)
    return str(said[0].number) if said else ""
