"""The ledger: goals, the evidence that Milepost collected, and the verdicts, append-only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from milepost.base.clock import utc_now
from milepost.base.errors import UserError
from milepost.base.ids import new_id
from milepost.base.sqlite import Database
from milepost.goals.goal import Check, Goal

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

    from milepost.base.process import Outcome

_MIGRATIONS = (
    """
    CREATE TABLE goal (
        number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE,
        condition TEXT NOT NULL, state TEXT NOT NULL,
        source TEXT NOT NULL, created_at TEXT NOT NULL
    ) STRICT;
    CREATE TABLE goal_check (
        goal TEXT NOT NULL REFERENCES goal (id), position INTEGER NOT NULL,
        command TEXT NOT NULL, expect_exit INTEGER NOT NULL, timeout_s REAL NOT NULL,
        PRIMARY KEY (goal, position)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE evidence (
        number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE,
        goal TEXT NOT NULL REFERENCES goal (id), root TEXT NOT NULL,
        command TEXT NOT NULL, expect_exit INTEGER NOT NULL,
        exit_code INTEGER, timed_out INTEGER NOT NULL,
        duration_ms INTEGER NOT NULL, started_at TEXT NOT NULL,
        output_tail BLOB NOT NULL, output_bytes INTEGER NOT NULL, output_sha256 TEXT NOT NULL,
        tree_hash TEXT NOT NULL, is_settled INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX evidence_reuse ON evidence (goal, tree_hash, command);
    CREATE TABLE verdict (
        number INTEGER PRIMARY KEY, goal TEXT NOT NULL REFERENCES goal (id),
        verdict TEXT NOT NULL, reason TEXT NOT NULL, evidence TEXT NOT NULL, at TEXT NOT NULL
    ) STRICT;
    CREATE INDEX verdict_goal ON verdict (goal, number);
    """,
)

_GOAL = (
    "id, condition, state, source, created_at, "
    "(SELECT verdict FROM verdict WHERE goal = goal.id ORDER BY number DESC LIMIT 1)"
)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was seen when a check ran: the outcome, and the tree it ran on. `is_settled` tells that
    the tree was the same before and after, so that the evidence holds for that tree."""

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
    is_settled: bool
    reused: bool = False

    @property
    def passed(self) -> bool:
        """Whether the command ended in time with the expected exit code."""
        return not self.timed_out and self.exit_code == self.check.expect_exit


class Ledger:
    """The goals of one project. Every write is durable when its method returns."""

    def __init__(self, folder: Path) -> None:
        self.database = Database(
            folder / "milepost.db",
            _MIGRATIONS,
            durability="FULL",
            loss="Goals and their evidence up to now are in that file only; set them again.",
        )

    def add(self, condition: str, checks: tuple[Check, ...], source: str) -> Goal:
        """A new active goal."""
        goal = Goal(new_id(), condition, checks, "active", source, utc_now(), None)
        with self.database.writing() as connection:
            connection.execute(
                "INSERT INTO goal (id, condition, state, source, created_at) "
                "VALUES (?, ?, ?, ?, ?)",
                (goal.id, goal.condition, goal.state, goal.source, goal.created_at),
            )
            connection.executemany(
                "INSERT INTO goal_check VALUES (?, ?, ?, ?, ?)",
                (
                    (goal.id, position, check.command, check.expect_exit, check.timeout_s)
                    for position, check in enumerate(checks)
                ),
            )
        return goal

    def get(self, goal_id: str) -> Goal:
        """The goal with this id. Raises UserError when there is none."""
        with self.database.reading() as connection:
            row = connection.execute(
                f"SELECT {_GOAL} FROM goal WHERE id = ?",  # noqa: S608
                (goal_id.encode("utf-8", "replace").decode(),),
            ).fetchone()
            if row is None:
                raise UserError(
                    "there is no goal with that id; leave the id out for the newest one"
                )
            return _goal(connection, row)

    def newest(self) -> Goal:
        """The newest goal that is not abandoned, active ones first. Raises UserError."""
        with self.database.reading() as connection:
            row = connection.execute(
                f"SELECT {_GOAL} FROM goal WHERE state <> 'abandoned' "  # noqa: S608
                "ORDER BY state = 'active' DESC, number DESC LIMIT 1"
            ).fetchone()
            if row is None:
                raise UserError("there is no goal yet; set one with a condition and its checks")
            return _goal(connection, row)

    def page(self, limit: int) -> list[Goal]:
        """The newest goals first."""
        with self.database.reading() as connection:
            rows = connection.execute(
                f"SELECT {_GOAL} FROM goal ORDER BY number DESC LIMIT ?",  # noqa: S608
                (limit,),
            ).fetchall()
            return [_goal(connection, row) for row in rows]

    def set_state(self, goal_id: str, state: str) -> Goal:
        """Give a goal another state. Raises UserError when there is no such goal."""
        self.get(goal_id)
        with self.database.writing() as connection:
            connection.execute("UPDATE goal SET state = ? WHERE id = ?", (state, goal_id))
        return self.get(goal_id)

    def add_evidence(
        self,
        goal: Goal,
        check: Check,
        outcome: Outcome,
        *,
        root: str,
        started_at: str,
        tree_hash: str,
        is_settled: bool,
    ) -> Evidence:
        """Enter what was seen."""
        evidence = Evidence(
            id=new_id(),
            check=check,
            exit_code=outcome.exit_code,
            timed_out=outcome.timed_out,
            duration_ms=outcome.duration_ms,
            started_at=started_at,
            output_tail=outcome.tail,
            output_bytes=outcome.output_bytes,
            output_sha256=outcome.output_sha256,
            tree_hash=tree_hash,
            is_settled=is_settled,
        )
        with self.database.writing() as connection:
            connection.execute(
                "INSERT INTO evidence (goal, root, id, command, expect_exit, exit_code, timed_out, "
                "duration_ms, started_at, output_tail, output_bytes, output_sha256, tree_hash, "
                "is_settled) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    goal.id, root, evidence.id, check.command, check.expect_exit,
                    evidence.exit_code, evidence.timed_out, evidence.duration_ms,
                    evidence.started_at, evidence.output_tail, evidence.output_bytes,
                    evidence.output_sha256, evidence.tree_hash, evidence.is_settled,
                ),
            )  # fmt: skip
        return evidence

    def reusable(self, goal: Goal, check: Check, *, root: str, tree_hash: str) -> Evidence | None:
        """The newest evidence of this check on this very tree, unless the check was cut short."""
        with self.database.reading() as connection:
            row = connection.execute(
                "SELECT id, exit_code, timed_out, duration_ms, started_at, output_tail, "
                "output_bytes, output_sha256, tree_hash FROM evidence WHERE goal = ? AND root = ? "
                "AND command = ? AND expect_exit = ? AND tree_hash = ? AND is_settled "
                "AND NOT timed_out ORDER BY number DESC LIMIT 1",
                (goal.id, root, check.command, check.expect_exit, tree_hash),
            ).fetchone()
        if row is None:
            return None
        evidence_id, exit_code, timed_out, *rest = row
        return Evidence(
            evidence_id, check, exit_code, bool(timed_out), *rest, is_settled=True, reused=True
        )

    def add_verdict(
        self, goal: Goal, verdict: str, reason: str, evidence: tuple[Evidence, ...]
    ) -> Goal:
        """Enter a verdict. A goal that was active or met becomes met or active by it."""
        cited = " ".join(item.id for item in evidence)
        state = "met" if verdict == "met" else "active"
        with self.database.writing() as connection:
            connection.execute(
                "INSERT INTO verdict (goal, verdict, reason, evidence, at) VALUES (?, ?, ?, ?, ?)",
                (goal.id, verdict, reason, cited, utc_now()),
            )
            connection.execute(
                "UPDATE goal SET state = ? WHERE id = ? AND state IN ('active', 'met')",
                (state, goal.id),
            )
        return self.get(goal.id)

    def close(self) -> None:
        """Close the database."""
        self.database.close()


def _goal(connection: sqlite3.Connection, row: tuple[str, str, str, str, str, str | None]) -> Goal:
    goal_id, condition, state, source, created_at, verdict = row
    checks = connection.execute(
        "SELECT command, expect_exit, timeout_s FROM goal_check WHERE goal = ? ORDER BY position",
        (goal_id,),
    ).fetchall()
    made = tuple(Check(*check) for check in checks)
    return Goal(goal_id, condition, made, state, source, created_at, verdict)
