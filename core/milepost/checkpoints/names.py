"""The names of paths: bytes relative to the project's root, because a file name is bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


def shown(name: bytes) -> str:
    """The name as people read it; what is not UTF-8 stands as `\\xNN`."""
    return name.decode("utf-8", "backslashreplace")


def above(name: bytes) -> Iterator[bytes]:
    """Every folder above the path, the nearest first and the root (an empty name) last."""
    while name:
        name = name.rpartition(b"/")[0]
        yield name


def inside(folder: bytes, name: bytes) -> bytes:
    """The path of `name` in a folder."""
    return folder + b"/" + name if folder else name


def bounds(folder: bytes) -> tuple[bytes, bytes]:
    """Between these, the second excluded, lie all names below a folder."""
    return (folder + b"/", folder + b"0") if folder else (b"", b"\xff" * 256)
