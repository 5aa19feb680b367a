"""The server over HTTP: who is let in, which project is meant, and how it ends."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import mcp_types
import pytest
from mcp import Client

from milepost import api
from tests.mcp.http_server import HttpServer
from tests.mcp.test_protocol import is_group_alive, wait_for
from tests.mcp.test_tools import _WRONG
from tests.mcp.wire import MODERN_META, Wire

MODES = ("legacy", "2026-07-28")


@pytest.fixture
def server(project: Path) -> Iterator[HttpServer]:
    """A server that was started in the project."""
    with HttpServer(project) as started:
        yield started


def refused(cwd: Path, *arguments: str) -> str:
    """What a server says that does not start."""
    command = [sys.executable, "-m", "milepost", "mcp", "--http", "--port", "0", *arguments]
    done = subprocess.run(command, cwd=cwd, capture_output=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (1, b"")
    return done.stderr.decode()


@pytest.mark.asyncio
async def test_both_eras_are_offered_what_stdio_offers(project: Path, server: HttpServer) -> None:
    with Wire(project) as wire:
        over_stdio = wire.request("tools/list")["result"]["tools"]
        templates = wire.request("resources/templates/list")["result"]["resourceTemplates"]
        prompts = wire.request("prompts/list")["result"]["prompts"]
    for mode in MODES:
        async with Client(server.url, mode=mode) as client:
            listed = (await client.list_tools()).tools
            shown = [tool.model_dump(by_alias=True, exclude_none=True) for tool in listed]
            assert shown == over_stdio
            found = (await client.list_resource_templates()).resource_templates
            assert [one.uri_template for one in found] == [one["uriTemplate"] for one in templates]
            named = [prompt.name for prompt in (await client.list_prompts()).prompts]
            assert named == [prompt["name"] for prompt in prompts]


@pytest.mark.asyncio
async def test_memory_points_and_goals_work_and_are_shared_with_stdio(
    project: Path, server: HttpServer
) -> None:
    with Wire(project) as wire:
        there = wire.done("memory_save", text="saved over stdio")
    goal = api.open_workspace(str(project), actor="user:test").goals.set("x", checks=["sleep 1.2"])
    for mode in MODES:
        heard: list[str | None] = []

        async def progress(_done: float, _total: float | None, words: str | None) -> None:
            heard.append(words)  # noqa: B023  (it is called before the next round)

        async with Client(server.url, mode=mode) as client:
            found = await client.call_tool("memory_search", {"query": "stdio"})
            assert found.structured_content["hits"][0]["id"] == there["id"]
            point = await client.call_tool("checkpoint_save", {"label": "good"})
            (project / "README.md").unlink()
            arguments = {"id": point.structured_content["id"], "apply": True}
            await client.call_tool("checkpoint_restore", arguments)
            assert (project / "README.md").exists()
            verdict = await client.call_tool(
                "goal_verify", {"id": goal.id, "fresh": True}, progress_callback=progress
            )
            assert verdict.structured_content["verdict"] == "met"
            assert "[1/1] sleep 1.2" in heard
            events = await client.call_tool("history_search", {})
            assert events.structured_content["events"][0]["action"] == "goal_verify"
            text = (await client.read_resource("milepost://memory/project")).contents[0].text
            assert "saved over stdio" in text


@pytest.mark.asyncio
@pytest.mark.filterwarnings("ignore:resources/subscribe is removed")  # it is there before 2026
async def test_subscribers_of_both_eras_hear_of_a_change(project: Path, server: HttpServer) -> None:
    uri = "milepost://memory/project"
    workspace = api.open_workspace(str(project), actor="user:test")
    heard: list[str] = []

    async def note(message: object) -> None:
        if isinstance(message, mcp_types.ResourceUpdatedNotification):
            heard.append(message.params.uri)

    async with Client(server.url, mode="legacy", message_handler=note) as client:
        await client.subscribe_resource(uri)
        workspace.memory.add("new")
        await until(lambda: heard == [uri])
    async with (
        Client(server.url, mode="2026-07-28") as client,
        client.listen(resource_subscriptions=[uri], tools_list_changed=True) as events,
    ):
        assert events.honored.tools_list_changed is None
        workspace.memory.add("newer")
        assert (await anext(aiter(events))).uri == uri
    workspace.close()


def test_every_wrong_call_gets_the_words_that_it_gets_over_stdio(
    project: Path, server: HttpServer
) -> None:
    with Wire(project) as wire:
        for tool, arguments, words in _WRONG:
            if not isinstance(arguments, dict | None):
                continue  # the SDK refuses what is no object before we see it
            if any("\ud800" <= char <= "\udfff" for char in str(arguments)):
                continue  # and half a surrogate pair, which has a test of its own
            failed, text, _ = server.call(tool, arguments)
            assert (failed, words in text) == (True, True), text
            assert text == wire.call(tool, arguments)[1]


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"\xff\xfe", b"[]", b"7", b"null", b"[" * 100_000,
        b'{"jsonrpc":"2.0","id":1}',
        b'{"jsonrpc":"2.0","id":{},"method":"tools/list"}',
        b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"memory_search",'
        b'"arguments":{"query":"half \\ud83d"},"_meta":' + json.dumps(MODERN_META).encode() + b"}}",
        b'{"x":"' + b"a" * 4_300_000 + b'"}',
    ],
)  # fmt: skip
def test_every_malformed_body_is_answered_in_both_eras_and_the_server_goes_on(
    shared: HttpServer, body: bytes
) -> None:
    modern = {"mcp_protocol_version": "2026-07-28", "mcp_method": "tools/call"}
    for headers in ({}, {**modern, "mcp_name": "memory_search"}):
        started = time.monotonic()
        status, answer = shared.post(body, **headers)
        assert time.monotonic() - started < 5
        assert 400 <= status < 500 or (status == 200 and "error" in answer), (status, answer)
    assert shared.request("GET", "/healthz")[0] == 200


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HttpServer]:
    """A server for tests that leave nothing behind."""
    folder = tmp_path_factory.mktemp("shared")
    (folder / "project" / ".milepost").mkdir(parents=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MILEPOST_HOME", str(folder / "home"))
        with HttpServer(folder / "project", "--token-file", str(folder / "token")) as started:
            yield started


def test_strange_hosts_and_origins_are_refused_everywhere(shared: HttpServer) -> None:
    for path in ("/mcp", "/healthz", "/"):
        assert shared.request("GET", path, host="evil.example")[0] == 421
        assert shared.request("GET", path, origin="https://evil.example")[0] == 403
    assert shared.request("GET", "/healthz", origin="http://localhost:3000")[0] == 200


def test_without_a_token_nothing_but_health_is_told(shared: HttpServer) -> None:
    status, headers, body = shared.request("GET", "/healthz")
    assert status == 200
    assert json.loads(body).keys() == {"status", "name", "version"}
    for given in ({}, {"authorization": "Bearer wrong"}, {"authorization": "Basic x"}):
        for method in ("GET", "POST", "DELETE"):
            status, headers, _ = shared.request(method, "/mcp", **given)
            assert (status, headers["www-authenticate"]) == (401, "Bearer")
    assert shared.request("GET", "/.well-known/oauth-protected-resource")[0] == 404


def test_a_token_lets_in_and_is_never_told(project: Path, tmp_path: Path) -> None:
    file = tmp_path / "token"
    with HttpServer(project, "--token-file", str(file)) as server:
        token = file.read_text("utf-8").strip()
        assert file.stat().st_mode & 0o777 == 0o600
        bearer = {"authorization": f"Bearer {token}"}
        assert server.call("memory_save", {"text": "x"}, **bearer)[0] is False
        assert server.post(b"{", **bearer)[0] == 400
        server.child.send_signal(signal.SIGTERM)
        assert server.child.wait(30) == 0
        server._reader.join()
    assert str(file) in server.errors.decode()
    assert token not in server.errors.decode()


def test_a_token_file_that_others_may_read_is_refused(project: Path, tmp_path: Path) -> None:
    file = tmp_path / "token"
    for mode, text, words in (
        (0o644, "a" * 32, "mode 0644"),
        (0o600, "\n# none\n", "no token"),
        (0o600, "short", "16 characters"),
    ):
        file.write_text(text, "utf-8")
        file.chmod(mode)
        assert words in refused(project, "--token-file", str(file))
    assert "cannot make" in refused(project, "--token-file", str(tmp_path / "no" / "token"))


def test_another_address_than_loopback_needs_a_token_and_tells_that_it_is_not_encrypted(
    project: Path, tmp_path: Path
) -> None:
    assert "--token-file" in refused(project, "--host", "0.0.0.0")
    file = str(tmp_path / "token")
    with HttpServer(project, "--host", "0.0.0.0", "--token-file", file) as server:
        wait_for(lambda: b"not encrypted" in server.errors)
        assert server.request("GET", "/mcp")[0] == 401
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert "cannot listen" in refused(project, "--port", port)


def test_projects_are_told_apart_by_their_ids_and_unknown_ones_refused(
    project: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    (other / ".milepost").mkdir(parents=True)
    ids = {}
    for folder in (project, other):
        workspace = api.open_workspace(str(folder), actor="user:test")
        ids[folder] = workspace.project.id
        workspace.memory.add(f"this is {folder.name}")
        workspace.close()
    with HttpServer(project) as server:
        for path, name in (("/mcp", "project"), (f"/mcp/{ids[other]}", "other")):
            (hit,) = server.done("memory_search", path, query="this")["hits"]
            assert hit["text"] == f"this is {name}"
        for wrong in ("nope-1234567890", "..%2F..", "a/b"):
            status, answer = server.post({}, f"/mcp/{wrong}")
            assert status == 404
            assert "no project" in answer["error"]
        status, answer = server.post({}, milepost_project=str(other))
        assert status == 404
        assert "--any-project" in answer["error"]
    with HttpServer(project, "--any-project") as server:
        named = {"milepost_project": str(other)}
        _, _, data = server.call("memory_search", {"query": "this"}, **named)
        assert data["hits"][0]["text"] == "this is other"
        for wrong in ("relative", "/no/such/folder", "%00"):
            assert server.post({}, milepost_project=wrong)[0] == 404
        failed, text, _ = server.call("memory_search", {"query": "x"}, milepost_project="/")
        assert failed
        assert "too wide" in text
    assert "no folder" in refused(project, "--project", str(tmp_path / "nowhere"))


def test_a_cancelled_or_abandoned_verification_is_stopped(
    project: Path, tmp_path: Path, server: HttpServer
) -> None:
    started = tmp_path / "started"
    workspace = api.open_workspace(str(project), actor="user:test")
    workspace.goals.set("x", checks=[f"echo $$ > {started}; sleep 600"])
    params = {"name": "goal_verify", "arguments": {}, "_meta": MODERN_META}
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params})
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall(
            f"POST /mcp HTTP/1.1\r\nhost: localhost:{server.port}\r\n"
            "content-type: application/json\r\naccept: application/json, text/event-stream\r\n"
            "mcp-protocol-version: 2026-07-28\r\nmcp-method: tools/call\r\n"
            f"mcp-name: goal_verify\r\ncontent-length: {len(body)}\r\n\r\n{body}".encode()
        )
        wait_for(lambda: started.exists() and started.read_text().strip() != "")
    wait_for(lambda: not is_group_alive(int(started.read_text())))
    workspace.close()


def test_sigterm_ends_streams_at_once_and_stops_calls_after_their_grace(
    project: Path, tmp_path: Path, server: HttpServer
) -> None:
    started = tmp_path / "started"
    workspace = api.open_workspace(str(project), actor="user:test")
    workspace.goals.set("x", checks=[f"echo $$ > {started}; sleep 600"])
    answers: list[object] = []
    caller = threading.Thread(target=lambda: answers.append(_answer_of_call(server)))
    caller.start()
    wait_for(lambda: started.exists() and started.read_text().strip() != "")
    server.child.send_signal(signal.SIGTERM)
    assert server.child.wait(40) == 0
    caller.join(20)
    assert answers == ["ended"]
    wait_for(lambda: not is_group_alive(int(started.read_text())))
    workspace.close()


def _answer_of_call(server: HttpServer) -> str:
    try:
        server.call("goal_verify", {})
    except (AssertionError, KeyError, OSError):
        return "ended"
    return "answered"


def test_eight_clients_write_at_once_while_stdio_writes_too_and_nothing_is_lost(
    project: Path, server: HttpServer
) -> None:
    def write(number: int) -> list[str]:
        return [
            server.done("memory_save", text=f"client {number} wrote {turn}")["id"]
            for turn in range(10)
        ]

    with Wire(project) as wire, ThreadPoolExecutor(8) as pool:
        writers = [pool.submit(write, number) for number in range(8)]
        over_stdio = [wire.done("memory_save", text=f"stdio wrote {n}")["id"] for n in range(20)]
        acknowledged = {key for writer in writers for key in writer.result()} | set(over_stdio)
    assert len(acknowledged) == 100
    workspace = api.open_workspace(str(project), actor="user:test")
    assert acknowledged <= {entry.id for entry in workspace.memory.page(limit=100).entries}
    workspace.close()


def test_nothing_acknowledged_is_lost_when_the_server_is_killed(project: Path) -> None:
    acknowledged: list[str] = []
    with HttpServer(project) as server:

        def write() -> None:
            # A connection that breaks, or an answer that is cut off, is the end of the server.
            with contextlib.suppress(OSError, http.client.HTTPException):
                while True:
                    text = f"fact {len(acknowledged)}"
                    acknowledged.append(server.done("memory_save", text=text)["id"])

        writer = threading.Thread(target=write)
        writer.start()
        wait_for(lambda: len(acknowledged) >= 20)
        os.kill(server.child.pid, signal.SIGKILL)
        writer.join(30)
    with HttpServer(project) as server:
        kept = server.done("memory_get", limit=100)
        assert kept["total"] >= len(acknowledged)
        workspace = api.open_workspace(str(project), actor="user:test")
        assert all(workspace.memory.get(key) for key in acknowledged)
        workspace.close()
        assert server.done("memory_save", text="it goes on")["id"]


def test_ten_thousand_entries_are_searched_and_added_to_by_four_clients_at_once(
    project: Path, server: HttpServer
) -> None:
    server.done("memory_save", text="the first entry makes the file")
    workspace = api.open_workspace(str(project), actor="user:test")
    with Path(workspace.memory.file()).open("a", encoding="utf-8") as file:
        file.writelines(
            f"- Queue {number} drains into code{number}x. "
            f"<!-- milepost id=n{number:09d} status=unverified source=test -->\n"
            for number in range(10_000)
        )

    def work(client: int) -> None:
        for turn in range(5):
            wanted = client * 2_000 + turn
            (hit, *_) = server.done("memory_search", query=f"code{wanted}x")["hits"]
            assert hit["id"] == f"n{wanted:09d}"
            server.done("memory_save", text=f"client {client} added {turn}")

    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(work, client) for client in range(4)]:
            done.result()
    assert workspace.memory.page(limit=1).total == 10_021
    workspace.close()


async def until(condition: object, timeout_s: float = 20) -> None:
    """Wait until `condition()` holds, while the loop goes on."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        await asyncio.sleep(0.01)
