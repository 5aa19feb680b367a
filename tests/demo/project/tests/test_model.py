from datetime import date, time, timedelta

import pytest

from hourglass.model import Entry, Month


def entry(start: str, end: str) -> Entry:
    return Entry(date(2026, 3, 2), time.fromisoformat(start), time.fromisoformat(end), "harbour")


def test_a_span_lasts_from_start_to_end():
    assert entry("09:00", "12:30").duration == timedelta(hours=3, minutes=30)


def test_a_span_may_cross_midnight():
    assert entry("22:15", "01:00").duration == timedelta(hours=2, minutes=45)


def test_a_span_that_ends_where_it_starts_is_a_whole_day():
    assert entry("08:00", "08:00").duration == timedelta(days=1)


@pytest.mark.parametrize(
    ("end", "minutes"),
    [("09:01", 15), ("09:15", 15), ("09:16", 30), ("10:00", 60), ("11:40", 165)],
)
def test_a_started_quarter_is_billed(end, minutes):
    assert entry("09:00", end).billed == timedelta(minutes=minutes)


def test_entries_are_ordered_by_day_then_start():
    late = Entry(date(2026, 3, 2), time(13), time(14), "a")
    early = Entry(date(2026, 3, 2), time(9), time(10), "z")
    assert sorted([late, early]) == [early, late]


def test_a_month_is_read_and_written_alike():
    assert str(Month.parse("2026-03")) == "2026-03"


@pytest.mark.parametrize("text", ["2026-13", "march", "2026", "", "2026-03-01"])
def test_what_is_not_a_month_says_how_to_write_one(text):
    with pytest.raises(ValueError, match="write it like 2026-03"):
        Month.parse(text)


def test_february_has_29_days_in_a_leap_year():
    assert Month(2028, 2).last == date(2028, 2, 29)


def test_january_follows_december():
    assert Month(2026, 12).next() == Month(2027, 1)


def test_a_month_has_its_first_day():
    assert date(2026, 3, 1) in Month(2026, 3)


def test_a_month_ends_before_the_next_begins():
    assert date(2026, 4, 1) not in Month(2026, 3)
    assert date(2026, 2, 28) not in Month(2026, 3)
