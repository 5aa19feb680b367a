"""milepost/memory/didChange: a memory file changed on disk, by whatever process.

The files' signatures decide what changed; `watching.py` says when to look.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lsprotocol import types

from milepost import api
from milepost_lsp import markdown
from milepost_lsp.features.watching import concerns
from milepost_lsp.guard import words_for
from milepost_lsp.protocol import status

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from milepost_lsp.features.feature import Desk
    from milepost_lsp.features.watching import Changed

log = logging.getLogger(__name__)

Identity = tuple[int, ...] | None


class MemoryWatch:
    """Looks at the memory files of all projects that are open."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._files: dict[str, _Told] = {}
        # Called with each memory file that changed, when its index is level with it.
        self.on_change: list[Callable[[str], Awaitable[None]]] = []

    def files(self) -> set[str]:
        """The memory files, whether they exist or not."""
        opened = self._desk.session.opened
        return {path for space in opened for path in space.memory.files()} | set(self._files)

    async def begin(self, space: api.Workspace) -> None:
        """Takes what the files hold as known: whoever asks after this is told of what follows."""
        for path in await self._desk.session.run(space.memory.files):
            if path not in self._files:
                self._files[path] = await self._desk.session.run(_read, space, path)

    async def look(self, changed: Changed) -> None:
        """Tells of the files that are other than before."""
        # A task or a session may have got its file since.
        for path in await self._desk.session.run(self.files):
            self._files.setdefault(path, _Told(None, {}))
        for path, told in tuple(self._files.items()):
            if changed is not None and not any(concerns(each, [path]) for each in changed):
                continue
            if await self._desk.session.run(_identity, path) != told.signature:
                await self._tell(path)

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
        for call in self.on_change:
            await call(path)


@dataclass(frozen=True, slots=True)
class _Told:
    """A file as the client knows it: its signature, and a digest of each entry by id."""

    signature: Identity
    entries: dict[str, bytes]


def _read(space: api.Workspace, path: str) -> _Told:
    # The signature first: a change in between is then told once more rather than never.
    signature = _identity(path)
    try:
        return _Told(signature, space.memory.digests(path))
    except api.MilepostError as error:
        # That it changed is told all the same.
        log.warning("%s", error)
        return _Told(signature, {})


def _identity(path: str) -> Identity:
    try:
        status = Path(path).stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns
