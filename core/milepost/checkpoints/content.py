"""Reading a file's content as it is at one moment, and packing it for the store."""

from __future__ import annotations

import errno
import hashlib
import os
import signal
import stat
import sys
import threading
from typing import TYPE_CHECKING, NamedTuple

if sys.platform == "linux":
    import fcntl

if TYPE_CHECKING:
    from collections.abc import Sequence

    import zstandard

# A file that changes under three readings is being written; it is read again at the next snapshot.
_ATTEMPTS = 3

# Level 1 packs source code nearly as well as level 3 in half the time (measured).
_LEVEL = 1

# For what is no larger, a table of 2**12 hashes (16 KiB) packs within a hundredth as well as the
# usual one of 2**15, and leaves the processor's caches to the rest of a point.
_SMALL_BYTES = 16 * 1024
_SMALL_HASH_LOG = 12

# Below this a frame's header outweighs what packing saves.
_WORTH_PACKING_BYTES = 64

# Nobody waits for a delta, and it is small: a better level costs little.
_DELTA_LEVEL = 6

RAW, ZSTD, DELTA = 0, 1, 2

# A pipe that came to be there does not keep us waiting for a writer.
_READING = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC

# fcntl.h of Linux; the signal of a lease that is asked back must be one that ends nobody.
_F_SETSIG = 10


class _Mine(threading.local):
    """What may not be used by two threads at once, made when a thread first needs it: a packer that
    was used packs a source file twice as fast as a new one, and making an unpacker takes longer
    than unpacking one."""

    packer: zstandard.ZstdCompressor | None = None
    small_packer: zstandard.ZstdCompressor | None = None
    unpacker: zstandard.ZstdDecompressor | None = None


_mine = _Mine()


class Content(NamedTuple):
    """What a path holds: the bytes of a file, the target of a link."""

    data: bytes
    found: os.stat_result
    is_torn: bool = False  # somebody had it open for writing all the while

    @property
    def sha256(self) -> bytes:
        """The hash under which the store keeps the bytes."""
        return hashlib.sha256(self.data).digest()


class Packed(NamedTuple):
    """A content as it is stored; `size` is what it has unpacked."""

    encoding: int
    data: bytes
    size: int


class Unreadable(Exception):  # noqa: N818  (a condition to record, not a failure to report)
    """The path cannot be kept; the message says why. `passing` tells that the next try may do."""

    def __init__(self, reason: str, *, passing: bool = False) -> None:
        super().__init__(reason)
        self.passing = passing


def read(path: bytes, expected: os.stat_result, max_bytes: int) -> Content | None:
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
    if expected.st_size > max_bytes:
        raise _too_large(max_bytes)
    try:
        handle = os.open(path, _READING)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise Unreadable(f"cannot be read ({error.strerror})") from error
    try:
        return _read_settled(handle, max_bytes)
    finally:
        os.close(handle)


def pack(data: bytes) -> tuple[int, bytes]:
    """The encoding and the bytes to store for `data`."""
    if len(data) < _WORTH_PACKING_BYTES:
        return RAW, data
    if len(data) > _SMALL_BYTES:
        packer = _mine.packer or _new_packer()
    else:
        packer = _mine.small_packer or _new_small_packer()
    packed = packer.compress(data)
    return (ZSTD, packed) if len(packed) < len(data) else (RAW, data)


def pack_against(data: bytes, base: bytes) -> tuple[int, bytes]:
    """The encoding and the bytes to store for `data`, to be read with `base` at hand."""
    import zstandard  # noqa: PLC0415  (as above)

    prefix = zstandard.ZstdCompressionDict(base, dict_type=zstandard.DICT_TYPE_RAWCONTENT)
    return DELTA, zstandard.ZstdCompressor(level=_DELTA_LEVEL, dict_data=prefix).compress(data)


def unpack(chain: Sequence[Packed], sha256: bytes) -> bytes | None:
    """The bytes that the last of `chain` holds; each of it but the first was packed against the one
    before it. None when they are not what was stored."""
    import zstandard  # noqa: PLC0415  (as above)

    data = chain[0].data
    frames = [packed.data for packed in chain if packed.encoding != RAW]
    try:
        # What a damaged frame says of its size is not believed.
        sizes = [zstandard.frame_content_size(frame) for frame in frames]
        if sizes != [packed.size for packed in chain if packed.encoding != RAW]:
            return None
        if len(frames) == len(chain):
            data = _unpacker().decompress_content_dict_chain([*frames])
        else:
            for frame in frames:
                data = _unpack_against(data, frame)
    except (zstandard.ZstdError, ValueError):
        return None
    # The others need no verification of their own: this comes only out of what was stored.
    return data if hashlib.sha256(data).digest() == sha256 else None


def _new_packer() -> zstandard.ZstdCompressor:
    import zstandard  # noqa: PLC0415  (a native module that most starts never need)

    packer = _mine.packer = zstandard.ZstdCompressor(level=_LEVEL)
    return packer


def _new_small_packer() -> zstandard.ZstdCompressor:
    import zstandard  # noqa: PLC0415  (as above)

    parameters = zstandard.ZstdCompressionParameters(
        compression_level=_LEVEL, hash_log=_SMALL_HASH_LOG, write_content_size=True
    )
    packer = _mine.small_packer = zstandard.ZstdCompressor(compression_params=parameters)
    return packer


def _unpacker() -> zstandard.ZstdDecompressor:
    unpacker = _mine.unpacker
    if unpacker is None:
        import zstandard  # noqa: PLC0415  (as above)

        unpacker = _mine.unpacker = zstandard.ZstdDecompressor()
    return unpacker


def _unpack_against(base: bytes, frame: bytes) -> bytes:
    import zstandard  # noqa: PLC0415  (as above)

    prefix = zstandard.ZstdCompressionDict(base, dict_type=zstandard.DICT_TYPE_RAWCONTENT)
    return zstandard.ZstdDecompressor(dict_data=prefix).decompress(frame)


def _too_large(max_bytes: int) -> Unreadable:
    limit = f"{max_bytes // 1024**2} MiB" if max_bytes % 1024**2 == 0 else f"{max_bytes:,} bytes"
    return Unreadable(f"larger than {limit}")


def _read_settled(handle: int, max_bytes: int) -> Content:
    for attempt in range(_ATTEMPTS):
        before = os.fstat(handle)
        if not stat.S_ISREG(before.st_mode):
            raise Unreadable("changed its kind while it was read", passing=True)
        if before.st_size > max_bytes:
            raise _too_large(max_bytes)
        if attempt:
            os.lseek(handle, 0, os.SEEK_SET)
        data = _read_all(handle, before.st_size, max_bytes)
        is_written = _is_being_written(handle)
        after = os.fstat(handle)
        if (
            before.st_mtime_ns == after.st_mtime_ns
            and before.st_ctime_ns == after.st_ctime_ns
            and len(data) == after.st_size
        ):
            if not is_written:
                return Content(data, after)
            if attempt == _ATTEMPTS - 1:
                return Content(data, after, is_torn=True)
    raise Unreadable("was being written", passing=True)


def _is_being_written(handle: int) -> bool:
    """Whether someone has the file open for writing, by asking for a read lease (fcntl(2)): times
    do not change before a write ends, so a reading in the middle of one cannot be told by them.
    Without an answer (not our file, no leases here) the times must do."""
    if sys.platform != "linux":
        return False
    try:
        fcntl.fcntl(handle, _F_SETSIG, signal.SIGURG)
        # It is given back when the file is closed, right away.
        fcntl.fcntl(handle, fcntl.F_SETLEASE, fcntl.F_RDLCK)
    except OSError as error:
        return error.errno == errno.EAGAIN
    return False


def _read_all(handle: int, expected: int, max_bytes: int) -> bytes:
    """All that there is to read; one call does when it is not more than `expected`."""
    data = os.read(handle, expected + 1)
    if len(data) == expected:
        return data
    chunks = [data]
    size = len(data)
    while data and size <= max_bytes:
        data = os.read(handle, 1024 * 1024)
        chunks.append(data)
        size += len(data)
    return b"".join(chunks)
