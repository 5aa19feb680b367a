"""Commands of an agent, real ones."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from milepost.base.errors import Stopped, UserError
from milepost.config.sandbox import sandbox_of
from milepost.config.tables import SandboxSettings
from milepost.tools.shell import Shell
from milepost.tools.tool import Result, checked


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    root = tmp_path / "root"
    root.mkdir()
    hold = sandbox_of(root, SandboxSettings())
    return Shell(
        root,
        tmp_path / "outputs",
        lambda text: text.replace("hunter2", "[secret]"),
        hold,
        lambda: dict(os.environ),
    )


def _run(shell: Shell, command: str, stop: threading.Event | None = None, **more: object) -> Result:
    given = {"command": command, **more}
    return shell.run(checked(shell, given), stop or threading.Event())


def test_a_command_runs_in_the_root_and_its_output_and_exit_code_are_told(shell: Shell) -> None:
    assert _run(shell, "pwd; echo to stderr >&2").text.endswith("root\nto stderr")
    assert _run(shell, "true") == Result("It ended well and printed nothing.")
    failed = _run(shell, "echo why; exit 3")
    assert failed == Result("It ended with exit code 3.\nwhy", failed=True)
    assert "not found" in _run(shell, "no-such-program-here").text


def test_a_gigabyte_of_output_is_cut_in_the_middle_and_kept_on_disk_within_limits(
    shell: Shell, tmp_path: Path
) -> None:
    result = _run(shell, "echo begin hunter2; yes | head -c 40000000; echo the end hunter2")
    assert len(result.text) < 20_000
    assert "the end" in result.text
    (kept,) = (tmp_path / "outputs").iterdir()
    assert str(kept) in result.text
    assert kept.stat().st_size <= 8 * 1024 * 1024
    assert kept.stat().st_mode & 0o777 == 0o600
    assert "hunter2" not in kept.read_text("utf-8")


def test_a_command_that_hangs_forks_or_reads_input_ends(shell: Shell, tmp_path: Path) -> None:
    began = time.monotonic()
    result = _run(shell, "echo so far; sleep 600", timeout_s=1)
    assert result.failed
    assert "killed after 1 seconds" in result.text
    assert "so far" in result.text
    assert "got nothing" in _run(shell, "cat; echo got nothing").text
    _run(shell, "(setsid sh -c 'sleep 2; touch left-behind') & echo started")
    stop = threading.Event()
    threading.Timer(0.2, stop.set).start()
    with pytest.raises(Stopped):
        _run(shell, "sleep 600", stop)
    assert time.monotonic() - began < 20


@pytest.mark.parametrize("command", ["", "  ", "a\0b"])
def test_no_command_is_told(shell: Shell, command: str) -> None:
    with pytest.raises(UserError, match="no command"):
        _run(shell, command)
