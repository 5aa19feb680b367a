"""The kernel's queue of changes (inotify of Linux), and which file systems report to it.

The standard library has neither, and a binding is two dozen lines of ctypes. Sources: inotify(7),
statfs(2), linux/magic.h.
"""

from __future__ import annotations

import errno
import os
import struct
import sys
from functools import lru_cache
from typing import TYPE_CHECKING

from milepost.checkpoints.names import shown

if TYPE_CHECKING:
    import ctypes

MODIFY, ATTRIB, CLOSE_WRITE = 0x2, 0x4, 0x8
MOVED_FROM, MOVED_TO, CREATE, DELETE = 0x40, 0x80, 0x100, 0x200
DELETE_SELF, MOVE_SELF = 0x400, 0x800
UNMOUNT, OVERFLOW, IGNORED = 0x2000, 0x4000, 0x8000
ISDIR = 0x40000000
_ONLYDIR, _DONT_FOLLOW, _EXCL_UNLINK = 0x1000000, 0x2000000, 0x4000000

_ASKED = (
    MODIFY | ATTRIB | CLOSE_WRITE | MOVED_FROM | MOVED_TO | CREATE | DELETE
    | DELETE_SELF | MOVE_SELF | _ONLYDIR | _DONT_FOLLOW | _EXCL_UNLINK
)  # fmt: skip

# Local file systems on which every change goes through this kernel, so that none goes unreported.
# Network and user-space file systems (NFS, SMB, 9p, FUSE, virtiofs) change behind its back.
_REPORTING = frozenset(
    {
        0xEF53,  # ext2, ext3, ext4
        0x58465342,  # xfs
        0x9123683E,  # btrfs
        0x01021994,  # tmpfs
        0xF2F52010,  # f2fs
        0x2FC12FC1,  # zfs
        0xCA451A4E,  # bcachefs
        0x794C7630,  # overlayfs: its lower layers must not change while it is mounted
        0x858458F6,  # ramfs
    }
)

# Hundreds of events fit, even the longest: a head and a name of 255 bytes with a zero behind it.
_BUFFER_BYTES = 64 * 1024
_HEAD_BYTES = 16
_LONGEST_BYTES = _HEAD_BYTES + 256

_HEAD = struct.Struct("iIII")

# One change: in which watched folder, what, and the name in it (empty: the folder itself).
Event = tuple[int, int, bytes]


class Unwatchable(Exception):  # noqa: N818  (a condition to tell of, not a failure)
    """The changes of this folder cannot be followed; the message says why and what helps."""


class Inotify:
    """One queue."""

    def __init__(self) -> None:
        """Raises Unwatchable where there is no inotify, or no queue to be had."""
        if sys.platform != "linux":
            raise Unwatchable("this platform has no queue of changes")
        self._library = _library()
        self.handle = self._library.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if self.handle < 0:
            raise Unwatchable(
                "no more inotify queues are to be had; raise fs.inotify.max_user_instances"
            )

    def add(self, path: bytes) -> int | None:
        """Watch a folder; None when it is gone, no folder, or may not be read.

        Raises Unwatchable when the system's limit of watches is reached.
        """
        watch = self._library.inotify_add_watch(self.handle, path, _ASKED)
        if watch >= 0:
            return int(watch)
        code = _errno()
        if code == errno.ENOSPC:
            raise Unwatchable(
                "the limit of inotify watches is reached; raise fs.inotify.max_user_watches"
            )
        if code in (errno.ENOENT, errno.ENOTDIR, errno.EACCES, errno.ELOOP):
            return None
        raise Unwatchable(f"{shown(path)} cannot be watched ({os.strerror(code)})")

    def remove(self, watch: int) -> None:
        """Watch a folder no longer. One that is gone has no watch any more."""
        self._library.inotify_rm_watch(self.handle, watch)

    def read(self) -> list[Event]:
        """What has happened since the last call, in its order."""
        events: list[Event] = []
        while True:
            try:
                chunk = os.read(self.handle, _BUFFER_BYTES)
            except BlockingIOError:
                return events
            at, end = 0, len(chunk)
            while at < end:
                watch, mask, _, length = _HEAD.unpack_from(chunk, at)
                begin = at + _HEAD_BYTES
                at = begin + length
                events.append((watch, mask, chunk[begin:at].rstrip(b"\0")))
            if end < _BUFFER_BYTES - _LONGEST_BYTES:
                return events  # another would have had room: there was none

    def close(self) -> None:
        """Give the queue and its watches back."""
        os.close(self.handle)


def reports_changes(path: bytes) -> bool:
    """Whether the file system at `path` is one whose every change the kernel reports."""
    import ctypes  # noqa: PLC0415  (only those who stay need it)

    # struct statfs begins with the type, a word; no platform's is larger than this.
    found = ctypes.create_string_buffer(256)
    if _library().statfs(path, found) != 0:
        return False
    kind = int.from_bytes(found.raw[: ctypes.sizeof(ctypes.c_long)], sys.byteorder)
    return is_reporting(kind)


def is_reporting(kind: int) -> bool:
    """Whether a file system of this kind (`f_type` of statfs) reports every change."""
    return kind in _REPORTING


@lru_cache(maxsize=1)
def _library() -> ctypes.CDLL:
    import ctypes  # noqa: PLC0415  (as above)

    return ctypes.CDLL(None, use_errno=True)


def _errno() -> int:
    import ctypes  # noqa: PLC0415  (as above)

    return ctypes.get_errno()
