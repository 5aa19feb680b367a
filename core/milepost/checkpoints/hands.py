"""The only code that writes into the user's workspace.

Every path is reached through folders opened one by one without following links, so that a link put
in the way cannot lead a restore out of the project. Each is looked at once more right before it is
touched, and refused when it is not as it was stored.

A plain file is overwritten where it stands, which is twenty times as fast as replacing it. That can
be cut short in the middle, and does no harm: both contents are stored, and the restore is repeated.
A file with other names, or one that may be running, is replaced instead.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from typing import TYPE_CHECKING, NamedTuple, Self

from milepost.base.confined import TEMPORARY_PREFIX
from milepost.checkpoints.rows import ABSENT, Row, State

if TYPE_CHECKING:
    from pathlib import Path

_CHANGED = "it changed while the restore was looking"
_IN_THE_WAY = "something that no snapshot covers is in its place"

# A pipe that came to be there does not keep us waiting for a reader.
_EXISTING = os.O_WRONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC

_EXECUTABLE = stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH


class Step(NamedTuple):
    """What a restore does to one path: from the state that is to the state that was."""

    name: bytes
    now: State
    then: State


class Refused(Exception):  # noqa: N818  (a condition to record, not a failure to report)
    """A path is left alone; the message says why."""


def is_removal(step: Step) -> bool:
    """Whether what is there must go first: for good, or because its kind changes."""
    if step.now == ABSENT:
        return False
    if step.then == ABSENT:
        return True
    return stat.S_IFMT(step.now.mode or 0) != stat.S_IFMT(step.then.mode or 0)


class Hands:
    """The only code that writes into the user's workspace."""

    def __init__(self, root: Path, rows: dict[bytes, Row]) -> None:
        """`rows` are the manifest's of the paths to be touched."""
        self._root = root
        # What was overwritten where it stands, with what the system said of it right afterwards.
        self.written: dict[bytes, os.stat_result] = {}
        self._rows = rows
        self._folders: list[tuple[bytes, int]] = []
        # The folders from the root to the one last used, with their descriptors.
        self._open: list[tuple[bytes, int]] = []

    def __enter__(self) -> Self:
        """Open the project's folder."""
        self._open = [(b"", os.open(self._root, _FOLDER & ~os.O_NOFOLLOW))]
        return self

    def __exit__(self, *_: object) -> None:
        """Close all folders."""
        self._close(down_to=0)

    def remove(self, step: Step) -> None:
        """Take away what is there now."""
        parent, name = self._parent(step.name)
        self._must_be_as_stored(step, _look(parent, name))
        if stat.S_ISDIR(step.now.mode or 0):
            try:
                os.rmdir(name, dir_fd=parent)
            except OSError as error:
                raise Refused("the folder holds files that no snapshot covers") from error
        else:
            os.unlink(name, dir_fd=parent)

    def make(self, step: Step, data: bytes) -> None:
        """Put there what was there then, a file or link with `data`. Whatever had to go first is
        gone."""
        mode = step.then.mode or 0
        parent, name = self._parent(step.name, make=True)
        if is_removal(step) or step.now == ABSENT:
            self._must_be_free(parent, name, mode)
        else:
            if self._overwrite(step, parent, name, data):
                return
            self._must_be_as_stored(step, _look(parent, name))
        if stat.S_ISDIR(mode):
            with contextlib.suppress(FileExistsError):
                os.mkdir(name, 0o700, dir_fd=parent)
            self._folders.append((step.name, stat.S_IMODE(mode)))
        else:
            self._replace(parent, name, data, mode)

    def finish_folders(self) -> None:
        """Give the folders their modes, the deepest first: a read-only folder takes no files."""
        for path, mode in sorted(self._folders, key=lambda pair: -pair[0].count(b"/")):
            with contextlib.suppress(OSError):
                parent, name = self._parent(path)
                handle = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=parent)
                try:
                    os.fchmod(handle, mode)
                finally:
                    os.close(handle)

    def _overwrite(self, step: Step, parent: int, name: bytes, data: bytes) -> bool:
        """Write into the plain file that is there; False, and nothing done, where that is not safe
        or not possible."""
        now, mode = step.now.mode or 0, stat.S_IMODE(step.then.mode or 0)
        if not stat.S_ISREG(now) or now & _EXECUTABLE:
            return False
        try:
            handle = os.open(name, _EXISTING, dir_fd=parent)
        except OSError:
            return False  # it may be read-only in a folder that is not, or another kind of thing
        try:
            here = os.fstat(handle)
            self._must_be_as_stored(step, here)
            if here.st_nlink > 1:
                return False
            view = memoryview(data)
            while view:
                view = view[os.write(handle, view) :]
            if here.st_size > len(data):
                os.ftruncate(handle, len(data))
            if stat.S_IMODE(here.st_mode) != mode:
                os.fchmod(handle, mode)
            self.written[step.name] = os.fstat(handle)
            return True
        finally:
            os.close(handle)

    def _replace(self, parent: int, name: bytes, data: bytes, mode: int) -> None:
        """Write a new file or link beside the old one, and give it the name."""
        temporary = TEMPORARY_PREFIX + secrets.token_hex(8).encode()
        try:
            if stat.S_ISLNK(mode):
                os.symlink(data, temporary, dir_fd=parent)
            else:
                flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
                with os.fdopen(os.open(temporary, flags, 0o600, dir_fd=parent), "wb") as file:
                    file.write(data)
                    file.flush()
                    os.fchmod(file.fileno(), stat.S_IMODE(mode))
            os.replace(temporary, name, src_dir_fd=parent, dst_dir_fd=parent)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(temporary, dir_fd=parent)
            raise

    def _must_be_as_stored(self, step: Step, found: os.stat_result) -> None:
        row = self._rows.get(step.name)
        if row is None or row.mode != found.st_mode:
            raise Refused(_CHANGED)
        if not stat.S_ISDIR(found.st_mode) and (row.size, row.mtime_ns, row.inode) != (
            found.st_size, found.st_mtime_ns, found.st_ino
        ):  # fmt: skip
            raise Refused(_CHANGED)

    def _must_be_free(self, parent: int, name: bytes, mode: int) -> None:
        try:
            found = os.stat(name, dir_fd=parent, follow_symlinks=False)
        except FileNotFoundError:
            return
        if not (stat.S_ISDIR(mode) and stat.S_ISDIR(found.st_mode)):
            raise Refused(_IN_THE_WAY)

    def _parent(self, path: bytes, *, make: bool = False) -> tuple[int, bytes]:
        """The folder that holds `path`, opened without following a link, and the last name. It
        stays open for the next path: most have the first folders in common."""
        *folders, name = path.split(b"/")
        common = 0
        while common < min(len(folders), len(self._open) - 1):
            if self._open[common + 1][0] != folders[common]:
                break
            common += 1
        self._close(down_to=common + 1)
        for folder in folders[common:]:
            try:
                self._open.append((folder, self._folder(folder, make=make)))
            except NotADirectoryError:
                raise Refused(_IN_THE_WAY) from None
        return self._open[-1][1], name

    def _folder(self, name: bytes, *, make: bool) -> int:
        """The folder of this name in the one that was opened last."""
        here = self._open[-1][1]
        try:
            return os.open(name, _FOLDER, dir_fd=here)
        except FileNotFoundError:
            if not make:
                raise
        with contextlib.suppress(FileExistsError):
            os.mkdir(name, 0o755, dir_fd=here)
        return os.open(name, _FOLDER, dir_fd=here)

    def _close(self, *, down_to: int) -> None:
        while len(self._open) > down_to:
            os.close(self._open.pop()[1])


def _look(parent: int, name: bytes) -> os.stat_result:
    try:
        return os.stat(name, dir_fd=parent, follow_symlinks=False)
    except FileNotFoundError:
        raise Refused(_CHANGED) from None
