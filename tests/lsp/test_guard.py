"""Whatever comes, each request is answered once, and nothing leaks or hangs.

The numbers are those of the defects of pygls 2.1.1 that `milepost_lsp/guard.py` works around.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.lsp.client import SERVER, ServerError, at

HOVER = "textDocument/hover"
COMMAND = "workspace/executeCommand"
HERE = {"uri": "file:///x.py"}
WHERE = {"line": 0, "character": 0}


@pytest.mark.parametrize(
    ("method", "params"),
    [
        (HOVER, {}),
        (HOVER, None),
        (HOVER, []),
        (HOVER, "text"),
        (HOVER, {"textDocument": None, "position": WHERE}),
        (HOVER, {"textDocument": HERE, "position": {"line": "a", "character": 0}}),
        (HOVER, {"textDocument": HERE, "position": {"line": -1, "character": 0}}),
        (HOVER, {"textDocument": HERE, "position": {"line": 10**40, "character": 0}}),
        ("textDocument/codeAction", {"textDocument": HERE}),
        ("textDocument/codeAction", {"textDocument": HERE, "range": 1, "context": {}}),
        ("textDocument/documentSymbol", {"textDocument": []}),
        (COMMAND, {"command": 5}),
        (COMMAND, {"arguments": []}),
        (COMMAND, {"command": "milepost.memory.list", "arguments": {"a": 1}}),
        (COMMAND, {"command": "no.such.command", "arguments": []}),
    ],
)
def test_defect_1_malformed_parameters_are_answered(client, method, params):
    with pytest.raises(ServerError) as error:
        client.request(method, params, timeout=5)
    assert error.value.code == -32602
    assert error.value.data is None
    assert len(error.value.message) <= 400
    assert client.request("textDocument/documentSymbol", {"textDocument": HERE}) is None


@pytest.mark.parametrize(
    "message",
    [
        [{"jsonrpc": "2.0", "id": 1, "method": "shutdown"}],
        "text",
        17,
        None,
        {},
        {"id": 1, "method": "shutdown"},
        {"jsonrpc": "1.0", "id": 1, "method": "shutdown"},
        {"jsonrpc": "2.0", "id": None, "method": "shutdown"},
        {"jsonrpc": "2.0", "id": 1.5, "method": "shutdown"},
        {"jsonrpc": "2.0", "id": True, "method": "shutdown"},
        {"jsonrpc": "2.0", "id": {"a": 1}, "method": "shutdown"},
    ],
)
def test_what_is_no_message_is_answered_without_an_id(client, message):
    client.send(message)
    with pytest.raises(ServerError) as error:
        client.answer_to(None, timeout=5)
    assert error.value.code == -32600


def test_a_request_without_a_usable_method_is_answered_under_its_id(client):
    client.send({"jsonrpc": "2.0", "id": "a", "method": 5})
    with pytest.raises(ServerError) as error:
        client.answer_to("a", timeout=5)
    assert error.value.code == -32600


@pytest.mark.parametrize(
    "body", [b"{", b"\xff\xfe", b"[" * 100_000, b'{"a": ' + b"9" * 9999 + b"}"]
)
def test_what_is_no_json_is_answered_as_such(client, body):
    client.send_raw(body)
    with pytest.raises(ServerError) as error:
        client.answer_to(None, timeout=5)
    assert error.value.code == -32700
    assert client.request(HOVER, at("file:///x.py", 0, 0)) is None


def test_an_unknown_method_is_answered_and_an_unknown_notification_ignored(client):
    client.notify("$/unheardOf", {"a-b": 1, "class": 2, "type_name": "1x"})
    client.notify("telemetry/whatever")
    client.notify("textDocument/didOpen", {"textDocument": 5})
    client.notify(
        "textDocument/didChange", {"textDocument": {"uri": "file:///never", "version": 1}}
    )
    with pytest.raises(ServerError) as error:
        client.request("milepost/unheardOf", {"a-b": 1, "class": 2, "type_name": "1x"}, timeout=5)
    assert error.value.code == -32601
    assert client.messages() == []


def test_a_notification_sent_as_a_request_is_answered(client):
    with pytest.raises(ServerError) as error:
        client.request("textDocument/didClose", {"textDocument": HERE}, timeout=5)
    assert error.value.code == -32602


def test_defect_2_a_nested_jsonrpc_key_is_only_data(client):
    log = {"jsonrpc": "2.0", "id": 1, "method": "x"}
    with pytest.raises(ServerError) as error:
        client.command("milepost.memory.list", {"log": [log]}, timeout=5)
    assert "`log` is not an argument" in error.value.message


def test_defect_4_a_cancelled_command_is_cancelled(client):
    # The proof that the work ends is in test_goal_commands; this is about the one answer.
    client.answers = []
    client.silent.add("window/showMessageRequest")
    client.command("milepost.checkpoint.save", {})
    running = client.start(COMMAND, {"command": "milepost.checkpoint.goBack", "arguments": [{}]})
    client.wait_for("window/showMessageRequest")
    client.notify("$/cancelRequest", {"id": running})
    with pytest.raises(ServerError) as error:
        client.answer_to(running, timeout=5)
    assert error.value.code == -32800


def test_an_answer_that_comes_after_the_cancelling_harms_nothing(client):
    client.silent.add("window/showMessageRequest")
    client.command("milepost.checkpoint.save", {})
    running = client.start(COMMAND, {"command": "milepost.checkpoint.goBack", "arguments": [{}]})
    client.wait_for("window/showMessageRequest")
    question = client.got("window/showMessageRequest")[0]["id"]
    client.notify("$/cancelRequest", {"id": running})
    with pytest.raises(ServerError):
        client.answer_to(running, timeout=5)
    client.send({"jsonrpc": "2.0", "id": question, "result": {"title": "x"}})
    client.send({"jsonrpc": "2.0", "id": "never-asked", "result": None})
    assert client.command("milepost.memory.list", {})["total"] == 0


@pytest.mark.parametrize(
    "answer",
    [
        {"result": 5},
        {"result": {"title": 7}},
        {"error": {"code": -1, "message": "no"}},
        {"error": 5},
        {"result": {"title": "another"}},
    ],
)
def test_a_client_that_answers_a_question_with_nonsense_chose_nothing(client, answer):
    client.silent.add("window/showMessageRequest")
    client.command("milepost.checkpoint.save", {})
    running = client.start(COMMAND, {"command": "milepost.checkpoint.goBack", "arguments": [{}]})
    client.wait_for("window/showMessageRequest")
    question = client.got("window/showMessageRequest")[0]["id"]
    client.send({"jsonrpc": "2.0", "id": question, **answer})
    assert client.answer_to(running, timeout=5) is None


def test_defect_5_shutdown_with_a_pending_command_ends_in_time_and_quietly(connect, project):
    client = connect()
    client.initialize(project)
    client.silent.add("window/showMessageRequest")
    client.command("milepost.checkpoint.save", {})
    for _ in range(3):
        client.start(COMMAND, {"command": "milepost.checkpoint.goBack", "arguments": [{}]})
    client.wait_until(lambda: len(client.got("window/showMessageRequest")) == 3, "questions")
    stderr = client.process.stderr
    client.request("shutdown", timeout=5)
    client.notify("exit")
    assert client.process.wait(5) == 0
    assert stderr.read() == b""


def test_defect_5_a_closed_stdout_ends_the_server_quietly(project):
    process = subprocess.Popen(
        SERVER,
        cwd=project,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    process.stdout.close()
    body = b'{"jsonrpc": "2.0", "id": 1, "method": "no/such"}'
    with contextlib.suppress(BrokenPipeError):
        for _ in range(50):
            process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
            process.stdin.flush()
    assert process.wait(10) == 1
    with contextlib.suppress(BrokenPipeError):
        process.stdin.close()
    with process.stderr as stderr:
        assert stderr.read() == b""


def test_defect_7_exit_without_shutdown_exits_with_1(connect, project):
    client = connect()
    client.initialize(project)
    client.notify("exit")
    assert client.wait_exit(10) == 1


def test_defect_7_exit_before_initialize_exits_with_1(connect):
    client = connect()
    client.notify("exit")
    assert client.wait_exit(10) == 1


def test_the_end_of_stdin_ends_the_server(connect, project):
    client = connect()
    client.initialize(project)
    client.process.stdin.close()
    assert client.wait_exit(10) == 1


def test_defect_7_the_server_ends_when_the_clients_process_dies(connect, project):
    client = connect()
    editor = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    client.initialize(project, processId=editor.pid)
    client.command("milepost.memory.list", {})
    editor.communicate(b"\n")
    assert client.wait_exit(15) == 1


def test_a_process_id_that_nobody_has_here_is_that_of_another_container(connect, project):
    client = connect()
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    client.initialize(project, processId=gone.pid)
    assert client.command("milepost.memory.list", {})["total"] == 0


def test_a_terminated_server_leaves_at_once(connect, project):
    client = connect()
    client.initialize(project)
    client.process.send_signal(signal.SIGTERM)
    assert client.wait_exit(10) == 128 + signal.SIGTERM


def test_defect_8_the_server_says_nothing_on_stderr(connect, project):
    client = connect()
    client.initialize(project)
    stderr = client.process.stderr
    for _ in range(300):
        client.notify("$/cancelRequest", {"id": "never" * 100})
        client.notify("textDocument/didOpen", {"textDocument": "x" * 1000})
        with pytest.raises(ServerError):
            client.request(HOVER, {"textDocument": "x" * 1000})
    client.request("shutdown")
    client.notify("exit")
    assert client.process.wait(10) == 0
    assert stderr.read() == b""


@pytest.mark.parametrize("data", [None, 5, [], {}, {"command": 5}, {"command": "no.such"}])
def test_defect_9_an_action_that_needs_no_resolving_comes_back_as_it_is(client, project, data):
    uri = client.open(project / "shop.py")
    action = {**client.actions(uri, (0, 0))[0], "data": data}
    back = client.request("codeAction/resolve", action, timeout=5)
    assert (back["title"], back["command"]) == (action["title"], action["command"])
    assert "edit" not in back


def test_requests_before_initialize_and_after_shutdown_are_answered(connect, project):
    client = connect()
    with pytest.raises(ServerError) as error:
        client.request(HOVER, at("file:///x.py", 0, 0), timeout=5)
    assert error.value.code == -32002
    with pytest.raises(ServerError) as error:
        client.request("initialize", {"capabilities": 5}, timeout=5)
    assert error.value.code == -32602
    client.initialize(project)
    with pytest.raises(ServerError) as error:
        client.initialize(project)
    assert error.value.code == -32600
    client.request("shutdown")
    with pytest.raises(ServerError) as error:
        client.request(HOVER, at("file:///x.py", 0, 0), timeout=5)
    assert error.value.code == -32600
    client.notify("exit")
    assert client.wait_exit() == 0


def test_a_fault_of_our_own_is_one_sentence_without_paths(connect, project, tmp_path, home):
    """A data folder that turns into a file is nothing the core can foresee everywhere."""
    log = tmp_path / "log.txt"
    client = connect(args=("--log-file", str(log)))
    client.initialize(project)
    with pytest.raises(ServerError) as error:
        client.command("milepost.memory.list", {"uri": "file:///" + "x" * 5000})
    assert error.value.data is None
    assert "Traceback" not in error.value.message
    assert len(error.value.message) <= 400


@pytest.mark.parametrize(
    "junk",
    [
        b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 2\r\n\r\n{}",
        b"Content-Length: -5\r\n\r\n",
        b"Content-Length: 999999999999\r\n\r\n",
        b"Content-Type: x\r\n\r\n",
        b"\r\n\r\n",
        b"x" * 5000,
    ],
)
def test_what_is_not_framed_ends_the_connection_with_a_word(connect, project, junk):
    client = connect()
    client.initialize(project)
    client.send_raw(b"", header=junk)
    with pytest.raises(ServerError) as error:
        client.answer_to(None, timeout=5)
    assert error.value.code == -32700
    assert client.wait_exit(10) == 1


def test_headers_in_other_clothes_and_split_messages_are_understood(client):
    body = json.dumps({"jsonrpc": "2.0", "id": 900, "method": "textDocument/documentSymbol",
                       "params": {"textDocument": HERE}}).encode()  # fmt: skip
    header = b"content-type: application/vscode-jsonrpc; charset=utf-8\r\n"
    whole = header + b"CONTENT-LENGTH:%d\r\n\r\n" % len(body) + body
    for index in range(0, len(whole), 7):
        client.send_raw(whole[index : index + 7], header=b"")
    assert client.answer_to(900) is None


def test_a_child_that_prints_cannot_touch_the_wire(client, project):
    client.command(
        "milepost.goal.set", {"condition": "Loud.", "checks": ["echo loud; cat && exit 1"]}
    )
    assert client.command("milepost.goal.verify", {})["verdict"] == "not_met"


def test_many_requests_at_once_are_each_answered(client, project):
    uri = client.open(project / "shop.py")
    asked = [client.start(HOVER, at(uri, 0, 5)) for _ in range(500)]
    assert [client.answer_to(each) for each in asked] == [None] * 500


def test_what_the_server_writes_down_is_for_its_user_only(connect, project, other, tmp_path):
    log = tmp_path / "log.txt"
    client = connect(args=("--log-file", str(log)))
    client.initialize(project)
    client.command("milepost.memory.remember", {"text": "Use uv."})
    client.command("milepost.memory.list", {})
    views = Path(other.project.data_dir) / "views"
    for path in (log, views, *views.iterdir()):
        assert path.stat().st_mode & 0o077 == 0, path


def test_defect_10_a_notification_leaves_nothing_behind(client, project):
    uri = client.open(project / "shop.py")
    size = {}
    for round_ in range(2):
        for number in range(3_000):
            span = {
                "start": {"line": 0, "character": 0},
                "end": {"line": 0, "character": number % 2},
            }
            change = {"range": span, "text": "" if number % 2 else "x"}
            document = {"uri": uri, "version": 3_000 * round_ + number + 2}
            client.notify(
                "textDocument/didChange", {"textDocument": document, "contentChanges": [change]}
            )
        client.hover(uri, 0, 5)
        pages = Path(f"/proc/{client.process.pid}/statm").read_text(encoding="utf-8").split()[1]
        size[round_] = int(pages) * os.sysconf("SC_PAGE_SIZE")
    # Two kilobytes were kept of each.
    assert size[1] - size[0] < 3_000_000


def test_defect_3_keys_that_are_no_identifiers_are_read_and_named(client):
    with pytest.raises(ServerError) as error:
        client.request("milepost/session/list", {"class": 1, "a-b": 2, "type_name": 3}, timeout=5)
    assert error.value.code == -32602
    assert "`class`" in error.value.message
    with pytest.raises(ServerError) as error:
        client.request("milepost/session/list", {"type_name": 3}, timeout=5)
    assert "`type_name`" in error.value.message


def test_defect_6_work_that_blocks_leaves_the_reader_free(client, project):
    goal = client.command("milepost.goal.set", {"condition": "It rests.", "checks": ["sleep 60"]})
    uri = client.open(project / "shop.py")
    # More than pygls has threads for, its reader among them.
    verify = {"command": "milepost.goal.verify", "arguments": [{"goalId": goal["id"]}]}
    running = [client.start(COMMAND, verify) for _ in range(os.cpu_count() + 6)]
    assert client.hover(uri, 0, 5) is None
    for number in running:
        client.notify("$/cancelRequest", {"id": number})
    for number in running:
        with pytest.raises(ServerError) as error:
            client.answer_to(number)
        assert error.value.code == -32800
