"""One editor's projects: a workspace of the core for each folder it has open, opened when needed.

Nothing here speaks LSP. Calls into the core wait for disks and databases, so they run on threads of
our own, but for what is in memory: the default pool of asyncio is shared with whoever else uses it.
"""

from __future__ import annotations

import asyncio
import functools
import logging
import os
import secrets
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from milepost import api

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Sequence

log = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")

# A question takes milliseconds and the disk is one: more threads would only queue elsewhere.
QUICK_THREADS = 4
# Verifying runs the user's commands for minutes; more than two at once would fight for the cores.
LONG_THREADS = 2
# A turn of a chat takes as long as its work; how many there are is the chat's to bound.
APART_THREADS = 16
# How long leaving waits for work under way; every store survives a kill, so it need not be long.
CLOSE_GRACE_S = 3.0


@dataclass(frozen=True, slots=True)
class Home:
    """The project that a document belongs to; `path` is relative to its root, None outside it.
    `memory_scope` is set when the document is a memory file: of which memory. `summary_session` is
    set when it is a checkpoint.md: of which session."""

    workspace: api.Workspace
    path: str | None
    memory_scope: str | None
    summary_session: str | None = None

    @property
    def is_memory(self) -> bool:
        """Whether the document is a memory file."""
        return self.memory_scope is not None


class Session:
    """What lasts from initialize to exit."""

    def __init__(self, *, explicit: str | None = None) -> None:
        self._explicit = explicit
        # The roots of the projects in which this editor went back, so that undoing has a meaning.
        self.restored: set[str] = set()
        # Why the last restore point of a project could not be made, by the project's root.
        self.checkpoint_errors: dict[str, str] = {}
        self._actor = "user:editor"
        self._id = f"lsp-{secrets.token_hex(6)}"
        self._folders: tuple[str, ...] = ()
        # The same, the innermost first; one that is a link lies where it leads.
        self._innermost: tuple[str, ...] = ()
        # Has the changes of a project that was opened followed from then on; returns at once.
        self.follow: Callable[[api.Workspace], None] = lambda space: space.watch()
        # Called with each project that was opened, before anything is done in it.
        self.on_open: Callable[[api.Workspace], Awaitable[None]] | None = None
        # Called when the session ends.
        self.on_close: list[Callable[[], None]] = []
        # By folder; "" stands for a client without folders. They stay open when a folder is
        # removed: it often comes back, and a request may still be using it.
        self._opening: dict[str, asyncio.Task[api.Workspace]] = {}
        self._opened: dict[str, api.Workspace] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._quick = ThreadPoolExecutor(QUICK_THREADS, thread_name_prefix=self._id)
        self._long = ThreadPoolExecutor(LONG_THREADS, thread_name_prefix=self._id)
        self._apart = ThreadPoolExecutor(APART_THREADS, thread_name_prefix=self._id)

    def begin(self, client_name: str | None) -> None:
        """Takes the client's name for the provenance of what it does."""
        self._actor = f"user:{api.plain_name((client_name or '').lower()) or 'editor'}"

    def set_folders(self, folders: Sequence[str]) -> None:
        """The client's workspace folders, as absolute paths."""
        self._folders = tuple(os.path.normpath(folder) for folder in folders)
        depth = {folder: len(os.path.realpath(folder)) for folder in self._folders}
        self._innermost = tuple(sorted(self._folders, key=depth.__getitem__, reverse=True))

    @property
    def opened(self) -> tuple[api.Workspace, ...]:
        """The workspaces opened so far of the folders that the client shows, each project once."""
        spaces = [self._opened[key] for key in self._keys() if key in self._opened]
        return tuple({space.project.root: space for space in spaces}.values())

    async def open_all(self) -> tuple[api.Workspace, ...]:
        """Opens every folder that is a project."""
        keys = self._keys()
        await asyncio.gather(*(self._workspace(key) for key in keys), return_exceptions=True)
        return self.opened

    async def only_workspace(self) -> api.Workspace:
        """The project, where the request names no document."""
        spaces = await self.open_all()
        if len(spaces) > 1:
            names = ", ".join(space.project.name for space in spaces)
            raise api.UserError(
                f"several projects are open ({names}): name a file of one with `uri`"
            )
        return spaces[0] if spaces else await self._workspace(self._keys()[0])

    async def home(self, path: str) -> Home | None:
        """The project of a file, or None when no open project holds it.

        Raises UserError when the folder that holds it cannot be a project.
        """
        path = os.path.normpath(path)  # noqa: ASYNC240  (touches no disk)
        folders = self._innermost if self._has_folders else ()
        for key in folders:
            if _relative(path, key) is not None:
                space = await self._workspace(key)
                if (relative := _relative(path, space.project.root)) is not None:
                    return Home(space, relative, _memory_scope(path, space))
        # A client without folders, and --project, have one workspace for all. A folder may also be
        # a part of its project only, and memory lies outside of it.
        spaces = await self.open_all() if self._has_folders else (await self._workspace(""),)
        others = [each for each in spaces if each.project.root not in folders]
        for space in sorted(others, key=lambda each: len(each.project.root), reverse=True):
            if (relative := _relative(path, space.project.root)) is not None:
                return Home(space, relative, _memory_scope(path, space))
        for space in spaces:
            if scope := _memory_scope(path, space):
                return Home(space, None, scope)
            if session := space.summaries.session_of(path):
                return Home(space, None, None, session)
        return None

    async def run(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """A call into the core that answers soon, off the loop."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._quick, functools.partial(call, *args, **kwargs))

    async def run_soon(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """A call into the core that is mostly answered from memory: then on the loop, because to
        hand it to a thread and back would take longer than to answer; or else as `run`."""
        try:
            with api.at_once():
                return call(*args, **kwargs)
        except api.WouldWait:
            return await self.run(call, *args, **kwargs)

    async def run_long(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """A call that may take minutes; it does not hold up the others."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._long, functools.partial(call, *args, **kwargs))

    async def run_apart(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """A call that may take hours, and waits for no other."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._apart, functools.partial(call, *args, **kwargs))

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Starts work in the background that ends with the session."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._forget)

    def _forget(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("work in the background failed", exc_info=error)

    async def close(self) -> bool:
        """Ends the work under way; False when a thread would not end in time."""
        for call in self.on_close:
            call()
        ending = self._tasks - {asyncio.current_task()}
        for task in self._tasks.copy():
            task.cancel()
        self._quick.shutdown(wait=False, cancel_futures=True)
        self._long.shutdown(wait=False, cancel_futures=True)
        self._apart.shutdown(wait=False, cancel_futures=True)
        deadline = time.monotonic() + CLOSE_GRACE_S
        if ending:
            # What they still have to say, such as that a progress has ended, goes out before this.
            await asyncio.wait(ending, timeout=CLOSE_GRACE_S)
        while any(thread.name.startswith(self._id) for thread in threading.enumerate()):
            if time.monotonic() > deadline:
                return False
            await asyncio.sleep(0.01)
        for space in set(self._opened.values()):
            space.close()
        return True

    @property
    def _has_folders(self) -> bool:
        return bool(self._folders) and not self._explicit

    def _keys(self) -> tuple[str, ...]:
        return self._folders if self._has_folders else ("",)

    async def _workspace(self, key: str) -> api.Workspace:
        if key in self._opened:
            return self._opened[key]
        task = self._opening.get(key)
        if task is None:
            task = self._opening[key] = asyncio.create_task(self._open(key))
            task.add_done_callback(functools.partial(self._settle, key))
        # Shielded, because others wait for the same workspace.
        return await asyncio.shield(task)

    async def _open(self, key: str) -> api.Workspace:
        if key not in self._opened:
            space = await self.run(
                api.open_workspace,
                self._explicit,
                candidates=[key] if key else [],
                actor=self._actor,
                session=self._id,
            )
            if key and _relative(key, space.project.root) is None:
                # The core fell back to the current folder, which is not what the editor shows.
                space.close()
                raise api.UserError(
                    f"{key} is not a folder that can be a project: open one with version control "
                    "or a manifest, or start the server with --project"
                )
            twin = [e for e in self._opened.values() if e.project.root == space.project.root]
            if twin:
                space.close()
            else:
                self.follow(space)
                if self.on_open:
                    await self.on_open(space)
            self._opened[key] = twin[0] if twin else space
        return self._opened[key]

    def _settle(self, key: str, task: asyncio.Task[api.Workspace]) -> None:
        # A folder that is no project may become one: the next request tries again.
        self._opening.pop(key, None)
        if not task.cancelled():
            task.exception()  # seen; whoever waits for the workspace gets it


def _memory_scope(path: str, space: api.Workspace) -> str | None:
    return space.memory.scope_of(path)


def _relative(path: str, root: str) -> str | None:
    """`path` below `root` with forward slashes, through symbolic links if need be."""
    if not root:
        return None
    # Asked at every request, and nearly always answered by the names alone.
    if path.startswith(root + os.sep):
        return path[len(root) + 1 :].replace(os.sep, "/")
    for resolved in (os.path.normpath, os.path.realpath):
        here, there = resolved(path), resolved(root)
        if Path(here).is_relative_to(there):
            return Path(here).relative_to(there).as_posix()
    return None
