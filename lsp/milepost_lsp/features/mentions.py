"""What the words of a checkpoint.md name: files with their lines, tasks, restore points, items of
the session, and ids. It is read off the text alone; whether there is such a thing is another
question.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

Kind = Literal["file", "task", "point", "item", "id"]

# `T1.2` is a task and 3.11 a version.
_ENDING = r"\.(?=\d*[^\W\d])\w{1,8}"
_NAME = rf"[\w.@+-]+(?:/[\w.@+-]+)*{_ENDING}"
_LINE = r"(?::(?P<line>[1-9]\d{0,6})(?::\d{1,6})?)?"

# The first that finds a place has it. The first two are what code writes under “Files involved”:
# there a path may hold blanks, and what was read stands as the tool was asked for it.
_PATTERNS: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    ("file", re.compile(r"^- (?P<name>\S.*) \(changed \d+x\)\s*$")),
    ("file", re.compile(r'^- read \{.*?"path":\s*"(?P<name>(?:[^"\\]|\\.)*)"')),
    ("file", re.compile(r"@file:(?P<name>[^\s\"<>]+)")),
    ("file", re.compile(rf"`(?P<name>[^\s`:#<>*?{{}}$]+{_ENDING}){_LINE}(?:#[\w.]+)?`")),
    ("file", re.compile(rf"(?<![\w/.@:-])(?P<name>{_NAME}){_LINE}(?![\w/])")),
    ("task", re.compile(r"\b(?P<name>T[1-9]\d{0,4}(?:\.[1-9]\d{0,2}){0,7})\b")),
    (
        "point",
        re.compile(r"\b(?:restore point|checkpoint|point) #?(?P<name>\d{1,15})\b", re.IGNORECASE),
    ),
    ("item", re.compile(r"\bitem (?P<name>\d{1,15})\b", re.IGNORECASE)),
    ("id", re.compile(r"(?<![\w-])(?P<name>[0-9a-hjkmnp-tv-z]{10})(?![\w-])")),
)
# By the first of them a file is surely meant. `order.total` in a code span looks like one, too, so
# there a folder or a line must be told, and outside of one both.
_SURE, _IN_SPAN = 3, 4

# Each is looked up somewhere; a longer file is no page of ours any more.
_MOST = 500


@dataclass(frozen=True, slots=True)
class Mention:
    """Something that is named, with its columns in code points. `at` is the line of a file, counted
    from 1; `is_sure` says of a file that it is one."""

    kind: Kind
    name: str
    line: int
    start: int
    end: int
    at: int | None = None
    is_sure: bool = False


def mentions(lines: Sequence[str]) -> list[Mention]:
    """What these lines name, in their order."""
    found: list[Mention] = []
    for number, line in enumerate(lines):
        found += sorted(_in_line(line, number), key=lambda each: each.start)
        if len(found) >= _MOST:
            break
    return found[:_MOST]


def mentioned_at(lines: Sequence[str], line: int, column: int) -> Mention | None:
    """What is named at a place."""
    named: Iterable[Mention] = _in_line(lines[line], line) if line < len(lines) else ()
    return next((each for each in named if each.start <= column <= each.end), None)


def _in_line(line: str, number: int) -> Iterator[Mention]:
    taken: list[tuple[int, int]] = []
    for place, (kind, pattern) in enumerate(_PATTERNS):
        for match in pattern.finditer(line):
            start, end = match.span("name")
            if any(start < until and begin < end for begin, until in taken):
                continue
            taken.append((start, end))
            name, at = match["name"], match.groupdict().get("line")
            if kind == "file" and "\\" in name:
                name = _unquoted(name)
            told = ("/" in name) + (at is not None)
            is_sure = place < _SURE or told >= (1 if place < _IN_SPAN else 2)
            # What lies elsewhere is not missed in the project.
            is_sure = is_sure and not name.startswith(("/", "~")) and ".." not in name
            yield Mention(kind, name, number, start, end, int(at) if at else None, is_sure)


def _unquoted(name: str) -> str:
    try:
        return str(json.loads(f'"{name}"'))
    except ValueError:
        return name
