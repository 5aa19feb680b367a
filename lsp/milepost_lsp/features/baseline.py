"""The reading of a large project for its first restore point, as progress that can be stopped.

It goes on in a thread of the core. Whoever stops it loses nothing: the first restore point then
reads what is left. In most projects it is over before anybody would look.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from milepost import api
    from milepost_lsp.features.feature import Desk

# What takes no longer than this needs no progress bar.
QUIET_S = 1.0

# Faster than this nobody reads, and an editor has better things to draw.
REPORT_EVERY_S = 0.25


def register(desk: Desk) -> None:
    """Shows how far each project is read that is opened from now on."""

    def follow(space: api.Workspace) -> None:
        reading = _Reading(asyncio.get_running_loop())
        space.watch(reading.told, reading.stop.is_set)
        desk.session.spawn(_show(desk, space.project.name, reading))

    desk.session.follow = follow


class _Reading:
    """How far the reading is, as a thread of the core tells it."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.done = 0
        self.total = 0
        self.stop = threading.Event()
        self.over = asyncio.Event()

    def told(self, done: int, total: int) -> None:
        self.done, self.total = done, total
        if done == total:
            with contextlib.suppress(RuntimeError):  # the loop has ended before us
                self._loop.call_soon_threadsafe(self.over.set)

    async def is_over_in(self, seconds: float) -> bool:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.over.wait()
        return self.over.is_set()


async def _show(desk: Desk, name: str, reading: _Reading) -> None:
    if await reading.is_over_in(QUIET_S):
        return
    title = f"Milepost: reading {name} for its first restore point"
    async with desk.editor.progress(title, token=None, stop=reading.stop) as report:
        while not await reading.is_over_in(REPORT_EVERY_S):
            if reading.total:
                counts = f"{reading.done:,} of {reading.total:,} files"
                report(reading.done, reading.total, counts)
