"""What the entries add up to: hours by client and by day, and an invoice."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, timedelta

from hourglass.model import Entry, Month
from hourglass.rates import HOUR, Rates, money


def in_month(entries: Iterable[Entry], month: Month) -> list[Entry]:
    """The month's entries, by day and start."""
    return sorted(entry for entry in entries if entry.day in month)


def by_client(entries: Iterable[Entry]) -> dict[str, timedelta]:
    """Time billed to every client, the largest first."""
    totals: dict[str, timedelta] = defaultdict(timedelta)
    for entry in entries:
        totals[entry.client] += entry.billed
    return dict(sorted(totals.items(), key=lambda item: (-item[1], item[0])))


def by_day(entries: Iterable[Entry]) -> dict[date, timedelta]:
    """Time worked on every day that has any."""
    totals: dict[date, timedelta] = defaultdict(timedelta)
    for entry in entries:
        totals[entry.day] += entry.duration
    return dict(sorted(totals.items()))


def hours(span: timedelta) -> str:
    """A span as hours with two decimals."""
    return f"{span / HOUR:.2f}"


def summary(entries: Iterable[Entry], month: Month) -> str:
    """The month at a glance: a line for every client and a total."""
    totals = by_client(in_month(entries, month))
    lines = [f"Hours in {month}"]
    lines += [f"  {client:<12}{hours(span):>8}" for client, span in totals.items()]
    lines.append(f"  {'total':<12}{hours(sum(totals.values(), timedelta())):>8}")
    return "\n".join(lines)


def invoice(entries: Iterable[Entry], client: str, month: Month, rates: Rates) -> str:
    """A client's invoice for a month. Each line is priced, so that the lines add up."""
    lines = [f"Invoice {month}-{client}", ""]
    total = 0
    for entry in in_month(entries, month):
        if entry.client != client:
            continue
        cents = rates.price(client, entry.billed)
        total += cents
        lines.append(f"{entry.day}  {hours(entry.billed):>6} h  {money(cents):>10}  {entry.note}")
    lines += ["", f"{'Due':<12}{'':>8}  {money(total):>10}"]
    return "\n".join(lines)
