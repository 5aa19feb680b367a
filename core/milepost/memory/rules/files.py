"""One rules file off the disk, without being led astray: a stranger may have made it.

Links are followed to where they lead and refused when that is outside; pipes and devices are never
opened; what is too large is cut, what is no text is left out. Each refusal is a sentence.
"""

from __future__ import annotations

import os
import stat
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from milepost.base.files import Signature

if TYPE_CHECKING:
    from pathlib import Path

    from milepost.memory.rules.places import Root

# Twice what Codex reads of all its files together, and more than Claude Code takes without a
# warning (40,000 characters): nobody's rules are longer, only someone's attempt to fill a window.
MAX_BYTES = 64 * 1024

# A folder that was changed this short a time ago may change again without its time showing it.
_YOUNG_NS = 2_000_000_000

_UTF16 = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, slots=True)
class Content:
    """A file's text, where it really is, its size, and what is to be said about it."""

    text: str
    real: str
    size: int
    notes: tuple[str, ...] = ()


class Refused(Exception):  # noqa: N818  (a refusal is an answer here, not a failure)
    """The file is there and is not read; the message says why."""


class Watch:
    """What was looked at, so that a later look costs little and opens nothing.

    What is there costs a stat each. Most places are empty, and those cost one for the folder that
    they would be in: its time shows whether anything new is in it.
    """

    def __init__(self) -> None:
        self._there: dict[str, Signature] = {}
        # What is not there, by the folder above it that is.
        self._absent: dict[str, _Absent] = {}
        self._is_young = False

    def look(self, path: Path) -> os.stat_result | None:
        """The file or folder at `path`, links followed, noted down; None when there is none."""
        found = _stat(str(path))
        if found is None:
            self._miss(str(path))
            return None
        self._there[str(path)] = _signature_of(found)
        if stat.S_ISDIR(found.st_mode):
            self._is_young |= _is_young(found.st_mtime_ns)
        return found

    def holds(self, folder: Path) -> bool:
        """Whether there is a folder in which to look; nothing else of it matters."""
        is_there = _stat(str(folder)) is not None
        if not is_there:
            self._miss(str(folder))
        return is_there

    def is_unchanged(self) -> bool:
        """Whether all of it is as it was."""
        return (
            not self._is_young
            and all(_signature(_stat(path)) == known for path, known in self._there.items())
            and all(absent.is_unchanged(folder) for folder, absent in self._absent.items())
        )

    def seen(self) -> dict[str, Signature]:
        """What is there, by path."""
        return self._there

    def _miss(self, path: str) -> None:
        name, above = path, os.path.dirname(path)  # noqa: PTH120  (see `_stat`)
        while _stat(above) is None and above != name:
            name, above = above, os.path.dirname(above)  # noqa: PTH120  (see `_stat`)
        absent = self._absent.setdefault(above, _Absent())
        absent.paths.append(path)
        # Where a link leads may come to be without a change of the folder that the link is in.
        absent.has_links |= os.path.lexists(name)


class _Absent:
    """Paths below one folder at which there is nothing."""

    def __init__(self) -> None:
        self.paths: list[str] = []
        self.has_links = False
        # The folder as it was when there was nothing.
        self._known: Signature | None = None

    def is_unchanged(self, folder: str) -> bool:
        found = _stat(folder)
        now = _signature(found)
        if now is not None and now == self._known:
            return True
        if any(_stat(path) is not None for path in self.paths):
            return False
        self._known = None
        if found is not None and not self.has_links:
            # A tool that unpacks sets the first of the times back.
            changed_ns = max(found.st_mtime_ns, found.st_ctime_ns)
            self._known = None if _is_young(changed_ns) else now
        return True


def read(path: Path, root: Root) -> Content:
    """The text of the file at `path`. Raises Refused."""
    if not root.holds(path):
        raise Refused(f"it leads out of {root.name}, or into .git")
    real = os.path.realpath(path)
    data, size = _bytes(real)
    if data.startswith(_UTF16):
        raise Refused("it is UTF-16; save it as UTF-8")
    if b"\0" in data:
        raise Refused("it is no text")
    notes: list[str] = []
    if size > MAX_BYTES:
        end = data.rfind(b"\n", 0, MAX_BYTES) + 1 or MAX_BYTES
        data = data[:end]
        notes.append(f"cut after {end:,} of {size:,} bytes")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("utf-8-sig", "backslashreplace")
        notes.append("not all of it is UTF-8; such bytes show as \\xNN")
    return Content(text, real, size, tuple(notes))


def _bytes(real: str) -> tuple[bytes, int]:
    """The first bytes of the plain file that really is there, and its size."""
    # Nothing here waits for a pipe's other end, or follows a link that was put there meanwhile.
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        handle = os.open(real, flags | getattr(os, "O_CLOEXEC", 0))
    except (OSError, ValueError) as error:
        raise Refused(f"it cannot be read ({getattr(error, 'strerror', error)})") from error
    with os.fdopen(handle, "rb") as file:
        found = os.fstat(file.fileno())
        if not stat.S_ISREG(found.st_mode):
            raise Refused("it is no plain file")
        return file.read(MAX_BYTES + 1), found.st_size


def _stat(path: str) -> os.stat_result | None:
    try:
        return os.stat(path)  # noqa: PTH116  (at every search and hover; this is the cheap way)
    except (OSError, ValueError):
        return None


def _signature(found: os.stat_result | None) -> Signature | None:
    return None if found is None else _signature_of(found)


def _signature_of(found: os.stat_result) -> Signature:
    return Signature(found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino)


def _is_young(changed_ns: int) -> bool:
    return time.time_ns() - changed_ns < _YOUNG_NS
