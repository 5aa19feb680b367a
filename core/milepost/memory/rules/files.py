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
    """What was looked at, so that a later look costs one stat each and opens nothing."""

    def __init__(self) -> None:
        self._seen: dict[str, Signature | None] = {}
        self._is_young = False

    def look(self, path: Path) -> os.stat_result | None:
        """The file or folder at `path`, links followed, noted down; None when there is none."""
        found = _stat(str(path))
        self._seen[str(path)] = _signature(found)
        if found is not None and stat.S_ISDIR(found.st_mode):
            self._is_young |= time.time_ns() - found.st_mtime_ns < _YOUNG_NS
        return found

    def is_unchanged(self) -> bool:
        """Whether all of it is as it was."""
        return not self._is_young and all(
            _signature(_stat(path)) == known for path, known in self._seen.items()
        )

    def seen(self) -> dict[str, Signature]:
        """What is there, by path."""
        return {path: known for path, known in self._seen.items() if known is not None}


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
        return os.stat(path)  # noqa: PTH116  (thirty of them a search; this is the cheap way)
    except (OSError, ValueError):
        return None


def _signature(found: os.stat_result | None) -> Signature | None:
    if found is None:
        return None
    return Signature(found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino)
