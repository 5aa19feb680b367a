"""The ledger: goals and how they began, the verdicts, and what the user agreed to."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from milepost.base.clock import utc_now
from milepost.base.errors import UserError
from milepost.base.ids import new_id
from milepost.base.sqlite import Database
from milepost.goals.check import Check
from milepost.goals.evidence import EvidenceLog, counts_of, counts_text
from milepost.goals.goal import Budget, Goal, moved
from milepost.goals.schema import MIGRATIONS

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

    from milepost.goals.evidence import Evidence
    from milepost.goals.results.counts import Counts

_GOAL = (
    "id, condition, state, source, created_at, "
    "(SELECT verdict FROM verdict WHERE goal = goal.id ORDER BY number DESC LIMIT 1), "
    "max_verifications, max_seconds"
)


@dataclass(frozen=True, slots=True)
class Start:
    """What the project was when a goal was set, in one worktree: the restore point of its files,
    git's head and branch, and what its Pythons run at every start."""

    root: str
    snapshot: int
    commit: str | None
    branch: str | None
    hooks: dict[str, str]


class Ledger:
    """The goals of one project. Every write is durable when its method returns."""

    def __init__(self, folder: Path) -> None:
        self.database = Database(
            folder / "milepost.db",
            MIGRATIONS,
            durability="FULL",
            loss="Goals and their evidence up to now are in that file only; set them again.",
        )
        self.evidence = EvidenceLog(self.database)

    def add(
        self, condition: str, checks: tuple[Check, ...], source: str, start: Start, budget: Budget
    ) -> Goal:
        """A new active goal."""
        goal = Goal(new_id(), condition, checks, "active", source, utc_now(), None, budget)
        with self.database.writing() as connection:
            connection.execute(
                "INSERT INTO goal (id, condition, state, source, created_at, max_verifications, "
                "max_seconds) VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    goal.id, goal.condition, goal.state, goal.source, goal.created_at,
                    budget.verifications, budget.seconds,
                ),
            )  # fmt: skip
            connection.executemany(
                "INSERT INTO goal_check (goal, position, kind, command, path, wanted, expect_exit, "
                "timeout_s) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    (
                        goal.id, position, check.kind, check.command, check.path, check.wanted,
                        check.expect_exit, check.timeout_s,
                    )
                    for position, check in enumerate(checks)
                ),
            )  # fmt: skip
            connection.execute(
                "INSERT INTO goal_start VALUES (?, ?, ?, ?, ?, ?)",
                (
                    goal.id, start.root, start.snapshot, start.commit, start.branch,
                    json.dumps(start.hooks),
                ),
            )  # fmt: skip
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

    def mark(self) -> tuple[int, ...]:
        """Numbers that are other than before as soon as any goal is."""
        if not self.database.path.exists():
            return ()
        with self.database.reading() as connection:
            row = connection.execute(
                "SELECT (SELECT ifnull(max(number), 0) FROM goal), "
                "(SELECT ifnull(max(number), 0) FROM verdict), "
                "(SELECT ifnull(max(number), 0) FROM goal_move), "
                "(SELECT count(*) FROM allowed), (SELECT count(*) FROM accepted), "
                "(SELECT total(max_verifications) + total(max_seconds) FROM goal)"
            ).fetchone()
        return tuple(map(int, row))

    def start_of(self, goal: Goal, root: str) -> Start | None:
        """What this worktree was when the goal was set; None when it was set elsewhere, or by a
        Milepost that did not look."""
        with self.database.reading() as connection:
            row = connection.execute(
                "SELECT snapshot, commit_id, branch, hooks FROM goal_start "
                "WHERE goal = ? AND root = ?",
                (goal.id, root),
            ).fetchone()
        if row is None:
            return None
        snapshot, commit, branch, hooks = row
        return Start(root, snapshot, commit, branch, cast("dict[str, str]", json.loads(hooks)))

    def move(self, goal: Goal, action: str, actor: str) -> Goal:
        """Bring a goal into another state. Raises UserError when it may not."""
        return self._set_state(goal, moved(goal, action, actor), actor)

    def limit(self, goal: Goal) -> Goal:
        """Note that the goal's budget is used up."""
        return self._set_state(goal, "budget-limited", "milepost")

    def set_budget(self, goal: Goal, budget: Budget, actor: str) -> Goal:
        """Give a goal another budget. Raises UserError when the actor may not."""
        state = moved(goal, "raise the budget of", actor)
        with self.database.writing() as connection:
            connection.execute(
                "UPDATE goal SET max_verifications = ?, max_seconds = ? WHERE id = ?",
                (budget.verifications, budget.seconds, goal.id),
            )
        return (
            self._set_state(goal, state, actor)
            if goal.state == "budget-limited"
            else self.get(goal.id)
        )

    def put_back(self, goal: Goal, state: str, budget: Budget, actor: str) -> Goal:
        """Bring a goal to a state and budget of before, whatever the one it is in."""
        with self.database.writing() as connection:
            connection.execute(
                "UPDATE goal SET max_verifications = ?, max_seconds = ? WHERE id = ?",
                (budget.verifications, budget.seconds, goal.id),
            )
        return self._set_state(goal, state, actor)

    def add_baseline(self, goal: Goal, check: Check, counts: Counts) -> None:
        """Keep the counts that a test run had when the goal was set; the first ones stay."""
        with self.database.writing() as connection:
            connection.execute(
                "INSERT OR IGNORE INTO baseline VALUES (?, ?, ?)",
                (goal.id, check.words, counts_text(counts)),
            )

    def baseline(self, goal: Goal, check: Check) -> Counts | None:
        """The counts when the goal was set, if they could be had."""
        with self.database.reading() as connection:
            row = connection.execute(
                "SELECT counts FROM baseline WHERE goal = ? AND check_words = ?",
                (goal.id, check.words),
            ).fetchone()
        return None if row is None else counts_of(row[0])

    def allow(self, commands: tuple[str, ...], actor: str) -> None:
        """Enter the user's consent to run these commands in this project."""
        with self.database.writing() as connection:
            connection.executemany(
                "INSERT OR IGNORE INTO allowed VALUES (?, ?, ?)",
                ((command, actor, utc_now()) for command in commands),
            )

    def disallow(self, command: str) -> bool:
        """Take consent back. Whether there was any."""
        with self.database.writing() as connection:
            done = connection.execute("DELETE FROM allowed WHERE command = ?", (command,))
        return done.rowcount > 0

    def allowed(self) -> tuple[str, ...]:
        """The commands that agents may have run."""
        with self.database.reading() as connection:
            rows = connection.execute("SELECT command FROM allowed ORDER BY at, command").fetchall()
        return tuple(row[0] for row in rows)

    def accept(self, goal: Goal, signs: dict[str, str], actor: str) -> None:
        """Enter that the user takes these signs, by id with their words, for honest changes."""
        with self.database.writing() as connection:
            connection.executemany(
                "INSERT OR IGNORE INTO accepted VALUES (?, ?, ?, ?, ?)",
                ((goal.id, sign, words, actor, utc_now()) for sign, words in signs.items()),
            )

    def accepted(self, goal: Goal) -> dict[str, str]:
        """Who accepted which sign."""
        with self.database.reading() as connection:
            rows = connection.execute(
                "SELECT sign, actor FROM accepted WHERE goal = ?", (goal.id,)
            ).fetchall()
        return dict(rows)

    def add_verdict(
        self, goal: Goal, verdict: str, reason: str, evidence: tuple[Evidence, ...], state: str
    ) -> Goal:
        """Enter a verdict and the state that follows, unless someone has paused or given up the
        goal meanwhile."""
        cited = " ".join(item.id for item in evidence)
        with self.database.writing() as connection:
            connection.execute(
                "INSERT INTO verdict (goal, verdict, reason, evidence, at) VALUES (?, ?, ?, ?, ?)",
                (goal.id, verdict, reason, cited, utc_now()),
            )
            connection.execute(
                "UPDATE goal SET state = ? WHERE id = ? AND state = ?", (state, goal.id, goal.state)
            )
        return self.get(goal.id)

    def close(self) -> None:
        """Close the database."""
        self.database.close()

    def _set_state(self, goal: Goal, state: str, actor: str) -> Goal:
        with self.database.writing() as connection:
            connection.execute("UPDATE goal SET state = ? WHERE id = ?", (state, goal.id))
            connection.execute(
                "INSERT INTO goal_move (goal, from_state, to_state, actor, at) "
                "VALUES (?, ?, ?, ?, ?)",
                (goal.id, goal.state, state, actor, utc_now()),
            )
        return self.get(goal.id)


def _goal(connection: sqlite3.Connection, row: tuple[object, ...]) -> Goal:
    *fields, verifications, seconds = row
    checks = connection.execute(
        "SELECT kind, command, path, wanted, expect_exit, timeout_s FROM goal_check "
        "WHERE goal = ? ORDER BY position",
        (fields[0],),
    ).fetchall()
    goal_id, condition, state, source, created_at, verdict = cast(
        "tuple[str, str, str, str, str, str | None]", tuple(fields)
    )
    made = tuple(Check(*check) for check in checks)
    budget = Budget(cast("int | None", verifications), cast("float | None", seconds))
    return Goal(goal_id, condition, made, state, source, created_at, verdict, budget)
