"""Look at a workspace: every covered path with what lstat says of it, and what is left out.

Either all of it, or the parts that may have changed. Symbolic links are never followed. A folder
that cannot be read is reported as blind: what was known below it stays known, it must not look
deleted.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from milepost.base.errors import UserError
from milepost.checkpoints.names import inside
from milepost.checkpoints.policy import (
    MAX_FILES,
    RULE_FILES,
    Rules,
    read_rules,
    reason_to_leave_out,
)

if TYPE_CHECKING:
    from milepost.checkpoints.coverage import Coverage
    from milepost.checkpoints.dirty import Dirty

# The kinds of paths that can be kept, as lstat has them.
_COVERED = frozenset({stat.S_IFREG, stat.S_IFDIR, stat.S_IFLNK})

TOO_MANY = (
    f"the project holds more than {MAX_FILES:,} files; name what to leave out in .milepostignore"
)


@dataclass(slots=True)
class Scan:
    """What a walk found; `exclude` are the ignore rules that stand in no file of the tree. `dirty`
    are the parts that were looked at, None for all."""

    exclude: bytes = b""
    dirty: Dirty | None = None
    found: dict[bytes, os.stat_result] = field(default_factory=dict[bytes, os.stat_result])
    left_out: dict[bytes, str] = field(default_factory=dict[bytes, str])
    blind: list[bytes] = field(default_factory=list[bytes])

    def is_blind_at(self, path: bytes) -> bool:
        """Whether `path` lies below a folder that could not be read."""
        return any(path.startswith(folder + b"/") for folder in self.blind)


def scan(coverage: Coverage) -> Scan:
    """Walk over the whole project.

    Raises UserError when it holds more files than a snapshot takes, or cannot be read at all.
    """
    walk = _Walk(coverage, None)
    walk.enter(b"", Rules().plus(b"", coverage.exclude))
    if b"" in walk.result.blind:
        raise UserError(
            f"cannot read {os.fsdecode(coverage.root)}; check that it is there and who may read it"
        )
    return walk.result


def look(coverage: Coverage, dirty: Dirty) -> Scan:
    """Look at the parts of the project that may have changed. Raises UserError as `scan` does."""
    if b"" in dirty.trees:
        return scan(coverage)
    dirty = dirty.settled()
    walk = _Walk(coverage, dirty)
    for tree in dirty.trees:
        walk.look_at(tree, is_whole=True)
    for path in dirty.paths:
        walk.look_at(path, is_whole=False)
    return walk.result


class _Walk:
    def __init__(self, coverage: Coverage, dirty: Dirty | None) -> None:
        self._root = coverage.root
        self._coverage = coverage
        self.result = Scan(coverage.exclude, dirty)

    def look_at(self, path: bytes, *, is_whole: bool) -> None:
        """One path, with all below it if `is_whole`."""
        folder, _, name = path.rpartition(b"/")
        rules = self._coverage.rules_in(folder)
        if rules is None:
            return  # named by the folder above that is left out
        try:
            found = os.lstat(inside(self._root, path))
        except OSError:
            return
        is_dir = stat.S_ISDIR(found.st_mode)
        if self._is_covered(name, path, rules, is_dir=is_dir):
            self._take(path, found)
            if is_dir and is_whole:
                self.enter(path, rules)

    def enter(self, folder: bytes, above: Rules) -> None:
        """All that is in a folder, by the rules of the one above it and its own."""
        path = os.path.join(self._root, folder) if folder else self._root
        try:
            with os.scandir(path) as listing:
                children = {child.name: child for child in listing}
        except OSError as error:
            if folder == b"" or os.path.lexists(path):
                self.result.blind.append(folder)
                self.result.left_out[folder] = f"cannot be read ({error.strerror})"
            return
        rules = above
        for name in RULE_FILES:
            if name in children:
                rules = rules.plus(folder, read_rules(os.path.join(path, name)))
        self._coverage.keep(folder, rules)
        for name in sorted(children):
            self._visit(children[name], inside(folder, name), rules)

    def _visit(self, child: os.DirEntry[bytes], path: bytes, rules: Rules) -> None:
        is_dir = child.is_dir(follow_symlinks=False)
        if not self._is_covered(child.name, path, rules, is_dir=is_dir):
            return
        try:
            found = child.stat(follow_symlinks=False)
        except OSError:
            return  # gone since it was listed
        self._take(path, found)
        if is_dir:
            self.enter(path, rules)

    def _is_covered(self, name: bytes, path: bytes, rules: Rules, *, is_dir: bool) -> bool:
        reason = reason_to_leave_out(name, is_dir=is_dir)
        if reason is None and rules.ignores(path, is_dir=is_dir):
            reason = "ignored"
        if reason is not None:
            self.result.left_out[path] = reason
        return reason is None

    def _take(self, path: bytes, found: os.stat_result) -> None:
        if stat.S_IFMT(found.st_mode) not in _COVERED:
            self.result.left_out[path] = "a socket, pipe or device"
            return
        if len(self.result.found) >= MAX_FILES:
            raise UserError(TOO_MANY)
        self.result.found[path] = found
