"""Text to entries and back. A sheet that cannot be read says which line is wrong."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date, time

from hourglass.model import Entry

_LINE = re.compile(
    r"""
    (?P<day>\d{4}-\d{2}-\d{2}) \s+
    (?P<start>\d{1,2}:\d{2}) \s* [-–] \s* (?P<end>\d{1,2}:\d{2}) \s+
    (?P<client>[a-z][a-z0-9-]*)
    (?: \s+ (?P<note>.*) )?
    """,
    re.VERBOSE,
)


class SheetError(ValueError):
    """A line that is not an entry."""

    def __init__(self, number: int, line: str, reason: str) -> None:
        super().__init__(f"line {number}: {reason}: {line.strip()!r}")
        self.number = number


def parse_line(line: str, number: int = 1) -> Entry | None:
    """One line; None for a comment or an empty line."""
    text = line.strip()
    if not text or text.startswith("#"):
        return None
    match = _LINE.fullmatch(text)
    if match is None:
        raise SheetError(number, line, "expected DAY START-END CLIENT NOTE")
    try:
        return Entry(
            day=date.fromisoformat(match["day"]),
            start=_clock(match["start"]),
            end=_clock(match["end"]),
            client=match["client"],
            note=(match["note"] or "").strip(),
        )
    except ValueError as error:
        raise SheetError(number, line, str(error)) from None


def parse(lines: Iterable[str]) -> Iterator[Entry]:
    """Every entry of a sheet, in the order of its lines."""
    for number, line in enumerate(lines, start=1):
        entry = parse_line(line, number)
        if entry is not None:
            yield entry


def render(entry: Entry) -> str:
    """An entry as a line, in columns."""
    span = f"{entry.start:%H:%M}-{entry.end:%H:%M}"
    return f"{entry.day}  {span}  {entry.client:<10}  {entry.note}".rstrip()


def _clock(text: str) -> time:
    hour, minute = text.split(":")
    return time(int(hour), int(minute))
