"""What Milepost saw when it looked at a check, kept append-only.

Evidence holds for one state of everything that can decide a check: the tree, what is in the project
but not in snapshots, git's position, and the environment (see surroundings.py). Only while all of
that is the same may it be used again.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

from milepost.goals.check import read_check
from milepost.goals.results.counts import Counts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from milepost.base.sqlite import Database
    from milepost.goals.check import Check
    from milepost.goals.goal import Goal

# What a POSIX shell returns for a command that it cannot find.
NOT_FOUND = 127

_COLUMNS = (
    "id, exit_code, timed_out, duration_ms, started_at, output_tail, output_bytes, output_sha256, "
    "tree_hash, sandbox, is_settled, counts, how, problem"
)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was seen. `problem` says what speaks against the check, as a clause; None when it
    passed. `counts` are those of a test run, `how` says how they were had. `is_settled` tells that
    the tree was the same before and after, so that the evidence holds for that tree. `sandbox`
    names what held the command; it is empty where none was run."""

    id: str
    check: Check
    exit_code: int | None
    timed_out: bool
    duration_ms: int
    started_at: str
    output_tail: bytes
    output_bytes: int
    output_sha256: str
    tree_hash: str
    sandbox: str
    is_settled: bool
    counts: Counts | None
    how: str
    problem: str | None
    reused: bool = False

    @property
    def passed(self) -> bool:
        """Whether nothing speaks against it."""
        return self.problem is None


class EvidenceLog:
    """The evidence of one project's goals. Every write is durable when its method returns."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, goal: Goal, evidence: Evidence, root: str) -> None:
        """Enter what was seen. It is not used again before it is sealed."""
        with self._database.writing() as connection:
            connection.execute(
                "INSERT INTO evidence (goal, root, command, expect_exit, id, exit_code, timed_out, "
                "duration_ms, started_at, output_tail, output_bytes, output_sha256, tree_hash, "
                "is_settled, counts, how, problem, sandbox) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    goal.id, root, evidence.check.words, evidence.check.expect_exit, evidence.id,
                    evidence.exit_code, evidence.timed_out, evidence.duration_ms,
                    evidence.started_at, evidence.output_tail, evidence.output_bytes,
                    evidence.output_sha256, evidence.tree_hash, evidence.is_settled,
                    counts_text(evidence.counts), evidence.how, evidence.problem,
                    evidence.sandbox,
                ),
            )  # fmt: skip

    def seal(self, evidence: tuple[Evidence, ...], surroundings: str) -> None:
        """Note what was around the tree when the verification ended: checks write caches and build
        folders, and what they left is what the next verification finds."""
        with self._database.writing() as connection:
            connection.executemany(
                "UPDATE evidence SET surroundings = ? WHERE id = ? AND surroundings = ''",
                ((surroundings, item.id) for item in evidence if not item.reused),
            )

    def page(self, goal: Goal, limit: int) -> list[Evidence]:
        """What was seen for a goal, the newest first; also what is used no more."""
        with self._database.reading() as connection:
            rows = connection.execute(
                f"SELECT command, {_COLUMNS} FROM evidence WHERE goal = ? "  # noqa: S608
                "ORDER BY number DESC LIMIT ?",
                (goal.id, limit),
            ).fetchall()
        return [replace(_evidence(row, read_check(words)), reused=False) for words, *row in rows]

    def reusable(
        self, goal: Goal, check: Check, *, root: str, tree_hash: str, surroundings: str
    ) -> Evidence | None:
        """The newest evidence of this check in this very state, unless it was cut short."""
        rows = self._rows(goal, check, root, tree_hash, "AND surroundings = ?", (surroundings,))
        return rows[0] if rows else None

    def differed(
        self, goal: Goal, check: Check, *, root: str, tree_hash: str, surroundings: str
    ) -> bool:
        """Whether runs of this check in this very state ended differently: it is flaky. A time-out
        may be the machine's doing, and a missing program may have been installed since."""
        rows = self._rows(goal, check, root, tree_hash, "AND surroundings = ?", (surroundings,))
        return len({item.passed for item in rows if item.exit_code != NOT_FOUND}) > 1

    def spent(self, goal: Goal) -> tuple[int, float]:
        """How often the goal was verified and how many seconds its checks took, in all."""
        with self._database.reading() as connection:
            (times,) = connection.execute(
                "SELECT count(*) FROM verdict WHERE goal = ?", (goal.id,)
            ).fetchone()
            (duration_ms,) = connection.execute(
                "SELECT coalesce(sum(duration_ms), 0) FROM evidence WHERE goal = ?", (goal.id,)
            ).fetchone()
        return times, duration_ms / 1000

    def _rows(
        self,
        goal: Goal,
        check: Check,
        root: str,
        tree_hash: str,
        more: str,
        values: tuple[str, ...],
    ) -> list[Evidence]:
        with self._database.reading() as connection:
            rows = connection.execute(
                f"SELECT {_COLUMNS} FROM evidence WHERE goal = ? AND root = ? AND command = ? "  # noqa: S608
                f"AND expect_exit = ? AND tree_hash = ? AND is_settled AND NOT timed_out {more} "
                "AND surroundings <> '' ORDER BY number DESC LIMIT 50",
                (goal.id, root, check.words, check.expect_exit, tree_hash, *values),
            ).fetchall()
        return [_evidence(row, check) for row in rows]


def counts_text(counts: Counts | None) -> str | None:
    """The counts as they are stored."""
    return None if counts is None else json.dumps(dataclasses.asdict(counts))


def counts_of(text: str | None) -> Counts | None:
    """The counts that were stored."""
    return None if text is None else Counts(**cast("dict[str, int]", json.loads(text)))


def _evidence(row: Sequence[object], check: Check) -> Evidence:
    evidence_id, exit_code, timed_out, *seen, is_settled, counts, how, problem = row
    return Evidence(
        evidence_id, check, exit_code, bool(timed_out), *seen, bool(is_settled),  # type: ignore[arg-type]
        counts_of(counts), how, problem, reused=True,  # type: ignore[arg-type]
    )  # fmt: skip
