"""Ids that a person can read aloud: lower-case Crockford base 32, without i, l, o and u.

Source of the alphabet: Douglas Crockford, "Base 32".
"""

from __future__ import annotations

import os
import re

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"

# 50 bits: among a million entries a clash has a chance of one in two thousand, and makers of ids
# look for clashes before they use one.
_LENGTH = 10

_ID = re.compile(r"[0-9a-z]{4,32}")

_UNFIT_FOR_NAMES = re.compile(r"[^A-Za-z0-9._-]+")

# As much as tells one program from another in a list.
_MAX_NAME_CHARS = 40


def new_id() -> str:
    """A random id of ten characters."""
    # The module `secrets` would give the same, and brings OpenSSL along.
    return _encode(int.from_bytes(os.urandom(8), "big") >> (64 - _LENGTH * 5))


def derived_id(content: str, occurrence: int) -> str:
    """The id of something that carries none: the same content at the same occurrence (0, 1, ...)
    always gets the same id. Undecodable bytes in `content` may stand as surrogates."""
    import hashlib  # noqa: PLC0415  (OpenSSL: 4 MB that a search can do without)

    digest = hashlib.sha256(content.encode("utf-8", "surrogatepass"))
    digest.update(f"\0{occurrence}".encode())
    return _encode(int.from_bytes(digest.digest()[:8], "big") >> (64 - _LENGTH * 5))


def looks_like_id(text: str) -> bool:
    """Whether `text` can be an id at all; used to tell a typing error from a forgotten entry."""
    return _ID.fullmatch(text) is not None


def plain_name(text: str) -> str:
    """What a program calls itself, as one short word for the name of who did something; empty when
    nothing of it fits there."""
    return _UNFIT_FOR_NAMES.sub("-", text)[:_MAX_NAME_CHARS].strip("-")


def _encode(number: int) -> str:
    return "".join(_ALPHABET[(number >> shift) & 31] for shift in range((_LENGTH - 1) * 5, -1, -5))
