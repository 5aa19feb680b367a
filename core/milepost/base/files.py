"""Files that survive a kill and are shared between processes: durable writes and OS locks."""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from milepost.base.errors import WorldError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

# A writer holds a lock for milliseconds; only a stopped process (a debugger, a frozen disk) holds
# one for longer, and then a clear refusal beats a hang.
LOCK_TIMEOUT_S = 20.0

_LOCK_POLL_MIN_S = 0.0005
_LOCK_POLL_MAX_S = 0.01


@dataclass(frozen=True, slots=True)
class Signature:
    """What tells that a file changed without reading it. The change time and the inode catch a
    rewrite of equal size within one tick of the modification time."""

    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int


def signature(path: Path) -> Signature | None:
    """The signature of the file at `path`, or None when there is none."""
    try:
        found = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return _signature_of(found)


def make_private_dir(path: Path) -> None:
    """Make `path` and its missing parents, readable by the owner only. What is there already keeps
    its mode: it may be a folder of the user's.

    Raises WorldError when it cannot be made.
    """
    try:
        missing = [place for place in (path, *path.parents) if not place.exists()]
        for place in reversed(missing):
            with contextlib.suppress(FileExistsError):
                place.mkdir(mode=0o700)
    except OSError as error:
        message = f"cannot make the folder {path} ({error.strerror}); check its owner and its disk"
        raise WorldError(message) from error


class ChangedMeanwhileError(Exception):
    """The file to be replaced is not the one that the caller knew; nothing was written."""


def replace_durably(path: Path, data: bytes, expected: Signature | None) -> Signature | None:
    """`write_durably`, unless `path` no longer has the signature `expected` (None: is not there)
    when all is ready to replace it: then raise ChangedMeanwhileError."""

    def check() -> None:
        if signature(path) != expected:
            raise ChangedMeanwhileError

    return write_durably(path, data, right_before=check)


def write_durably(
    path: Path, data: bytes, *, right_before: Callable[[], None] = lambda: None
) -> Signature | None:
    """Replace `path` with `data` so that after a crash it holds the old bytes or the new, whole.

    Returns the signature of what was written, or None when someone has already written again. A
    symbolic link is followed, so that the link stays. `right_before` is called when only the
    renaming is left to do, and may raise. Raises WorldError when it cannot write.
    """
    target = Path(os.path.realpath(path))
    temporary: str | None = None
    try:
        handle, temporary = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
            ours = os.fstat(file.fileno())
        right_before()
        Path(temporary).replace(target)
        temporary = None
        _sync_dir(target.parent)
    except OSError as error:
        message = f"cannot write {path} ({error.strerror}); nothing was changed"
        raise WorldError(message) from error
    else:
        # The rename set the change time, so only the rest can be compared.
        found = signature(target)
        is_ours = found is not None and (found.inode, found.size, found.mtime_ns) == (
            ours.st_ino, ours.st_size, ours.st_mtime_ns
        )  # fmt: skip
        return found if is_ours else None
    finally:
        if temporary is not None:
            with contextlib.suppress(OSError):
                Path(temporary).unlink()


def append_durably(path: Path, data: bytes, expected: Signature) -> Signature | None:
    """Add `data` to the end of the file that has the signature `expected`.

    Returns the new signature, or None when the file was replaced or rewritten meanwhile and does
    not end with `data`; the caller then looks at it anew. After a power cut the file may end in the
    middle of `data`, never before it. Raises WorldError when it cannot write.
    """
    try:
        handle = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC)
        try:
            if _signature_of(os.fstat(handle)) != expected:
                return None
            _append_or_take_back(handle, data, expected.size)
            ours = os.fstat(handle)
            end = os.pread(handle, len(data), expected.size)
        finally:
            os.close(handle)
    except OSError as error:
        message = f"cannot write {path} ({error.strerror}); nothing was changed"
        raise WorldError(message) from error
    found = signature(path)
    is_ours = end == data and ours.st_size == expected.size + len(data)
    return found if is_ours and found == _signature_of(ours) else None


@contextlib.contextmanager
def locked(path: Path, *, timeout_s: float = LOCK_TIMEOUT_S) -> Generator[None]:
    """Hold the exclusive OS lock on `path` (made when missing). It dies with its process.

    Two threads of one process exclude each other too, because each opens the file anew. Raises
    WorldError when the lock is not had within `timeout_s`.
    """
    make_private_dir(path.parent)
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        message = f"cannot open the lock {path} ({error.strerror}); check its owner and its disk"
        raise WorldError(message) from error
    try:
        _wait_for(handle, path, timeout_s)
        yield
    finally:
        os.close(handle)


def _append_or_take_back(handle: int, data: bytes, size: int) -> None:
    try:
        view = memoryview(data)
        while view:
            view = view[os.write(handle, view) :]
        os.fsync(handle)
    except OSError:
        os.ftruncate(handle, size)
        raise


def _signature_of(found: os.stat_result) -> Signature:
    return Signature(found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino)


def _wait_for(handle: int, path: Path, timeout_s: float) -> None:
    deadline = time.monotonic() + timeout_s
    pause = _LOCK_POLL_MIN_S
    while not _try_lock(handle):
        if time.monotonic() > deadline:
            message = f"another process has held {path} for {timeout_s:.0f} s; stop it or try again"
            raise WorldError(message)
        time.sleep(pause)
        pause = min(pause * 2, _LOCK_POLL_MAX_S)


if os.name == "nt":  # pragma: no cover
    import msvcrt

    def _try_lock(handle: int) -> bool:
        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
        except OSError:
            return False
        return True

    def _sync_dir(path: Path) -> None:
        """Windows has no way to sync a folder; its rename is journalled."""

else:
    import fcntl

    def _try_lock(handle: int) -> bool:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _sync_dir(path: Path) -> None:
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
