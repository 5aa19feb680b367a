"""Which project is meant, and that its data is found again and never a stranger's."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from milepost import api
from milepost.base.errors import UserError
from milepost.config import projects
from tests.conftest import git


def test_a_named_folder_comes_before_the_environment_the_client_and_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = {name: tmp_path / name for name in ("named", "environment", "client", "here")}
    for folder in folders.values():
        (folder / ".milepost").mkdir(parents=True)
    monkeypatch.chdir(folders["here"])
    assert projects.resolve(None).root == folders["here"]
    candidates = [str(tmp_path / "gone"), str(folders["client"])]
    assert projects.resolve(None, candidates).root == folders["client"]
    monkeypatch.setenv("MILEPOST_PROJECT", str(folders["environment"]))
    assert projects.resolve(None, candidates).root == folders["environment"]
    assert projects.resolve(str(folders["named"]), candidates).root == folders["named"]


def test_a_folder_inside_a_project_means_the_project(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "a" / "b").mkdir(parents=True)
    monkeypatch.chdir(project / "a" / "b")
    assert projects.resolve(None).root == project


@pytest.mark.parametrize("named", ["/", "~", "/no/such/folder", "nul\0"])
def test_the_root_the_home_and_what_does_not_exist_are_refused(
    named: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(UserError, match="--project"):
        projects.resolve(named)


def test_gits_own_folders_are_no_project_and_worktrees_inside_of_them_are(
    project: Path, tmp_path: Path
) -> None:
    git(tmp_path, "clone", "-q", "--bare", str(project), "bare.git")
    git(tmp_path / "bare.git", "worktree", "add", "-q", "tree", "-b", "other")
    for refused in (project / ".git", project / ".git" / "hooks", tmp_path / "bare.git"):
        with pytest.raises(UserError, match="git's own"):
            projects.resolve(str(refused))
    assert projects.resolve(None, [str(project / ".git"), str(project)]).root == project
    tree = tmp_path / "bare.git" / "tree"
    assert projects.resolve(str(tree)).root == tree


def test_a_folder_that_does_not_look_like_a_project_is_not_guessed_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match="does not look like a project"):
        projects.resolve(None)


def test_a_link_to_a_project_is_the_project(project: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(project)
    assert projects.resolve(str(tmp_path / "link")) == projects.resolve(str(project))


def test_two_folders_of_one_name_are_two_projects(tmp_path: Path) -> None:
    for parent in ("a", "b"):
        (tmp_path / parent / "app").mkdir(parents=True)
    one, two = (projects.resolve(str(tmp_path / parent / "app")) for parent in ("a", "b"))
    assert one.id != two.id
    assert one.id.startswith("app-")


def test_a_moved_repository_finds_its_memory_again(project: Path, tmp_path: Path) -> None:
    api.open_workspace(str(project), actor="test").memory.add("kept")
    moved = tmp_path / "elsewhere"
    project.rename(moved)
    found = api.open_workspace(str(moved), actor="test").memory.search("kept")
    assert [hit.entry.text for hit in found.hits] == ["kept"]


def test_a_new_repository_where_another_was_moved_away_starts_with_nothing(
    project: Path, tmp_path: Path
) -> None:
    api.open_workspace(str(project), actor="test").memory.add("not theirs")
    project.rename(tmp_path / "elsewhere")
    api.open_workspace(str(tmp_path / "elsewhere"), actor="test")
    project.mkdir()
    git(project, "init", "-q")
    git(project, "commit", "-q", "--allow-empty", "-m", "Another project")
    assert api.open_workspace(str(project), actor="test").memory.page().total == 0


def test_a_copy_of_a_repository_is_a_project_of_its_own(project: Path, tmp_path: Path) -> None:
    api.open_workspace(str(project), actor="test").memory.add("not theirs")
    git(tmp_path, "clone", "-q", str(project), "copy")
    assert api.open_workspace(str(tmp_path / "copy"), actor="test").memory.page().total == 0


def test_a_damaged_registry_is_made_again(project: Path, home: Path) -> None:
    first = projects.resolve(str(project)).id
    (home / "projects.json").write_bytes(b'{"x": [1], "y": {"path": 5}, ')
    assert projects.resolve(str(project)).id == first


def test_nothing_is_written_into_the_project(project: Path) -> None:
    before = sorted(os.listdir(project))
    workspace = api.open_workspace(str(project), actor="test")
    workspace.memory.add("x")
    workspace.checkpoints.save()
    workspace.goals.set("x", checks=["test -d ."])
    workspace.history.record("x", "y", "z")
    assert sorted(os.listdir(project)) == before
    assert all(
        path.stat().st_mode & 0o077 == 0
        for path in [Path(workspace.project.data_dir), *Path(workspace.project.data_dir).rglob("*")]
    )
