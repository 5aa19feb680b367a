"""checkpoint.md: the state of a session in words, under headings that never change.

Some sections are filled by code, which knows what was asked, done and seen; the others by the
writer, a model of its own, or left as they were when there is none. A person may read and edit the
file; what stands under other headings is kept at the end.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

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
    keys = {title.lower(): key for key, title in TITLES.items()}
    sections: dict[str, str] = {}
    other: list[str] = []
    headings = list(_HEADING.finditer(text))
    for position, heading in enumerate(headings):
        end = headings[position + 1].start() if position + 1 < len(headings) else len(text)
        key = keys.get(heading.group(1).strip().lower())
        body = text[heading.end() : end].strip()
        if key is None or key in sections:
            other.append(text[heading.start() : end].strip())
        elif body != _EMPTY:
            sections[key] = body
    return Summary(sections, "\n\n".join(other))


def _sound(text: str) -> str:
    """The text with what would be read as a heading of the file pushed out of its way."""
    return re.sub(r"^(#{1,2} )", r"\\\1", text.strip(), flags=re.MULTILINE)
