"""Stopping a turn that another process runs: two real processes on one project."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from milepost import api
from milepost.history.transcript import _MIGRATIONS, Transcripts
from milepost.history.turns import Wish
from tests.core.chat.conversing import calling, is_alive, lasting, script
from tests.core.model_server import ModelServer, openai_reply, silence

# A process that runs one turn of a chat, and says at its end how it ended.
RUNNER = """
import json, sys
from concurrent.futures import Future
from milepost import api
root, model, session = sys.argv[1:4]
def allow(_):
    future = Future()
    future.set_result("allow_once")
    return future
workspace = api.open_workspace(root, actor="user:runner")
turn = workspace.chat().turn(
    [api.TextBlock("Work.")], tell=lambda event: print("told", flush=True), model=model or None,
    ask=allow, session=session or None,
)
result = turn.run()
print(json.dumps([result.session, result.turn, result.stop_reason, result.message]), flush=True)
workspace.close()
"""

MILEPOST = Path(sys.executable).with_name("milepost")

Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def start(project: Path) -> Iterator[Start]:
    """Starts a process that runs a turn."""
    started: list[subprocess.Popen[str]] = []

    def run(model: str, session: str = "", **env: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", RUNNER, str(project), model, session]
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, text=True, env={**os.environ, **env}
        )
        started.append(process)
        return process

    yield run
    for process in started:
        process.kill()
        process.communicate()


def until(condition: Callable[[], object], within_s: float = 20.0) -> None:
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.01)


def running(workspace: api.Workspace) -> api.ChatSession:
    """The one session, when its turn runs."""
    chat = workspace.chat()
    until(lambda: any(each.state == "running" for each in chat.sessions().sessions))
    return chat.sessions().sessions[0]


def result(process: subprocess.Popen[str]) -> list[str]:
    out, _ = process.communicate(timeout=20)
    return json.loads(out.splitlines()[-1])


def test_a_turn_of_another_process_ends_within_a_moment_and_says_who_stopped_it(
    workspace: api.Workspace, start: Start
) -> None:
    chunk = {"choices": [{"index": 0, "delta": {"content": "So much"}, "finish_reason": None}]}
    with ModelServer([silence(chunk), openai_reply("And on.")]) as server:
        runner = start("openai:m", OPENAI_BASE_URL=server.url)
        until(lambda: server.connections)
        (session,) = workspace.chat().sessions().sessions
        assert session.state == "running"
        began = time.monotonic()
        assert workspace.chat().stop(session.id)
        assert server.connections[0].gone.wait(5)
        took = time.monotonic() - began
        ended = result(runner)
    who = f"it was stopped by {workspace.actor}"
    assert ended == [session.id, ended[1], "cancelled", who]
    assert took < 1.5  # a quarter of a second, on a machine that has nothing else to do
    told = workspace.chat().load(session.id)
    assert told.session.state == "active"
    last = told.events[-1].update
    assert isinstance(last, api.TurnEnded)
    assert (last.stop_reason, last.message) == ("cancelled", who)
    words = [e.update.text for e in told.events if isinstance(e.update, api.AgentChunk)]
    assert words == ["So much"]


def test_what_a_command_started_is_dead_when_another_process_stopped_it(
    workspace: api.Workspace, project: Path, tmp_path: Path, start: Start
) -> None:
    command, word = lasting()
    runner = start(script(tmp_path, calling("shell", command=command), {"say": "Never."}))
    until((project / "began").exists)
    assert is_alive(word)
    (session,) = workspace.chat().sessions().sessions
    assert workspace.chat().stop(session.id)
    assert result(runner)[2] == "cancelled"
    assert not is_alive(word)


def test_a_wish_that_comes_late_or_is_for_another_turn_does_nothing(
    workspace: api.Workspace, project: Path, tmp_path: Path, start: Start
) -> None:
    first = result(start(script(tmp_path, {"say": "One."})))
    chat = workspace.chat()
    assert not chat.stop(first[0])
    slow = [calling("read", path="README.md")] * 3 + [{"say": "Two."}]
    hang = script(tmp_path, {"hang": True})
    runner = start(hang, first[0])
    until(lambda: chat.session(first[0]).state == "running")
    # The editor still shows the turn before, which has ended; sent at any moment, it is not heard.
    chat.stop(first[0], first[1])
    until(lambda: newest_turn(chat, first[0]) != first[1])
    now = newest_turn(chat, first[0])
    assert not chat.stop(first[0], first[1])
    with pytest.raises(subprocess.TimeoutExpired):
        runner.wait(0.6)
    assert chat.stop(first[0], now)
    assert result(runner)[1:3] == [now, "cancelled"]
    again = result(start(script(tmp_path, *slow), first[0]))
    assert again[2] == "end_turn"


def newest_turn(chat: api.Chat, session: str) -> str:
    told = chat.load(session).events
    return told[-1].turn if told else ""


def test_a_wish_that_a_killed_process_left_is_not_the_next_turns(
    workspace: api.Workspace, tmp_path: Path, start: Start
) -> None:
    runner = start(script(tmp_path, {"hang": True}))
    chat = workspace.chat()
    session = running(workspace)
    os.kill(runner.pid, signal.SIGSTOP)
    assert chat.stop(session.id)
    os.kill(runner.pid, signal.SIGKILL)
    runner.wait(10)
    assert chat.session(session.id).state == "active"
    assert not chat.stop(session.id)
    assert result(start(script(tmp_path, {"say": "On we go."}), session.id))[2] == "end_turn"


@pytest.mark.parametrize("session", ["none", "../../elsewhere", ""])
def test_a_session_that_is_none_cannot_be_stopped_and_gets_no_folder(
    workspace: api.Workspace, session: str
) -> None:
    folder = Path(workspace.project.data_dir)
    before = sorted(folder.parent.parent.rglob("*"))
    with pytest.raises(api.UserError, match="no session with that id"):
        workspace.chat().stop(session)
    made = set(folder.parent.parent.rglob("*")) - set(before)
    assert not any(path.name == "turn.lock" for path in made)


def test_the_terminal_stops_a_turn_and_says_when_there_is_none(
    workspace: api.Workspace, project: Path, tmp_path: Path, start: Start
) -> None:
    runner = start(script(tmp_path, {"hang": True}))
    session = running(workspace)
    stopped = milepost(project, "stop", session.id)
    assert (stopped.returncode, stopped.stdout) == (0, f"Stopped session {session.id}: Work.\n")
    assert result(runner)[2] == "cancelled"
    again = milepost(project, "stop", session.id)
    assert again.returncode == 1
    assert f"nothing runs in session {session.id}" in again.stderr


def test_a_run_of_the_terminal_is_stopped_and_its_session_says_by_whom(
    workspace: api.Workspace, project: Path, tmp_path: Path
) -> None:
    model = script(tmp_path, {"hang": True})
    command = [str(MILEPOST), "run", "Work.", "--model", model, "--project", str(project)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as run:
        try:
            session = running(workspace)
            assert workspace.chat().stop(session.id)
            out, _ = run.communicate(timeout=20)
        finally:
            run.kill()
    who = f"it was stopped by {workspace.actor}"
    assert run.returncode == 130
    assert f"cancelled: {who}. Session {session.id}" in out
    notices = [e.update for e in workspace.chat().load(session.id).events]
    assert api.ChatNotice("info", f"The run ended: {who}.") in notices


def milepost(project: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [str(MILEPOST), "session", *words, "--project", str(project)]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)


def test_a_token_is_one_turns_alone(tmp_path: Path) -> None:
    transcripts = Transcripts(tmp_path)
    session = transcripts.create("Work", "user:test").id
    turns = transcripts.turns
    first = turns.begin(session)
    assert turns.ask_to_end(session, first, Wish("user:me", "7"))
    assert turns.wish(session, first) == Wish("user:me", "7")
    second = turns.begin(session)
    assert turns.wish(session, second) is None
    assert not turns.ask_to_end(session, first, Wish("user:me", ""))
    assert turns.wish(session, second) is None
    turns.end(session)
    assert turns.token(session) == ""
    assert not turns.ask_to_end(session, second, Wish("user:me", ""))
    transcripts.database.close()


def test_sessions_of_the_version_before_can_be_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("milepost.history.transcript._MIGRATIONS", _MIGRATIONS[:-1])
    old = Transcripts(tmp_path)
    session = old.create("Work", "user:test").id
    old.database.close()
    monkeypatch.undo()
    transcripts = Transcripts(tmp_path)
    turns = transcripts.turns
    assert turns.token(session) == ""
    assert turns.ask_to_end(session, turns.begin(session), Wish("user:me", ""))
    transcripts.database.close()
