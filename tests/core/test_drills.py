"""A few seconds of the drills; `make bench ONLY=snapshot_drills` runs them for long."""

from __future__ import annotations

from pathlib import Path

import pytest

from milepost import api
from tests import drills
from tests.bursts import Bursts
from tests.conftest import git
from tests.tree import fingerprint


@pytest.mark.parametrize("with_rules", [False, True], ids=["exact", "rules"])
def test_bursts_and_restores_by_two_processes_stay_exact(tmp_path: Path, with_rules: bool) -> None:
    tally = drills.fuzz(tmp_path / "project", 4711, 12, with_rules=with_rules)
    assert (tally.wrong, tally.inexact) == (0, 0)
    assert tally.restores > 0


def test_nothing_acknowledged_is_lost_by_a_kill_and_a_repeated_restore_is_exact(
    tmp_path: Path,
) -> None:
    tally = drills.kill(tmp_path / "project", 4711, 4)
    assert (tally.wrong, tally.inexact, tally.lost) == (0, 0, 0)
    assert tally.acknowledged >= 4


def test_the_users_git_is_the_same_after_a_long_run(
    project: Path, workspace: api.Workspace
) -> None:
    hands = Bursts(project, 4711, with_rules=False)
    hands.fill(30)
    git(project, "add", "-A")
    git(project, "commit", "-qm", "Filled")
    before = fingerprint(project / ".git", leave_out=())
    workspace.watch()
    points = [workspace.checkpoints.save().id]
    for _ in range(12):
        hands.burst()
        points.append(workspace.checkpoints.save().id)
        workspace.checkpoints.restore(points[len(points) // 2])
    assert fingerprint(project / ".git", leave_out=()) == before
