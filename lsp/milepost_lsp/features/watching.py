"""Follows the files in which the open projects are kept, and has those look who asked for it.

The kernel's queue of changes is waited on by the event loop, so that an idle server uses no
processor. Where there is none, watchfiles stands in, and where it cannot be believed (a network
file system) the files are looked at every now and then. What changed is decided by who looks: the
queue only says when. The folders are watched without what lies below them, and where a folder does
not exist yet, the nearest one above it is.
"""

from __future__ import annotations

import asyncio
import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from milepost import api
from milepost_lsp.guard import words_for

if TYPE_CHECKING:
    from collections.abc import Iterable

    from milepost_lsp.features.feature import Desk

log = logging.getLogger(__name__)

# A burst of writes is told as one change when it lasts no longer than this; a person sees what
# another process did well within a second.
BURST_S = 0.25
# What the queue missed is found after this long; it costs a few stat calls.
LOOK_S = 60.0
# The same where the queue does not hear of every change, or there is none.
LOOK_OFTEN_S = 3.0
# How often watchfiles' thread wakes up to look at its queue, where it stands in.
STEP_MS = 200

Changed = frozenset[str] | None


class Listener(Protocol):
    """Somebody who looks when a file may have changed."""

    def files(self) -> Iterable[str]:
        """The files to watch; blocks."""
        ...

    async def begin(self, space: api.Workspace) -> None:
        """A project was opened: what it holds now is known."""
        ...

    async def look(self, changed: Changed) -> None:
        """Something happened to these paths, or (None) it may have happened to any."""
        ...


class Watching:
    """Watches for one client."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._listeners: list[Listener] = []
        self._files: frozenset[str] = frozenset()
        self._changed: set[str] | None = set()
        self._look_now = asyncio.Event()
        self._is_due = False
        self._look_s = LOOK_OFTEN_S

    def add(self, listener: Listener) -> None:
        """Has this one look from now on."""
        self._listeners.append(listener)

    async def begin(self, space: api.Workspace) -> None:
        """A project was opened; nothing is done in it before this returns."""
        for listener in self._listeners:
            try:
                await listener.begin(space)
            except api.MilepostError as error:
                # What cannot be read now is looked at again; the project opens all the same.
                log.warning("%s", error)
        self.restart()

    def restart(self) -> None:
        """Looks again at which projects and files there are."""
        self._note(None)

    async def run(self) -> None:
        """Watches until cancelled."""
        await self._desk.session.open_all()
        try:
            queue = api.FolderWatch()
        except api.WorldError as error:
            log.warning("%s", error)
            await asyncio.gather(self._look(None), self._stand_in())
            return
        loop = asyncio.get_running_loop()
        loop.add_reader(queue.handle, lambda: self._note(queue.changed()))
        try:
            await self._look(queue)
        finally:
            loop.remove_reader(queue.handle)
            queue.close()

    def _note(self, paths: Changed) -> None:
        """Something happened. What happens soon after is looked at together with it."""
        if paths is None or self._changed is None:
            self._changed = None
        else:
            self._changed.update(path for path in paths if concerns(path, self._files))
        if (self._changed is None or self._changed) and not self._is_due:
            self._is_due = True
            asyncio.get_running_loop().call_later(BURST_S, self._look_now.set)

    async def _look(self, queue: api.FolderWatch | None) -> None:
        self._note(None)
        while True:
            await self._follow(queue)
            try:
                async with asyncio.timeout(self._look_s):
                    await self._look_now.wait()
                changed = None if self._changed is None else frozenset(self._changed)
            except TimeoutError:
                changed = None
            self._look_now.clear()
            self._changed = set()
            self._is_due = False
            for listener in self._listeners:
                try:
                    await listener.look(changed)
                except Exception as error:  # noqa: BLE001  (one fault must not end the watch)
                    log.warning("a look failed: %s", words_for(error)[1])

    async def _follow(self, queue: api.FolderWatch | None) -> None:
        """Watches what there is to watch by now."""
        files, folders = await self._desk.session.run(self._places)
        self._files = files
        if queue is None:
            return
        try:
            if queue.watch(folders):
                # Nobody heard what happened there before.
                self._note(None)
        except api.WorldError as error:
            log.warning("%s", error)
            self._look_s = LOOK_OFTEN_S
        else:
            self._look_s = LOOK_S if queue.is_reliable else LOOK_OFTEN_S

    async def _stand_in(self) -> None:
        # Not before a client is there to be told.
        from watchfiles import awatch  # noqa: PLC0415  # pyright: ignore[reportUnknownVariableType]

        while True:
            _, folders = await self._desk.session.run(self._places)
            again = asyncio.Event()
            try:
                async for changes in awatch(
                    *folders, step=STEP_MS, stop_event=again, recursive=False
                ):
                    self._note(frozenset(path for _, path in changes))
                    if (await self._desk.session.run(self._places))[1] != folders:
                        again.set()
            except OSError as error:
                # Looking now and then goes on.
                log.warning("cannot watch: %s", error)
                return

    def _places(self) -> tuple[frozenset[str], list[str]]:
        """The files to watch, and the folders to watch them in."""
        files = frozenset(path for listener in self._listeners for path in listener.files())
        nearest = {next(each for each in Path(path).parents if each.is_dir()) for path in files}
        return files, sorted(map(str, nearest))


def concerns(path: str, files: Iterable[str]) -> bool:
    """Whether a change of `path` is one of a file, or of a folder on the way to it."""
    return any(path == file or file.startswith(path + os.sep) for file in files)
