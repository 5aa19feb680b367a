"""Files that survive a kill and are shared between processes: durable writes and OS locks."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from milepost.base.errors import UserError, WorldError
from milepost.base.exchange import exchange
from milepost.base.waiting import will_wait

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable

# A writer holds a lock for milliseconds; only a stopped process (a debugger, a frozen disk) holds
# one for longer, and then a clear refusal beats a hang.
LOCK_TIMEOUT_S = 20.0

_LOCK_FLAGS = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC

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


def confined(path: Path, root: Path) -> Path:
    """`path`, which is below `root` by its name, if it is so on disk too.

    Raises UserError when a link leads out of there, or into version control's own folder.
    """
    real = Path(os.path.realpath(path))
    if not real.is_relative_to(root) or ".git" in real.relative_to(root).parts:
        message = f"{path} leads to {real}, which is outside of the project or its git's own"
        raise UserError(f"{message}; put a plain file in its place, or delete the link")
    return path


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


class HeldError(WorldError):
    """Somebody else holds a lock for longer than the caller would wait."""


class ChangedMeanwhileError(Exception):
    """The file to be replaced is not the one that the caller knew; nothing was written."""


def write_durably(path: Path, data: bytes) -> Signature | None:
    """Replace `path` with `data` so that after a crash it holds the old bytes or the new, whole.

    Returns the signature of what was written, or None when someone has already written again. A
    symbolic link is followed, so that the link stays. Raises WorldError when it cannot write.
    """
    return _written(path, (data,), lambda temporary, target: temporary.replace(target))


def write_pieces_durably(path: Path, pieces: Iterable[bytes], *, may_replace: bool) -> None:
    """Write a file of any size piece by piece, as durably as `write_durably`.

    Raises ChangedMeanwhileError, with nothing written, when there is a file already that it may
    not replace.
    """

    def put(temporary: Path, target: Path) -> None:
        if may_replace:
            temporary.replace(target)
        else:
            _put_new(temporary, target)

    _written(path, pieces, put)


def replace_durably(
    path: Path, data: bytes, expected: Signature | None, *, is_ordinary: bool = False
) -> Signature | None:
    """`write_durably`, unless `path` is no longer the file with the signature `expected` (None: it
    was not there): then ChangedMeanwhileError is raised and what is there stays.

    An ordinary file is one of the user's project: it gets the mode that other programs would give
    it, or keeps the one it has, where a file of ours is private.

    A person's editor takes no lock, so looking first is not enough: the files trade names, and when
    it turns out that another file than the expected one was there, they trade back.
    """

    def put(temporary: Path, target: Path) -> None:
        if signature(target) != expected:
            raise ChangedMeanwhileError
        if expected is None:
            _put_new(temporary, target)
        elif not _put_in_exchange(temporary, target, expected):
            temporary.replace(target)

    return _written(path, (data,), put, is_ordinary=is_ordinary)


def append_durably(
    path: Path,
    data: bytes,
    expected: Signature,
    meanwhile: Callable[[], object] = lambda: None,
) -> Signature | None:
    """Add `data` to the end of the file that has the signature `expected`; `meanwhile` is done
    while the disk takes it in.

    Returns the new signature, or None when the file was replaced or rewritten meanwhile and does
    not end with `data`; the caller then looks at it anew. After a power cut the file may end in the
    middle of `data`, never before it. Raises WorldError when it cannot write.
    """
    try:
        handle = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC)
        try:
            if _signature_of(os.fstat(handle)) != expected:
                return None
            _append_or_take_back(handle, data, expected.size, meanwhile)
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
    HeldError when the lock is not had within `timeout_s`, WorldError when it cannot be made.
    """
    will_wait()
    try:
        try:
            handle = os.open(path, _LOCK_FLAGS, 0o600)
        except FileNotFoundError:
            # Only then: to look at every folder above costs more than all the rest of this.
            make_private_dir(path.parent)
            handle = os.open(path, _LOCK_FLAGS, 0o600)
    except OSError as error:
        message = f"cannot open the lock {path} ({error.strerror}); check its owner and its disk"
        raise WorldError(message) from error
    try:
        _wait_for(handle, path, timeout_s)
        yield
    finally:
        os.close(handle)


def _append_or_take_back(
    handle: int, data: bytes, size: int, meanwhile: Callable[[], object]
) -> None:
    try:
        view = memoryview(data)
        while view:
            view = view[os.write(handle, view) :]
        _begin_to_sync(handle, size, len(data))
        meanwhile()
        os.fsync(handle)
    except OSError:
        os.ftruncate(handle, size)
        raise


def _signature_of(found: os.stat_result) -> Signature:
    return Signature(found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino)


def _written(
    path: Path,
    pieces: Iterable[bytes],
    put: Callable[[Path, Path], object],
    *,
    is_ordinary: bool = False,
) -> Signature | None:
    """Write a file beside `path` and let `put` bring it there."""
    import tempfile  # noqa: PLC0415  (half as heavy as all of memory, and most only read)

    target = Path(os.path.realpath(path))
    temporary: Path | None = None
    try:
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
        temporary = Path(name)
        with os.fdopen(handle, "wb") as file:
            file.writelines(pieces)
            if is_ordinary:
                temporary.chmod(_ordinary_mode(target))
            file.flush()
            os.fsync(file.fileno())
            ours = os.fstat(file.fileno())
        put(temporary, target)
        sync_folder(target.parent)
    except OSError as error:
        message = f"cannot write {path} ({error.strerror}); nothing was changed"
        raise WorldError(message) from error
    finally:
        if temporary is not None:
            # After an exchange this is the file that was replaced.
            with contextlib.suppress(OSError):
                temporary.unlink()
    # The rename set the change time, so only the rest can be compared.
    found = signature(target)
    is_ours = found is not None and (found.inode, found.size, found.mtime_ns) == (
        ours.st_ino, ours.st_size, ours.st_mtime_ns
    )  # fmt: skip
    return found if is_ours else None


def _ordinary_mode(target: Path) -> int:
    with contextlib.suppress(FileNotFoundError):
        return target.stat().st_mode & 0o777
    # The mask can only be read by setting it. For an instant it is the strictest, so that what
    # another thread makes just then is too private rather than too open.
    mask = os.umask(0o077)
    os.umask(mask)
    return 0o644 & ~mask


def _put_new(temporary: Path, target: Path) -> None:
    """Give the file its name unless someone else has it."""
    try:
        os.link(temporary, target)
    except FileExistsError:
        raise ChangedMeanwhileError from None
    except OSError:
        # A file system without hard links.
        temporary.replace(target)


def _put_in_exchange(temporary: Path, target: Path, expected: Signature) -> bool:
    """Exchange the files, and back again when another file than the expected one was replaced.
    False where the system cannot exchange."""
    placeholder = temporary.stat().st_ino
    with contextlib.suppress(FileNotFoundError):
        if not exchange(temporary, target):
            return False
        replaced = temporary.stat()
        # The exchange set the change time of both.
        if (replaced.st_ino, replaced.st_size, replaced.st_mtime_ns) == (
            expected.inode, expected.size, expected.mtime_ns
        ):  # fmt: skip
            return True
        _put_back(temporary, target, placeholder)
    raise ChangedMeanwhileError


def _put_back(temporary: Path, target: Path, placeholder: int) -> None:
    """Give `target` the file that `temporary` holds, which is someone else's newest. What comes in
    exchange should be the file with the inode `placeholder`; when it is not, they have written once
    more meanwhile, and that one is the newest."""
    while True:
        newest = temporary.stat().st_ino
        exchange(temporary, target)
        if temporary.stat().st_ino == placeholder:
            return
        placeholder = newest


def _wait_for(handle: int, path: Path, timeout_s: float) -> None:
    deadline = time.monotonic() + timeout_s
    pause = _LOCK_POLL_MIN_S
    while not _try_lock(handle):
        if time.monotonic() > deadline:
            message = f"another process has held {path} for {timeout_s:.0f} s; stop it or try again"
            raise HeldError(message)
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

    def sync_folder(path: Path) -> None:
        """Windows has no way to sync a folder; its rename is journalled."""

    def _begin_to_sync(handle: int, start: int, size: int) -> None:
        """Windows begins when it is asked to end."""

    def sync_file(handle: int) -> None:
        """Return when the file's content is on the disk."""
        os.fsync(handle)

else:
    import fcntl

    def _try_lock(handle: int) -> bool:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def sync_file(handle: int) -> None:
        """Return when the file's content is on the disk."""
        # Where there is a cheaper call than fsync, it is enough: the times may be lost.
        getattr(os, "fdatasync", os.fsync)(handle)

    def _begin_to_sync(handle: int, start: int, size: int) -> None:
        """Have the system begin to write this part of a file, so that a sync waits less."""
        if sys.platform == "linux":
            # To be able to forget the pages soon, it writes them at once and does not wait.
            with contextlib.suppress(OSError):
                os.posix_fadvise(handle, start, size, os.POSIX_FADV_DONTNEED)

    def sync_folder(path: Path) -> None:
        """Return when the names in the folder are on the disk."""
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
