"""What most tests stand on: a data folder of their own and a real project under real git."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from milepost import api

# How long an example takes is no matter of right and wrong: machines are shared, and some are slow.
settings.register_profile(
    "untimed", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("untimed")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """MILEPOST_HOME and HOME in the test's own folder; nothing touches the user's data, nor reads
    what their agents keep at home."""
    folder = tmp_path / "home"
    monkeypatch.setenv("HOME", str(tmp_path / "user"))
    for moved in ("CLAUDE_CONFIG_DIR", "CODEX_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(moved, raising=False)
    monkeypatch.setenv("MILEPOST_HOME", str(folder))
    monkeypatch.delenv("MILEPOST_PROJECT", raising=False)
    # Not every server that a test starts shall load a model or rules; the tests of those do.
    monkeypatch.setenv("MILEPOST_VECTORS", "off")
    monkeypatch.setenv("MILEPOST_SECRETS", "own")
    return folder


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A repository with one commit."""
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "README.md").write_text("# A project\n", encoding="utf-8")
    git(folder, "init", "-q")
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "Begin")
    return folder


@pytest.fixture
def workspace(project: Path) -> api.Workspace:
    """The project, opened."""
    opened = api.open_workspace(str(project), actor="user:test")
    yield opened
    opened.close()


def git(folder: Path, *words: str) -> str:
    """Run git as a person without any configuration of theirs."""
    environment = {
        **os.environ,
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_SYSTEM": os.devnull,
        "GIT_AUTHOR_NAME": "A", "GIT_AUTHOR_EMAIL": "a@example.com",
        "GIT_COMMITTER_NAME": "A", "GIT_COMMITTER_EMAIL": "a@example.com",
    }  # fmt: skip
    done = subprocess.run(
        ["git", *words], cwd=folder, env=environment, check=True, capture_output=True, timeout=60
    )
    return done.stdout.decode("utf-8", "replace")
