from datetime import date, time

import pytest

from hourglass.model import Entry
from hourglass.parser import SheetError, parse, parse_line, render

LINE = "2026-03-02  09:00-12:30  harbour     Survey of the north quay"


def test_a_line_becomes_an_entry():
    assert parse_line(LINE) == Entry(
        date(2026, 3, 2), time(9), time(12, 30), "harbour", "Survey of the north quay"
    )


def test_an_entry_becomes_its_line():
    assert render(parse_line(LINE)) == LINE


def test_a_note_may_be_left_out():
    assert parse_line("2026-03-02 9:00-10:00 harbour").note == ""


def test_a_typographic_dash_is_a_dash():
    assert parse_line("2026-03-02 9:00–10:00 harbour").end == time(10)


@pytest.mark.parametrize("line", ["", "   ", "# a comment", "  # indented"])
def test_comments_and_empty_lines_are_skipped(line):
    assert parse_line(line) is None


@pytest.mark.parametrize(
    "line",
    [
        "2026-03-02 harbour Survey",
        "2026-02-30 09:00-10:00 harbour no such day",
        "2026-03-02 09:00-24:30 harbour no such hour",
        "2026-03-02 09:00-10:00 Harbour capital",
    ],
)
def test_a_bad_line_is_named_by_its_number(line):
    with pytest.raises(SheetError, match="line 3") as caught:
        list(parse(["# one", LINE, line]))
    assert caught.value.number == 3
