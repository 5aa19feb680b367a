"""Where definitions stand in source text, guessed from indentation and keywords alone.

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
        own = _indent(line)
        # The first line may itself be the definition; above it, only what stands further out
        # encloses it.
        if indent is None or own < indent:
            if match := _DEFINITION.match(line):
                return match["name"]
            indent = own
        if indent == 0:
            return None
    return None


def definition_span(lines: Sequence[str], name: str) -> tuple[int, int] | None:
    """The lines of the first definition of `name`, from its keyword to the last line that is
    indented deeper (or closes it), `end` excluded; None when there is no definition of it."""
    for start, line in enumerate(lines):
        match = _DEFINITION.match(line)
        if match is not None and match["name"] == name:
            return start, _end_of_block(lines, start)
    return None


def _end_of_block(lines: Sequence[str], start: int) -> int:
    indent = _indent(lines[start])
    end = start + 1
    for at in range(start + 1, len(lines)):
        line = lines[at]
        if not line.strip():
            continue
        is_closing = _indent(line) == indent and line.strip()[0] in ")]}"
        if _indent(line) <= indent and not is_closing:
            break
        end = at + 1
    return end


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())
