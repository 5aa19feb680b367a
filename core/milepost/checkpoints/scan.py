"""Walk over a workspace: every covered path with what lstat says of it, and what is left out.

Paths are bytes relative to the root, because a file name is bytes. Symbolic links are never
followed. A folder that cannot be read is reported as blind: what was known below it stays known,
it must not look deleted.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from milepost.base.errors import UserError
from milepost.checkpoints.policy import (
    MAX_FILES,
    RULE_FILES,
    Rules,
    read_exclude,
    read_rules,
    reason_to_leave_out,
)

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(slots=True)
class Scan:
    """What a walk found; `exclude` are the ignore rules that stand in no file of the tree."""

    found: dict[bytes, os.stat_result] = field(default_factory=dict[bytes, os.stat_result])
    left_out: list[tuple[bytes, str]] = field(default_factory=list[tuple[bytes, str]])
    blind: list[bytes] = field(default_factory=list[bytes])
    exclude: bytes = b""

    def is_blind_at(self, path: bytes) -> bool:
        """Whether `path` lies below a folder that could not be read."""
        return any(path.startswith(folder + b"/") for folder in self.blind)


def scan(root: Path) -> Scan:
    """Walk over the project at `root`.

    Raises UserError when it holds more files than a snapshot takes, or cannot be read at all.
    """
    walk = _Walk(os.fsencode(root))
    walk.result.exclude = read_exclude(walk.root)
    walk.enter(b"", Rules().plus(b"", walk.result.exclude))
    if b"" in walk.result.blind:
        raise UserError(f"cannot read {root}; check that it is there and who may read it")
    return walk.result


class _Walk:
    def __init__(self, root: bytes) -> None:
        self.root = root
        self.result = Scan()

    def enter(self, folder: bytes, rules: Rules) -> None:
        path = os.path.join(self.root, folder) if folder else self.root
        try:
            with os.scandir(path) as listing:
                children = {child.name: child for child in listing}
        except OSError as error:
            if folder == b"" or os.path.lexists(path):
                self.result.blind.append(folder)
                self.result.left_out.append((folder, f"cannot be read ({error.strerror})"))
            return
        for name in RULE_FILES:
            if name in children:
                rules = rules.plus(folder, read_rules(os.path.join(path, name)))
        for name in sorted(children):
            self._visit(children[name], folder + b"/" + name if folder else name, rules)

    def _visit(self, child: os.DirEntry[bytes], path: bytes, rules: Rules) -> None:
        is_dir = child.is_dir(follow_symlinks=False)
        reason = reason_to_leave_out(child.name, is_dir=is_dir)
        if reason is None and rules.ignores(path, is_dir=is_dir):
            reason = "ignored"
        if reason is not None:
            self.result.left_out.append((path, reason))
            return
        try:
            found = child.stat(follow_symlinks=False)
        except OSError:
            return  # gone since it was listed
        kind = stat.S_IFMT(found.st_mode)
        if kind not in (stat.S_IFREG, stat.S_IFDIR, stat.S_IFLNK):
            self.result.left_out.append((path, "a socket, pipe or device"))
            return
        if len(self.result.found) >= MAX_FILES:
            message = f"the project holds more than {MAX_FILES:,} files"
            raise UserError(f"{message}; name what to leave out in .milepostignore")
        self.result.found[path] = found
        if is_dir:
            self.enter(path, rules)
