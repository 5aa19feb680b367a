"""Where definitions stand in source text, found by scanning it: no parser, no grammar.

A definition goes from the first line that is its own (a decorator, an annotation, a modifier) to
the last line of its body, comments around it left out. Names are qualified by what encloses them
(`Cart.total`, `Outer.Inner.run`); in Markdown the headings are the names. Why there is no parser is
in docs/decisions/0011.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from milepost.base import braces
from milepost.base.source import blanked, language_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from milepost.base.source import Blanked

# A larger file is no source that a person wrote; scanning one takes a fifth of a second.
MAX_CHARS = 2 * 1024 * 1024

_PYTHON = re.compile(r"(?:async\s+def|def|class)\s+(?P<name>[^\W\d]\w*)")

_INDENTED = re.compile(
    r"""(?:(?:export|default|public|private|protected|internal|static|abstract|final|async|pub
         |override|virtual|sealed|unsafe|const|local)(?:\([^)]*\))?\s+)*
    (?:(?:def|class|function\*?|fn|func|fun|interface|struct|enum|trait|module|sub|macro_rules!)\s+
       (?:\([^)]*\)\s*)?               # a Go method's receiver
       (?:self\.)?                     # a Ruby singleton method
       (?P<name>[^\W\d]\w*(?:(?:\.|::?)\w+)*[?!=]?)
      |(?P<shell>[\w-]+)\s*\(\)\s*\{
      |(?P<assigned>[^\W\d][\w.]*)\s*=\s*function\b)""",
    re.VERBOSE,
)

# What may close a block at the depth where it began.
_CLOSER = re.compile(r"(?:[)\]}]|(?:end|fi|done|esac)\b)")

_SQL = re.compile(
    r"""^[ \t]*create\s+(?:or\s+(?:replace|alter)\s+)?
    (?:(?:temp|temporary|unique|materialized|recursive|global|local|definer\s*=\s*\S+)\s+)*
    (?:function|procedure|table|view|trigger|index|type|schema|sequence|domain|extension)\s+
    (?:if\s+not\s+exists\s+)?(?P<name>[\w.$"`\[\]]+)""",
    re.VERBOSE | re.IGNORECASE | re.MULTILINE,
)

_SQL_WORD = re.compile(r"\b(?:begin|case|end)\b(?!\s+(?:if|loop|while|for)\b)|;", re.IGNORECASE)

_HEADING = re.compile(r" {0,3}(#{1,6})[ \t]+(.+?)[ \t]*#*[ \t]*$")
_FENCE = re.compile(r" {0,3}(```+|~~~+)")


@dataclass(frozen=True, slots=True)
class Definition:
    """A definition by its qualified name: zero-based lines, `end` excluded."""

    name: str
    start: int
    end: int


def definitions(text: str, path: str) -> tuple[Definition, ...]:
    """The definitions in the text of the file at `path`, in the order of their beginnings."""
    if len(text) > MAX_CHARS:
        return ()
    return _definitions(text, path.rpartition("/")[2])


def definition_of(found: Sequence[Definition], name: str) -> Definition | None:
    """The first of the definitions that `name` means: a whole qualified name before the end of one
    (`total` or `Cart.total` for `Shop.Cart.total`)."""
    ending = "." + name.replace("::", ".")
    exact = (each for each in found if each.name == name)
    inner = (each for each in found if f".{each.name}".endswith(ending))
    return next(exact, None) or next(inner, None)


def last_name(name: str) -> str:
    """A qualified name without what encloses it."""
    return re.split(r"\.|::", name)[-1]


def holds_word(text: str, word: str) -> bool:
    """Whether `word` stands in a text as it is written, and not as a part of a longer one. Quicker
    than to make a pattern for a word that is asked for once."""
    at = text.find(word)
    while at >= 0:
        end = at + len(word)
        if not (_is_in_word(text[at - 1 : at]) or _is_in_word(text[end : end + 1])):
            return True
        at = text.find(word, at + 1)
    return False


def enclosing_symbol(lines: Sequence[str], first_line: int, path: str = "") -> str | None:
    """The qualified name of the innermost definition that holds a line."""
    found = definitions("\n".join(line.rstrip("\r\n") for line in lines), path)
    around = [each for each in found if each.start <= first_line < each.end]
    return max(around, key=lambda each: each.start).name if around else None


def _is_in_word(sign: str) -> bool:
    """As `\\w` has it."""
    return sign.isalnum() or sign == "_"


@lru_cache(maxsize=16)
def _definitions(text: str, name: str) -> tuple[Definition, ...]:
    language = language_of(name)
    if language.family == "markdown":
        return tuple(_headings(text.split("\n")))
    source = blanked(text, language)
    if language.family == "braces":
        return tuple(Definition(*found) for found in braces.definitions(source.text, language.name))
    if language.family == "sql":
        return tuple(_statements(source.text))
    return tuple(_blocks(source, is_python=language.family == "python"))


def _blocks(source: Blanked, *, is_python: bool) -> list[Definition]:
    """Definitions whose bodies stand deeper than they do."""
    lines = source.text.split("\n")
    starts = _logical_lines(lines, source.continued) if is_python else _filled(lines, source)
    found: list[Definition] = []
    # The definitions that are still open: name, indentation, first line.
    stack: list[tuple[str, int, int]] = []
    last = decorated = -1
    for at, end in starts:
        line = lines[at]
        own = len(line) - len(line.lstrip())
        closes = not is_python and _CLOSER.match(line, own) is not None
        while stack and (own < stack[-1][1] or (own == stack[-1][1] and not closes)):
            name, _, start = stack.pop()
            found.append(Definition(name, start, last + 1))
        last = end
        if is_python and line.startswith("@", own):
            decorated = at if decorated < 0 else decorated
            continue
        match = (_PYTHON if is_python else _INDENTED).match(line, own)
        if match is not None:
            name = next(group for group in match.groups() if group).replace(":", ".")
            outer = f"{stack[-1][0]}." if stack else ""
            stack.append((outer + name, own, at if decorated < 0 else decorated))
        decorated = -1
    found.extend(Definition(name, start, last + 1) for name, _, start in stack)
    return sorted(found, key=lambda each: (each.start, -each.end))


def _logical_lines(lines: list[str], continued: frozenset[int]) -> list[tuple[int, int]]:
    """The first and the last line of each of Python's logical lines."""
    found: list[tuple[int, int]] = []
    depth = 0
    goes_on = False
    for at, line in enumerate(lines):
        if found and (depth > 0 or goes_on or at in continued):
            if line.strip():
                found[-1] = (found[-1][0], at)
        elif line.strip():
            found.append((at, at))
        opened = sum(map(line.count, "([{")) - sum(map(line.count, ")]}"))
        depth = max(0, depth + opened)
        goes_on = line.rstrip().endswith("\\")
    return found


def _filled(lines: list[str], source: Blanked) -> list[tuple[int, int]]:
    """The lines that hold code, each with the last line of a string that goes on from it."""
    found: list[tuple[int, int]] = []
    for at, line in enumerate(lines):
        if found and at in source.continued:
            found[-1] = (found[-1][0], at)
        elif line.strip():
            found.append((at, at))
    return found


def _statements(text: str) -> list[Definition]:
    """What SQL creates, to the semicolon that ends the statement."""
    found: list[Definition] = []
    for match in _SQL.finditer(text):
        depth = 0
        end = len(text.rstrip())
        for found_word in _SQL_WORD.finditer(text, match.end()):
            word = found_word.group().lower()
            if word in ("begin", "case"):
                depth += 1
            elif word == "end":
                depth = max(0, depth - 1)
            elif depth == 0:
                end = found_word.end()
                break
        name = re.sub(r'["`\[\]]', "", match["name"])
        start = match.start() + len(match.group()) - len(match.group().lstrip())
        found.append(Definition(name, text.count("\n", 0, start), text.count("\n", 0, end) + 1))
    return found


def _headings(lines: list[str]) -> list[Definition]:
    """The sections of a Markdown text, each to the next heading of its level or above."""
    found: list[Definition] = []
    stack: list[tuple[int, str, int]] = []
    last = -1
    fence = ""

    def close(level: int) -> None:
        while stack and stack[-1][0] >= level:
            _, name, start = stack.pop()
            found.append(Definition(name, start, last + 1))

    for at, line in enumerate(lines):
        mark = _FENCE.match(line)
        if fence:
            fence = "" if mark and mark[1].startswith(fence) else fence
        elif mark:
            fence = mark[1]
        elif heading := _HEADING.match(line):
            close(len(heading[1]))
            stack.append((len(heading[1]), heading[2], at))
        if line.strip():
            last = at
    close(0)
    return sorted(found, key=lambda each: each.start)
