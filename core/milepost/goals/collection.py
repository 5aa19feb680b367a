"""One pass over the checks of a goal: what was seen of each, and on which state of the project."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from milepost.base.clock import utc_now
from milepost.base.ids import new_id
from milepost.config.sandbox import fingerprint
from milepost.goals.check import RUNNING
from milepost.goals.evidence import Evidence
from milepost.goals.examination import examine
from milepost.goals.results.counts import shortfall
from milepost.goals.surroundings import surroundings

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from milepost.base.sandbox.choice import Sandbox
    from milepost.checkpoints.store import SnapshotStore
    from milepost.goals.check import Check
    from milepost.goals.examination import Seen
    from milepost.goals.goal import Goal
    from milepost.goals.ledger import Ledger


@dataclass(frozen=True, slots=True)
class Means:
    """What collecting needs. `environment` gives the hash of what commands inherit from us; `mask`
    takes secrets out of their output; `sandbox` gives what holds them."""

    ledger: Ledger
    snapshots: SnapshotStore
    actor: str
    mask: Callable[[str], str]
    environment: Callable[[], str]
    sandbox: Callable[[], Sandbox]


class Collection:
    """The evidence of one verification. With `is_first`, the counts of test runs become the
    baseline of the goal."""

    def __init__(
        self,
        means: Means,
        goal: Goal,
        *,
        fresh: bool,
        stop: threading.Event | None,
        is_first: bool = False,
    ) -> None:
        self._means = means
        self._ledger = means.ledger
        self._root = means.snapshots.root
        self._goal = goal
        self._fresh = fresh
        self._stop = stop
        self._is_first = is_first
        self.start = means.ledger.start_of(goal, str(self._root))
        self.flaky: list[Check] = []
        self.was_edited = False
        self._seen: list[Evidence] = []
        self._sandbox = means.sandbox()
        self._tree = self._read_tree()
        self._around = self._read_around()
        _, seconds = self._ledger.evidence.spent(goal)
        self._left_s = None if goal.budget.seconds is None else goal.budget.seconds - seconds

    def evidence(self, check: Check) -> Evidence:
        """What speaks for and against `check`, seen now or before."""
        is_run = check.kind in RUNNING
        if is_run and (now := self._read_tree()) != self._tree:
            self.was_edited, self._tree = True, now
        known = self._known(check) if is_run and not self._fresh else None
        found = known or self._collect(check, is_run=is_run)
        self._seen.append(found)
        return found

    def end(self) -> None:
        """Seal what was collected, and see which checks are flaky."""
        if self._read_tree() != self._tree:
            self.was_edited = True
        if self._around is None:
            return
        self._ledger.evidence.seal(tuple(self._seen), self._around)
        self.flaky = [
            item.check
            for item in self._seen
            if self._ledger.evidence.differed(
                self._goal,
                item.check,
                root=str(self._root),
                tree_hash=item.tree_hash,
                surroundings=self._around,
            )
        ]

    def _known(self, check: Check) -> Evidence | None:
        if self._around is None:
            return None
        return self._ledger.evidence.reusable(
            self._goal, check, root=str(self._root), tree_hash=self._tree, surroundings=self._around
        )

    def _collect(self, check: Check, *, is_run: bool) -> Evidence:
        started_at = utc_now()
        seen = examine(
            check,
            self._root,
            start=self.start,
            timeout_s=self._limit_s(check),
            stop=self._stop,
            sandbox=self._sandbox,
        )
        if self._is_first and seen.counts is not None:
            self._ledger.add_baseline(self._goal, check, seen.counts)
        before = self._tree
        if is_run:
            self._tree, self._around = self._read_tree(), self._read_around()
        printed = seen.output.decode("utf-8", "backslashreplace")
        found = Evidence(
            id=new_id(),
            check=check,
            exit_code=seen.exit_code,
            timed_out=seen.timed_out,
            duration_ms=seen.duration_ms,
            started_at=started_at,
            output_tail=self._means.mask(printed).encode("utf-8"),
            output_bytes=seen.output_bytes,
            output_sha256=seen.output_sha256,
            tree_hash=self._tree,
            sandbox=self._sandbox.name if is_run else "",
            is_settled=before == self._tree,
            counts=seen.counts,
            how=seen.how,
            problem=seen.problem or self._shortfall(check, seen),
        )
        self._ledger.evidence.add(self._goal, found, str(self._root))
        return found

    def _shortfall(self, check: Check, seen: Seen) -> str | None:
        if seen.counts is None:
            return None
        return shortfall(seen.counts, self._ledger.baseline(self._goal, check))

    def _limit_s(self, check: Check) -> float:
        """The check's own limit, or what is left of the goal's budget."""
        if self._left_s is None:
            return check.timeout_s
        spent_s = sum(item.duration_ms for item in self._seen if not item.reused) / 1000
        return min(check.timeout_s, max(0.01, self._left_s - spent_s))

    def _read_tree(self) -> str:
        with self._means.snapshots.exclusive():
            seen = self._means.snapshots.seen("seen by a verification", self._means.actor)
        return seen.tree_hash

    def _read_around(self) -> str | None:
        around = self._means.environment() + fingerprint(self._sandbox)
        return surroundings(self._root, around)
