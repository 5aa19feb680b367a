"""Wall-clock time as Milepost writes it: ISO 8601, UTC, whole seconds."""

from __future__ import annotations

import time
from datetime import UTC, datetime

# From the largest; a month and a year are means.
_UNITS = (
    (365.25 * 86_400, "year"), (30.44 * 86_400, "month"), (7 * 86_400, "week"),
    (86_400, "day"), (3_600, "hour"), (60, "minute"),
)  # fmt: skip


def utc_now() -> str:
    """The present as `2026-11-22T09:30:00Z`."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def ago(stamp: str | None, *, now: datetime | None = None) -> str | None:
    """How long ago a time was, in the words in which people say it; None when it is no time."""
    then = unix_time(stamp)
    if then is None:
        return None
    # A clock that was set back must not make a text come from the future.
    seconds = max(0.0, (now or datetime.now(UTC)).timestamp() - then)
    for length, unit in _UNITS:
        if seconds >= length:
            number = int(seconds // length)
            return f"{number} {unit}{'s' if number > 1 else ''} ago"
    return "just now"


def unix_time(stamp: str | None) -> float | None:
    """The seconds since 1970 of a time as Milepost writes it; None when it is missing or, in a file
    that a person edited, no time."""
    if stamp is None:
        return None
    try:
        then = datetime.fromisoformat(stamp)
    except ValueError:
        return None
    return (then if then.tzinfo else then.replace(tzinfo=UTC)).timestamp()
