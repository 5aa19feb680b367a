"""The hash of a tree: the sum of the shares of its paths, modulo 2**256.

A change of one file changes it by a subtraction and an addition, however large the tree is.
Source: Bellare and Micciancio, "A New Paradigm for Collision-Free Hashing" (AdHASH).
"""

from __future__ import annotations

import hashlib
import stat

MODULUS = 1 << 256


def share_of(name: bytes, mode: int, sha256: bytes | None, size: int, mtime_ns: int) -> int:
    """A path's share of the tree hash."""
    content = sha256
    if content is None:
        content = b"" if stat.S_ISDIR(mode) else b"%d:%d" % (size, mtime_ns)
    share = hashlib.sha256(b"%d:%s:%d:%s" % (len(name), name, mode, content))
    return int.from_bytes(share.digest(), "big")
