"""The nouns: an entry is one span of work, a month is a stretch of days."""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

QUARTER = timedelta(minutes=15)


@dataclass(frozen=True, order=True)
class Entry:
    """One span of work. It belongs to the day on which it began."""

    day: date
    start: time
    end: time
    client: str
    note: str = ""

    @property
    def duration(self) -> timedelta:
        begin = datetime.combine(self.day, self.start)
        finish = datetime.combine(self.day, self.end)
        if finish <= begin:  # past midnight
            finish += timedelta(days=1)
        return finish - begin

    @property
    def billed(self) -> timedelta:
        """The duration in quarter hours, rounded up: a started quarter is a quarter."""
        quarters = -(-self.duration // QUARTER)
        return quarters * QUARTER


@dataclass(frozen=True, order=True)
class Month:
    """A calendar month."""

    year: int
    month: int

    @classmethod
    def parse(cls, text: str) -> Month:
        try:
            first = datetime.strptime(text, "%Y-%m")
        except ValueError:
            raise ValueError(f"not a month: {text!r} (write it like 2026-03)") from None
        return cls(first.year, first.month)

    @property
    def first(self) -> date:
        return date(self.year, self.month, 1)

    @property
    def last(self) -> date:
        return date(self.year, self.month, calendar.monthrange(self.year, self.month)[1])

    def next(self) -> Month:
        if self.month == 12:
            return Month(self.year + 1, 1)
        return Month(self.year, self.month + 1)

    def __contains__(self, day: date) -> bool:
        return self.first <= day < self.last

    def __str__(self) -> str:
        return f"{self.year:04}-{self.month:02}"
