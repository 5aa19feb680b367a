"""A folder tree as a value that two trees can be compared by: names, bytes, modes and links."""

from __future__ import annotations

import os
import stat
from pathlib import Path

Tree = dict[bytes, tuple[int, bytes]]


def tree_of(root: Path, *, without: tuple[bytes, ...] = (b".git",)) -> Tree:
    """Every path below `root` with its mode and its content (a file's bytes, a link's target)."""
    found: Tree = {}
    top = os.fsencode(root)
    for folder, folders, files in os.walk(top):
        folders[:] = [name for name in folders if name not in without]
        for name in folders + [name for name in files if name not in without]:
            path = os.path.join(folder, name)
            info = os.lstat(path)
            content = b""
            if stat.S_ISLNK(info.st_mode):
                content = os.readlink(path)
            elif stat.S_ISREG(info.st_mode):
                content = Path(os.fsdecode(path)).read_bytes()
            found[os.path.relpath(path, top)] = (info.st_mode, content)
    return found
