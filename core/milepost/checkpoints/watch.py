"""Which paths changed since the last snapshot, from a kernel queue that is open all the time.

A queue names folders, not trees, and it can lie in four ways, each of which has its answer here:

- A new folder may be filled before it is watched: it is watched first and walked afterwards.
- A folder that moved keeps its watch under its old name: its watches are given back, and it is
  watched and walked as a new one where it came to be.
- The queue may overflow, a mount may come off: then nothing is believed until the next full scan.
- Some writes are never reported (through another hard link, to a mount of a file system that
  changes behind the kernel's back): such paths are looked at every time.

What is drained is kept until a snapshot takes it, and comes back when that one is not committed.
"""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

from milepost.checkpoints import inotify
from milepost.checkpoints.coverage import Coverage
from milepost.checkpoints.dirty import Dirty
from milepost.checkpoints.inotify import Inotify, Unwatchable
from milepost.checkpoints.names import inside
from milepost.checkpoints.policy import RULE_FILES

if TYPE_CHECKING:
    from collections.abc import Iterable

# More paths than this are scanned as fast as they are looked at one by one, and need no memory.
MAX_DIRTY = 50_000

# Hard links outside the project can write into this many files unseen before the periodic check
# has to find it; each costs a stat call at every snapshot.
MAX_LINKED = 1_000

# All that is more than that a file was written.
_MORE = ~(inotify.MODIFY | inotify.CLOSE_WRITE)
_GONE_OR_MOVED = inotify.DELETE | inotify.MOVED_FROM
_NEW_HERE = inotify.CREATE | inotify.MOVED_TO


class Watch:
    """The queue of one project, what it has told, and whether that is all there is to know."""

    def __init__(self, root: bytes) -> None:
        """Raises Unwatchable where the changes of `root` are not reported."""
        if not inotify.reports_changes(root):
            raise Unwatchable("its file system does not report all changes")
        self._root = root
        self._coverage = Coverage(root)
        self._queue = Inotify()
        self._guard = threading.RLock()
        self._folders: dict[int, bytes] = {}
        self._watches: dict[bytes, int] = {}
        self._device = os.stat(root).st_dev
        self._dirty = Dirty()
        self._always = Dirty()
        self._is_level = False
        # Why the queue cannot be used any more, once that is so.
        self.failure: str | None = None

    @property
    def handle(self) -> int:
        """The descriptor to wait on."""
        return self._queue.handle

    @property
    def folders(self) -> int:
        """How many folders are watched."""
        return len(self._watches)

    @property
    def is_level(self) -> bool:
        """Whether what it tells is all that may differ from the manifest."""
        return self._is_level and self.failure is None

    def arm(self) -> None:
        """Watch every folder that the rules on disk cover. Raises Unwatchable."""
        with self._guard:
            self._coverage = Coverage(self._root)
            self._arm(b"")
            if b"" not in self._watches:
                raise Unwatchable("the project's folder cannot be watched")

    def drain(self) -> None:
        """Take in what the kernel has to tell, so that its queue does not overflow."""
        with self._guard:
            if self.failure is None:
                self._take_in(self._queue.read())

    def take(self) -> Dirty | None:
        """All that may differ from the manifest, to be looked at now; None when only a full scan
        can tell. It is the caller's to `put_back` when nothing comes of the looking."""
        with self._guard:
            self.drain()
            if not self.is_level or len(self._dirty) > MAX_DIRTY:
                return None
            taken, self._dirty = self._dirty, Dirty()
            taken.add(self._always)
            return taken

    def put_back(self, dirty: Dirty) -> None:
        """Look at these next time."""
        with self._guard:
            self._dirty.add(dirty)

    def begin(self) -> None:
        """A full scan begins now: it sees all that happened before."""
        with self._guard:
            self.drain()
            self._dirty = Dirty()
            self._is_level = True

    def distrust(self) -> None:
        """Believe nothing before the next full scan."""
        with self._guard:
            self._is_level = False

    def look_always(self, linked: Iterable[bytes]) -> None:
        """Look at these every time: they have other names, through which they change unseen."""
        with self._guard:
            for path in linked:
                if len(self._always.paths) < MAX_LINKED:
                    self._always.paths.add(path)

    def close(self) -> None:
        """Give the queue back."""
        with self._guard:
            if self.failure is None:
                self.failure = "it was closed"
            self._is_level = False
            self._queue.close()

    def _take_in(self, events: list[inotify.Event]) -> None:
        try:
            folders, paths = self._folders, self._dirty.paths
            for event in events:
                watch, mask, name = event
                folder = folders.get(watch)
                if mask & _MORE or folder is None or not name or name in RULE_FILES:
                    self._take_event(event)
                else:
                    # Nearly all events are like this, and a restore makes many of them.
                    paths.add(inside(folder, name))
        except Unwatchable as reason:
            self._fail(str(reason))

    def _take_event(self, event: inotify.Event) -> None:
        watch, mask, name = event
        if mask & (inotify.OVERFLOW | inotify.UNMOUNT):
            self._is_level = False
        folder = self._folders.get(watch)
        if folder is None:
            return  # its watch was given back, and what held it is walked
        if mask & inotify.IGNORED:
            self._drop(watch)
        elif mask & (inotify.DELETE_SELF | inotify.MOVE_SELF) and folder == b"":
            self._fail("the project's folder was moved or deleted")
        elif name:
            self._take_name(inside(folder, name), name, folder, mask)

    def _take_name(self, path: bytes, name: bytes, folder: bytes, mask: int) -> None:
        if mask & inotify.ISDIR:
            if mask & _GONE_OR_MOVED:
                self._disarm(path)
                self._dirty.trees.add(path)
            elif mask & _NEW_HERE or path not in self._watches:
                self._disarm(path)
                self._dirty.trees.add(path)
                self._arm(path)
            else:
                self._dirty.paths.add(path)
            return
        self._dirty.paths.add(path)
        if mask & _GONE_OR_MOVED:
            self._always.paths.discard(path)
        if name in RULE_FILES:
            # Folders come into view that nobody watched.
            self._coverage.forget()
            self._dirty.trees.add(folder)
            self._arm(folder)

    def _arm(self, top: bytes) -> None:
        """Watch a folder and all covered ones below it, each before its content is listed."""
        folders = [top]
        while folders:
            folder = folders.pop()
            if self._coverage.rules_in(folder) is None:
                continue
            path = os.path.join(self._root, folder) if folder else self._root
            try:
                if os.lstat(path).st_dev != self._device and not inotify.reports_changes(path):
                    self._always.trees.add(folder)
                    continue
                watch = self._queue.add(path)
                if watch is None:
                    continue
                self._note(watch, folder)
                with os.scandir(path) as listing:
                    names = [each.name for each in listing if each.is_dir(follow_symlinks=False)]
            except OSError:
                continue  # gone again; its parent has told so
            folders += [inside(folder, name) for name in names]

    def _note(self, watch: int, folder: bytes) -> None:
        """A folder has this watch. When another had it, that one was moved here, and the kernel is
        about to tell that it left."""
        before = self._folders.get(watch)
        if before is not None and self._watches.get(before) == watch:
            del self._watches[before]
        self._folders[watch] = folder
        self._watches[folder] = watch

    def _disarm(self, top: bytes) -> None:
        """Give back the watches of a folder that is not there any more, and of all below it."""
        if top not in self._watches:
            return  # then nothing below it is watched either
        below = top + b"/"
        for folder in [each for each in self._watches if each == top or each.startswith(below)]:
            watch = self._watches[folder]
            self._drop(watch)
            self._queue.remove(watch)

    def _drop(self, watch: int) -> None:
        folder = self._folders.pop(watch)
        if self._watches.get(folder) == watch:
            del self._watches[folder]

    def _fail(self, reason: str) -> None:
        if self.failure is None:
            self.failure = reason
        self._is_level = False
