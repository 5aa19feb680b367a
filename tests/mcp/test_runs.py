"""Verifications that take longer than a client waits."""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path

import pytest

from milepost.api import Stopped, UserError
from milepost_mcp.reply import Reply
from milepost_mcp.runs import Run, Runs
from tests.mcp.test_protocol import wait_for
from tests.mcp.wire import Wire

_BEGIN = (
    "import milepost_mcp.tools.goal_verify as tool; tool.RUN_HANDLE_AFTER_S = 0.3; "
    "from milepost_mcp.command import main; main([])"
)


def nothing(position: int, total: int, doing: str) -> None:
    pass


def test_a_long_verification_gives_a_run_whose_result_is_fetched_later(
    project: Path, tmp_path: Path
) -> None:
    # The same server, but for how long it lets a client wait: no test should wait for 40 s.
    with Wire(project, command=(sys.executable, "-c", _BEGIN)) as wire:
        gate = tmp_path / "gate"
        goal = wire.set_goal(condition="x", checks=[f"while [ ! -e {gate} ]; do sleep 0.05; done"])
        first = wire.done("goal_verify", id=goal["id"])
        assert first["verdict"] == "none yet"
        again = wire.done("goal_verify", run=first["run"])
        assert again["run"] == first["run"]
        assert "sleep 0.05" in again["doing"]
        gate.touch()

        def verdict() -> object:
            return wire.done("goal_verify", run=first["run"])["verdict"]

        wait_for(lambda: verdict() == "met")
        assert verdict() == "met", "the result is kept"
        failed, text, _ = wire.call("goal_verify", {"run": "none"})
        assert failed
        assert "no such run" in text
        assert wire.call("goal_verify", {"run": first["run"], "fresh": True})[0]


def test_calling_off_the_wait_stops_the_run() -> None:
    begun = threading.Event()

    def work(stop: threading.Event, progress: object) -> Reply:
        begun.set()
        assert stop.wait(20)
        raise Stopped("it was stopped")

    run = Run(work, nothing)
    assert begun.wait(20)
    assert run.wait(0.0, threading.Event(), nothing) is None
    called_off = threading.Event()
    called_off.set()
    with pytest.raises(Stopped):
        run.wait(20, called_off, nothing)


def test_a_second_waiter_hears_at_once_what_is_being_done() -> None:
    stop, told = threading.Event(), threading.Event()

    def work(stopped: threading.Event, progress: object) -> Reply:
        progress(1, 3, "make")
        told.set()
        assert stopped.wait(20)
        return Reply("done", {})

    run = Run(work, nothing)
    assert told.wait(20)
    heard: list[tuple[int, int, str]] = []
    assert run.wait(0.0, stop, lambda *step: heard.append(step)) is None
    assert heard == [(1, 3, "make")]
    assert run.doing == "[2/3] make"
    run.stop.set()
    assert run.wait(20, stop, nothing) == Reply("done", {})


def test_runs_are_bounded_and_end_with_the_server() -> None:
    runs = Runs()

    def work(stop: threading.Event, progress: object) -> Reply:
        assert stop.wait(20)
        return Reply("", {})

    begun = [runs.start(work, nothing) for _ in range(8)]
    with pytest.raises(UserError, match="8 runs go on"):
        runs.start(work, nothing)
    started = time.monotonic()
    runs.close()
    assert time.monotonic() - started < 10
    assert all(run.ended.is_set() for run in begun)
