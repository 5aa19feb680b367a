"""A folder's fingerprint: every path with its kind, mode and content, to compare two moments."""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator


@dataclass(frozen=True, slots=True)
class Stamp:
    """One path: what it is, its permission bits, and the hash of its content or link target."""

    kind: str
    mode: int
    content: str


def fingerprint(root: Path, *, leave_out: Collection[str] = (".git",)) -> dict[str, Stamp]:
    """Every path below `root`, folders included; names in `leave_out` are not entered."""
    return {path.relative_to(root).as_posix(): _stamp(path) for path in _walk(root, leave_out)}


def differences(before: dict[str, Stamp], after: dict[str, Stamp]) -> list[str]:
    """Each difference as a short line, by path."""
    return [
        f"{path}: {_describe(before.get(path), after.get(path))}"
        for path in sorted(before.keys() | after.keys())
        if before.get(path) != after.get(path)
    ]


def _walk(root: Path, leave_out: Collection[str]) -> Iterator[Path]:
    for folder, folders, files in os.walk(root):
        folders[:] = [name for name in folders if name not in leave_out]
        yield from (Path(folder, name) for name in (*folders, *files) if name not in leave_out)


def _stamp(path: Path) -> Stamp:
    status = path.lstat()
    mode = stat.S_IMODE(status.st_mode)
    if stat.S_ISLNK(status.st_mode):
        return Stamp("link", 0, path.readlink().as_posix())
    if stat.S_ISDIR(status.st_mode):
        return Stamp("folder", mode, "")
    if stat.S_ISREG(status.st_mode):
        return Stamp("file", mode, hashlib.sha256(path.read_bytes()).hexdigest())
    return Stamp("other", mode, "")


def _describe(before: Stamp | None, after: Stamp | None) -> str:
    if before is None:
        return "added"
    if after is None:
        return "deleted"
    if before.kind != after.kind:
        return f"{before.kind} became {after.kind}"
    if before.content != after.content:
        return "changed"
    return f"mode {before.mode:o} became {after.mode:o}"
