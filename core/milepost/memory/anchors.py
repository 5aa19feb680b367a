"""What an entry is about in the code, and whether the code is still what it was then.

An anchor is `path` or `path#symbol`, relative to the project's root. When an entry is saved or
confirmed, each of its anchors is stamped with a hash of what it names: the definition of the
symbol, or the file when there is no such definition. When that hash differs later, or the file or
symbol is gone, the entry is suspect: it may still be true, but someone should look.

Blank lines and the depth of indentation do not count, so that code which was only moved about is
not suspect. In the file the stamp stands behind the anchor: `path#symbol@3f2a91c0d4e7`.
"""

from __future__ import annotations

import hashlib
import re
import stat
import textwrap
import threading
from pathlib import Path, PurePosixPath

from milepost.base.symbols import definition_span

_STAMP = re.compile(r"@([0-9a-f]{12})$")

# A larger file is no source; its stamp would cost more than it tells.
_MAX_BYTES = 2 * 1024 * 1024

# A search shows a few entries with a few anchors each; this many files are remembered as read.
_MAX_KEPT = 256


def bare(anchor: str) -> str:
    """The anchor without its stamp."""
    return _STAMP.sub("", anchor)


class Anchors:
    """The anchors of one project's entries."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._kept: dict[str, tuple[tuple[int, int, int], list[str]]] = {}
        self._guard = threading.Lock()

    def stamped(self, anchor: str) -> str:
        """The anchor with the stamp of what it names now; bare when it names nothing."""
        digest = self._digest(bare(anchor))
        return bare(anchor) if digest is None else f"{bare(anchor)}@{digest}"

    def doubt(self, anchor: str) -> str | None:
        """Why an entry with this anchor is suspect; None when it is not, or was never stamped."""
        stamp = _STAMP.search(anchor)
        if stamp is None:
            return None
        named = bare(anchor)
        path, _, symbol = named.partition("#")
        lines = self._lines(path)
        if lines is None:
            return f"{path} is gone"
        if symbol and definition_span(lines, symbol) is None and not _mentions(lines, symbol):
            return f"{symbol} is gone from {path}"
        return None if self._digest(named) == stamp.group(1) else f"{named} has changed since"

    def _digest(self, anchor: str) -> str | None:
        path, _, symbol = anchor.partition("#")
        lines = self._lines(path)
        if lines is None:
            return None
        span = definition_span(lines, symbol) if symbol else None
        if span is not None:
            lines = lines[span[0] : span[1]]
        text = textwrap.dedent("\n".join(line.rstrip() for line in lines if line.strip()))
        return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:12]

    def _lines(self, path: str) -> list[str] | None:
        """The file's lines; None when there is no such plain file inside the project."""
        parts = PurePosixPath(path)
        if parts.is_absolute() or ".." in parts.parts:
            return None
        file = self._root / parts
        try:
            found = file.lstat()
            if not stat.S_ISREG(found.st_mode) or found.st_size > _MAX_BYTES:
                return None
            signature = (found.st_mtime_ns, found.st_size, found.st_ino)
            with self._guard:
                kept = self._kept.get(path)
                if kept is not None and kept[0] == signature:
                    return kept[1]
            lines = file.read_text("utf-8", errors="surrogateescape").split("\n")
        except (OSError, ValueError):
            return None
        with self._guard:
            if len(self._kept) >= _MAX_KEPT:
                self._kept.clear()
            self._kept[path] = (signature, lines)
        return lines


def _mentions(lines: list[str], symbol: str) -> bool:
    word = re.compile(rf"(?<!\w){re.escape(symbol)}(?!\w)")
    return any(map(word.search, lines))
