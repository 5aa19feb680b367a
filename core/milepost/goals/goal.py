"""A goal, its checks, and the words for its states and verdicts."""

from __future__ import annotations

from dataclasses import dataclass

from milepost.base.errors import UserError

STATES = ("active", "paused", "blocked", "budget-limited", "met", "abandoned")

VERDICTS = ("met", "not_met", "impossible", "unverifiable")

MAX_CONDITION_CHARS = 2_000
MAX_CHECKS = 20
MAX_COMMAND_CHARS = 2_000

# A full test suite of a large project; whoever needs longer says so.
DEFAULT_TIMEOUT_S = 300.0
MAX_TIMEOUT_S = 6 * 3600.0


@dataclass(frozen=True, slots=True)
class Check:
    """A shell command, run in the project's root, that must end with `expect_exit` in time."""

    command: str
    expect_exit: int = 0
    timeout_s: float = DEFAULT_TIMEOUT_S


@dataclass(frozen=True, slots=True)
class Goal:
    """A condition in words and the checks that decide it. `verdict` is the newest, if any."""

    id: str
    condition: str
    checks: tuple[Check, ...]
    state: str
    source: str
    created_at: str
    verdict: str | None


def checked_condition(condition: str) -> str:
    """`condition` without blank ends. Raises UserError when it is empty, too long or not text."""
    return _checked(condition, "the condition", MAX_CONDITION_CHARS)


def checked_checks(commands: tuple[str, ...], timeout_s: float) -> tuple[Check, ...]:
    """The checks for `commands`. Raises UserError when one is empty, too long or not text, when
    there are too many, or when the time limit is out of range."""
    if len(commands) > MAX_CHECKS:
        raise UserError(f"a goal has at most {MAX_CHECKS} checks; put several into one script")
    if not 0 < timeout_s <= MAX_TIMEOUT_S:
        raise UserError(f"a check's time limit is between 0 and {MAX_TIMEOUT_S:.0f} seconds")
    return tuple(
        Check(_checked(command, "a check's command", MAX_COMMAND_CHARS), timeout_s=timeout_s)
        for command in commands
    )


def _checked(text: str, what: str, limit: int) -> str:
    text = text.strip()
    if not text:
        raise UserError(f"{what} is empty; say what must hold")
    if len(text) > limit:
        raise UserError(f"{what} has {len(text)} characters; it may have {limit}")
    if "\0" in text or any("\ud800" <= char <= "\udfff" for char in text):
        raise UserError(f"{what} holds a NUL or half of a surrogate pair; send whole characters")
    return text
