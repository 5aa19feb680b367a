"""The tree of tasks."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from milepost.base.errors import UserError
from milepost.tasks.store import TaskStore
from milepost.tasks.task import ENDED


@pytest.fixture
def store(tmp_path: Path) -> TaskStore:
    made = TaskStore(tmp_path)
    yield made
    made.database.close()


def _add(store: TaskStore, title: str, **more: object) -> str:
    return store.add(title, session="s", **more).id  # type: ignore[arg-type]


def test_tasks_are_numbered_by_their_place_and_listed_in_reading_order(store: TaskStore) -> None:
    for number in range(1, 12):
        assert _add(store, f"task {number}") == f"T{number}"
    assert _add(store, "a part", parent="T2") == "T2.1"
    assert _add(store, "a part of it", parent="T2.1") == "T2.1.1"
    assert _add(store, "another", parent="T2") == "T2.2"
    ids = [task.id for task in store.all()]
    assert ids[:6] == ["T1", "T2", "T2.1", "T2.1.1", "T2.2", "T3"]
    assert ids[-1] == "T11"


def test_a_task_begins_only_after_those_it_comes_after(store: TaskStore) -> None:
    first, second = _add(store, "first"), _add(store, "second", after=["T1"])
    assert [task.id for task in store.ready()] == [first]
    with pytest.raises(UserError, match="T2 cannot be active: it comes after T1"):
        store.set_state(second, "active")
    store.set_state(first, "done")
    assert [task.id for task in store.ready()] == [second]
    assert store.set_state(second, "active").state == "active"


def test_a_task_is_done_only_when_its_parts_are_and_something_shows_it(store: TaskStore) -> None:
    whole = _add(store, "whole", acceptance="the tests pass")
    part = _add(store, "part", parent=whole)
    with pytest.raises(UserError, match=r"T1\.1 is not done"):
        store.set_state(whole, "done", evidence="I think so")
    store.set_state(part, "dropped")
    with pytest.raises(UserError, match="nothing shows that it is"):
        store.set_state(whole, "done")
    done = store.set_state(whole, "done", evidence="pytest: 12 passed")
    assert done.evidence == "pytest: 12 passed"
    with pytest.raises(UserError, match="T1 has ended"):
        _add(store, "late", parent=whole)


def test_tasks_that_would_wait_for_each_other_are_refused(store: TaskStore) -> None:
    for number in range(3):
        _add(store, str(number))
    store.change("T2", after=["T1"])
    store.change("T3", after=["T2"])
    part = _add(store, "part", parent="T1")
    for task_id, after in (("T1", "T3"), ("T1", "T1"), (part, "T1"), (part, "T3")):
        with pytest.raises(UserError, match="waits for it"):
            store.change(task_id, after=[after])


@pytest.mark.parametrize(
    ("act", "words"),
    [
        (lambda s: _add(s, "  "), "needs a title"),
        (lambda s: _add(s, "x" * 300), "may have 200"),
        (lambda s: _add(s, "\ud800"), "surrogate"),
        (lambda s: _add(s, "x", parent="T9"), "there is no task T9"),
        (lambda s: _add(s, "x", after=["nope"]), "is no task"),
        (lambda s: s.get("T0"), "is no task"),
        (lambda s: s.get("../../etc"), "is no task"),
        (lambda s: s.set_state("T1", "finished"), "there is no state"),
    ],
)
def test_bad_input_is_told_and_changes_nothing(store: TaskStore, act: object, words: str) -> None:
    _add(store, "one")
    before = store.all()
    with pytest.raises(UserError, match=words):
        act(store)  # type: ignore[operator]
    assert store.all() == before


def test_the_tree_goes_down_and_comes_back(store: TaskStore) -> None:
    _add(store, "über — 世界", acceptance="yes")
    _add(store, "second", after=["T1"])
    kept, before = store.dump(), store.all()
    store.set_state("T1", "done", evidence="seen")
    _add(store, "third")
    store.load(kept)
    assert store.all() == before


def test_two_processes_add_tasks_and_none_is_lost(store: TaskStore, tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from milepost.tasks.store import TaskStore;"
        "store = TaskStore(Path(sys.argv[1]));"
        "[store.add(f'{sys.argv[2]} {n}', session='p') for n in range(40)]"
    )
    children = [
        subprocess.Popen([sys.executable, "-c", code, str(tmp_path), name]) for name in "ab"
    ]
    assert [child.wait(60) for child in children] == [0, 0]
    tasks = store.all()
    assert {task.title for task in tasks} == {f"{name} {n}" for name in "ab" for n in range(40)}
    assert [task.id for task in tasks] == [f"T{n}" for n in range(1, 81)]


class Trees(RuleBasedStateMachine):
    """Any sequence of changes leaves a tree in which nothing waits for itself."""

    ids = Bundle("ids")

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory()
        self._store = TaskStore(Path(self._folder.name))

    def teardown(self) -> None:
        self._store.database.close()
        self._folder.cleanup()

    @rule(target=ids)
    def add(self) -> str:
        return _add(self._store, "task")

    @rule(target=ids, parent=ids, after=st.lists(ids, max_size=2))
    def add_part(self, parent: str, after: list[str]) -> str:
        try:
            return _add(self._store, "part", parent=parent, after=after)
        except UserError:
            return parent

    @rule(task=ids, after=st.lists(ids, max_size=3))
    def come_after(self, task: str, after: list[str]) -> None:
        try:
            self._store.change(task, after=after)
        except UserError:
            return

    @rule(task=ids, state=st.sampled_from(["open", "active", "blocked", "done", "dropped"]))
    def move(self, task: str, state: str) -> None:
        try:
            self._store.set_state(task, state)
        except UserError:
            return

    @invariant()
    def everything_can_be_finished(self) -> None:
        tasks = {task.id: task for task in self._store.all()}
        left = {task_id for task_id, task in tasks.items() if task.state not in ENDED}
        while left:
            free = {
                task_id
                for task_id in left
                if not left & set(tasks[task_id].after)
                and not any(other.startswith(f"{task_id}.") for other in left)
            }
            assert free, left
            left -= free


TestTrees = Trees.TestCase
TestTrees.settings = settings(max_examples=20, stateful_step_count=15)
