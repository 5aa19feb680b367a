"""Who may do what with a goal, how often, and what is remembered of it."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from milepost import api
from milepost.goals.evidence import Evidence
from milepost.goals.ledger import Ledger
from milepost.goals.schema import MIGRATIONS
from tests.conftest import git
from tests.processes import LONG, is_alive, sleeping

TEST = "import unittest\n\n\nclass T(unittest.TestCase):\n    def test_a(self): pass\n"
RUN = f"{sys.executable} -m unittest"


@pytest.fixture
def agent(project: Path) -> Iterator[api.Workspace]:
    opened = api.open_workspace(str(project), actor="mcp:agent")
    yield opened
    opened.close()


def test_an_agents_commands_wait_for_the_user_and_nothing_is_run(
    agent: api.Workspace, workspace: api.Workspace, tmp_path: Path
) -> None:
    runs = tmp_path / "runs"
    goal = agent.goals.set("x", checks=[f"date >> {runs}"])
    assert goal.not_allowed == (f"date >> {runs}",)
    for one in (agent, workspace):
        with pytest.raises(api.UserError, match=f"milepost goal allow {goal.id}"):
            one.goals.verify(goal.id)
    assert not runs.exists()
    with pytest.raises(api.UserError, match="only the user"):
        agent.goals.allow(goal.id)
    with pytest.raises(api.UserError, match="only the user"):
        agent.goals.allow_command(f"date >> {runs}")
    assert workspace.goals.allow(goal.id).not_allowed == ()
    assert agent.goals.verify(goal.id).verdict == "met"
    assert runs.exists()


def test_what_is_allowed_holds_for_that_very_command_until_it_is_taken_back(
    agent: api.Workspace, workspace: api.Workspace
) -> None:
    workspace.goals.allow_command("test -d .")
    assert agent.goals.verify(agent.goals.set("x", checks=["test -d ."]).id).verdict == "met"
    assert agent.goals.set("x", checks=["test -d . "]).not_allowed == ()
    assert agent.goals.set("x", checks=["test -d ./"]).not_allowed == ("test -d ./",)
    assert workspace.goals.disallow_command("test -d .") is True
    assert workspace.goals.disallow_command("test -d .") is False
    assert agent.goals.set("x", checks=["test -d ."]).not_allowed == ("test -d .",)


def test_a_file_of_the_project_allows_nothing(project: Path, agent: api.Workspace) -> None:
    (project / ".milepost").mkdir()
    text = 'allow = ["test -d ."]\n[goals]\nallow = ["test -d ."]\n'
    for name in ("config.toml", "allowed", "consent.json"):
        (project / ".milepost" / name).write_text(text, encoding="utf-8")
    assert agent.goals.set("x", checks=["test -d ."]).not_allowed == ("test -d .",)


def test_checks_that_run_nothing_need_nobodys_consent(agent: api.Workspace) -> None:
    goal = agent.goals.set("x", checks=["file: README.md", "text: README.md :: project"])
    assert agent.goals.verify(goal.id).verdict == "met"


def test_a_user_command_needs_no_consent_whoever_verifies(
    agent: api.Workspace, workspace: api.Workspace
) -> None:
    goal = workspace.goals.set("x", checks=["test -d ."])
    assert agent.goals.verify(goal.id).verdict == "met"


def test_a_goal_is_paused_resumed_and_given_up(workspace: api.Workspace) -> None:
    goal = workspace.goals.set("x", checks=["test -d ."])
    assert workspace.goals.pause(goal.id).state == "paused"
    with pytest.raises(api.UserError, match="paused"):
        workspace.goals.verify(goal.id)
    with pytest.raises(api.UserError, match="cannot be paused"):
        workspace.goals.pause(goal.id)
    assert workspace.goals.resume(goal.id).state == "active"
    assert workspace.goals.abandon(goal.id).state == "abandoned"
    with pytest.raises(api.UserError, match="abandoned"):
        workspace.goals.verify(goal.id)


def test_only_the_user_brings_back_what_was_given_up(
    agent: api.Workspace, workspace: api.Workspace
) -> None:
    goal = agent.goals.set("x")
    agent.goals.abandon(goal.id)
    with pytest.raises(api.UserError, match="only the user"):
        agent.goals.resume(goal.id)
    assert workspace.goals.resume(goal.id).state == "active"


def test_a_budget_ends_and_only_the_user_raises_it(
    agent: api.Workspace, workspace: api.Workspace
) -> None:
    goal = workspace.goals.set("x", checks=["test -f no"], max_verifications=2)
    assert [workspace.goals.verify(goal.id).verdict for _ in range(2)] == ["not_met", "not_met"]
    with pytest.raises(api.UserError, match="budget is used up: 2 verifications"):
        workspace.goals.verify(goal.id)
    assert workspace.goals.get(goal.id).state == "budget-limited"
    with pytest.raises(api.UserError, match="only the user"):
        agent.goals.set_budget(goal.id, max_verifications=9, max_seconds=None)
    raised = workspace.goals.set_budget(goal.id, max_verifications=3, max_seconds=None)
    assert (raised.state, raised.max_verifications) == ("active", 3)
    assert workspace.goals.verify(goal.id).verdict == "not_met"


def test_a_budget_of_time_ends_a_check(workspace: api.Workspace) -> None:
    goal = workspace.goals.set("x", checks=["sleep 600"], max_seconds=0.3)
    assert workspace.goals.verify(goal.id).verdict == "not_met"
    with pytest.raises(api.UserError, match="budget is used up"):
        workspace.goals.verify(goal.id)
    with pytest.raises(api.UserError, match="above 0"):
        workspace.goals.set("x", max_seconds=0)


def test_what_no_change_of_files_can_mend_blocks_the_goal_until_it_is_mended(
    workspace: api.Workspace, tmp_path: Path
) -> None:
    goal = workspace.goals.set("x", checks=["no-such-program"])
    assert workspace.goals.verify(goal.id).goal.state == "blocked"
    assert workspace.goals.verify(goal.id).verdict == "impossible"


def test_a_changed_judge_counts_once_the_user_accepts_it_and_not_for_the_next_change(
    project: Path, workspace: api.Workspace, agent: api.Workspace
) -> None:
    script = project / "gate.sh"
    script.write_text("grep -q done README.md\n", encoding="utf-8")
    goal = workspace.goals.set("x", checks=["sh gate.sh"])
    script.write_text("grep -qi project README.md\n", encoding="utf-8")
    found = workspace.goals.verify(goal.id)
    assert (found.verdict, found.goal.state) == ("unverifiable", "active")
    (sign,) = found.signs
    assert (sign.kind, sign.is_accepted) == ("checker", False)
    with pytest.raises(api.UserError, match="only the user"):
        agent.goals.accept_changes(goal.id)
    with pytest.raises(api.UserError, match="no sign"):
        workspace.goals.accept_changes(goal.id, ["abcd"])
    assert [one.is_accepted for one in workspace.goals.accept_changes(goal.id)] == [True]
    found = agent.goals.verify(goal.id)
    assert found.verdict == "met"
    assert "accepted by user:test" in found.reason
    script.write_text("exit 0\n", encoding="utf-8")
    assert workspace.goals.verify(goal.id).verdict == "unverifiable"


def test_a_baseline_is_taken_when_the_goal_is_set_and_its_evidence_is_used(
    project: Path, workspace: api.Workspace
) -> None:
    (project / "test_a.py").write_text(TEST, encoding="utf-8")
    said: list[str] = []
    goal = workspace.goals.set("x", checks=[RUN], progress=lambda _p, _n, words: said.append(words))
    assert said == [f"{RUN} (to know how it is now)"]
    assert goal.checks[0].kind == "tests"
    found = workspace.goals.verify(goal.id)
    assert (found.verdict, found.evidence[0].reused) == ("met", True)


def test_evidence_falls_with_an_ignored_file_with_git_and_with_the_environment(
    project: Path, workspace: api.Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / ".gitignore").write_text("out\n", encoding="utf-8")
    goal = workspace.goals.set("x", checks=["git diff --cached --quiet"])

    def is_reused() -> bool:
        return workspace.goals.verify(goal.id).evidence[0].reused

    assert [is_reused(), is_reused()] == [False, True]
    (project / "out").write_text("1", encoding="utf-8")
    assert [is_reused(), is_reused()] == [False, True]
    git(project, "add", ".gitignore")
    assert workspace.goals.verify(goal.id).verdict == "not_met"
    assert is_reused()
    monkeypatch.setenv("SHOP_CURRENCY", "EUR")
    assert [is_reused(), is_reused()] == [False, True]
    monkeypatch.setenv("TERM", "dumb")
    assert is_reused()


def test_a_check_that_ends_differently_on_the_same_files_is_flaky(
    workspace: api.Workspace, tmp_path: Path
) -> None:
    luck = tmp_path / "luck"
    goal = workspace.goals.set("x", checks=[f"test -f {luck}"])
    assert workspace.goals.verify(goal.id).verdict == "not_met"
    luck.touch()
    found = workspace.goals.verify(goal.id, fresh=True)
    assert found.verdict == "not_met"
    assert "flaky" in found.reason


def test_files_that_are_edited_while_checks_run_prove_nothing(
    project: Path, workspace: api.Workspace
) -> None:
    goal = workspace.goals.set("x", checks=["test -d .", "test -f README.md"])

    def edit(position: int, _total: int, _words: str) -> None:
        if position == 1:
            (project / "README.md").write_text("# Another\n", encoding="utf-8")

    found = workspace.goals.verify(goal.id, progress=edit)
    assert found.verdict == "not_met"
    assert "edited while" in found.reason
    assert workspace.goals.verify(goal.id).verdict == "met"


def test_a_goal_whose_beginning_is_forgotten_is_not_called_met(
    project: Path, workspace: api.Workspace
) -> None:
    goal = workspace.goals.set("x", checks=["test -d ."])
    (project / "a").touch()
    point = workspace.checkpoints.save("later")
    workspace.data.prune(point.id)
    found = workspace.goals.verify(goal.id)
    assert found.verdict == "unverifiable"
    assert "pruned" in found.missing[0]


def test_goals_of_an_older_milepost_are_kept_and_not_called_met(
    workspace: api.Workspace,
) -> None:
    data = Path(workspace.project.data_dir)
    data.mkdir(parents=True)
    with sqlite3.connect(data / "milepost.db") as connection:
        connection.executescript(MIGRATIONS[0] + "PRAGMA user_version=1;")
        connection.execute(
            "INSERT INTO goal (id, condition, state, source, created_at) "
            "VALUES ('old1', 'it works', 'active', 'user:test', '2026-01-01T00:00:00Z')"
        )
        connection.execute("INSERT INTO goal_check VALUES ('old1', 0, 'test -d .', 0, 60.0)")
    connection.close()
    goal = workspace.goals.get("old1")
    assert [check.command for check in goal.checks] == ["test -d ."]
    found = workspace.goals.verify("old1")
    assert found.verdict == "unverifiable"
    assert "older Milepost" in found.missing[0]


def test_a_goal_is_not_verified_in_another_worktree(
    project: Path, workspace: api.Workspace, tmp_path: Path
) -> None:
    goal = workspace.goals.set("x", checks=["test -d ."])
    git(project, "worktree", "add", "-q", str(tmp_path / "linked"))
    other = api.open_workspace(str(tmp_path / "linked"), actor="user:test")
    found = other.goals.verify(goal.id)
    other.close()
    assert found.verdict == "unverifiable"
    assert "another worktree" in found.missing[0]


def test_a_check_dies_with_the_milepost_that_ran_it(project: Path) -> None:
    command = f"(setsid sh -c 'exec sleep {LONG}' &); sleep {LONG}"
    program = (
        "from milepost import api\n"
        f"w = api.open_workspace({str(project)!r}, actor='user:test')\n"
        f"w.goals.verify(w.goals.set('x', checks=[{command!r}]).id)\n"
    )
    child = subprocess.Popen([sys.executable, "-c", program], env=dict(os.environ))
    wait_for(lambda: len(sleeping()) == 2)
    pids = sleeping()
    child.send_signal(signal.SIGKILL)
    child.wait(20)
    for pid in pids:
        wait_for(lambda pid=pid: not is_alive(pid))


def test_the_passing_of_evidence_is_that_nothing_speaks_against_it(
    workspace: api.Workspace,
) -> None:
    goal = workspace.goals.set("x", checks=["exit 1: test -f no", "test -f no"])
    found = workspace.goals.verify(goal.id)
    assert [item.passed for item in found.evidence] == [True, False]
    assert found.evidence[1].problem == "ended with 1 instead of 0"
    assert Evidence.passed.fget is not None
    ledger = Ledger(Path(workspace.project.data_dir))
    assert ledger.get(goal.id).checks[0].expect_exit == 1
    ledger.close()


def wait_for(condition: object, timeout_s: float = 30) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)
