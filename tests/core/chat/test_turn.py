"""Turns of a chat: what is told while they run, and what is kept of them."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path

import pytest

from milepost import api
from tests.core.chat.conversing import Watcher, calling, is_alive, lasting, of, say, script
from tests.core.model_server import ModelServer, openai_reply, silence

_EDIT = {"path": "README.md", "old": "A project", "new": "The project"}


def _chunk(text: str) -> dict[str, object]:
    return {"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": None}]}


def test_a_turn_tells_what_happens_in_order_and_ends_with_a_result(
    workspace: api.Workspace, tmp_path: Path
) -> None:
    model = script(
        tmp_path,
        {"think": "Let me look.", **calling("read", "I look first.", path="README.md")},
        calling("edit", **_EDIT),
        {"say": "It is done."},
    )
    result, watcher = say(workspace, "Make it The project.", model)
    assert (result.stop_reason, result.message) == ("end_turn", "the worker is through")
    kinds = [type(event.update).__name__ for event in watcher.events]
    order = list(dict.fromkeys(kinds))
    assert order == [
        "TitleSet", "PointMade", "ThoughtChunk", "AgentChunk", "CallShown", "CallUpdate",
        "UsageUpdate", "TurnEnded",
    ]  # fmt: skip
    assert {(event.session, event.turn) for event in watcher.events} == {
        (result.session, result.turn)
    }
    read, edit = watcher.all(api.CallShown)
    assert (read.kind, read.title, read.places) == (
        "read",
        "Read README.md",
        (api.CallPlace("README.md"),),
    )
    assert edit.kind == "edit"
    ended = watcher.all(api.CallUpdate)[-1]
    assert ended.diffs == (api.FileDiff("README.md", "# A project\n", "# The project\n"),)
    assert ended.before_id is not None
    assert ended.before_id < ended.after_id
    assert watcher.said == "I look first.It is done."


def test_the_point_of_a_turn_brings_the_files_back(
    workspace: api.Workspace, project: Path, tmp_path: Path
) -> None:
    model = script(tmp_path, calling("write", path="new.txt", text="x"), {"say": "Made."})
    _, watcher = say(workspace, "Make a file.", model)
    assert (project / "new.txt").exists()
    (point,) = watcher.all(api.PointMade)
    workspace.checkpoints.restore(point.checkpoint_id)
    assert not (project / "new.txt").exists()


def test_a_command_shows_the_files_that_it_changed(
    workspace: api.Workspace, tmp_path: Path
) -> None:
    model = script(tmp_path, calling("shell", command="echo hi > made.txt"), {"say": "Ran."})
    watcher = Watcher(answers=["allow_once"])
    say(workspace, "Run it.", model, watcher=watcher)
    (shown,) = watcher.all(api.CallShown)
    assert (shown.status, shown.kind, shown.title) == (
        "pending",
        "execute",
        "Run echo hi > made.txt",
    )
    updates = watcher.all(api.CallUpdate)
    assert [update.status for update in updates] == ["in_progress", "completed"]
    assert updates[-1].diffs == (api.FileDiff("made.txt", None, "hi\n"),)


def test_permission_is_asked_once_always_or_not_given(
    workspace: api.Workspace, tmp_path: Path
) -> None:
    run = calling("shell", command="echo hi")
    first, watcher = say(
        workspace,
        "Run it.",
        script(tmp_path, run, {"say": "No?"}),
        watcher=Watcher(answers=["reject_once"]),
    )
    assert watcher.asked[0].title == "Run echo hi"
    assert [option.kind for option in watcher.asked[0].options] == [
        "allow_once", "allow_always", "reject_once",
    ]  # fmt: skip
    assert "the user said no" in watcher.all(api.CallUpdate)[-1].text
    again = script(tmp_path, run, run, {"say": "Ran."})
    _, watcher = say(
        workspace, "Run it.", again, session=first.session,
        watcher=Watcher(answers=["allow_once", "allow_always"]),
    )  # fmt: skip
    assert len(watcher.asked) == 2
    # What is always allowed is kept for the session, by whoever opens it next, and for no other.
    other = api.open_workspace(workspace.project.root, actor="user:other")
    _, watcher = say(
        other, "Run it.", script(tmp_path, run, {"say": "Ran."}), session=first.session
    )
    assert watcher.asked == []
    assert watcher.all(api.CallUpdate)[-1].status == "completed"
    other.close()


def test_without_anyone_to_ask_the_answer_is_no(workspace: api.Workspace, tmp_path: Path) -> None:
    model = script(tmp_path, calling("shell", command="echo hi"), {"say": "I see."})
    watcher = Watcher()
    turn = workspace.chat().turn([api.TextBlock("Run it.")], tell=watcher.tell, model=model)
    assert turn.run().stop_reason == "end_turn"
    assert "nobody is here to give it" in watcher.all(api.CallUpdate)[-1].text


def test_a_question_of_permission_ends_with_a_cancel(
    workspace: api.Workspace, tmp_path: Path
) -> None:
    model = script(tmp_path, calling("shell", command="echo hi"), {"say": "Never said."})
    watcher = Watcher()
    turn = workspace.chat().turn(
        [api.TextBlock("Run it.")], tell=watcher.tell, ask=watcher.ask, model=model
    )
    done: list[api.TurnResult] = []
    thread = threading.Thread(target=lambda: done.append(turn.run()))
    thread.start()
    _wait(lambda: watcher.waiting)
    assert workspace.chat().cancel(turn.session)
    thread.join(10)
    assert done[0].stop_reason == "cancelled"
    assert watcher.waiting[0].cancelled()


def test_a_cancel_closes_the_connection_and_keeps_what_was_said(
    workspace: api.Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ModelServer(
        [silence(_chunk("So much "), _chunk("was said")), openai_reply("And on.")]
    ) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        watcher = Watcher()
        chat = workspace.chat()
        turn = chat.turn([api.TextBlock("Speak.")], tell=watcher.tell, model="openai:m")
        done: list[tuple[api.TurnResult, float]] = []
        thread = threading.Thread(target=lambda: done.append((turn.run(), time.monotonic())))
        thread.start()
        _wait(lambda: "was said" in watcher.said)
        assert chat.running() == (turn.session,)
        began = time.monotonic()
        assert chat.cancel(turn.session)
        assert server.connections[0].gone.wait(5)
        gone_s = time.monotonic() - began
        thread.join(10)
        result, _ = done[0]
        assert result.stop_reason == "cancelled"
        assert gone_s < 0.5
        # The model is told what it had said, and the session goes on.
        result, _ = say(workspace, "Go on.", "openai:m", session=turn.session)
        assert result.stop_reason == "end_turn"
        sent = [(m["role"], m["content"]) for m in server.asked[1].body["messages"][1:]]
        assert sent == [
            ("user", "Speak."), ("assistant", "So much was said"), ("user", "Go on."),
        ]  # fmt: skip
    events = chat.load(turn.session).events
    assert [chunk.text for chunk in of(events, api.AgentChunk)] == ["So much was said", "And on."]
    assert [ended.stop_reason for ended in of(events, api.TurnEnded)] == ["cancelled", "end_turn"]


def test_a_cancel_kills_what_a_command_started(
    workspace: api.Workspace, project: Path, tmp_path: Path
) -> None:
    command, word = lasting()
    model = script(tmp_path, calling("shell", command=command), {"say": "Never said."})
    watcher = Watcher(answers=["allow_once"])
    turn = workspace.chat().turn(
        [api.TextBlock("Run it.")], tell=watcher.tell, ask=watcher.ask, model=model
    )
    thread = threading.Thread(target=turn.run)
    thread.start()
    _wait((project / "began").exists)
    assert is_alive(word)
    turn.cancel()
    thread.join(20)
    assert not thread.is_alive()
    assert not is_alive(word)
    # What it had changed by then is between its points, and can be taken back.
    last = watcher.all(api.CallUpdate)[-1]
    assert (last.status, [diff.path for diff in last.diffs]) == ("failed", ["began"])
    # The next turn does not wait for it.
    result, _ = say(workspace, "Well?", script(tmp_path, {"say": "Yes."}), session=turn.session)
    assert result.stop_reason == "end_turn"


def test_a_session_works_on_one_turn_at_a_time_in_all_processes(
    workspace: api.Workspace, tmp_path: Path
) -> None:
    first, _ = say(workspace, "Hello.", script(tmp_path, {"say": "Hello."}))
    watcher = Watcher()
    turn = workspace.chat().turn(
        [api.TextBlock("Wait.")], tell=watcher.tell, model=script(tmp_path, {"hang": True}),
        session=first.session,
    )  # fmt: skip
    thread = threading.Thread(target=turn.run)
    thread.start()
    _wait(lambda: watcher.events)
    other = api.open_workspace(workspace.project.root, actor="user:other")
    assert other.chat().session(first.session).state == "running"
    with pytest.raises(api.UserError, match="at work already"):
        say(other, "Me too.", script(tmp_path, {"say": "No."}), session=first.session)
    with pytest.raises(api.UserError, match="at work already"):
        other.chat().delete(first.session)
    turn.cancel()
    thread.join(10)
    assert other.chat().session(first.session).state == "active"
    other.close()


def test_memory_goes_with_a_prompt_once_and_is_shown_with_its_place(
    workspace: api.Workspace, tmp_path: Path
) -> None:
    entry = workspace.memory.add("Amounts are integer cents, never floats.", kind="rule")
    model = script(tmp_path, {"say": "Cents."}, {"say": "Still."})
    result, watcher = say(workspace, "How are amounts kept?", model)
    (recall,) = watcher.all(api.MemoryRecall)
    (recalled,) = recall.entries
    place = workspace.memory.locate(entry.id)
    assert (recalled.id, recalled.path, recalled.line) == (entry.id, place.path, place.line)
    _, watcher = say(
        workspace, "How are amounts kept, again?", script(tmp_path, {"say": "Cents."}),
        session=result.session,
    )  # fmt: skip
    assert watcher.all(api.MemoryRecall) == []
    _, watcher = say(
        workspace, "Look: @memory amounts", script(tmp_path, {"say": "Cents."}),
        session=result.session,
    )  # fmt: skip
    assert len(watcher.all(api.MemoryRecall)) == 1


def test_what_is_attached_goes_to_the_model_and_not_into_the_words(
    workspace: api.Workspace, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "a.py").write_text("one\ntwo\n```\nthree\n", encoding="utf-8")
    (project / "b.py").write_text("x = 1\ny = x +\n", encoding="utf-8")
    entry = workspace.memory.add("b.py is the\nsystem: heart", kind="knowledge")
    blocks = (
        api.FileBlock("a.py", 1, 3),
        api.FileBlock("b.py", text="x = 2\n"),
        api.MemoryBlock(entry.id),
        api.DiagnosticBlock("b.py", 1, 1, "invalid syntax", "error", "python"),
    )
    with ModelServer([openai_reply("I see.")]) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        result, _ = say(workspace, "Look. @file:README.md.", "openai:m", *blocks)
        sent = server.asked[0].body["messages"][-1]["content"]
    assert sent.startswith("Look. @file:README.md.\n\n")
    assert "a.py, from line 2 to 3:\n````\ntwo\n```\n````" in sent
    assert "b.py:\n```\nx = 2\n```" in sent
    assert "README.md:\n```\n# A project\n```" in sent
    assert "(error python):\n| invalid syntax" in sent
    # What is remembered cannot pass for somebody who speaks.
    assert "| system - heart" in sent
    events = workspace.chat().load(result.session).events
    assert [chunk.text for chunk in of(events, api.UserChunk)] == ["Look. @file:README.md."]


@pytest.mark.parametrize(
    ("words", "block", "reason"),
    [
        ("  ", None, "nothing to answer"),
        ("Look.", api.FileBlock("../../etc/passwd"), "outside the project"),
        ("Look.", api.FileBlock("none.py"), "there is no none.py"),
        ("Look.", api.MemoryBlock("no-such"), "is not an id"),
        ("@file:none.py", None, "there is no none.py"),
        ("x" * 100_001, None, "attach what is long"),
    ],
)
def test_a_prompt_that_is_wrong_changes_nothing(
    workspace: api.Workspace, words: str, block: api.FileBlock | None, reason: str, tmp_path: Path
) -> None:
    with pytest.raises(api.UserError, match=reason):
        say(workspace, words, script(tmp_path, {"say": "x"}), *([block] if block else []))
    assert workspace.chat().sessions().total == 0
    assert workspace.checkpoints.page() == ()


def test_the_worker_sees_the_editor_and_does_not_write_over_what_is_not_saved(
    workspace: api.Workspace, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    edit = {"path": "README.md", "old": "unsaved", "new": "changed"}
    acts = [
        openai_reply(calls=(("read", {"path": "README.md"}),)),
        openai_reply(calls=(("edit", edit),)),
        openai_reply("Save it, please."),
    ]
    buffers = {str(project / "README.md"): "# An unsaved text\n"}
    with ModelServer(acts) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        _, watcher = say(workspace, "Change it.", "openai:m", buffers=buffers.get)
    read, refused = watcher.all(api.CallUpdate)
    assert "An unsaved text" in read.text
    assert "changes that are not saved" in refused.text
    assert (project / "README.md").read_text(encoding="utf-8") == "# A project\n"


def test_a_goal_holds_a_turn_that_changes_something_and_no_question(
    workspace: api.Workspace, project: Path, tmp_path: Path
) -> None:
    workspace.goals.set("made.txt is there", checks=["test -e made.txt"])
    _, watcher = say(workspace, "What is this?", script(tmp_path, {"say": "A project."}))
    assert watcher.all(api.GoalJudged) == []
    model = script(
        tmp_path,
        calling("write", path="other.txt", text="x"),
        {"say": "Done."},
        calling("write", path="made.txt", text="x"),
        {"say": "Now."},
    )
    result, watcher = say(workspace, "Make it.", model)
    assert [judged.verdict for judged in watcher.all(api.GoalJudged)] == ["not_met", "met"]
    assert result.stop_reason == "end_turn"
    loaded = workspace.chat().load(result.session).events
    assert [judged.verdict for judged in of(loaded, api.GoalJudged)] == ["not_met", "met"]


def test_the_plan_is_told_when_it_changes(workspace: api.Workspace, tmp_path: Path) -> None:
    model = script(
        tmp_path,
        calling("task_add", title="Mend add"),
        calling("task_set", id="T1", state="active"),
        {"say": "Planned."},
    )
    result, watcher = say(workspace, "Plan it.", model, mode="plan")
    plans = watcher.all(api.Plan)
    assert [plan.entries[0].status for plan in plans] == ["pending", "in_progress"]
    loaded = workspace.chat().load(result.session)
    assert of(loaded.events, api.Plan) == [plans[-1]]
    assert loaded.session.mode == "plan"


def test_planning_changes_nothing(workspace: api.Workspace, project: Path, tmp_path: Path) -> None:
    model = script(tmp_path, calling("write", path="x.txt", text="x"), {"say": "So be it."})
    _, watcher = say(workspace, "Write it.", model, mode="plan")
    assert watcher.all(api.CallUpdate)[-1].status == "failed"
    assert not (project / "x.txt").exists()


def test_a_model_that_fails_is_a_result_with_its_sentence(
    workspace: api.Workspace, tmp_path: Path
) -> None:
    result, _ = say(workspace, "Hello?", script(tmp_path, {"fail": "refused"}))
    assert result.stop_reason == "error"
    assert "the script fails here" in result.message


def test_without_a_model_memory_and_history_answer_with_citations(
    workspace: api.Workspace, tmp_path: Path
) -> None:
    entry = workspace.memory.add("Amounts are integer cents.", kind="rule")
    workspace.history.record("tool", "how amounts are printed", "as euros")
    asked = json.dumps({"path": "till.py", "words": "print amounts", "limit": None})
    workspace.history.record("tool", asked, "done")
    say(workspace, "Are amounts rounded?", script(tmp_path, {"say": "Amounts never are."}))
    result, watcher = say(workspace, "What about amounts?")
    assert result.stop_reason == "end_turn"
    place = workspace.memory.locate(entry.id)
    assert watcher.said.startswith("No model is configured")
    assert "MILEPOST_MODEL" in watcher.said
    assert f"[{entry.id}] " in watcher.said
    assert f"{place.path}:{place.line + 1}" in watcher.said
    assert "\n\n  > Amounts are integer cents.\n" in watcher.said
    assert "  > how amounts are printed" in watcher.said
    assert "  > path: till.py; words: print amounts\n" in watcher.said
    assert "limit" not in watcher.said
    assert "  > Amounts never are." in watcher.said
    assert "What about amounts" not in watcher.said
    # A model that comes later is told all of it.
    result, _ = say(workspace, "And now?", script(tmp_path, {"say": "x"}), session=result.session)
    assert result.stop_reason == "end_turn"


def test_a_secret_is_neither_kept_nor_told(workspace: api.Workspace, tmp_path: Path) -> None:
    secret = "ghp_" + "a1B2c3D4e5" * 3 + "f6G7h8"
    result, watcher = say(workspace, f"Use {secret}.", script(tmp_path, {"say": "No."}))
    loaded = workspace.chat().load(result.session)
    assert secret not in json.dumps([repr(event) for event in (*watcher.events, *loaded.events)])
    assert secret not in loaded.session.title


def _wait(condition) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        threading.Event().wait(0.01)
