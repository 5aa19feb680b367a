"""Wall-clock time as Milepost writes it: ISO 8601, UTC, whole seconds."""

from __future__ import annotations

from datetime import UTC, datetime


def utc_now() -> str:
    """The present as `2026-11-22T09:30:00Z`."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


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
