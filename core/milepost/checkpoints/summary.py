"""checkpoint.md: the state of a session in words, under headings that never change.

Some sections are filled by code, which knows what was asked, done and seen; the others by the
writer, a model of its own, or left as they were when there is none. A person may read and edit the
file; what stands under other headings is kept at the end.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

# In the order in which someone who takes over would want to know.
BY_CODE = {
    "intent": "Active intent",
    "tasks": "Task tree",
    "files": "Files involved",
    "commands": "Commands run",
    "runtime": "Runtime state",
    "notes": "Open notes",
}
BY_WRITER = {
    "next_action": "Next action",
    "constraints": "Constraints and directives",
    "current_work": "Current work",
    "knowledge": "Discovered knowledge",
    "errors": "Errors and fixes",
    "dead_ends": "Dead ends",
    "decisions": "Design decisions",
}
_ORDER = (
    "intent", "next_action", "constraints", "tasks", "current_work", "files", "commands",
    "knowledge", "errors", "dead_ends", "runtime", "decisions", "notes",
)  # fmt: skip
TITLES = {key: {**BY_CODE, **BY_WRITER}[key] for key in _ORDER}

_HEADING = re.compile(r"^## +(.+?)[ \t]*#*[ \t]*$", re.MULTILINE)
_BULLET = re.compile(r"\s*(?:[-*+]|\d{1,9}[.)])[ \t]+")
_EMPTY = "(nothing)"


@dataclass(frozen=True, slots=True)
class Summary:
    """What checkpoint.md says: text by section, and what stands under headings of the user's."""

    sections: dict[str, str] = field(default_factory=dict[str, str])
    other: str = ""

    def get(self, key: str) -> str:
        """A section's text, empty when it says nothing."""
        return self.sections.get(key, "")

    def plus(self, sections: dict[str, str]) -> Summary:
        """This one with other texts in these sections."""
        return Summary({**self.sections, **sections}, self.other)


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that a section says, without its bullet, on the lines from `line` up to but not
    with `end_line`."""

    text: str
    line: int
    end_line: int


@dataclass(frozen=True, slots=True)
class Section:
    """A section where it stands; `key` is empty under a heading of the user's own."""

    key: str
    title: str
    line: int
    end_line: int
    items: tuple[Item, ...]


def render(summary: Summary) -> str:
    """The text of the file."""
    parts = [
        f"## {title}\n\n{_sound(summary.get(key)) or _EMPTY}\n" for key, title in TITLES.items()
    ]
    if summary.other.strip():
        parts.append(summary.other.strip("\n") + "\n")
    return "# Checkpoint\n\n" + "\n".join(parts)


def parse(text: str) -> Summary:
    """What the text of a file says; any text is accepted."""
    sections: dict[str, str] = {}
    other: list[str] = []
    for key, heading, end in _cut(text):
        body = text[heading.end() : end].strip()
        if not key or key in sections:
            other.append(text[heading.start() : end].strip())
        elif body != _EMPTY:
            sections[key] = body
    return Summary(sections, "\n\n".join(other))


def placed(text: str) -> Iterator[Section]:
    """The sections where they stand in a file's text, with their items."""
    for key, heading, end in _cut(text):
        line = text.count("\n", 0, heading.start())
        end_line = line + text.count("\n", heading.start(), end) + (not text[:end].endswith("\n"))
        body = text[heading.end() : end]
        lines = [] if body.strip() == _EMPTY else body.split("\n")[1:]
        yield Section(key, heading[1].strip(), line, end_line, tuple(_items(lines, line + 1)))


def without_bullet(text: str) -> str:
    """An item's words: its lines without the bullet of its list, and without their indentation."""
    bullet = _BULLET.match(text)
    words = text[bullet.end() :] if bullet else text
    return "\n".join(line.strip() for line in words.strip().splitlines())


def _cut(text: str) -> Iterator[tuple[str, re.Match[str], int]]:
    """Each section's key (empty for one of the user's), its heading, and where it ends."""
    keys = {title.lower(): key for key, title in TITLES.items()}
    headings = list(_HEADING.finditer(text))
    for position, heading in enumerate(headings):
        end = headings[position + 1].start() if position + 1 < len(headings) else len(text)
        yield keys.get(heading[1].strip().lower(), ""), heading, end


def _items(lines: Sequence[str], line: int) -> Iterator[Item]:
    """The items of a section that begins at this line: what has a bullet goes on to the next one,
    or to a blank line; without bullets each line is one, as the writer is told to write."""
    begun: list[str] = []
    start = line
    has_bullet = False
    for number, words in enumerate([*lines, ""], line):
        bullet = _BULLET.match(words)
        if begun and (bullet or not words.strip() or not has_bullet):
            yield Item("\n".join(begun), start, start + len(begun))
            begun = []
        if not words.strip():
            has_bullet = False
            continue
        if not begun:
            start = number
            has_bullet = bullet is not None
        begun.append(without_bullet(words))


def _sound(text: str) -> str:
    """The text with what would be read as a heading of the file pushed out of its way."""
    return re.sub(r"^(#{1,2} )", r"\\\1", text.strip(), flags=re.MULTILINE)
