"""What is kept can be measured, copied, made less, and deleted."""

from __future__ import annotations

import os
import sqlite3
import tarfile
from pathlib import Path

import pytest

from milepost import api


@pytest.fixture
def used(project: Path, workspace: api.Workspace) -> api.Workspace:
    workspace.memory.add("kept")
    workspace.goals.set("x", checks=["test -d ."])
    workspace.history.record("x", "y", "z")
    for number in range(6):
        (project / "f").write_text(f"{number}\n" * 1000, "utf-8")
        workspace.checkpoints.save(f"point {number}")
    return workspace


def test_every_file_that_holds_data_is_listed_with_its_size(used: api.Workspace) -> None:
    files = {Path(file.path).name: file.size_bytes for file in used.data.usage()}
    data = Path(used.project.data_dir)
    kept = {path.name for path in data.iterdir() if path.suffix in (".db", ".md")}
    assert files.keys() == kept
    assert all(size > 0 for size in files.values())


def test_an_export_holds_whole_databases_and_the_memory(
    used: api.Workspace, tmp_path: Path
) -> None:
    target = tmp_path / "copy.tar.gz"
    used.data.export(str(target))
    assert target.stat().st_mode & 0o777 == 0o600
    with tarfile.open(target) as archive:
        archive.extractall(tmp_path, filter="data")
    (folder,) = tmp_path.glob(f"{used.project.id}")
    assert "kept" in (folder / "MEMORY.md").read_text("utf-8")
    for path in folder.glob("*.db"):
        with sqlite3.connect(path) as connection:
            assert connection.execute("PRAGMA quick_check").fetchone() == ("ok",)
    with pytest.raises(api.UserError, match="already"):
        used.data.export(str(target))


def test_pruning_forgets_old_points_and_keeps_the_others_restorable(
    project: Path, used: api.Workspace
) -> None:
    points = {point.label: point.id for point in used.checkpoints.page()}
    assert used.data.prune(points["point 3"]) == 4, "three, and that of the goal"
    assert used.checkpoints.page()[-1].label == "point 3"
    for label, text in (("point 3", "3\n"), ("point 5", "5\n"), ("point 4", "4\n")):
        assert used.checkpoints.restore(points[label]).refused == ()
        assert (project / "f").read_text("utf-8") == text * 1000
    with pytest.raises(api.UserError, match="no restore point"):
        used.checkpoints.restore(points["point 1"])
    with pytest.raises(api.UserError, match="no restore point"):
        used.data.prune(99)


def test_pruning_gives_back_the_space_of_what_only_old_points_need(
    project: Path, workspace: api.Workspace
) -> None:
    for _ in range(5):
        (project / "f").write_bytes(os.urandom(200_000))
        point = workspace.checkpoints.save()
    (project / "f").write_bytes(b"small now")
    newest = workspace.checkpoints.save()
    before = sum(file.size_bytes for file in workspace.data.usage() if "points" in file.holds)
    workspace.data.prune(newest.id)
    workspace.close()
    after = sum(file.size_bytes for file in workspace.data.usage() if "points" in file.holds)
    assert before > 1_000_000
    assert after < 200_000
    assert point.id != newest.id


def test_a_wipe_leaves_nothing_of_the_project_and_does_not_touch_its_files(
    project: Path, used: api.Workspace
) -> None:
    used.data.wipe()
    assert not Path(used.project.data_dir).exists()
    assert (project / "f").exists()
    used.data.wipe()
    assert used.memory.page().total == 0
    used.memory.add("a new beginning")
    assert used.memory.search("beginning").hits
