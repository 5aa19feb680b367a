"""Commands end in time, with all their children, and their output is bounded."""

from __future__ import annotations

import hashlib
import threading
import time
from pathlib import Path

import pytest

from milepost.base.errors import Stopped, WorldError
from milepost.base.process import TAIL_BYTES, run_shell


def test_the_exit_code_and_the_output_are_what_the_command_gave(tmp_path: Path) -> None:
    outcome = run_shell("echo out; echo err >&2; exit 3", cwd=tmp_path, timeout_s=20)
    assert (outcome.exit_code, outcome.timed_out) == (3, False)
    assert outcome.tail == b"out\nerr\n"
    assert outcome.output_sha256 == hashlib.sha256(outcome.tail).hexdigest()


def test_only_the_end_of_a_long_output_is_kept_and_all_of_it_is_hashed(tmp_path: Path) -> None:
    outcome = run_shell("seq 1 200000", cwd=tmp_path, timeout_s=60)
    whole = "".join(f"{number}\n" for number in range(1, 200_001)).encode()
    assert outcome.output_bytes == len(whole)
    assert outcome.output_sha256 == hashlib.sha256(whole).hexdigest()
    assert outcome.tail == whole[-TAIL_BYTES:]


def test_a_command_that_hangs_is_killed_with_its_children(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    command = f"(sleep 1.5; touch {mark}) & sleep 600"
    started = time.monotonic()
    outcome = run_shell(command, cwd=tmp_path, timeout_s=0.3)
    assert (outcome.exit_code, outcome.timed_out) == (None, True)
    assert time.monotonic() - started < 10
    run_shell("sleep 2", cwd=tmp_path, timeout_s=20)
    assert not mark.exists()


def test_a_child_left_in_the_background_holds_nobody_up_and_is_ended(tmp_path: Path) -> None:
    started = time.monotonic()
    outcome = run_shell("sleep 600 & echo done", cwd=tmp_path, timeout_s=30)
    assert (outcome.exit_code, outcome.tail) == (0, b"done\n")
    assert time.monotonic() - started < 10


def test_a_command_that_reads_its_input_finds_none(tmp_path: Path) -> None:
    assert run_shell("cat", cwd=tmp_path, timeout_s=20).exit_code == 0


def test_a_stop_from_another_thread_ends_the_command(tmp_path: Path) -> None:
    stop = threading.Event()
    timer = threading.Timer(0.2, stop.set)
    timer.start()
    with pytest.raises(Stopped):
        run_shell("sleep 600", cwd=tmp_path, timeout_s=600, stop=stop)
    timer.join()


def test_a_signal_shows_as_a_negative_exit_code(tmp_path: Path) -> None:
    assert run_shell("kill -9 $$", cwd=tmp_path, timeout_s=20).exit_code == -9


def test_a_folder_that_is_gone_is_said(tmp_path: Path) -> None:
    with pytest.raises(WorldError, match="cannot start"):
        run_shell("true", cwd=tmp_path / "gone", timeout_s=20)


def test_a_child_that_left_its_session_is_ended_too(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    command = f"setsid sh -c 'echo $$ > {pid}; exec sleep 600' & while ! test -s {pid}; do :; done"
    assert run_shell(command, cwd=tmp_path, timeout_s=30).exit_code == 0
    assert not Path(f"/proc/{pid.read_text(encoding='utf-8').strip()}").exists()


def test_more_of_the_output_is_kept_when_it_is_asked_for(tmp_path: Path) -> None:
    outcome = run_shell("seq 1 20000", cwd=tmp_path, timeout_s=30, keep_bytes=1024 * 1024)
    assert outcome.output.startswith(b"1\n2\n")
    assert outcome.tail == outcome.output[-TAIL_BYTES:]
