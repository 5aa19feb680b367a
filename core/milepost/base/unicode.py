"""What UTF-8, and so every file, can hold."""

from __future__ import annotations


def fits_utf8(text: str) -> bool:
    """Whether `text` has no half of a surrogate pair, which JSON can spell and UTF-8 cannot."""
    if text.isascii():
        return True
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
