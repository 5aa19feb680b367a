"""What an hour costs: whole cents, by client, from a CSV file with a `default` line."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal

HOUR = timedelta(hours=1)


class Rates:
    """Cents an hour for every client."""

    def __init__(self, cents: dict[str, int], default: int | None = None) -> None:
        self._cents = cents
        self._default = default

    @classmethod
    def read(cls, lines: Iterable[str]) -> Rates:
        cents = {row["client"]: int(row["cents"]) for row in csv.DictReader(lines)}
        default = cents.pop("default", None)
        return cls(cents, default)

    def of(self, client: str) -> int:
        cents = self._cents.get(client, self._default)
        if cents is None:
            raise KeyError(f"no rate for {client!r} and no default")
        return cents

    def price(self, client: str, billed: timedelta) -> int:
        """Cents for the time billed, half a cent rounded up."""
        hours = Decimal(billed // timedelta(minutes=1)) / 60
        exact = hours * self.of(client)
        return int(exact.quantize(Decimal(1), rounding=ROUND_HALF_UP))


def money(cents: int) -> str:
    """`123456` as `1,234.56`."""
    sign = "-" if cents < 0 else ""
    whole, part = divmod(abs(cents), 100)
    return f"{sign}{whole:,}.{part:02}"
