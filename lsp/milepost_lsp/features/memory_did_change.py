"""milepost/memory/didChange: a memory file changed on disk, by whatever process.

watchfiles tells within a fraction of a second. It drops events when its queue overflows and sees
nothing on some network file systems, so the files' signatures are also looked at every now and
then; they decide what changed, the watcher only says when to look. The folders are watched without
what lies below them, and where a folder does not exist yet, the nearest one above it is.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lsprotocol import types

from milepost_lsp import markdown
from milepost_lsp.editor import read_file
from milepost_lsp.guard import words_for
from milepost_lsp.protocol import status

if TYPE_CHECKING:
    from collections.abc import Iterable

    from milepost import api
    from milepost_lsp.features.feature import Desk

log = logging.getLogger(__name__)

# How often watchfiles' thread wakes up to look at its queue. Half of it is the mean delay of a
# notice; at 20 a second, its own default, the thread shows up in `top`.
STEP_MS = 200
# A burst of writes is told as one change when it lasts no longer than this.
BURST_MS = 600
# What the watcher missed is found after this long; it costs a few stat calls.
LOOK_S = 3.0
# A watch is in place by then. What happened while it was being put there is looked for.
SETTLE_S = 0.3

Identity = tuple[int, ...] | None


class MemoryWatch:
    """Watches the memory files of all projects that are open."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._files: dict[str, _Told] = {}
        self._folders: dict[str, Identity] = {}
        self._look_now = asyncio.Event()
        self._watch_anew = asyncio.Event()

    async def begin(self, space: api.Workspace) -> None:
        """Takes what the files hold as known: whoever asks after this is told of what follows."""
        for path in space.memory.files():
            if path not in self._files:
                self._files[path] = await self._desk.session.run(_read, space, path)
        self._watch_anew.set()

    def restart(self) -> None:
        """Looks again at which projects there are."""
        self._watch_anew.set()

    async def run(self) -> None:
        """Watches until cancelled."""
        await asyncio.gather(self._watch(), self._look())

    async def _watch(self) -> None:
        # Not before a client is there to be told.
        from watchfiles import awatch  # noqa: PLC0415  # pyright: ignore[reportUnknownVariableType]

        loop = asyncio.get_running_loop()
        while True:
            await self._desk.session.open_all()
            self._watch_anew.clear()
            files = tuple(self._files)
            self._folders = await self._desk.session.run(_folders, files)
            loop.call_later(SETTLE_S, self._look_now.set)
            try:
                async for _ in awatch(
                    *self._folders,
                    watch_filter=lambda _, path, files=files: _concerns(path, files),
                    debounce=BURST_MS,
                    step=STEP_MS,
                    stop_event=self._watch_anew,
                    recursive=False,
                ):
                    self._look_now.set()
            except OSError as error:
                # No inotify left, for example. Looking now and then goes on.
                log.warning("cannot watch the memory files: %s", error)
                await self._watch_anew.wait()

    async def _look(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._look_now.wait(), LOOK_S)
            self._look_now.clear()
            for space in self._desk.session.opened:
                # A task or a session may have got its file since.
                for path in await self._desk.session.run(space.memory.files):
                    self._files.setdefault(path, _Told(None, {}))
            for path, told in tuple(self._files.items()):
                if await self._desk.session.run(_identity, path) != told.signature:
                    await self._tell(path)
            if await self._desk.session.run(_folders, tuple(self._files)) != self._folders:
                self._watch_anew.set()

    async def _tell(self, path: str) -> None:
        spaces = [each for each in self._desk.session.opened if path in each.memory.files()]
        for space in spaces:
            try:
                await self._desk.session.run(space.memory.refresh, path)
            except Exception as error:  # noqa: BLE001  (one fault must not end the watch)
                self._desk.editor.log(words_for(error)[1], types.MessageType.Warning)
        if not spaces:
            return
        before = self._files[path].entries
        told = self._files[path] = await self._desk.session.run(_read, spaces[0], path)
        now = told.entries
        changed = sum(before.get(key) != now.get(key) for key in before.keys() | now.keys())
        notice = status.MemoryDidChange(Path(path).as_uri(), changed)
        self._desk.editor.notify(status.MEMORY_DID_CHANGE, notice)
        self._desk.editor.log(f"memory changed: {path}, {markdown.count(changed, 'entry')}")


@dataclass(frozen=True, slots=True)
class _Told:
    """A file as the client knows it: its signature, and a hash of each entry's lines by id."""

    signature: Identity
    entries: dict[str, int]


def _read(space: api.Workspace, path: str) -> _Told:
    # The signature first: a change in between is then told once more rather than never.
    signature = _identity(path)
    text = read_file(path) or ""
    lines = text.splitlines()
    entries = {
        item.entry_id: hash("\n".join(lines[item.line : item.end_line]))
        for item in space.memory.outline(text)
        if item.entry_id
    }
    return _Told(signature, entries)


def _folders(files: Iterable[str]) -> dict[str, Identity]:
    """The folders to watch, each with what tells it from one of the same name made later."""
    nearest = {next(each for each in Path(path).parents if each.is_dir()) for path in files}
    return {str(each): (_identity(str(each)) or ())[:2] for each in sorted(nearest)}


def _identity(path: str) -> Identity:
    try:
        status = Path(path).stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def _concerns(path: str, files: Iterable[str]) -> bool:
    """Whether a change of `path` is one of a file, or of a folder on the way to it."""
    return any(path == file or file.startswith(path + os.sep) for file in files)
