"""A client that says exactly what a test wants to say, byte for byte, to a real server process."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from milepost import api

# Generous for a loaded machine; nothing waits for it unless something is wrong.
ANSWER_TIMEOUT_S = 20.0

MILEPOST = (sys.executable, "-m", "milepost", "mcp")

MODERN_META = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
    "io.modelcontextprotocol/clientInfo": {"name": "wire", "version": "1"},
}


class Wire:
    """`milepost mcp` as a child, started in `cwd`; or the server that `command` starts."""

    def __init__(self, cwd: Path, *arguments: str, command: Sequence[str] = MILEPOST) -> None:
        self.child = subprocess.Popen(
            [*command, *arguments],
            cwd=cwd,
            env=dict(os.environ),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self._cwd = cwd
        self._lines: queue.Queue[bytes] = queue.Queue()
        self._readers = [
            threading.Thread(target=self._read, daemon=True),
            threading.Thread(target=self._drain, daemon=True),
        ]
        self.errors = bytearray()
        for reader in self._readers:
            reader.start()
        self._next_id = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.child.kill()
        self.child.wait()
        for reader in self._readers:
            reader.join()
        for stream in (self.child.stdin, self.child.stdout, self.child.stderr):
            stream.close()

    def send(self, message: object) -> None:
        """Send bytes as they are, anything else as JSON."""
        line = message if isinstance(message, bytes) else json.dumps(message).encode()
        self.child.stdin.write(line + b"\n")
        self.child.stdin.flush()

    def receive(self) -> dict[str, object]:
        """The next message of the server."""
        return json.loads(self._lines.get(timeout=ANSWER_TIMEOUT_S))

    def ask(self, message: object) -> dict[str, object]:
        """Send, and return the next message."""
        self.send(message)
        return self.receive()

    def request(self, method: str, params: object = None) -> dict[str, object]:
        """A request with an id of its own; its answer."""
        self._next_id += 1
        message = {"jsonrpc": "2.0", "id": self._next_id, "method": method}
        answer = self.ask(message if params is None else {**message, "params": params})
        assert answer["id"] == self._next_id
        return answer

    def call(self, tool: str, arguments: object = None) -> tuple[bool, str, dict[str, object]]:
        """Call a tool: whether it failed, its text and its data."""
        params = {"name": tool} if arguments is None else {"name": tool, "arguments": arguments}
        result = self.request("tools/call", params)["result"]
        (content,) = result["content"]
        return result.get("isError", False), content["text"], result.get("structuredContent", {})

    def done(self, tool: str, **arguments: object) -> dict[str, object]:
        """The data of a call that must succeed."""
        failed, text, data = self.call(tool, arguments)
        assert not failed, text
        return data

    def set_goal(self, **arguments: object) -> dict[str, object]:
        """Set a goal as the agent, and allow its commands as the user."""
        goal = self.done("goal_set", **arguments)
        workspace = api.open_workspace(str(self._cwd), actor="user:test")
        workspace.goals.allow(goal["id"])
        workspace.close()
        return goal

    def end(self) -> int:
        """Close stdin and return the exit code."""
        self.child.stdin.close()
        return self.child.wait(ANSWER_TIMEOUT_S)

    def _read(self) -> None:
        for line in self.child.stdout:
            self._lines.put(line)

    def _drain(self) -> None:
        for line in self.child.stderr:
            self.errors += line
