"""Goals as the guests see them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from milepost.api import views
from milepost.goals import goal as goals
from milepost.goals.verify import Verifier

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Sequence

    from milepost.api.masking import Masking
    from milepost.checkpoints.store import SnapshotStore
    from milepost.goals.goal import Check, Goal
    from milepost.goals.ledger import Evidence, Ledger

MAX_PAGE = 200


class Goals:
    """The goals of a project, verified on the workspace that is open."""

    def __init__(
        self, ledger: Ledger, snapshots: SnapshotStore, actor: str, masking: Masking
    ) -> None:
        self._ledger = ledger
        self._verifier = Verifier(ledger, snapshots, actor, masking.text)
        self._actor = actor

    def set(
        self,
        condition: str,
        *,
        checks: Sequence[str] = (),
        timeout_s: float = goals.DEFAULT_TIMEOUT_S,
    ) -> views.Goal:
        """Set a goal. Each check is a shell command, run in the project's root, that must end with
        0 within `timeout_s` seconds. Raises UserError when an argument is wrong."""
        words = goals.checked_condition(condition)
        made = goals.checked_checks(tuple(checks), timeout_s)
        return _goal(self._ledger.add(words, made, self._actor))

    def page(self, limit: int = 20) -> tuple[views.Goal, ...]:
        """The newest goals first."""
        return tuple(map(_goal, self._ledger.page(max(1, min(limit, MAX_PAGE)))))

    def get(self, goal_id: str | None = None) -> views.Goal:
        """A goal; without an id the newest active one. Raises UserError when there is none."""
        return _goal(self._find(goal_id))

    def abandon(self, goal_id: str) -> views.Goal:
        """Give a goal up. Its evidence stays."""
        return _goal(self._ledger.set_state(goal_id, "abandoned"))

    def verify(
        self,
        goal_id: str | None = None,
        *,
        fresh: bool = False,
        stop: threading.Event | None = None,
        progress: Callable[[int, int, str], None] | None = None,
    ) -> views.Verdict:
        """Run the checks and say what follows; without an id for the newest active goal.

        `fresh` runs checks again even where evidence for this very tree exists. `progress` is
        called before each check with its position, their number and its command. Raises Stopped
        when `stop` was set: the running command is killed with all its children.
        """
        goal = self._find(goal_id)
        verdict = self._verifier.verify(goal, fresh=fresh, stop=stop, progress=progress)
        return views.Verdict(
            goal=_goal(verdict.goal),
            verdict=verdict.verdict,
            reason=verdict.reason,
            missing=verdict.missing,
            evidence=tuple(map(_evidence, verdict.evidence)),
        )

    def _find(self, goal_id: str | None) -> Goal:
        return self._ledger.newest() if goal_id is None else self._ledger.get(goal_id)


def _goal(goal: Goal) -> views.Goal:
    return views.Goal(
        id=goal.id,
        condition=goal.condition,
        checks=tuple(map(_check, goal.checks)),
        state=goal.state,
        source=goal.source,
        created_at=goal.created_at,
        verdict=goal.verdict,
    )


def _check(check: Check) -> views.Check:
    return views.Check(check.command, check.expect_exit, check.timeout_s)


def _evidence(evidence: Evidence) -> views.Evidence:
    return views.Evidence(
        id=evidence.id,
        command=evidence.check.command,
        exit_code=evidence.exit_code,
        passed=evidence.passed,
        timed_out=evidence.timed_out,
        duration_ms=evidence.duration_ms,
        output_tail=evidence.output_tail.decode("utf-8", "backslashreplace"),
        output_bytes=evidence.output_bytes,
        output_sha256=evidence.output_sha256,
        tree_hash=evidence.tree_hash,
        started_at=evidence.started_at,
        reused=evidence.reused,
    )
