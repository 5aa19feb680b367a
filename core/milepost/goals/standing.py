"""How the goals of a project stand at a moment, for a restore point, and what going back changes.

Conditions, checks, evidence and verdicts never change; what goes back is each goal's state and
budget. A goal that had been met is active again instead: that it is met is for a verification to
say, and that takes the old evidence when the files are those of then. One that was set later is
given up. What only the user may do, an agent cannot do by going back either.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from milepost.goals.goal import Budget, is_user

if TYPE_CHECKING:
    from milepost.goals.goal import Goal
    from milepost.goals.ledger import Ledger

_NOT_YOURS = "only the user may change a goal that the user has set"
_NOT_AGAIN = "only the user may take up a goal that was given up"


@dataclass(frozen=True, slots=True)
class Turn:
    """What going back does to one goal; nothing when there is a `reason` against it."""

    goal: Goal
    state: str
    budget: Budget
    reason: str | None


def dump(ledger: Ledger) -> bytes:
    """The state and budget of each goal."""
    with ledger.database.reading() as connection:
        rows = connection.execute(
            "SELECT id, state, max_verifications, max_seconds FROM goal ORDER BY number"
        ).fetchall()
    return json.dumps(rows).encode()


def turns(ledger: Ledger, dumped: bytes | None, actor: str, *, is_undo: bool) -> list[Turn]:
    """The goals that stand otherwise now, and how they come to stand as they were dumped. An undo
    gives an agent back what its own going back took."""
    then = {row[0]: row[1:] for row in _rows(dumped)}
    found: list[Turn] = []
    for goal_id, *_ in _rows(dump(ledger)):
        goal = ledger.get(goal_id)
        state, verifications, seconds = then.get(goal_id, ("abandoned", None, None))
        budget = Budget(verifications, seconds) if goal_id in then else goal.budget
        if state == "met" != goal.state and not is_undo:
            state = "active"
        if (state, budget) != (goal.state, goal.budget):
            reason = None if is_undo else _objection(goal, state, budget, actor)
            found.append(Turn(goal, state, budget, reason))
    return found


def go_back(ledger: Ledger, chosen: list[Turn], actor: str) -> None:
    """Bring the goals to these states."""
    for turn in chosen:
        ledger.put_back(turn.goal, turn.state, turn.budget, actor)


def _objection(goal: Goal, state: str, budget: Budget, actor: str) -> str | None:
    if is_user(actor):
        return None
    if is_user(goal.source) or budget != goal.budget:
        return _NOT_YOURS
    return _NOT_AGAIN if goal.state == "abandoned" != state else None


def _rows(dumped: bytes | None) -> list[tuple[str, str, int | None, float | None]]:
    if dumped is None:
        return []
    return [tuple(row) for row in cast("list[list[object]]", json.loads(dumped))]  # type: ignore[misc]
