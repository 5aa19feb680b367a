"""Wall-clock time as Milepost writes it: ISO 8601, UTC, whole seconds."""

from __future__ import annotations

from datetime import UTC, datetime


def utc_now() -> str:
    """The present as `2026-11-22T09:30:00Z`."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def age_days(stamp: str | None) -> float | None:
    """Days since `stamp`; None when it is missing or not a time. Never negative: a clock that
    was set back must not make an entry come from the future."""
    if stamp is None:
        return None
    try:
        then = datetime.fromisoformat(stamp)
    except ValueError:
        return None
    if then.tzinfo is None:
        then = then.replace(tzinfo=UTC)
    return max(0.0, (datetime.now(UTC) - then).total_seconds() / 86_400)
