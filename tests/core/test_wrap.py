"""`milepost checkpoint` around commands and between hooks, as a person or a hook types it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from milepost import api
from tests.core.test_snapshots import sh

_MILEPOST = [sys.executable, "-c", "from milepost.cli.main import main; raise SystemExit(main())"]
_LIMIT_S = 60


def milepost(folder: Path, *words: str, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*_MILEPOST, *words], cwd=folder, capture_output=True, timeout=_LIMIT_S,
        encoding="utf-8", check=False, **options,
    )  # fmt: skip


def test_a_wrapped_command_keeps_its_streams_and_its_code_and_what_it_changed_is_told(
    project: Path,
) -> None:
    done = milepost(
        project, "checkpoint", "wrap", "--agent", "codex", "--", "/bin/sh", "-c",
        "cat; echo told >&2; echo 1 > made; rm README.md; exit 7", input="given",
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (7, "given")
    assert done.stderr.splitlines() == [
        "told", "milepost: 2 paths changed (points 1 to 2)", "- README.md  (agent)",
        "+ made  (agent)",
    ]  # fmt: skip
    assert milepost(project, "checkpoint", "restore", "1", "--yes").returncode == 0
    assert (project / "README.md").exists()
    assert not (project / "made").exists()


def test_a_wrapped_command_that_is_not_there_ends_as_in_a_shell(project: Path) -> None:
    done = milepost(project, "checkpoint", "wrap", "--", "no-such-command")
    assert done.returncode == 127
    assert "cannot run no-such-command" in done.stderr
    (project / "text").write_text("no program", "utf-8")
    assert milepost(project, "checkpoint", "wrap", "--", "./text").returncode == 126
    none = milepost(project, "checkpoint", "wrap")
    assert (none.returncode, none.stdout) == (1, "")
    assert "give the command to run" in none.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGUSR1])
def test_a_signal_reaches_the_wrapped_command_and_its_work_is_still_kept(
    project: Path, number: signal.Signals
) -> None:
    on_signal = f"trap 'echo caught > caught; exit 9' {number.name[3:]}"
    script = f"{on_signal}; echo 1 > ready; while :; do sleep 0.02; done"
    child = subprocess.Popen(
        [*_MILEPOST, "checkpoint", "wrap", "--", "/bin/sh", "-c", script],
        cwd=project, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip
    deadline = time.monotonic() + _LIMIT_S
    while not (project / "ready").exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    child.send_signal(number)
    _, told = child.communicate(timeout=_LIMIT_S)
    assert child.returncode == 9
    assert b"+ caught" in told


def test_a_command_that_a_signal_ends_is_reported_as_by_a_shell(project: Path) -> None:
    done = milepost(project, "checkpoint", "wrap", "--", "/bin/sh", "-c", "kill -KILL $$")
    assert done.returncode == 128 + signal.SIGKILL


def test_hooks_begin_and_end_an_action(project: Path) -> None:
    begun = milepost(project, "checkpoint", "begin", "--agent", "claude")
    assert begun.stdout == "1\n"
    sh(project, "echo 1 > f")
    ended = milepost(project, "checkpoint", "end", "1", "--json")
    assert json.loads(ended.stdout)["changes"] == [{"path": "f", "kind": "added", "by": "agent"}]


@pytest.mark.parametrize(
    ("name", "actor"),
    [
        ("Claude Code", "agent:Claude-Code"),
        ("a\nb\x1b[31m", "agent:a-b-31m"),
        ("x" * 500, f"agent:{'x' * 40}"),
        ("é", "agent:unknown"),
    ],
)
def test_an_agents_name_is_one_short_word(project: Path, name: str, actor: str) -> None:
    milepost(project, "checkpoint", "begin", "--agent", name)
    (point,) = json.loads(milepost(project, "checkpoint", "list", "--json").stdout)
    assert point["actor"] == actor


def test_points_are_marked_and_reached_by_name_from_the_terminal(project: Path) -> None:
    milepost(project, "checkpoint", "save", "first")
    assert "is named good" in milepost(project, "checkpoint", "name", "1", "good").stdout
    assert "is kept for good" in milepost(project, "checkpoint", "pin", "good").stdout
    sh(project, "echo 1 > f")
    assert milepost(project, "checkpoint", "preview", "good").stdout.splitlines()[1] == "- f"
    listed = milepost(project, "checkpoint", "list").stdout
    assert "[good] first (pinned)" in listed
    assert milepost(project, "checkpoint", "diff", "good").stdout == "+ f\n"
    milepost(project, "checkpoint", "restore", "good", "--yes")
    assert not (project / "f").exists()
    assert "1 path went back" in milepost(project, "checkpoint", "undo").stdout
    assert "1 path went back" in milepost(project, "checkpoint", "redo").stdout
    assert "restore points" in milepost(project, "checkpoint", "du").stdout
    assert milepost(project, "checkpoint", "prune", "--keep", "1").stdout.startswith("Forgot 0 ")


@pytest.mark.parametrize("where", ["/", "home", "plain"])
def test_nothing_is_taken_of_the_root_the_home_or_a_folder_that_is_no_project(
    tmp_path: Path, where: str
) -> None:
    folder = tmp_path / "user"
    (folder / "plain").mkdir(parents=True)
    cwd = {"/": Path("/"), "home": folder, "plain": folder / "plain"}[where]
    environment = {**os.environ, "HOME": str(folder)}
    done = milepost(cwd, "checkpoint", "save", env=environment)
    assert done.returncode == 1
    assert "does not look like a project" in done.stderr
    for wide in ("/", str(folder)):
        refused = milepost(cwd, "checkpoint", "save", "--project", wide, env=environment)
        assert refused.returncode == 1
        assert "too wide" in refused.stderr


def test_a_damaged_store_is_told_of_and_does_not_keep_a_command_from_running(
    project: Path, workspace: api.Workspace
) -> None:
    workspace.checkpoints.save()
    database = Path(workspace.project.data_dir) / "snapshots.db"
    workspace.close()
    database.write_bytes(b"not a database" * 1000)
    done = milepost(project, "checkpoint", "wrap", "--", "/bin/sh", "-c", "echo 1 > f; exit 4")
    assert done.returncode == 4
    assert "snapshots.db was damaged" in done.stderr
