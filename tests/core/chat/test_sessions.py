"""The sessions of a chat: listed, loaded, followed, forked, renamed, deleted, and killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from milepost import api
from tests.core.chat.conversing import Watcher, calling, of, say, script


def test_sessions_are_listed_the_newest_first_with_how_many_there_are(
    workspace: api.Workspace, tmp_path: Path
) -> None:
    model = script(tmp_path, {"say": "Yes."})
    first, _ = say(workspace, "One.", model)
    second, _ = say(workspace, "Two, in plan mode.", model, mode="plan")
    page = workspace.chat().sessions()
    assert [(each.id, each.title, each.state, each.mode) for each in page.sessions] == [
        (second.session, "Two, in plan mode.", "active", "plan"),
        (first.session, "One.", "active", "build"),
    ]
    page = workspace.chat().sessions(limit=1, offset=1)
    assert ([each.id for each in page.sessions], page.total) == ([first.session], 2)


def test_a_loaded_session_reads_as_it_was_told(workspace: api.Workspace, tmp_path: Path) -> None:
    workspace.memory.add("The project is called Hourglass.", kind="context")
    model = script(
        tmp_path,
        {"think": "Hm.", **calling("write", "Writing.", path="x.txt", text="x\n")},
        {"say": "Done."},
    )
    result, watcher = say(workspace, "Name the project.", model)
    loaded = workspace.chat().load(result.session)
    assert not loaded.is_cut
    told = [
        event.update
        for event in watcher.events
        if not isinstance(event.update, api.AgentChunk | api.UsageUpdate | api.TitleSet)
    ]
    assert [
        event.update
        for event in loaded.events
        if not isinstance(event.update, api.AgentChunk | api.UserChunk)
    ] == told
    assert "".join(chunk.text for chunk in of(loaded.events, api.AgentChunk)) == watcher.said
    assert {event.turn for event in loaded.events} == {result.turn}


def test_a_long_session_is_loaded_from_its_end(workspace: api.Workspace, tmp_path: Path) -> None:
    turns = [calling("find", pattern=f"*.{number}") for number in range(20)]
    result, _ = say(workspace, "Look.", script(tmp_path, *turns, {"say": "Nothing."}))
    loaded = workspace.chat().load(result.session, limit=10)
    assert loaded.is_cut
    assert of(loaded.events, api.UserChunk) == []
    assert {event.turn for event in loaded.events} == {result.turn}
    assert of(loaded.events, api.AgentChunk) == [api.AgentChunk("Nothing.")]


def test_another_process_sees_what_is_said_within_a_second(
    workspace: api.Workspace, tmp_path: Path
) -> None:
    model = script(tmp_path, {"say": "Yes."})
    result, _ = say(workspace, "One.", model)
    other = api.open_workspace(workspace.project.root, actor="user:other")
    seen: list[api.ChatEvent] = []
    other.chat().load(result.session, hear=seen.append)
    say(workspace, "Two.", model, session=result.session)
    said = time.monotonic()
    _wait(lambda: of(seen, api.TurnEnded))
    assert time.monotonic() - said < 1
    assert of(seen, api.UserChunk) == [api.UserChunk("Two.")]
    assert of(seen, api.AgentChunk) == [api.AgentChunk("Yes.")]
    workspace.chat().rename(result.session, "Counting")
    _wait(lambda: of(seen, api.TitleSet))
    # What was said right before it speaks itself is told, too; what it says, by its turn alone.
    say(workspace, "Two and a half.", model, session=result.session)
    say(other, "Three.", model, session=result.session)
    assert of(seen, api.UserChunk)[-1] == api.UserChunk("Two and a half.")
    told = len(seen)
    other.chat().unfollow(result.session)
    say(workspace, "Four.", model, session=result.session)
    say(other, "Five.", model)
    assert len(seen) == told
    other.close()


def test_a_conversation_that_went_back_is_told_to_those_who_look_on(
    workspace: api.Workspace, tmp_path: Path
) -> None:
    model = script(tmp_path, {"say": "Yes."})
    result, _ = say(workspace, "One.", model)
    _, watcher = say(workspace, "Two.", model, session=result.session)
    other = api.open_workspace(workspace.project.root, actor="user:other")
    seen: list[api.ChatEvent] = []
    other.chat().load(result.session, hear=seen.append)
    point = watcher.all(api.PointMade)[0].checkpoint_id
    workspace.checkpoints.restore(point, what="conversation")
    _wait(lambda: of(seen, api.ChatNotice))
    # Who comes later sees what counts, and nothing of what does not.
    late: list[api.ChatEvent] = []
    loaded = other.chat().load(result.session, hear=late.append)
    assert [chunk.text for chunk in of(loaded.events, api.UserChunk)] == ["One."]
    say(workspace, "Three.", model, session=result.session)
    _wait(lambda: of(late, api.TurnEnded))
    assert of(late, api.UserChunk) == [api.UserChunk("Three.")]
    other.close()


def test_a_fork_goes_its_own_way_from_a_turn(workspace: api.Workspace, tmp_path: Path) -> None:
    model = script(tmp_path, {"say": "Yes."})
    first, _ = say(workspace, "One.", model)
    second, _ = say(workspace, "Two.", model, session=first.session)
    chat = workspace.chat()
    forked = chat.fork(first.session, second.turn)
    assert forked.forked_from == first.session
    say(workspace, "Another two.", model, session=forked.id)
    words = [chunk.text for chunk in of(chat.load(forked.id).events, api.UserChunk)]
    assert words == ["One.", "Another two."]
    words = [chunk.text for chunk in of(chat.load(first.session).events, api.UserChunk)]
    assert words == ["One.", "Two."]
    assert len(of(chat.load(chat.fork(first.session).id).events, api.UserChunk)) == 2
    for turn in ("9999", "no", "-1", "", str(10**30)):
        with pytest.raises(api.UserError, match="no such turn"):
            chat.fork(first.session, turn)


def test_a_session_is_renamed_and_deleted_with_its_notes(
    workspace: api.Workspace, tmp_path: Path
) -> None:
    model = script(tmp_path, calling("note", text="a dead end"), {"say": "Noted."})
    result, _ = say(workspace, "Note it.", model)
    chat = workspace.chat()
    assert chat.rename(result.session, "Notes").title == "Notes"
    with pytest.raises(api.UserError, match="a word"):
        chat.rename(result.session, "  ")
    folder = Path(workspace.project.data_dir) / "sessions" / result.session
    assert "dead end" in (folder / "notes.md").read_text(encoding="utf-8")
    chat.delete(result.session)
    assert not folder.exists()
    for call in (chat.load, chat.delete, chat.session, chat.fork):
        with pytest.raises(api.UserError, match="no session with that id"):
            call(result.session)
    with pytest.raises(api.UserError, match="no session with that id"):
        say(workspace, "On.", model, session=result.session)


def test_a_session_whose_process_was_killed_is_loaded_and_goes_on(
    workspace: api.Workspace, project: Path, tmp_path: Path
) -> None:
    model = script(
        tmp_path,
        calling("write", "Writing.", path="x.txt", text="x\n"),
        calling("shell", "Running.", command="touch began; sleep 60"),
        {"say": "Never said."},
    )
    code = (
        "import sys\n"
        "from milepost import api\n"
        "from tests.core.chat.conversing import Watcher, say\n"
        "space = api.open_workspace(sys.argv[1], actor='user:killed')\n"
        "say(space, 'Work.', sys.argv[2], watcher=Watcher(answers=['allow_once']))\n"
    )
    child = subprocess.Popen([sys.executable, "-c", code, str(project), model])
    _wait((project / "began").exists)
    os.kill(child.pid, signal.SIGKILL)
    child.wait(10)
    chat = workspace.chat()
    (session,) = chat.sessions().sessions
    assert session.state == "active"
    loaded = chat.load(session.id).events
    assert [chunk.text for chunk in of(loaded, api.AgentChunk)] == ["Writing.", "Running."]
    assert of(loaded, api.CallUpdate)[0].status == "completed"
    (ended,) = of(loaded, api.TurnEnded)
    assert (ended.stop_reason, "process ended" in ended.message) == ("error", True)
    result, _ = say(workspace, "Go on.", script(tmp_path, {"say": "Yes."}), session=session.id)
    assert result.stop_reason == "end_turn"
    loaded = chat.load(session.id).events
    updates = of(loaded, api.CallUpdate)
    assert [update.status for update in updates] == ["completed", "failed"]
    assert "while this ran" in updates[1].text
    assert [end.stop_reason for end in of(loaded, api.TurnEnded)] == ["error", "end_turn"]


def test_a_run_of_the_terminal_can_be_loaded_and_gone_on_with(
    workspace: api.Workspace, tmp_path: Path
) -> None:
    model = script(tmp_path, calling("read", path="README.md"), {"say": "Read."})
    outcome = workspace.worker().run("Read it.", model=model, tell=lambda _: None)
    chat = workspace.chat()
    loaded = chat.load(outcome.session)
    assert loaded.session.state == "ended"
    assert of(loaded.events, api.TurnEnded)[0].stop_reason == "end_turn"
    result, _ = say(workspace, "And?", script(tmp_path, {"say": "Well."}), session=outcome.session)
    assert result.stop_reason == "end_turn"
    assert chat.session(outcome.session).state == "active"


def test_closing_a_workspace_ends_the_turns_that_run_in_it(
    workspace: api.Workspace, tmp_path: Path
) -> None:
    watcher = Watcher()
    turn = workspace.chat().turn(
        [api.TextBlock("Wait.")], tell=watcher.tell, model=script(tmp_path, {"hang": True})
    )
    done: list[api.TurnResult] = []
    thread = threading.Thread(target=lambda: done.append(turn.run()))
    thread.start()
    _wait(lambda: watcher.events)
    workspace.chat().close()
    thread.join(10)
    assert done[0].stop_reason == "cancelled"


def _wait(condition) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        threading.Event().wait(0.01)
