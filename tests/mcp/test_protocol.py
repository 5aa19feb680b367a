"""Both eras of the protocol on the raw wire, and every message that is not as it should be."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from milepost import api
from tests.mcp.wire import MODERN_META, Wire

_INITIALIZE = {
    "protocolVersion": "2025-11-25",
    "capabilities": {},
    "clientInfo": {"name": "wire", "version": "1"},
}


def test_the_handshake_names_the_server_its_tools_and_how_to_use_them(wire: Wire) -> None:
    result = wire.request("initialize", _INITIALIZE)["result"]
    assert result["protocolVersion"] == "2025-11-25"
    assert result["capabilities"] == {
        "tools": {},
        "prompts": {},
        "resources": {"subscribe": True},
        "completions": {},
    }
    assert result["serverInfo"]["name"] == "milepost"
    assert "verify the goal" in result["instructions"]


@pytest.mark.parametrize("version", ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"])
def test_every_version_of_the_handshake_era_is_spoken(wire: Wire, version: str) -> None:
    result = wire.request("initialize", {**_INITIALIZE, "protocolVersion": version})["result"]
    assert result["protocolVersion"] == version


@pytest.mark.parametrize("version", ["1999-01-01", "2026-07-28", 5, None])
def test_an_unknown_version_is_answered_with_the_newest_of_the_era(
    wire: Wire, version: object
) -> None:
    result = wire.request("initialize", {**_INITIALIZE, "protocolVersion": version})["result"]
    assert result["protocolVersion"] == "2025-11-25"


def test_the_modern_era_needs_no_handshake(wire: Wire) -> None:
    discovered = wire.request("server/discover", {"_meta": MODERN_META})["result"]
    assert discovered["supportedVersions"] == ["2026-07-28"]
    assert discovered["resultType"] == "complete"
    listed = wire.request("tools/list", {"_meta": MODERN_META})["result"]
    assert listed["resultType"] == "complete"
    assert {"ttlMs", "cacheScope", "tools"} <= listed.keys()
    called = wire.request(
        "tools/call", {"name": "memory_search", "arguments": {"query": "x"}, "_meta": MODERN_META}
    )["result"]
    assert called["resultType"] == "complete"


def test_an_envelope_that_is_off_gets_the_codes_of_the_specification(wire: Wire) -> None:
    version = "io.modelcontextprotocol/protocolVersion"
    other = wire.request("tools/list", {"_meta": {**MODERN_META, version: "2027-01-01"}})
    assert other["error"]["code"] == -32022
    assert other["error"]["data"] == {"supported": ["2026-07-28"], "requested": "2027-01-01"}
    bare = wire.request("tools/list", {"_meta": {version: "2026-07-28"}})
    assert bare["error"]["code"] == -32602
    assert wire.request("server/discover")["error"]["code"] == -32602
    assert wire.request("ping", {"_meta": MODERN_META})["error"]["code"] == -32601


def test_the_prompt_gives_a_brief_in_both_eras(wire: Wire) -> None:
    wire.done("memory_save", text="Use uv, never pip", kind="rule")
    for extra in ({}, {"_meta": MODERN_META}):
        listed = wire.request("prompts/list", extra)["result"]
        assert [prompt["name"] for prompt in listed["prompts"]] == ["resume", "hand_over"]
        got = wire.request("prompts/get", {"name": "resume", **extra})["result"]
        (message,) = got["messages"]
        assert message["role"] == "user"
        assert "| Use uv, never pip" in message["content"]["text"]
        assert ("resultType" in got, "ttlMs" in listed) == (bool(extra), bool(extra))


@pytest.mark.parametrize(
    "params",
    [
        {"name": "no-such"},
        {"name": 5},
        {"name": "resume", "arguments": []},
        {"name": "resume", "arguments": {"abuot": "x"}},
        {"name": "resume", "arguments": {"about": 5}},
        {"name": "resume", "arguments": {"about": "\ud83d"}},
        {"name": "resume", "arguments": {"budget_tokens": "many"}},
        {"name": "resume", "arguments": {"budget_tokens": "1"}},
        {"name": "resume", "arguments": {"path": "../elsewhere"}},
    ],
)
def test_a_prompt_that_is_asked_for_wrongly_is_refused(wire: Wire, params: object) -> None:
    error = wire.request("prompts/get", params)["error"]
    assert error["code"] == -32602
    assert error["message"]


def test_ping_is_answered(wire: Wire) -> None:
    assert wire.request("ping")["result"] == {}


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b"{", -32700),
        (b"\xff\xfe", -32700),
        (b"nonsense", -32700),
        (b"[" * 100_000, -32700),
        (b'{"jsonrpc":"2.0","id":1,"method":"ping","params":{"x":NaN}}', -32700),
        (b'{"jsonrpc":"2.0","id":' + b"9" * 5000 + b',"method":"ping"}', -32700),
        (b"[]", -32600),
        (b'[{"jsonrpc":"2.0","id":1,"method":"ping"}]', -32600),
        (b"7", -32600),
        (b'"text"', -32600),
        (b"null", -32600),
        (b'{"jsonrpc":"2.0","id":null,"method":"ping"}', -32600),
        (b'{"jsonrpc":"2.0","id":1.5,"method":"ping"}', -32600),
        (b'{"jsonrpc":"2.0","id":{},"method":"ping"}', -32600),
        (b'{"jsonrpc":"2.0","id":1}', -32600),
        (b'{"jsonrpc":"2.0","id":1,"method":7}', -32600),
        (b'{"x":"' + b"a" * 4_300_000 + b'"}', -32600),
        (b'{"jsonrpc":"2.0","id":1,"method":"no/such"}', -32601),
        (b'{"jsonrpc":"2.0","id":1,"method":"ping","params":[1]}', -32602),
        (b'{"jsonrpc":"2.0","id":1,"method":"tools/call"}', -32602),
        (b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":5}}', -32602),
        (b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"none"}}', -32602),
        (b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x\\ud800"}}', -32602),
        (b'{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"cursor":"x"}}', -32602),
    ],
)
def test_every_malformed_message_is_answered_and_the_server_goes_on(
    wire: Wire, line: bytes, code: int
) -> None:
    wire.request("ping")
    started = time.monotonic()
    answer = wire.ask(line)
    assert time.monotonic() - started < 1
    assert answer["error"]["code"] == code
    assert answer["error"]["message"]
    assert wire.request("ping")["result"] == {}


def test_an_id_that_is_half_a_surrogate_pair_comes_back_as_it_was(wire: Wire) -> None:
    answer = wire.ask(b'{"jsonrpc":"2.0","id":"\\ud800","method":"ping"}')
    assert answer == {"jsonrpc": "2.0", "id": "\ud800", "result": {}}


def test_notifications_responses_and_blank_lines_get_no_answer(wire: Wire) -> None:
    wire.send({"jsonrpc": "2.0", "method": "notifications/initialized"})
    wire.send({"jsonrpc": "2.0", "method": "notifications/unknown", "params": [1]})
    wire.send({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 99}})
    wire.send({"jsonrpc": "2.0", "method": "notifications/cancelled"})
    wire.send({"jsonrpc": "2.0", "id": 5, "result": {}})
    wire.send(b"")
    wire.send(b"   ")
    assert wire.request("ping")["result"] == {}


def test_the_server_ends_with_0_when_its_client_closes_stdin(wire: Wire) -> None:
    wire.request("ping")
    assert wire.end() == 0
    assert bytes(wire.errors) == b""


def test_a_client_that_does_not_wait_for_the_end_makes_no_noise(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # In a new home another scanner's rules are compiled for seconds, and the end waits for that.
    monkeypatch.delenv("MILEPOST_SECRETS")
    with Wire(project) as wire:
        wire.done("memory_save", text="Prices are in cents.")
        wire.child.stdin.close()
        while wire.child.poll() is None:
            wire.child.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                wire.child.wait(0.01)
    assert wire.child.returncode in (0, -signal.SIGTERM)
    assert bytes(wire.errors) == b""
    workspace = api.open_workspace(str(project), actor="user:test")
    assert [entry.text for entry in workspace.memory.page().entries] == ["Prices are in cents."]
    workspace.close()


def test_a_last_line_without_its_end_is_still_answered(wire: Wire) -> None:
    wire.child.stdin.write(b'{"jsonrpc":"2.0","id":1,"method":"ping"}')
    wire.child.stdin.close()
    assert wire.receive()["result"] == {}


def test_sigterm_ends_the_server_and_the_command_that_it_runs(wire: Wire, tmp_path: Path) -> None:
    started = tmp_path / "started"
    wire.set_goal(condition="x", checks=[f"echo $$ > {started}; sleep 600"])
    wire.send(
        {"jsonrpc": "2.0", "id": 99, "method": "tools/call", "params": {"name": "goal_verify"}}
    )
    wait_for(lambda: started.exists() and started.read_text().strip() != "")
    wire.child.send_signal(signal.SIGTERM)
    assert wire.child.wait(20) == 0
    wait_for(lambda: not is_group_alive(int(started.read_text())))


def test_a_cancelled_verification_is_stopped_and_not_answered(wire: Wire, tmp_path: Path) -> None:
    started = tmp_path / "started"
    goal = wire.set_goal(condition="x", checks=[f"echo $$ > {started}; sleep 600"])
    call = {"name": "goal_verify", "arguments": {"id": goal["id"]}}
    wire.send({"jsonrpc": "2.0", "id": 77, "method": "tools/call", "params": call})
    wait_for(lambda: started.exists() and started.read_text().strip() != "")
    assert wire.request("ping")["result"] == {}, "other requests are answered meanwhile"
    wire.send({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 77}})
    wait_for(lambda: not is_group_alive(int(started.read_text())))
    assert wire.done("checkpoint_list")["checkpoints"] != []
    assert wire.done("goal_set", abandon=goal["id"])["state"] == "abandoned"


def test_a_long_verification_reports_progress(wire: Wire) -> None:
    wire.set_goal(condition="x", checks=["test -d .", "sleep 0.2", "test -d ."])
    params = {"name": "goal_verify", "_meta": {"progressToken": "t"}}
    wire.send({"jsonrpc": "2.0", "id": 77, "method": "tools/call", "params": params})
    seen = []
    while (message := wire.receive()).get("id") != 77:
        seen.append(message["params"])
    assert {item["progressToken"] for item in seen} == {"t"}
    assert list(dict.fromkeys(item["message"] for item in seen)) == [
        "[1/3] test -d .",
        "[2/3] sleep 0.2",
        "[3/3] test -d .",
    ]
    growing = [item["progress"] for item in seen]
    assert growing == sorted(growing)
    assert message["result"]["structuredContent"]["verdict"] == "met"


def test_nothing_but_the_protocol_reaches_stdout(wire: Wire) -> None:
    wire.set_goal(condition="x", checks=["echo to stdout; ls no-such >&2"])
    wire.done("goal_verify")
    assert wire.end() == 0
    assert bytes(wire.errors) == b""


def test_outside_of_any_project_a_call_says_how_to_name_one(tmp_path: Path) -> None:
    folder = tmp_path / "nowhere"
    folder.mkdir()
    with Wire(folder) as wire:
        assert len(wire.request("tools/list")["result"]["tools"]) == 10
        failed, text, _ = wire.call("memory_search", {"query": "x"})
        assert failed
        assert "--project" in text


def test_the_definitions_are_few_small_flat_and_in_a_fixed_order(wire: Wire) -> None:
    tools = wire.request("tools/list")["result"]["tools"]
    assert [tool["name"] for tool in tools] == [
        "memory_search", "memory_get", "memory_save", "memory_forget", "history_search",
        "checkpoint_save", "checkpoint_list", "checkpoint_restore", "goal_set", "goal_verify",
    ]  # fmt: skip
    assert len(json.dumps(tools, separators=(",", ":"))) <= 6_000
    for tool in tools:
        assert tool["inputSchema"]["additionalProperties"] is False
        for schema in tool["inputSchema"]["properties"].values():
            assert schema["type"] in ("string", "integer", "boolean", "array")
            assert not {"$ref", "anyOf", "oneOf", "allOf"} & schema.keys()


def is_group_alive(group: int) -> bool:
    """Whether any process is left in the group."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def wait_for(condition: object, timeout_s: float = 20) -> None:
    """Wait until `condition()` holds; the test fails when it does not in time."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)
