from datetime import date, timedelta

from hourglass import report
from hourglass.model import Month
from hourglass.parser import parse
from hourglass.rates import Rates

MARCH = Month(2026, 3)
RATES = Rates({"harbour": 9500}, default=7000)
SHEET = list(
    parse(
        [
            "2026-02-28 09:00-10:00 harbour February",
            "2026-03-01 10:00-11:00 harbour First day",
            "2026-03-05 22:15-01:00 harbour Night",
            "2026-03-05 09:00-10:40 lantern Drawings",
            "2026-04-01 09:00-10:00 harbour April",
        ]
    )
)


def test_only_the_month_is_reported():
    assert [entry.note for entry in report.in_month(SHEET, MARCH)] == [
        "First day",
        "Drawings",
        "Night",
    ]


def test_the_last_day_belongs_to_its_month():
    sheet = list(parse(["2026-03-31 09:00-12:00 harbour Report, final"]))
    assert report.in_month(sheet, MARCH) == sheet


def test_clients_are_ordered_by_time_billed():
    assert report.by_client(report.in_month(SHEET, MARCH)) == {
        "harbour": timedelta(hours=3, minutes=45),
        "lantern": timedelta(hours=1, minutes=45),
    }


def test_days_count_the_time_worked_not_billed():
    assert report.by_day(report.in_month(SHEET, MARCH)) == {
        date(2026, 3, 1): timedelta(hours=1),
        date(2026, 3, 5): timedelta(hours=4, minutes=25),
    }


def test_hours_have_two_decimals():
    assert report.hours(timedelta(minutes=100)) == "1.67"


def test_the_summary_ends_with_a_total():
    assert report.summary(SHEET, MARCH).splitlines() == [
        "Hours in 2026-03",
        "  harbour         3.75",
        "  lantern         1.75",
        "  total           5.50",
    ]


def test_a_month_without_work_has_an_empty_summary():
    assert report.summary(SHEET, Month(2025, 1)).endswith("total           0.00")


def test_an_invoice_lists_one_client_and_adds_up():
    lines = report.invoice(SHEET, "harbour", MARCH, RATES).splitlines()
    assert lines[0] == "Invoice 2026-03-harbour"
    assert [line.split()[3] for line in lines[2:4]] == ["95.00", "261.25"]
    assert lines[-1].split() == ["Due", "356.25"]
