"""The tasks of one project, durable, shared by every process and session that works on it.

A task may begin when what it comes after has ended, and is done when its parts have ended and, if
it says how it is accepted, when something shows that it was. The whole tree can be taken down and
put back, which is how a restore point holds it.
"""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any, cast

from milepost.base.clock import utc_now
from milepost.base.errors import UserError
from milepost.base.sqlite import Database
from milepost.tasks.task import (
    ENDED,
    MAX_TITLE_CHARS,
    MAX_WORDS_CHARS,
    STATES,
    Task,
    checked_id,
    checked_words,
    order_of,
)

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable
    from pathlib import Path

    from milepost.tasks.task import State

_MIGRATIONS = (
    """
    CREATE TABLE task (
        id TEXT PRIMARY KEY, title TEXT NOT NULL, state TEXT NOT NULL, session TEXT NOT NULL,
        created_at TEXT NOT NULL, after TEXT NOT NULL, acceptance TEXT NOT NULL,
        evidence TEXT NOT NULL
    ) STRICT;
    """,
)

# More than a person or a model oversees; a plan that large wants another form.
MAX_TASKS = 1_000


class TaskStore:
    """The tree of tasks. Every change is durable when its method returns."""

    def __init__(self, folder: Path) -> None:
        self.database = Database(
            folder / "tasks.db",
            _MIGRATIONS,
            durability="FULL",
            loss="The tasks up to now are in that file only; note down anew what is to be done.",
        )

    def add(
        self,
        title: str,
        *,
        session: str,
        parent: str | None = None,
        after: Iterable[str] = (),
        acceptance: str = "",
    ) -> Task:
        """A new open task, the last part of `parent` or of the whole. Raises UserError."""
        words = checked_words(title, "title", MAX_TITLE_CHARS)
        if not words:
            raise UserError("a task needs a title; say in one line what is to be done")
        accepted = checked_words(acceptance, "acceptance", MAX_WORDS_CHARS)
        with self.database.writing() as connection:
            tasks = _all(connection)
            if len(tasks) >= MAX_TASKS:
                raise UserError(f"there are {MAX_TASKS} tasks; drop or finish what is old first")
            if parent is not None and _task(tasks, parent).state in ENDED:
                raise UserError(f"{parent} has ended; add the task elsewhere or open {parent} anew")
            task_id = checked_id(_next_id(tasks, parent))
            task = Task(task_id, words, "open", session, utc_now(), acceptance=accepted)
            tasks[task_id] = task
            task = replace(task, after=_checked_after(tasks, task_id, after))
            _put(connection, task)
        return task

    def change(
        self,
        task_id: str,
        *,
        title: str | None = None,
        after: Iterable[str] | None = None,
        acceptance: str | None = None,
    ) -> Task:
        """Change what is given of a task. Raises UserError."""
        with self.database.writing() as connection:
            tasks = _all(connection)
            task = _task(tasks, task_id)
            if title is not None:
                words = checked_words(title, "title", MAX_TITLE_CHARS)
                task = replace(task, title=words or task.title)
            if acceptance is not None:
                accepted = checked_words(acceptance, "acceptance", MAX_WORDS_CHARS)
                task = replace(task, acceptance=accepted)
            if after is not None:
                task = replace(task, after=_checked_after(tasks, task_id, after))
            _put(connection, task)
        return task

    def set_state(self, task_id: str, state: str, *, evidence: str = "") -> Task:
        """Move a task on. Raises UserError when it may not begin or end yet, with the reason."""
        shown = checked_words(evidence, "evidence", MAX_WORDS_CHARS)
        with self.database.writing() as connection:
            tasks = _all(connection)
            task = _task(tasks, task_id)
            wanted = _checked_state(state)
            reason = _obstacle(tasks, task, wanted, shown)
            if reason is not None:
                raise UserError(f"{task_id} cannot be {state}: {reason}")
            task = replace(task, state=wanted, evidence=shown or task.evidence)
            _put(connection, task)
        return task

    def get(self, task_id: str) -> Task:
        """One task. Raises UserError when there is none with this id."""
        return _task({task.id: task for task in self.all()}, task_id)

    def all(self) -> tuple[Task, ...]:
        """All tasks, parts right after what they are parts of."""
        with self.database.reading() as connection:
            return tuple(sorted(_all(connection).values(), key=lambda task: task.order))

    def ready(self) -> tuple[Task, ...]:
        """The open tasks that may begin now: they have no parts that are not ended, and what they
        come after has ended."""
        tasks = {task.id: task for task in self.all()}
        return tuple(
            task
            for task in tasks.values()
            if task.state == "open"
            and _obstacle(tasks, task, "active", "") is None
            and not any(part.state not in ENDED for part in _parts(tasks, task.id))
        )

    def dump(self) -> str:
        """The whole tree as JSON, for a restore point."""
        with self.database.reading() as connection:
            return _dumped(_all(connection))

    def load(self, dumped: str, *, expected: str | None = None) -> None:
        """Make the tree what it was when it was dumped. Raises UserError, and nothing is changed,
        when it is not as `expected` any more."""
        tasks = [
            replace(Task(**given), after=tuple(given["after"]))
            for given in cast("list[dict[str, Any]]", json.loads(dumped))
        ]
        with self.database.writing() as connection:
            if expected is not None and _dumped(_all(connection)) != expected:
                raise UserError("the tasks have changed meanwhile; look at them and try again")
            connection.execute("DELETE FROM task")
            for task in tasks:
                _put(connection, task)


def _dumped(tasks: dict[str, Task]) -> str:
    ordered = sorted(tasks.values(), key=lambda task: task.order)
    return json.dumps([asdict(task) for task in ordered], ensure_ascii=False)


def _obstacle(tasks: dict[str, Task], task: Task, state: State, evidence: str) -> str | None:
    """Why a task may not get this state; None when it may."""
    if state in {"active", "done"}:
        waiting = [other for other in task.after if tasks[other].state not in ENDED]
        if waiting:
            return f"it comes after {', '.join(waiting)}"
    if state == "done":
        unfinished = [part.id for part in _parts(tasks, task.id) if part.state not in ENDED]
        if unfinished:
            return f"{', '.join(unfinished)} {'is' if len(unfinished) == 1 else 'are'} not done"
        if task.acceptance and not (evidence or task.evidence):
            return f"nothing shows that it is ({task.acceptance}); give evidence"
    return None


def _parts(tasks: dict[str, Task], task_id: str) -> list[Task]:
    return [task for task in tasks.values() if task.id.startswith(f"{task_id}.")]


def _checked_state(state: str) -> State:
    for known in STATES:
        if state == known:
            return known
    raise UserError(f"there is no state {state!r}; use one of {', '.join(STATES)}")


def _checked_after(tasks: dict[str, Task], task_id: str, after: Iterable[str]) -> tuple[str, ...]:
    """The tasks to come after, if there are such and none of them waits for this one. Raises
    UserError."""
    needed = tuple(sorted(set(after), key=lambda other: order_of(checked_id(other))))
    for other in needed:
        _task(tasks, other)
        if _waits_for(tasks, other, task_id):
            raise UserError(f"{task_id} cannot come after {other}, which waits for it")
    return needed


def _waits_for(tasks: dict[str, Task], waiting: str, task_id: str) -> bool:
    """Whether `waiting` cannot end before `task_id` has, which may be itself: a task waits for
    what it comes after and for its parts."""
    seen: set[str] = set()
    ahead = [waiting]
    while ahead:
        at = ahead.pop()
        if at == task_id:
            return True
        if at not in seen and at in tasks:
            seen.add(at)
            ahead += tasks[at].after
            ahead += (part.id for part in _parts(tasks, at))
    return False


def _next_id(tasks: dict[str, Task], parent: str | None) -> str:
    depth = 0 if parent is None else parent.count(".") + 1
    taken = [
        order_of(task_id)[depth]
        for task_id in tasks
        if task_id.count(".") == depth and (parent is None or task_id.startswith(f"{parent}."))
    ]
    number = max(taken, default=0) + 1
    return f"T{number}" if parent is None else f"{parent}.{number}"


def _task(tasks: dict[str, Task], task_id: str) -> Task:
    found = tasks.get(checked_id(task_id))
    if found is None:
        raise UserError(f"there is no task {task_id}; the list of tasks has the ids")
    return found


def _all(connection: sqlite3.Connection) -> dict[str, Task]:
    rows = connection.execute(
        "SELECT id, title, state, session, created_at, after, acceptance, evidence FROM task"
    ).fetchall()
    return {
        task_id: Task(task_id, title, state, session, at, tuple(after.split()), *words)
        for task_id, title, state, session, at, after, *words in rows
    }


def _put(connection: sqlite3.Connection, task: Task) -> None:
    connection.execute(
        "INSERT OR REPLACE INTO task VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            task.id, task.title, task.state, task.session, task.created_at,
            " ".join(task.after), task.acceptance, task.evidence,
        ),
    )  # fmt: skip
