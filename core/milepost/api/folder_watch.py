"""The kernel's queue of changes over some folders, for an event loop that waits on it.

Who waits on it uses no processor until something happens. It tells where to look and is never the
truth: a queue may overflow, and a network file system changes behind the kernel's back.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from milepost.base.errors import WorldError
from milepost.checkpoints.inotify import (
    DELETE_SELF,
    IGNORED,
    MOVE_SELF,
    OVERFLOW,
    Inotify,
    Unwatchable,
    reports_changes,
)

if TYPE_CHECKING:
    from collections.abc import Iterable


class FolderWatch:
    """What happens in some folders, and not below them."""

    def __init__(self) -> None:
        """Raises WorldError where there is no such queue."""
        try:
            self._queue = Inotify()
        except Unwatchable as error:
            raise WorldError(f"changes cannot be followed: {error}") from error
        self._paths: dict[int, str] = {}
        # Whether every change in them goes through this kernel.
        self.is_reliable = True

    @property
    def handle(self) -> int:
        """The descriptor that becomes readable when something happened."""
        return self._queue.handle

    def watch(self, folders: Iterable[str]) -> bool:
        """Watch these folders and no others; whether one of them was not watched until now. One
        that is not there is left out. Raises WorldError when the system has no more watches to
        give."""
        wanted: dict[int, str] = {}
        self.is_reliable = True
        try:
            for folder in folders:
                real = os.fsencode(os.path.realpath(folder))
                number = self._queue.add(real)
                if number is not None:
                    wanted[number] = folder
                    self.is_reliable = self.is_reliable and reports_changes(real)
        except Unwatchable as error:
            raise WorldError(f"changes cannot be followed: {error}") from error
        for number in self._paths.keys() - wanted.keys():
            self._queue.remove(number)
        has_new = not wanted.keys() <= self._paths.keys()
        self._paths = wanted
        return has_new

    def changed(self) -> frozenset[str] | None:
        """The paths that something happened to since the last call, as the folders were named; None
        when it may be any."""
        found: set[str] = set()
        for watch, mask, name in self._queue.read():
            if mask & OVERFLOW:
                return None
            folder = self._paths.get(watch)
            if folder is None:
                continue
            if mask & (DELETE_SELF | MOVE_SELF | IGNORED):
                found.add(folder)
            else:
                found.add(os.path.join(folder, os.fsdecode(name)))  # noqa: PTH118
        return frozenset(found)

    def close(self) -> None:
        """Give the queue back."""
        self._queue.close()
