"""Which definition a selection stands in, guessed from indentation and keywords alone.

Good enough to anchor an entry in any language that people indent; a parser will do it better.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_DEFINITION = re.compile(
    r"""^\s*
    (?:(?:export|default|public|private|protected|internal|static|abstract|final|async|pub
         |override|virtual|sealed|unsafe|const)(?:\([^)]*\))?\s+)*
    (?:def|class|function\*?|fn|func|fun|interface|struct|enum|trait|module|sub|macro_rules!)\s+
    (?:\([^)]*\)\s*)?               # a Go method's receiver
    (?:self\.)?                     # a Ruby singleton method
    (?P<name>[^\W\d]\w*)""",
    re.VERBOSE,
)


def enclosing_symbol(lines: Sequence[str], first_line: int) -> str | None:
    """The innermost definition that starts at or around a line."""
    indent: int | None = None
    for line in reversed(lines[: first_line + 1]):
        if not line.strip():
            continue
        own = len(line) - len(line.lstrip())
        # The first line may itself be the definition; above it, only what stands further out
        # encloses it.
        if indent is None or own < indent:
            if match := _DEFINITION.match(line):
                return match["name"]
            indent = own
        if indent == 0:
            return None
    return None
