"""Python's bytecode cache must not decide a verdict.

Python takes a cached `.pyc` for current when the source has the size and the whole-second time that
the cache recorded. An agent that edits, tests and edits again within one second, by an edit of
equal size, is then judged on code that is no longer there: a false "met" is possible. So before a
check runs, the caches are looked at: one that was written before its source last changed, and that
Python would still believe, is a lie. Where there is one, the check gets a cache folder of its own.
Nothing of the user's is deleted or touched.

Source of the format: PEP 552 (magic, flags, time and size, four bytes each).
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping

_CACHE = "__pycache__"
_HEADER_BYTES = 16


@contextlib.contextmanager
def trustworthy(root: Path) -> Generator[Mapping[str, str]]:
    """The variables with which a check's Python does not believe a stale cache in `root`."""
    if not any(map(_lies, _caches(root))):
        yield {}
        return
    with tempfile.TemporaryDirectory(prefix="milepost-pycache-") as folder:
        yield {"PYTHONPYCACHEPREFIX": folder}


def _caches(root: Path) -> Iterator[Path]:
    """The `.pyc` files below `root`; hidden folders, where tools keep what they installed, are
    passed over."""
    for folder, folders, _ in os.walk(root):
        if _CACHE in folders:
            with contextlib.suppress(OSError):
                yield from Path(folder, _CACHE).glob("*.pyc")
        folders[:] = [
            name
            for name in folders
            if name not in (_CACHE, "node_modules") and not name.startswith(".")
        ]


def _lies(cache: Path) -> bool:
    """Whether Python would take `cache` for current though its source changed after it."""
    source = cache.parent.parent / f"{cache.name.split('.', 1)[0]}.py"
    try:
        written, changed = cache.stat(), source.stat()
        if written.st_mtime_ns > changed.st_mtime_ns:
            return False
        with cache.open("rb") as file:
            header = file.read(_HEADER_BYTES)
    except OSError:
        return False
    flags, time, size = (int.from_bytes(header[at : at + 4], "little") for at in (4, 8, 12))
    is_by_hash = flags != 0
    return (
        not is_by_hash
        and time == int(changed.st_mtime) & 0xFFFFFFFF
        and size == changed.st_size & 0xFFFFFFFF
    )
