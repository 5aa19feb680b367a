"""The hash of a tree: the sum of the shares of its paths, modulo 2**256.

A change of one file changes it by a subtraction and an addition, however large the tree is.
Source: Bellare and Micciancio, "A New Paradigm for Collision-Free Hashing" (AdHASH).
"""

from __future__ import annotations

import hashlib
import stat
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from milepost.checkpoints.rows import State

MODULUS = 1 << 256


def share_of(name: bytes, state: State, sha256: bytes | None, size: int, mtime_ns: int) -> int:
    """A path's share of the tree hash."""
    if stat.S_ISDIR(state.mode or 0):
        content = b""
    elif sha256 is None:
        content = b"%d:%d" % (size, mtime_ns)
    else:
        content = sha256
    share = hashlib.sha256(b"%d:%s:%d:%s" % (len(name), name, state.mode or 0, content))
    return int.from_bytes(share.digest(), "big")
