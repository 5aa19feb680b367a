"""Reading a file's content as it is at one moment, and packing it for the store."""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import dataclass

from milepost.base.errors import WorldError
from milepost.checkpoints.policy import MAX_FILE_BYTES

# A file that changes under three readings is being written; it is read again at the next snapshot.
_ATTEMPTS = 3

# Level 1 packs source code nearly as well as level 3 in half the time (measured).
_LEVEL = 1

# Below this a frame's header outweighs what packing saves.
_WORTH_PACKING_BYTES = 64

RAW, ZSTD = 0, 1

TOO_LARGE = f"larger than {MAX_FILE_BYTES // 1024**2} MiB"


@dataclass(frozen=True, slots=True)
class Content:
    """What a path holds: the bytes of a file, the target of a link."""

    data: bytes
    found: os.stat_result

    @property
    def sha256(self) -> bytes:
        """The hash under which the store keeps the bytes."""
        return hashlib.sha256(self.data).digest()


class Unreadable(Exception):  # noqa: N818  (a condition to record, not a failure to report)
    """The path cannot be kept; the message says why. `passing` tells that the next try may do."""

    def __init__(self, reason: str, *, passing: bool = False) -> None:
        super().__init__(reason)
        self.passing = passing


def read(path: bytes, expected: os.stat_result) -> Content | None:
    """The content at `path`, which lstat said is `expected`; None when it is gone.

    Raises Unreadable when it may not be read, is too large, or changes while it is read.
    """
    if stat.S_ISLNK(expected.st_mode):
        try:
            return Content(os.readlink(path), os.lstat(path))
        except FileNotFoundError:
            return None
        except OSError as error:
            raise Unreadable("changed its kind while it was read", passing=True) from error
    if expected.st_size > MAX_FILE_BYTES:
        raise Unreadable(TOO_LARGE)
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise Unreadable(f"cannot be read ({error.strerror})") from error
    try:
        return _read_settled(handle)
    finally:
        os.close(handle)


def pack(data: bytes) -> tuple[int, bytes]:
    """The encoding and the bytes to store for `data`."""
    if len(data) >= _WORTH_PACKING_BYTES:
        import zstandard  # noqa: PLC0415  (a native module that most starts never need)

        packed = zstandard.ZstdCompressor(level=_LEVEL).compress(data)
        if len(packed) < len(data):
            return ZSTD, packed
    return RAW, data


def unpack(encoding: int, stored: bytes, size: int, sha256: bytes) -> bytes:
    """The bytes that were stored. Raises WorldError when they are not what was stored."""
    data = stored
    if encoding == ZSTD:
        import zstandard  # noqa: PLC0415  (as above)

        try:
            data = zstandard.ZstdDecompressor().decompress(stored, max_output_size=size)
        except zstandard.ZstdError:
            data = b""
    if hashlib.sha256(data).digest() != sha256:
        message = "a stored file's content is damaged"
        raise WorldError(f"{message}; nothing was restored, older or newer points may be whole")
    return data


def _read_settled(handle: int) -> Content:
    for _ in range(_ATTEMPTS):
        before = os.fstat(handle)
        if not stat.S_ISREG(before.st_mode):
            raise Unreadable("changed its kind while it was read", passing=True)
        if before.st_size > MAX_FILE_BYTES:
            raise Unreadable(TOO_LARGE)
        os.lseek(handle, 0, os.SEEK_SET)
        data = _read_all(handle)
        after = os.fstat(handle)
        unchanged = (before.st_mtime_ns, before.st_ctime_ns) == (
            after.st_mtime_ns,
            after.st_ctime_ns,
        )
        if unchanged and len(data) == after.st_size:
            return Content(data, after)
    raise Unreadable("was being written", passing=True)


def _read_all(handle: int) -> bytes:
    chunks: list[bytes] = []
    size = 0
    while size <= MAX_FILE_BYTES:
        chunk = os.read(handle, 1024 * 1024)
        if not chunk:
            break
        chunks.append(chunk)
        size += len(chunk)
    return b"".join(chunks)
