"""Two names of one folder trade their files in one step, where the system can do that.

A plain rename destroys whatever has the name by then, even if a person's editor put it there a
moment ago. After an exchange that file is still at hand, and can be put back.
"""

from __future__ import annotations

import os
import sys
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2  # linux/fs.h
_RENAME_SWAP = 2  # sys/stdio.h of macOS


def exchange(one: Path, other: Path) -> bool:
    """Exchange the two files; False, and nothing done, where system or file system cannot.

    Raises FileNotFoundError when one of them is not there.
    """
    call = _call()
    if call is None:
        return False
    result, code = call(os.fsencode(one), os.fsencode(other))
    if result == 0:
        return True
    if not (one.exists() and other.exists()):
        raise FileNotFoundError(code, os.strerror(code), str(other))
    return False


@lru_cache(maxsize=1)
def _call() -> Callable[[bytes, bytes], tuple[int, int]] | None:
    """renameat2(2) of Linux, or renamex_np(2) of macOS."""
    import ctypes  # noqa: PLC0415  (only writers need it)

    library = ctypes.CDLL(None, use_errno=True)
    if sys.platform == "linux" and hasattr(library, "renameat2"):
        return lambda one, other: (
            library.renameat2(_AT_FDCWD, one, _AT_FDCWD, other, _RENAME_EXCHANGE),
            ctypes.get_errno(),
        )
    if sys.platform == "darwin" and hasattr(library, "renamex_np"):
        return lambda one, other: (
            library.renamex_np(one, other, _RENAME_SWAP),
            ctypes.get_errno(),
        )
    return None
