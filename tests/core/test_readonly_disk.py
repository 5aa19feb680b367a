"""A data folder that cannot be written: said in a sentence, nothing lost, and mended by itself."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from milepost import api
from tests.processes import like_any_user


def _milepost(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "milepost", *words],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        preexec_fn=like_any_user,
    )


@pytest.fixture
def sealed(workspace: api.Workspace, home: Path) -> Iterator[api.Workspace]:
    """A workspace with an entry and a restore point, whose data nobody can write."""
    workspace.memory.add("the port is 5433")
    workspace.checkpoints.save("before")
    workspace.close()
    everything = [home, *home.rglob("*")]
    modes = {path: path.stat().st_mode for path in everything}
    for path in everything:
        path.chmod(0o555 if path.is_dir() else 0o444)
    yield workspace
    for path, mode in modes.items():
        path.chmod(mode)


@pytest.mark.parametrize(
    "words",
    [
        ("memory", "add", "another"),
        ("memory", "undo"),
        ("checkpoint", "save", "x"),
        ("goal", "set", "x", "--check", "test -d ."),
    ],
)
def test_what_cannot_be_written_is_said_in_a_sentence(
    sealed: api.Workspace, project: Path, words: tuple[str, ...]
) -> None:
    done = _milepost(project, *words)
    assert done.returncode == 1, done.stdout
    assert done.stderr.startswith("milepost: ")
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert str(sealed.project.data_dir) in done.stderr


def test_once_it_can_be_written_again_all_is_there_and_level(
    sealed: api.Workspace, project: Path, home: Path
) -> None:
    assert _milepost(project, "memory", "add", "another").returncode == 1
    for path in (home, *home.rglob("*")):
        path.chmod(0o700 if path.is_dir() else 0o600)
    added = _milepost(project, "memory", "add", "the third")
    assert added.returncode == 0, added.stderr
    assert {entry.text for entry in sealed.memory.page().entries} == {
        "the port is 5433", "the third",
    }  # fmt: skip
    assert sealed.memory.check() == ()
    assert [point.label for point in sealed.checkpoints.page()] == ["before"]
