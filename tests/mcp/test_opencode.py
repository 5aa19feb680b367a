"""A real OpenCode, driven by a scripted model on loopback, and other clients that find its work."""

from __future__ import annotations

import http.server
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from mcp import Client

from milepost import api
from tests.mcp.http_server import HttpServer
from tests.mcp.test_official_clients import inspect
from tests.tree import fingerprint

_ROOT = Path(__file__).parents[2]
_OPENCODE = _ROOT / "tests/npm/node_modules/opencode-linux-x64-baseline/bin/opencode"

# It has been seen to take 15 s on a loaded machine.
_RUN_TIMEOUT_S = 180

# One step of the script: what the model calls, made from what the tools have answered so far.
Step = Callable[[list[str]], tuple[str, dict[str, object]]]


class _Script(http.server.BaseHTTPRequestHandler):
    """A model behind the chat completions dialect that plays `steps`, one a turn."""

    steps: list[Step]
    offered: set[str]
    answers: list[str]

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        tools = [tool["function"]["name"] for tool in asked.get("tools", [])]
        self.offered.update(tools)
        self.answers[:] = [_text(m) for m in asked["messages"] if m["role"] == "tool"]
        turn = len(self.answers)
        if tools and turn < len(self.steps):
            name, arguments = self.steps[turn](self.answers)
            function = {"name": f"milepost_{name}", "arguments": json.dumps(arguments)}
            call = {"index": 0, "id": f"call_{turn}", "type": "function", "function": function}
            self._stream({"role": "assistant", "tool_calls": [call]}, "tool_calls")
        else:
            self._stream({"role": "assistant", "content": "Done."}, "stop")

    def _stream(self, delta: dict[str, object], ending: str) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.end_headers()
        for choice in (
            {"index": 0, "delta": delta, "finish_reason": None},
            {"index": 0, "delta": {}, "finish_reason": ending},
        ):
            chunk = {
                "id": "1",
                "object": "chat.completion.chunk",
                "created": 1,
                "model": "scripted",
            }
            self.wfile.write(f"data: {json.dumps({**chunk, 'choices': [choice]})}\n\n".encode())
        self.wfile.write(b"data: [DONE]\n\n")

    def log_message(self, *_: object) -> None:
        pass


def _text(message: dict[str, Any]) -> str:
    content = message["content"]
    return content if isinstance(content, str) else "".join(part["text"] for part in content)


@contextmanager
def _model(steps: list[Step]) -> Iterator[tuple[str, type[_Script]]]:
    script = type("Script", (_Script,), {"steps": steps, "offered": set(), "answers": []})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), script) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/v1", script
        server.shutdown()
        thread.join()


def _run_opencode(project: Path, home: Path, model_url: str) -> str:
    """OpenCode does what the model says in the project. Nothing of the user's is read, and nothing
    but loopback can be reached through what it is given."""
    provider = {
        "npm": "@ai-sdk/openai-compatible",
        "options": {"baseURL": model_url, "apiKey": "none"},
        "models": {"scripted": {"tool_call": True}},
    }
    server = [sys.executable, "-m", "milepost", "mcp"]
    config = {
        "provider": {"fake": provider},
        "enabled_providers": ["fake"],
        "model": "fake/scripted",
        "small_model": "fake/scripted",
        "autoupdate": False,
        "share": "disabled",
        "mcp": {"milepost": {"type": "local", "command": server, "enabled": True}},
    }
    home.mkdir()
    folders = {
        f"XDG_{kind}_HOME": str(home / kind.lower())
        for kind in ("CONFIG", "DATA", "CACHE", "STATE")
    }
    kept = ("PATH", "LANG", "TMPDIR", "MILEPOST_HOME")
    environment = {
        **{name: os.environ[name] for name in kept if name in os.environ},
        **folders,
        "HOME": str(home),
        "OPENCODE_CONFIG_CONTENT": json.dumps(config),
        "OPENCODE_DISABLE_AUTOUPDATE": "1",
        "OPENCODE_DISABLE_MODELS_FETCH": "1",
        "OPENCODE_DISABLE_LSP_DOWNLOAD": "1",
        "OPENCODE_DISABLE_DEFAULT_PLUGINS": "1",
        "NO_PROXY": "127.0.0.1",
        "HTTPS_PROXY": "http://127.0.0.1:9",  # where nobody listens
    }
    done = subprocess.run(
        [str(_OPENCODE), "run", "--format", "json", "--auto", "-m", "fake/scripted", "Go on."],
        cwd=project, env=environment, stdin=subprocess.DEVNULL, capture_output=True,
        timeout=_RUN_TIMEOUT_S, check=False,
    )  # fmt: skip
    output = done.stdout.decode() + done.stderr.decode()
    assert done.returncode == 0, output
    return output


@pytest.mark.asyncio
async def test_what_a_real_opencode_saves_other_clients_find(project: Path, tmp_path: Path) -> None:
    (project / "state").write_text("good\n", "utf-8")
    workspace = api.open_workspace(str(project), actor="user:test")
    goal = workspace.goals.set("the state is good", checks=["grep -q good state"])
    point: list[int] = []
    good: list[object] = []

    def restored(answers: list[str]) -> tuple[str, dict[str, object]]:
        return "checkpoint_restore", {"id": point[0], "apply": True}

    def breaks(answers: list[str]) -> tuple[str, dict[str, object]]:
        # The agent's own hands would do this; here they are the test's.
        point.append(workspace.checkpoints.page(limit=1)[0].id)
        good.append(fingerprint(project))
        (project / "state").write_text("broken\n", "utf-8")
        return "goal_verify", {"id": goal.id}

    steps: list[Step] = [
        lambda _: ("memory_save", {"text": "The staging port is 6432", "kind": "knowledge"}),
        lambda _: ("memory_search", {"query": "which port has staging?"}),
        lambda _: ("checkpoint_save", {"label": "it works"}),
        breaks,
        restored,
        lambda _: ("goal_verify", {"id": goal.id}),
    ]
    with _model(steps) as (url, script):
        output = _run_opencode(project, tmp_path / "user", url)
    assert len(script.answers) == len(steps), output
    assert "The staging port is 6432" in script.answers[1]
    assert "by mcp:opencode" in script.answers[1]
    assert script.answers[3].startswith("not_met"), script.answers[3]
    assert script.answers[5].startswith("met"), script.answers[5]
    assert fingerprint(project) == good[0]
    assert "milepost_goal_verify" in script.offered
    workspace.close()

    with HttpServer(project) as server:
        async with Client(server.url) as client:
            found = await client.call_tool("memory_search", {"query": "staging port"})
            assert found.structured_content["hits"][0]["source"] == "mcp:opencode"
    called = inspect(
        project, "--method", "tools/call", "--tool-name", "memory_search",
        "--tool-args-json", '{"query": "staging port"}',
    )  # fmt: skip
    assert called["structuredContent"]["hits"][0]["source"] == "mcp:opencode"
