"""Sentences that say what must and must not be done, found in what the user or a note says.

When there is no room for a message as a whole, these are what is kept of it: a limit that the user
set in passing, above a pasted log, holds as long as the session does. Recognised by plain words, so
that no model is needed for it; one that is missed is still in the history.
"""

from __future__ import annotations

import re
from functools import lru_cache

from milepost.base import tokens

# Words by which people set limits: English, and the commonest of some other languages.
_DIRECTS = re.compile(
    r"\b(must|never|always|do not|don't|cannot|can't|may not|mustn't|shall|should|shouldn't|only"
    r"|keep|avoid|without|instead of|prefer|use|ensure|make sure|at least|at most|no more than"
    r"|required?|forbidden|not allowed|important|remember|stick to|leave|rule|constraint"
    r"|muss|müssen|nie|niemals|immer|nicht|ne pas|jamais|toujours|nunca|siempre|sempre)\b"
    r"|必须|不要|不能|禁止|务必|只能|必ず|しないで|禁止",
    re.IGNORECASE,
)

_DEAD_END = re.compile(
    r"\b(dead end|does not work|doesn't work|did not work|failed because|fails because"
    r"|fails, because|no use|tried)\b",
    re.IGNORECASE,
)

# Where a sentence or a line ends; a full stop inside a name or a number ends none.
_END = re.compile(r"(?<=[.!?])\s+(?=[^a-z\s])|(?<=[\u3002\uff01\uff1f])|\n")

# A line of a list may begin with its mark; one of a log, of code or of a quotation begins with
# something else than a word.
_MARK = re.compile(r"^\s*(?:[-*+]|\d{1,2}[.)])\s+")
_WORD = re.compile("^[\"'`]?\\w*[^\\W\\d_]")
_INDENTED = re.compile(r"^(?: {4}|\t)")
_FENCE = re.compile(r"^\s*(?:```|~~~)")

# Longer ones are no directions, and nobody gives more of them in one message; of a pasted
# document, so many of its first are kept.
_MAX_TOKENS = 80
_MAX_DIRECTIONS = 12


@lru_cache(maxsize=512)
def directions(text: str) -> tuple[str, ...]:
    """The sentences of `text` that direct, in their order, each on one line."""
    found: list[str] = []
    for line in _prose(text):
        for sentence in _END.split(line):
            words = " ".join(_MARK.sub("", sentence).split())
            if _DIRECTS.search(words) and tokens.count(words) <= _MAX_TOKENS:
                found.append(words)
    return tuple(dict.fromkeys(found))[:_MAX_DIRECTIONS]


def is_lasting(note: str) -> bool:
    """Whether a note holds for the rest of the session: a dead end or a limit, not a position."""
    return bool(_DEAD_END.search(note) or _DIRECTS.search(note))


def _prose(text: str) -> list[str]:
    """The lines that people wrote, without code, logs and quotations."""
    lines: list[str] = []
    is_code = False
    for line in text.split("\n"):
        if _FENCE.match(line):
            is_code = not is_code
        elif not (is_code or _INDENTED.match(line)) and _WORD.match(_MARK.sub("", line)):
            lines.append(line)
    return lines
