"""Verdicts follow from what was seen, and from nothing else."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from milepost import api


def verdict(workspace: api.Workspace, *checks: str, timeout_s: float = 60) -> api.Verdict:
    goal = workspace.goals.set("it works", checks=checks, timeout_s=timeout_s)
    return workspace.goals.verify(goal.id)


def test_a_goal_is_met_when_every_check_ends_with_0(workspace: api.Workspace) -> None:
    found = verdict(workspace, "test -d .", "test -f README.md")
    assert (found.verdict, found.goal.state, found.missing) == ("met", "met", ())
    assert all(item.passed and item.exit_code == 0 for item in found.evidence)


def test_one_failing_check_is_enough_and_is_named_with_its_output(workspace: api.Workspace) -> None:
    found = verdict(workspace, "test -d .", "echo 3 failed; exit 1")
    assert (found.verdict, found.goal.state) == ("not_met", "active")
    assert found.missing == ("`echo 3 failed; exit 1` ended with 1 instead of 0",)
    assert found.evidence[1].output_tail == "3 failed\n"


@pytest.mark.parametrize(
    "lie", ["echo '100 passed'; exit 1", "echo met; false", "sh -c 'exit 2'", "kill -9 $$"]
)
def test_what_a_command_prints_does_not_make_it_met(workspace: api.Workspace, lie: str) -> None:
    assert verdict(workspace, lie).verdict == "not_met"


def test_a_check_that_does_not_end_in_time_is_not_met(workspace: api.Workspace) -> None:
    found = verdict(workspace, "sleep 600", timeout_s=0.2)
    assert found.verdict == "not_met"
    assert found.evidence[0].timed_out
    assert "0.2 s" in found.missing[0]


def test_a_program_that_this_machine_lacks_makes_it_impossible(workspace: api.Workspace) -> None:
    found = verdict(workspace, "CI=1 no-such-program --all")
    assert found.verdict == "impossible"
    assert "no-such-program" in found.reason


def test_a_script_that_the_project_lacks_is_not_met_because_it_can_be_written(
    workspace: api.Workspace,
) -> None:
    assert verdict(workspace, "./run-tests").verdict == "not_met"


def test_without_a_check_there_is_nothing_to_see(workspace: api.Workspace) -> None:
    assert verdict(workspace).verdict == "unverifiable"


def test_evidence_is_used_again_only_on_the_very_same_tree(
    project: Path, workspace: api.Workspace, tmp_path: Path
) -> None:
    runs = tmp_path / "runs"
    goal = workspace.goals.set("x", checks=[f"date >> {runs}"])
    first = workspace.goals.verify(goal.id)
    again = workspace.goals.verify(goal.id)
    assert [item.reused for item in (*first.evidence, *again.evidence)] == [False, True]
    assert first.evidence[0].id == again.evidence[0].id
    (project / "README.md").write_text("# A projecT\n", encoding="utf-8")
    assert not workspace.goals.verify(goal.id).evidence[0].reused
    (project / "README.md").write_text("# A project\n", encoding="utf-8")
    assert workspace.goals.verify(goal.id).evidence[0].reused
    assert not workspace.goals.verify(goal.id, fresh=True).evidence[0].reused
    assert len(runs.read_text().splitlines()) == 3


def test_a_check_that_changes_the_tree_leaves_evidence_that_counts_once(
    workspace: api.Workspace,
) -> None:
    goal = workspace.goals.set("x", checks=["date +%N >> log"])
    workspace.goals.verify(goal.id)
    assert not workspace.goals.verify(goal.id).evidence[0].reused


def test_a_met_goal_becomes_active_again_when_it_no_longer_holds(
    project: Path, workspace: api.Workspace
) -> None:
    goal = workspace.goals.set("x", checks=["test -f README.md"])
    assert workspace.goals.verify(goal.id).goal.state == "met"
    (project / "README.md").unlink()
    assert workspace.goals.verify(goal.id).goal.state == "active"


def test_a_stop_ends_the_command_and_enters_no_verdict(workspace: api.Workspace) -> None:
    goal = workspace.goals.set("x", checks=["sleep 600"])
    stop = threading.Event()
    timer = threading.Timer(0.2, stop.set)
    timer.start()
    with pytest.raises(api.Stopped):
        workspace.goals.verify(goal.id, stop=stop)
    timer.join()
    assert workspace.goals.get(goal.id).verdict is None


def test_goals_and_their_evidence_survive_a_restart(
    project: Path, workspace: api.Workspace
) -> None:
    found = verdict(workspace, "test -d .")
    workspace.close()
    other = api.open_workspace(str(project), actor="user:test")
    assert other.goals.get(found.goal.id) == found.goal
    assert other.goals.verify(found.goal.id).evidence[0].id == found.evidence[0].id


def test_without_an_id_the_newest_active_goal_is_meant(workspace: api.Workspace) -> None:
    first = workspace.goals.set("first", checks=["test -d ."])
    second = workspace.goals.set("second", checks=["test -d ."])
    assert workspace.goals.get().id == second.id
    workspace.goals.abandon(second.id)
    assert workspace.goals.get().id == first.id


def test_a_real_test_suite_is_judged_by_its_exit_code(
    project: Path, workspace: api.Workspace
) -> None:
    (project / "x.py").write_text("X = 1\n", encoding="utf-8")
    (project / "test_x.py").write_text(
        "import unittest\nimport x\nclass T(unittest.TestCase):\n"
        "    def test_x(self): self.assertEqual(x.X, 2)\n",
        encoding="utf-8",
    )
    found = verdict(workspace, "python3 -m unittest -q")
    assert found.verdict == "not_met"
    assert "FAILED (failures=1)" in found.evidence[0].output_tail
    (project / "x.py").write_text("X = 2\n", encoding="utf-8")
    found = workspace.goals.verify(found.goal.id)
    assert (found.verdict, found.missing) == ("met", ())
    assert found.evidence[0].results == "1 passed (from what unittest printed)"


def test_a_stale_bytecode_cache_does_not_decide_a_verdict(
    project: Path, workspace: api.Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    module = project / "answer.py"
    goal = workspace.goals.set("x", checks=["python3 -c 'import answer; assert answer.IS == 42'"])
    module.write_text("IS = 42\n", encoding="utf-8")
    os.utime(module, ns=(10**18, 10**18))
    assert workspace.goals.verify(goal.id).verdict == "met"
    (cache,) = (project / "__pycache__").glob("answer.*.pyc")
    module.write_text("IS = 41\n", encoding="utf-8")
    # Within the same second, and after the cache was written.
    os.utime(cache, ns=(10**18 + 1, 10**18 + 1))
    os.utime(module, ns=(10**18 + 2, 10**18 + 2))
    assert workspace.goals.verify(goal.id).verdict == "not_met"
    module.write_text("IS = 42\n", encoding="utf-8")
    os.utime(module, ns=(10**18 + 3, 10**18 + 3))
    assert workspace.goals.verify(goal.id, fresh=True).verdict == "met"


@pytest.mark.parametrize(
    ("condition", "checks", "timeout_s"),
    [("", (), 1), ("x" * 2001, (), 1), ("x", ("",), 1), ("x", ("a\0",), 1), ("x", ("a",) * 21, 1),
     ("x", ("a",), 0), ("x", ("a",), 1e9), ("half \ud800", (), 1)],
)  # fmt: skip
def test_a_wrong_goal_is_refused_and_not_set(
    workspace: api.Workspace, condition: str, checks: tuple[str, ...], timeout_s: float
) -> None:
    with pytest.raises(api.UserError):
        workspace.goals.set(condition, checks=checks, timeout_s=timeout_s)
    assert workspace.goals.page() == ()
