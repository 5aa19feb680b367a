"""The chat over the real wire: a scripted model or a model's server, and editors of each kind."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.core.chat.conversing import calling, is_alive, lasting, script
from tests.core.model_server import ModelServer, openai_reply, silence
from tests.lsp.client import CAPABILITIES, CHATTING, Client, ServerError, span

PROMPT = "milepost/chat/prompt"


@pytest.fixture
def chatting(connect: Callable[..., Client], project: Path) -> Callable[..., Client]:
    """An editor with a chat, for a model."""

    def start(model: str = "", capabilities: dict[str, Any] = CHATTING, **env: str) -> Client:
        client = connect(env={"MILEPOST_MODEL": model, **env})
        client.initialize(project, capabilities=capabilities)
        return client

    return start


def text(words: str) -> dict[str, str]:
    return {"type": "text", "text": words}


def say(client: Client, words: str, *blocks: dict[str, Any], **more: Any) -> dict[str, Any]:
    return client.request(PROMPT, {"prompt": [text(words), *blocks], **more})


def updates(client: Client, kind: str | None = None) -> list[dict[str, Any]]:
    """The updates that were told so far, all or of a kind."""
    told = [message["params"]["update"] for message in client.got("milepost/chat/update")]
    return [update for update in told if kind in (None, update["sessionUpdate"])]


def said(client: Client) -> str:
    return "".join(each["content"]["text"] for each in updates(client, "agent_message_chunk"))


def test_a_turn_streams_in_order_and_is_answered_at_its_end(chatting, project, tmp_path):
    edit = {"path": "shop.py", "old": "> 0", "new": ">= 1"}
    model = script(
        tmp_path,
        {"think": "Let me see.", **calling("read", "I look.", path="shop.py")},
        calling("edit", **edit),
        {"say": "Changed. " + "It is well now. " * 40},
    )
    client = chatting(model)
    assert client.request("milepost/session/list", {}) == {"sessions": [], "total": 0}
    result = say(client, "Ship from one cent on.")
    told = [message["params"] for message in client.got("milepost/chat/update")]
    assert [each["seq"] for each in told] == list(range(1, len(told) + 1))
    assert {(each["sessionId"], each["turnId"]) for each in told} == {
        (result["sessionId"], result["turnId"])
    }
    assert result["stopReason"] == "end_turn"
    assert result["usage"].keys() == {"inputTokens", "outputTokens", "costUsd"}
    kinds = list(dict.fromkeys(each["update"]["sessionUpdate"] for each in told))
    assert kinds == [
        "session_info_update", "checkpoint", "agent_thought_chunk", "agent_message_chunk",
        "tool_call", "tool_call_update", "usage_update", "turn_ended",
    ]  # fmt: skip
    assert said(client).startswith("I look.Changed. It is well now.")
    # In batches, not a piece at a time.
    assert len(updates(client, "agent_message_chunk")) < 20
    read, _ = updates(client, "tool_call")
    uri = (project / "shop.py").as_uri()
    assert (read["kind"], read["locations"]) == ("read", [{"uri": uri, "line": None}])
    changed = updates(client, "tool_call_update")[-1]
    diff = changed["content"][-1]
    assert (diff["type"], diff["uri"]) == ("diff", uri)
    assert "> 0" in diff["oldText"]
    assert ">= 1" in diff["newText"]
    assert ">= 1" in (project / "shop.py").read_text(encoding="utf-8")
    # The edit is offered to be kept or taken back.
    proposal = client.wait_for("milepost/proposal/didChange")["proposal"]
    assert (proposal["id"], proposal["isApplied"]) == (changed["proposalId"], True)
    assert (proposal["uri"], proposal["sessionId"]) == (uri, result["sessionId"])


def test_a_client_that_announced_no_chat_gets_the_result_alone(chatting, tmp_path):
    client = chatting(script(tmp_path, {"say": "Yes."}), CAPABILITIES)
    assert say(client, "Well?")["stopReason"] == "end_turn"
    assert client.got("milepost/chat/update") == []


@pytest.mark.parametrize("by", ["notification", "cancelRequest", "progress"])
def test_a_cancel_in_mid_stream_is_a_result_and_closes_the_models_connection(chatting, by):
    chunk = {"choices": [{"index": 0, "delta": {"content": "So much"}, "finish_reason": None}]}
    with ModelServer([silence(chunk), openai_reply("And on.")]) as server:
        client = chatting("openai:m", OPENAI_BASE_URL=server.url)
        token = {"workDoneToken": "mine"} if by == "progress" else {}
        number = client.start(PROMPT, {"prompt": [text("Speak.")], **token})
        client.wait_until(lambda: said(client) == "So much", "the words")
        session = client.got("milepost/chat/update")[0]["params"]["sessionId"]
        with pytest.raises(ServerError, match="at work already") as refused:
            say(client, "Meanwhile.", sessionId=session)
        assert refused.value.code == -32803
        began = time.monotonic()
        if by == "notification":
            client.notify("milepost/chat/cancel", {"sessionId": session})
        elif by == "cancelRequest":
            client.notify("$/cancelRequest", {"id": number})
        else:
            client.notify("window/workDoneProgress/cancel", {"token": "mine"})
        assert server.connections[0].gone.wait(5)
        assert time.monotonic() - began < 1
        result = client.answer_to(number)
        assert (result["sessionId"], result["stopReason"]) == (session, "cancelled")
        assert updates(client, "turn_ended")[0]["stopReason"] == "cancelled"
        # What was said is kept, and the session goes on.
        assert say(client, "Go on.", sessionId=session)["stopReason"] == "end_turn"
        assert "So much" in json.dumps(server.asked[1].body["messages"])


def test_a_cancel_kills_what_a_command_started(chatting, project, tmp_path):
    command, word = lasting()
    client = chatting(script(tmp_path, calling("shell", command=command), {"say": "Never."}))
    client.permissions = ["allow_once"]
    number = client.start(PROMPT, {"prompt": [text("Run it.")]})
    client.wait_until((project / "began").exists, "the command")
    assert is_alive(word)
    session = client.got("milepost/chat/update")[0]["params"]["sessionId"]
    client.notify("milepost/chat/cancel", {"sessionId": session})
    assert client.answer_to(number)["stopReason"] == "cancelled"
    assert not is_alive(word)


def test_leaving_in_mid_turn_is_quick_and_leaves_nothing_behind(chatting, project, tmp_path):
    command, word = lasting()
    client = chatting(script(tmp_path, calling("shell", command=command), {"say": "Never."}))
    client.permissions = ["allow_once"]
    client.start(PROMPT, {"prompt": [text("Run it.")]})
    client.wait_until((project / "began").exists, "the command")
    assert is_alive(word)
    began = time.monotonic()
    assert client.close() == 0
    assert time.monotonic() - began < 8
    assert not is_alive(word)


@pytest.mark.parametrize(
    ("answer", "status", "asked"),
    [
        (["allow_once", "reject_once"], ["completed", "failed"], 2),
        (["allow_always"], ["completed", "completed"], 1),
        (["reject_once", "allow_once"], ["failed", "completed"], 2),
        (["nonsense", "nonsense"], ["failed", "failed"], 2),
        ([], ["failed", "failed"], 2),
    ],
)
def test_permission_is_asked_of_the_client(chatting, tmp_path, answer, status, asked):
    run = calling("shell", command="echo hi")
    client = chatting(script(tmp_path, run, run, {"say": "Well."}))
    client.permissions = list(answer)
    result = say(client, "Run it.")
    assert result["stopReason"] == "end_turn"
    ended = [each["status"] for each in updates(client, "tool_call_update") if each["content"]]
    assert ended == status
    questions = [message["params"] for message in client.got("milepost/permission/request")]
    assert len(questions) == asked
    first = questions[0]
    call = updates(client, "tool_call")[0]
    assert (first["toolCallId"], call["status"]) == (call["toolCallId"], "pending")
    assert (first["title"], first["subject"]) == ("Run echo hi", "echo hi")
    assert [option["kind"] for option in first["options"]] == [
        "allow_once", "allow_always", "reject_once",
    ]  # fmt: skip
    assert "each is asked for until you allow it" in first["reason"]
    assert "word for word" in first["options"][1]["meaning"]


def test_a_plain_client_is_asked_by_a_message_with_buttons(chatting, tmp_path):
    run = calling("shell", command="echo hi")
    client = chatting(script(tmp_path, run, {"say": "Ran."}), CAPABILITIES)
    client.answers = ["Yes"]
    result = say(client, "Run it.")
    (asked,) = client.asked
    assert asked["message"].startswith("Run echo hi?")
    assert [action["title"] for action in asked["actions"]] == [
        "Yes", "Yes, always in this chat", "No",
    ]  # fmt: skip
    loaded = client.request("milepost/session/load", {"sessionId": result["sessionId"]})
    ended = [u["update"] for u in loaded["updates"]
             if u["update"]["sessionUpdate"] == "tool_call_update"]  # fmt: skip
    assert [each["status"] for each in ended] == ["completed"]


def test_a_message_with_buttons_shows_the_whole_of_a_long_command(chatting, tmp_path):
    long = f"echo fine\n{'#' * 300}\necho end"
    run = calling("shell", command=long)
    client = chatting(script(tmp_path, run, {"say": "Then not."}), CAPABILITIES)
    client.answers = ["No"]
    say(client, "Run it.")
    (asked,) = client.asked
    assert asked["message"].startswith("Run echo fine ###")
    assert asked["message"].endswith(f"\n\n{long}")


def test_a_question_that_nobody_answers_ends_with_the_turn(chatting, tmp_path):
    client = chatting(script(tmp_path, calling("shell", command="echo hi"), {"say": "Never."}))
    client.silent = {"milepost/permission/request"}
    number = client.start(PROMPT, {"prompt": [text("Run it.")]})
    asked = client.wait_for("milepost/permission/request")
    client.notify("milepost/chat/cancel", {"sessionId": asked["sessionId"]})
    assert client.answer_to(number)["stopReason"] == "cancelled"
    # The question is taken back.
    client.wait_for("$/cancelRequest")


def test_two_editors_on_one_session_see_the_same(chatting, tmp_path):
    client, other = (chatting(script(tmp_path, {"say": "Yes."})) for _ in range(2))
    first = say(client, "One.")["sessionId"]
    loaded = other.request("milepost/session/load", {"sessionId": first})
    assert [each["seq"] for each in loaded["updates"]] == list(range(1, len(loaded["updates"]) + 1))
    assert loaded["updates"][0]["update"]["content"]["text"] == "One."
    told = time.monotonic()
    say(client, "Two.", sessionId=first)
    other.wait_until(lambda: updates(other, "turn_ended"), "the turn of the other editor")
    assert time.monotonic() - told < 5
    assert said(other) == "Yes."
    assert updates(other, "user_message_chunk")[0]["content"]["text"] == "Two."
    sequence = [message["params"]["seq"] for message in other.got("milepost/chat/update")]
    assert sequence == list(range(len(loaded["updates"]) + 1, sequence[-1] + 1))
    # And the other way, without being asked for.
    say(other, "Three.", sessionId=first)
    client.wait_until(
        lambda: any(
            u["content"]["text"] == "Three." for u in updates(client, "user_message_chunk")
        ),
        "what the other said",
    )


def test_the_other_editor_stops_the_turn(chatting, tmp_path):
    client, other = (chatting(script(tmp_path, {"hang": True})) for _ in range(2))
    number = client.start(PROMPT, {"prompt": [text("Wait.")]})
    client.wait_until(lambda: updates(client, "checkpoint"), "the beginning")
    told = client.got("milepost/chat/update")[-1]["params"]
    session, turn = told["sessionId"], told["turnId"]
    assert other.request("milepost/session/load", {"sessionId": session})["session"]["state"] == (
        "running"
    )
    # What is over, or is no session, is not stopped, and nobody is told off.
    other.notify("milepost/chat/cancel", {"sessionId": session, "turnId": "0"})
    other.notify("milepost/chat/cancel", {"sessionId": "../none"})
    began = time.monotonic()
    other.notify("milepost/chat/cancel", {"sessionId": session, "turnId": turn})
    result = client.answer_to(number)
    assert time.monotonic() - began < 2  # a quarter of a second, where nothing else is to do
    assert (result["stopReason"], result["message"]) == (
        "cancelled", "it was stopped by user:test-editor",
    )  # fmt: skip
    other.wait_until(lambda: updates(other, "turn_ended"), "the end")
    (ended,) = updates(other, "turn_ended")
    assert (ended["stopReason"], ended["message"]) == ("cancelled", result["message"])
    assert other.messages() == []


def test_a_killed_server_loses_nothing_that_was_finished(chatting, project, tmp_path):
    model = script(
        tmp_path,
        calling("read", "Reading.", path="shop.py"),
        calling("shell", "Running.", command="touch began; sleep 60"),
    )
    client = chatting(model)
    client.permissions = ["allow_once"]
    client.start(PROMPT, {"prompt": [text("Work.")]})
    client.wait_until((project / "began").exists, "the command")
    os.kill(client.process.pid, signal.SIGKILL)
    client.process.wait(10)
    other = chatting(script(tmp_path, {"say": "On we go."}))
    (session,) = other.request("milepost/session/list", {})["sessions"]
    assert session["state"] == "active"
    loaded = other.request("milepost/session/load", {"sessionId": session["sessionId"]})
    told = [each["update"] for each in loaded["updates"]]
    words = [u["content"]["text"] for u in told if u["sessionUpdate"].endswith("message_chunk")]
    assert words == ["Work.", "Reading.", "Running."]
    assert told[-1]["stopReason"] == "error"
    result = say(other, "Go on.", sessionId=session["sessionId"])
    assert result["stopReason"] == "end_turn"


def test_sessions_are_forked_renamed_and_deleted(chatting, tmp_path):
    client = chatting(script(tmp_path, {"say": "Yes."}))
    first = say(client, "One.")
    second = say(client, "Two.", sessionId=first["sessionId"])
    where = {"sessionId": first["sessionId"]}
    forked = client.request("milepost/session/fork", {**where, "turnId": second["turnId"]})
    loaded = client.request("milepost/session/load", {"sessionId": forked["sessionId"]})
    words = [each["update"]["content"]["text"] for each in loaded["updates"]
             if each["update"]["sessionUpdate"] == "user_message_chunk"]  # fmt: skip
    assert words == ["One."]
    renamed = client.request("milepost/session/rename", {**where, "title": "Counting"})
    assert renamed["title"] == "Counting"
    assert client.request("milepost/session/delete", where) == {}
    page = client.request("milepost/session/list", {"limit": 1})
    assert (page["total"], page["sessions"][0]["sessionId"]) == (1, forked["sessionId"])
    with pytest.raises(ServerError, match="no session with that id"):
        client.request("milepost/session/load", where)


def test_without_a_model_memory_answers_and_says_so(chatting, other):
    entry = other.memory.add("Amounts are integer cents.", kind="rule")
    client = chatting()
    result = say(client, "What of amounts?")
    assert result["message"] == "no model is configured"
    assert "MILEPOST_MODEL" in said(client)
    assert f"[{entry.id}]" in said(client)
    (recall,) = updates(client, "memory_recall")
    place = other.memory.locate(entry.id)
    recalled = recall["entries"][0]
    assert (recalled["id"], recalled["uri"]) == (entry.id, Path(place.path).as_uri())
    assert recalled["line"] == place.line


def test_unsaved_buffers_and_attached_places_reach_the_model(chatting, project):
    with ModelServer([openai_reply("I see.")]) as server:
        client = chatting("openai:m", OPENAI_BASE_URL=server.url)
        uri = client.open(project / "shop.py", "def shipped():\n    return False\n")
        where = {"uri": uri, "range": span((0, 0), (1, 4))}
        file = {"type": "file", **where}
        diagnostic = {"type": "diagnostic", **where, "message": "odd", "severity": 2, "code": 7}
        say(client, "Look. @file:shop.py", file, diagnostic)
        sent = server.asked[0].body["messages"][-1]["content"]
    assert "shop.py, from line 1 to 2:\n```\ndef shipped():\n    return False\n```" in sent
    assert "(warning 7):\n| odd" in sent
    assert "order.cents" not in sent


def test_an_unsaved_file_is_not_written_over(chatting, project, tmp_path):
    edit = {"path": "shop.py", "old": "return False", "new": "return True"}
    model = script(
        tmp_path, calling("read", path="shop.py"), calling("edit", **edit), {"say": "Save it."}
    )
    client = chatting(model)
    client.open(project / "shop.py", "def shipped():\n    return False\n")
    say(client, "Change it.")
    refused = updates(client, "tool_call_update")[-1]
    assert "not saved" in refused["content"][0]["content"]["text"]
    assert "order.cents" in (project / "shop.py").read_text(encoding="utf-8")


MALFORMED = [
    (PROMPT, {}),
    (PROMPT, {"prompt": "x"}),
    (PROMPT, {"prompt": [{"type": "song", "text": "x"}]}),
    (PROMPT, {"prompt": [{"text": "x"}]}),
    (PROMPT, {"prompt": [text("x")], "mode": "sing"}),
    (PROMPT, {"prompt": [text("x\0")]}),
    (PROMPT, {"prompt": [text("\ud800")]}),
    (PROMPT, {"prompt": [{"type": "file", "uri": "file:///x", "range": {"start": 1}}]}),
    (PROMPT, {"prompt": [text("x")], "sessionID": "x"}),
    (PROMPT, []),
    ("milepost/session/load", {}),
    ("milepost/session/list", {"limit": -1}),
    ("milepost/session/fork", {"sessionId": "x", "turnId": 3}),
    ("milepost/session/rename", {"sessionId": "x"}),
]

IMPOSSIBLE = [
    ({"prompt": []}, "nothing to answer"),
    ({"prompt": [text("x")], "sessionId": "none"}, "no session with that id"),
    ({"prompt": [text("x")], "model": "nonsense"}, "names no model"),
    ({"prompt": [{"type": "file", "uri": "file:///etc/passwd"}]}, "outside the project"),
    ({"prompt": [{"type": "file", "uri": "untitled:1"}]}, "is no file"),
    ({"prompt": [text("x")], "uri": "file:///nowhere/x"}, "no open project holds"),
]


def test_what_is_malformed_or_cannot_be_is_refused_and_changes_nothing(client, other):
    # One server for all, because each takes a second to start.
    for method, params in MALFORMED:
        with pytest.raises(ServerError) as error:
            client.request(method, params)
        assert error.value.code == -32602, (method, params)
    for params, reason in IMPOSSIBLE:
        with pytest.raises(ServerError, match=reason) as error:
            client.request(PROMPT, params)
        assert error.value.code == -32803, params
    assert other.chat().sessions().total == 0


def test_each_project_has_its_own_sessions(connect, project, tmp_path):
    second = tmp_path / "second"
    second.mkdir()
    (second / "pyproject.toml").write_text("[project]\nname = 'second'\n", encoding="utf-8")
    client = connect(env={"MILEPOST_MODEL": script(tmp_path, {"say": "Yes."})})
    client.initialize(project, second, capabilities=CHATTING)
    with pytest.raises(ServerError, match="several projects"):
        say(client, "Where?")
    session = say(client, "Here.", uri=(second / "x.py").as_uri())["sessionId"]
    # The session tells the project.
    assert say(client, "Again.", sessionId=session)["sessionId"] == session
    listed = [client.request("milepost/session/list", {"uri": root.as_uri()})["total"]
              for root in (project, second)]  # fmt: skip
    assert listed == [0, 1]


def test_the_server_answers_others_while_a_turn_runs(chatting, project, tmp_path):
    client = chatting(script(tmp_path, {"hang": True}))
    uri = client.open(project / "shop.py")
    number = client.start(PROMPT, {"prompt": [text("Wait.")]})
    client.wait_until(lambda: updates(client, "checkpoint"), "the beginning")
    began = time.monotonic()
    client.hover(uri, 0, 5)
    assert time.monotonic() - began < 2
    client.notify("$/cancelRequest", {"id": number})
    assert client.answer_to(number)["stopReason"] == "cancelled"
