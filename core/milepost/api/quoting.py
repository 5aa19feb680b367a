"""Remembered text as a quotation that it cannot get out of.

What is remembered may come from anyone who could write to the repository or talk to an agent. Here
each of its lines stands behind a bar, so nothing in it can pass for a line of ours; what models
take for the end of a message or for another speaker is taken apart; and what the eye does not see
(control characters, directions, tags) is taken out.
"""

from __future__ import annotations

import re
import unicodedata

BAR = "| "

# Control, format, surrogate, private and unassigned characters: nothing that a person reads. The
# joiners that emoji and some scripts need are kept.
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
_KEPT = frozenset("\t\u200c\u200d")

# The marks by which chat formats part speakers, and tags that look like a harness's own.
_SPECIAL = re.compile(r"<(?=\|)|(?<=\|)>|\[(?=/?INST\])|<(?=<SYS>>)|<(?=</SYS>>)")
_SPEAKERS = "system|user|assistant|human|developer|tool|function|model|instructions?"
_TAG = re.compile(
    rf"<(?=\s*/?\s*(?:[\w-]+:)?(?:{_SPEAKERS}|milepost|antml|thinking|invoke)(?![A-Za-z]))",
    re.IGNORECASE,
)
_SPEAKER = re.compile(rf"^(\W*(?:{_SPEAKERS})\s*):", re.IGNORECASE)


def quoted(text: str) -> str:
    """`text` with each line behind a bar, and nothing in it that could pass for other than text."""
    lines = (_SPEAKER.sub(r"\1 -", harmless(line)) for line in text.strip().splitlines())
    return "\n".join(f"{BAR}{line}".rstrip() for line in lines)


def inline(text: str, limit: int = 200) -> str:
    """A name, a path or a source, which may be anyone's too, on one short line."""
    return harmless(" ".join(text.split()))[:limit]


def harmless(line: str) -> str:
    """One line with what is not for people taken out, and the marks of formats taken apart."""
    if not (line.isascii() and line.isprintable()):
        line = "".join(
            char for char in line if char in _KEPT or unicodedata.category(char) not in _UNSEEN
        )
    line = _SPECIAL.sub(lambda found: f"{found.group()} " if found.group() != ">" else " >", line)
    return _TAG.sub("< ", line)
