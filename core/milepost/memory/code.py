"""The code that anchors name, each file read once and known again by its signature.

The print of a piece of code is a hash of its lines in which blank lines and the width of the
indentation do not count, only its steps: code that was moved, re-indented or got other line ends
has the same print.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
import threading
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from milepost.base.files import Signature
from milepost.base.symbols import definition_of, definitions, last_name
from milepost.base.waiting import will_wait

if TYPE_CHECKING:
    from collections.abc import Iterable

    from milepost.base.symbols import Definition

# A larger file is no source; its print would cost more than it tells.
MAX_BYTES = 2 * 1024 * 1024

# A search shows a few entries with a few anchors each, `memory check` looks at all; so many files
# are remembered by the prints that were asked of them.
_MAX_KEPT = 4096


@dataclass(frozen=True, slots=True)
class Print:
    """What an anchor names in a file. `is_defined` tells that the digest is of the definition of
    its symbol, `is_mentioned` that the symbol occurs at all; the digest is of the whole file when
    there is no definition."""

    digest: str
    is_defined: bool
    is_mentioned: bool


class Source:
    """The text of a file, and what is defined there."""

    def __init__(self, path: str, text: str) -> None:
        self.path = path
        self.text = text

    @cached_property
    def lines(self) -> list[str]:
        """Its lines."""
        return self.text.split("\n")

    @cached_property
    def definitions(self) -> tuple[Definition, ...]:
        """What it defines."""
        return definitions(self.text, self.path)

    def print_of(self, symbol: str) -> Print:
        """The print of a definition, or of the whole file."""
        found = definition_of(self.definitions, symbol) if symbol else None
        if found is not None:
            lines = self.lines[found.start : found.end]
            return Print(digest_of(lines), is_defined=True, is_mentioned=True)
        word = re.compile(rf"(?<!\w){re.escape(last_name(symbol))}(?!\w)")
        is_mentioned = any(map(word.search, self.lines))
        return Print(digest_of(self.lines), is_defined=False, is_mentioned=is_mentioned)


class Code:
    """The files of one project."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._kept: dict[str, tuple[Signature, dict[str, Print]]] = {}
        self._guard = threading.Lock()

    def print_of(self, path: str, symbol: str) -> Print | None:
        """The print of what an anchor names; None when there is no such plain file inside the
        project. Costs a stat when the file is the one last read."""
        signature = self.signature(path)
        if signature is None:
            return None
        with self._guard:
            kept = self._kept.get(path)
            if kept is not None and kept[0] == signature and symbol in kept[1]:
                return kept[1][symbol]
        source = self.source(path)
        if source is None:
            return None
        found = source.print_of(symbol)
        with self._guard:
            if len(self._kept) >= _MAX_KEPT:
                self._kept.clear()
            kept = self._kept.get(path)
            prints = kept[1] if kept is not None and kept[0] == signature else {}
            self._kept[path] = (signature, {**prints, symbol: found})
        return found

    def signature(self, path: str) -> Signature | None:
        """The signature of a plain file of the project that is small enough; None without one."""
        parts = PurePosixPath(path)
        if parts.is_absolute() or ".." in parts.parts:
            return None
        try:
            found = (self.root / parts).lstat()
        except (OSError, ValueError):
            return None
        if not stat.S_ISREG(found.st_mode) or found.st_size > MAX_BYTES:
            return None
        return Signature(found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino)

    def source(self, path: str) -> Source | None:
        """The source at `path`; None when there is none inside the project."""
        if self.signature(path) is None:
            return None
        will_wait()
        file = Path(os.path.realpath(self.root / path))
        # A folder on the way may be a link that leads out of the project.
        if not file.is_relative_to(os.path.realpath(self.root)):
            return None
        try:
            content = file.read_bytes()
        except OSError:
            return None
        text = content.decode("utf-8", "surrogateescape")
        return Source(path, text.replace("\r\n", "\n"))


def digest_of(lines: Iterable[str]) -> str:
    """The hash of some lines: 12 hexadecimal digits."""
    steps: list[int] = []
    wanted: list[str] = []
    for line in lines:
        words = line.strip()
        if not words:
            continue
        depth = len(line) - len(line.lstrip())
        while steps and steps[-1] > depth:
            steps.pop()
        if not steps or steps[-1] < depth:
            steps.append(depth)
        wanted.append("    " * (len(steps) - 1) + words)
    text = "\n".join(wanted)
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:12]
