"""A goal, its states, and who may move it from one to another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from milepost.base.errors import UserError
from milepost.goals.check import sound_text

if TYPE_CHECKING:
    from milepost.goals.check import Check

STATES = ("active", "paused", "blocked", "budget-limited", "met", "abandoned")

VERDICTS = ("met", "not_met", "impossible", "unverifiable")

MAX_CONDITION_CHARS = 2_000

# From which states each action leads to which. `only the user` stands in _USERS_ONLY.
_TRANSITIONS: dict[str, tuple[tuple[str, ...], str]] = {
    "pause": (("active", "blocked", "met"), "paused"),
    "resume": (("paused", "blocked", "abandoned"), "active"),
    "abandon": (("active", "paused", "blocked", "budget-limited", "met"), "abandoned"),
    "raise the budget of": (STATES, "active"),
}

# A worker may stop for a while or give up; it may not bring back what was given up, nor grant
# itself more.
_USERS_ONLY = {"resume": ("abandoned",), "raise the budget of": STATES}


@dataclass(frozen=True, slots=True)
class Budget:
    """How often and how long a goal may be verified; None is without a limit."""

    verifications: int | None = None
    seconds: float | None = None


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
    budget: Budget = Budget()


def checked_condition(condition: str) -> str:
    """`condition` without blank ends. Raises UserError when it is empty, too long or not text."""
    return sound_text(condition, "the condition", MAX_CONDITION_CHARS)


def is_user(actor: str) -> bool:
    """Whether a person acts: at a terminal, in an editor. An agent comes as `mcp:NAME`."""
    return actor.startswith("user:")


def moved(goal: Goal, action: str, actor: str) -> str:
    """The state that `action` brings `goal` to. Raises UserError when it may not, and says why."""
    origins, target = _TRANSITIONS[action]
    if goal.state not in origins:
        raise UserError(f"a goal that is {goal.state} cannot be {_DONE[action]}")
    if not is_user(actor) and goal.state in _USERS_ONLY.get(action, ()):
        raise UserError(f"only the user may {action} a goal that is {goal.state}")
    return target


def after_verdict(goal: Goal, verdict: str) -> str:
    """The state that a verdict brings a goal to."""
    if goal.state not in {"active", "met", "blocked"}:
        return goal.state
    return {"met": "met", "impossible": "blocked"}.get(verdict, "active")


def sound_budget(budget: Budget) -> Budget:
    """`budget`. Raises UserError when a limit is not above 0."""
    if any(limit is not None and limit <= 0 for limit in (budget.verifications, budget.seconds)):
        raise UserError("a budget is a number above 0")
    return budget


_DONE = {
    "pause": "paused",
    "resume": "resumed",
    "abandon": "abandoned",
    "raise the budget of": "given a budget",
}
