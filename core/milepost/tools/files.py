"""The files of one project, as an agent may reach them: inside it, bounded, and versioned.

A file is changed only on the ground of what was read: whoever writes says which bytes they saw, and
when the file holds others by now, nothing is written. So an agent never writes over what a person,
an editor or a build did in the meantime.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING

from milepost.base.confined import TEMPORARY_PREFIX, parent
from milepost.base.errors import UserError, WorldError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable
    from pathlib import Path

    # The text of a file that an editor has open, by its whole path; None when it is not open.
    Buffers = Callable[[str], str | None]

# A file beyond this is read in no one's window; the shell can look into it.
MAX_READ_BYTES = 16 * 1024 * 1024

# No model writes more in one call.
MAX_WRITE_BYTES = 4 * 1024 * 1024


# What helps where the system refuses.
_ADVICE = {
    errno.EACCES: "look who may",
    errno.EPERM: "look who may",
    errno.EROFS: "the project cannot be written here; leave it to the user",
    errno.ENOSPC: "free some room on the disk",
    errno.EDQUOT: "free some room on the disk",
    errno.EFBIG: "files may not grow that large here",
}


@dataclass(frozen=True, slots=True)
class Content:
    """A file's bytes, and the mark by which a writer says that it saw them."""

    data: bytes
    mark: str


class Files:
    """The files below one root."""

    def __init__(
        self,
        root: Path,
        covered: Callable[[], Iterable[str]],
        buffers: Buffers | None = None,
    ) -> None:
        """`covered` lists the files that are not ignored, relative, with forward slashes.
        `buffers` has the text of a file, by its whole path, that is open in an editor: what is
        read is that, and what is not saved there is not written over."""
        self._buffers = buffers
        self.root = root
        self.covered = covered
        self._real = os.path.realpath(root)

    def relative(self, path: str) -> str:
        """`path` relative to the root, links resolved. Raises UserError when it leads outside."""
        if "\0" in path:
            raise UserError("a path cannot hold a NUL")
        full = os.path.realpath(os.path.join(self._real, path or "."))  # noqa: PTH118
        if full != self._real and not full.startswith(self._real.rstrip("/") + "/"):
            raise UserError(f"{path} is outside the project; only what is in it can be reached")
        return os.path.relpath(full, self._real).replace(os.sep, "/")

    def read(self, path: str) -> Content:
        """The file's bytes, or what an editor holds that is not saved. Raises UserError when there
        is no such plain file, or it is too large."""
        name = self.relative(path)
        buffer = self._buffer(name)
        if buffer is not None:
            return Content(buffer, mark_of(buffer))
        return self._read(path, name)

    def _read(self, path: str, name: str) -> Content:
        with self._words(path), parent(self.root, os.fsencode(name)) as (folder, last):
            flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC
            with os.fdopen(os.open(last, flags, dir_fd=folder), "rb") as file:
                found = os.fstat(file.fileno())
                if not stat.S_ISREG(found.st_mode):
                    raise UserError(f"{path} is no plain file")
                if found.st_size > MAX_READ_BYTES:
                    raise UserError(
                        f"{path} has {found.st_size:,} bytes, too many to read;"
                        " look into it with the shell (head, tail, grep)"
                    )
                data = file.read(MAX_READ_BYTES)
        return Content(data, mark_of(data))

    def mark(self, path: str) -> str | None:
        """The mark of what the file holds now; None when there is no file."""
        try:
            return self.read(path).mark
        except UserError:
            return None

    def write(self, path: str, data: bytes, *, seen: str | None) -> Content:
        """Replace the file, which must hold what has the mark `seen` (None: must not be there).
        Its mode stays. Raises UserError when it is another file by now."""
        if len(data) > MAX_WRITE_BYTES:
            raise UserError(f"the text has {len(data):,} bytes; write at most {MAX_WRITE_BYTES:,}")
        name = self.relative(path)
        if self._buffer(name) is not None:
            raise UserError(
                f"{path} is open in the editor with changes that are not saved, so nothing was"
                " written; ask the user to save it, then read it again"
            )
        with self._words(path), parent(self.root, os.fsencode(name), make=True) as (folder, last):
            mode = self._must_hold(folder, last, path, seen)
            # The same name for the same file, so that what a kill leaves behind is taken up.
            temporary = TEMPORARY_PREFIX + mark_of(last)[:16].encode()
            try:
                with os.fdopen(_new_file(temporary, folder), "wb") as file:
                    file.write(data)
                    file.flush()
                    if mode is not None:
                        os.fchmod(file.fileno(), mode)
                    os.fsync(file.fileno())
                self._must_hold(folder, last, path, seen)
                os.replace(temporary, last, src_dir_fd=folder, dst_dir_fd=folder)
            except BaseException:
                with contextlib.suppress(OSError):
                    os.unlink(temporary, dir_fd=folder)
                raise
        return Content(data, mark_of(data))

    def names(self, path: str) -> list[str]:
        """What is in a folder, folders with a slash. Raises UserError when it is none."""
        name = self.relative(path)
        with self._words(path), os.scandir(os.path.join(self._real, name)) as listing:  # noqa: PTH118
            return sorted(
                child.name + ("/" if child.is_dir(follow_symlinks=False) else "")
                for child in listing
            )

    def is_folder(self, path: str) -> bool:
        """Whether `path` is a folder of the project."""
        return os.path.isdir(os.path.join(self._real, self.relative(path)))  # noqa: PTH112, PTH118

    def _buffer(self, name: str) -> bytes | None:
        """What an editor holds of a file, when that is another text than the file's."""
        if self._buffers is None:
            return None
        text = self._buffers(os.path.join(self._real, name))  # noqa: PTH118
        if text is None:
            return None
        try:
            saved = self._read(name, name).data
        except UserError:
            saved = b""
        held = text.encode("utf-8", "surrogatepass")
        return None if _as_edited(saved) == _as_edited(held) else held

    def _must_hold(self, folder: int, name: bytes, path: str, seen: str | None) -> int | None:
        """The mode of the file, which holds what was seen; None when there is none, as was seen."""
        try:
            handle = os.open(name, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW, dir_fd=folder)
        except FileNotFoundError:
            if seen is None:
                return None
            raise UserError(f"{path} is gone since it was read; nothing was written") from None
        with os.fdopen(handle, "rb") as file:
            found = os.fstat(file.fileno())
            if not stat.S_ISREG(found.st_mode):
                raise UserError(f"{path} is no plain file; nothing was written")
            if seen is None:
                raise UserError(f"{path} is there already; read it before you replace it")
            if mark_of(file.read(MAX_READ_BYTES + 1)) != seen:
                message = f"{path} has changed since it was read; nothing was written"
                raise UserError(f"{message}; read it again")
            return stat.S_IMODE(found.st_mode)

    @contextlib.contextmanager
    def _words(self, path: str) -> Generator[None]:
        """Turn the system's errors into sentences."""
        try:
            yield
        except FileNotFoundError:
            raise UserError(f"there is no {path}; find or list to see what there is") from None
        except (NotADirectoryError, IsADirectoryError):
            raise UserError(f"{path} is no plain file, or leads through a link") from None
        except OSError as error:
            if error.errno == errno.ELOOP:
                raise UserError(f"{path} is a link; use the path that it leads to") from None
            if error.errno in {errno.ENXIO, errno.ENODEV}:
                raise UserError(f"{path} is no plain file") from None
            if error.errno in {errno.ENAMETOOLONG, errno.EINVAL}:
                raise UserError(f"{path[:80]} is no path that this system can hold") from None
            advice = _ADVICE.get(error.errno or 0, "look who may, and at the disk")
            raise WorldError(f"cannot use {path} ({error.strerror}); {advice}") from error


def _new_file(name: bytes, folder: int) -> int:
    with contextlib.suppress(FileNotFoundError):
        os.unlink(name, dir_fd=folder)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    return os.open(name, flags, 0o666, dir_fd=folder)


def _as_edited(data: bytes) -> bytes:
    """A text as editors hold it, whatever they make of its beginning and its line ends."""
    return data.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n").rstrip(b"\n")


def mark_of(data: bytes) -> str:
    """What tells this content from any other."""
    return hashlib.sha256(data).hexdigest()
