"""Set a goal, verify it, stop verifying."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lsp.client import CAPABILITIES, ServerError, span
from tests.processes import LONG, is_alive, sleeping

SET = "milepost.goal.set"
VERIFY = "milepost.goal.verify"

# Works for longer than any test waits.
SLOW = f"exec sleep {LONG}"


def test_a_goal_is_set_with_its_checks(client, other):
    goal = client.command(SET, {"condition": "It builds.", "checks": ["test -d ."], "timeoutS": 9})
    check = {"command": "test -d .", "expectExit": 0, "timeoutS": 9.0, "kind": "command"}
    assert goal["checks"] == [check]
    assert other.goals.get().condition == "It builds."


def test_a_selection_becomes_condition_and_checks(client, project):
    text = "// TODO(ann): Totals are exact\n// in every currency.\n//   $ test -f shop.py\n"
    uri = client.open(project / "notes.js", text)
    goal = client.command(SET, {"uri": uri, "range": span((0, 0), (3, 0))})
    assert goal["condition"] == "Totals are exact in every currency."
    assert [check["command"] for check in goal["checks"]] == ["test -f shop.py"]


def test_the_verdict_is_the_result_a_message_and_a_document(client):
    client.command(SET, {"condition": "It works.", "checks": ["echo oh no; exit 3"]})
    verdict = client.command(VERIFY, {})
    assert verdict["verdict"] == "not_met"
    assert verdict["evidence"][0]["exitCode"] == 3
    said = client.messages()[-1]
    assert said.startswith("Not met: “It works.”: ")
    assert "ended with 3 instead of 0" in said
    shown = client.wait_for("window/showDocument")["uri"]
    assert "oh no" in Path(shown.removeprefix("file://")).read_text(encoding="utf-8")


def test_met_is_a_message_only(client):
    client.command(SET, {"condition": "It works.", "checks": ["test -d ."]})
    assert client.command(VERIFY, {})["verdict"] == "met"
    assert client.messages()[-1].startswith("Met: “It works.”")
    assert client.got("window/showDocument") == []


def test_a_goal_without_checks_is_never_met(client):
    client.command(SET, {"condition": "It is beautiful."})
    assert client.command(VERIFY, {})["verdict"] == "unverifiable"


def test_progress_is_shown_and_ends(client):
    client.command(SET, {"condition": "It works.", "checks": ["test -d .", "test -d ."]})
    client.command(VERIFY, {})
    token = client.wait_for("window/workDoneProgress/create")["token"]
    steps = [m["params"] for m in client.got("$/progress")]
    assert {step["token"] for step in steps} == {token}
    values = [step["value"] for step in steps]
    assert values[0]["kind"] == "begin"
    assert values[0]["cancellable"] is True
    assert values[-1]["kind"] == "end"


def test_the_clients_own_token_is_used(client):
    client.command(SET, {"condition": "It works.", "checks": ["test -d ."]})
    arguments = {"command": VERIFY, "arguments": [{}], "workDoneToken": "mine"}
    client.request("workspace/executeCommand", arguments)
    assert client.got("window/workDoneProgress/create") == []
    assert {m["params"]["token"] for m in client.got("$/progress")} == {"mine"}


def test_a_client_without_progress_gets_none(connect, project):
    client = connect()
    client.initialize(project, capabilities={})
    client.command(SET, {"condition": "It works.", "checks": ["test -d ."]})
    assert client.command(VERIFY, {})["verdict"] == "met"
    assert client.got("$/progress") == []


def test_other_requests_are_answered_while_a_check_runs(client, project, other):
    other.memory.add("`total` is in cents.")
    uri = client.open(project / "shop.py")
    running, pid = start_slow(client)
    assert client.hover(uri, 0, 5)
    assert client.command("milepost.memory.list", {})["total"] == 1
    client.notify("$/cancelRequest", {"id": running})
    client.wait_until(lambda: not is_alive(pid), "end of the command")


def test_stopping_the_progress_kills_the_command(client, project):
    running, pid = start_slow(client)
    token = client.wait_for("$/progress")["token"]
    client.notify("window/workDoneProgress/cancel", {"token": token})
    with pytest.raises(ServerError) as error:
        client.answer_to(running)
    assert error.value.code == -32800
    client.wait_until(lambda: not is_alive(pid), "end of the command")
    client.wait_for("$/progress", lambda params: params["value"]["kind"] == "end")


def test_cancelling_the_request_kills_the_command(client, project):
    running, pid = start_slow(client)
    client.notify("$/cancelRequest", {"id": running})
    with pytest.raises(ServerError) as error:
        client.answer_to(running)
    assert error.value.code == -32800
    client.wait_until(lambda: not is_alive(pid), "end of the command")


def test_leaving_the_editor_kills_the_command(client, project):
    _, pid = start_slow(client)
    assert client.close() == 0
    assert not is_alive(pid)


def test_evidence_for_the_same_files_is_reused_unless_fresh_is_asked_for(client):
    client.command(SET, {"condition": "It works.", "checks": ["test -d ."]})
    assert client.command(VERIFY, {})["evidence"][0]["reused"] is False
    goal = client.command(SET, {"condition": "Again.", "checks": ["test -d ."]})
    client.command(VERIFY, {"goalId": goal["id"]})
    assert (
        client.command(VERIFY, {"goalId": goal["id"], "fresh": True})["evidence"][0]["reused"]
        is False
    )


def test_without_a_goal_verifying_says_what_to_do(client):
    with pytest.raises(ServerError) as error:
        client.command(VERIFY, {})
    assert error.value.code == -32803


def test_a_client_that_ignores_the_wish_for_progress_still_gets_its_verdict(connect, project):
    client = connect()
    capabilities = {**CAPABILITIES, "window": {"workDoneProgress": True}}
    client.initialize(project, capabilities=capabilities)
    client.silent.add("window/workDoneProgress/create")
    client.command(SET, {"condition": "It works.", "checks": ["test -d ."]})
    assert client.command(VERIFY, {})["verdict"] == "met"


def start_slow(client) -> tuple[int, int]:
    """Starts verifying a goal whose check does not end. Returns the request and the process."""
    client.command(SET, {"condition": "It ends.", "checks": [SLOW]})
    running = client.start("workspace/executeCommand", {"command": VERIFY, "arguments": [{}]})
    client.wait_until(sleeping, "the command")
    (pid,) = sleeping()
    return running, pid


def test_a_todo_under_the_cursor_becomes_a_goal(client, project, other):
    file = project / "shop.py"
    file.write_text("x = 1  # TODO(ann): round up, never down\n", encoding="utf-8")
    uri = client.open(file)
    (action,) = [each for each in client.actions(uri, (0, 12)) if "TODO" in each["title"]]
    assert action["title"] == "Milepost: make this TODO a goal"
    client.apply(action)
    assert other.goals.page()[0].condition == "round up, never down"


def test_a_test_under_the_cursor_is_its_own_check(client, project, other):
    (project / "conftest.py").write_text("", encoding="utf-8")
    file = project / "test_shop.py"
    text = (
        "from shop import OPEN\n\n\nclass TestShop:\n    def test_opens(self):\n"
        "        assert OPEN\n\n\ndef help(): ...\n"
    )
    file.write_text(text, encoding="utf-8")
    (project / "shop.py").write_text("OPEN = False\n", encoding="utf-8")
    uri = client.open(file)
    (action,) = [each for each in client.actions(uri, (4, 10)) if "a goal" in each["title"]]
    assert action["title"] == "Milepost: make `TestShop.test_opens` a goal"
    client.apply(action)
    goal = other.goals.page()[0]
    assert [check.command.rpartition(" ")[2] for check in goal.checks] == [
        "test_shop.py::TestShop::test_opens"
    ]
    assert other.goals.verify(goal.id).verdict == "not_met"
    (project / "shop.py").write_text("OPEN = 'from nine on'\n", encoding="utf-8")
    assert other.goals.verify(goal.id).verdict == "met"
    assert not any("a goal" in title for title in client.titles(uri, (8, 5)))
