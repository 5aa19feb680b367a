"""`milepost mcp --http` as a child process, and what a test sends to it byte for byte."""

from __future__ import annotations

import http.client
import json
import os
import re
import subprocess
import sys
import threading
from pathlib import Path
from typing import Self

from tests.mcp.wire import MODERN_META

# Generous for a loaded machine: the SDK's import alone takes seconds there.
START_TIMEOUT_S = 60.0
ANSWER_TIMEOUT_S = 30.0


class HttpServer:
    """The server, started in `cwd` on a port of the system's choice. `command` starts another."""

    def __init__(self, cwd: Path, *arguments: str, command: tuple[str, ...] = ()) -> None:
        start = command or (sys.executable, "-m", "milepost", "mcp", "--http", "--port", "0")
        self.child = subprocess.Popen(
            [*start, *arguments], cwd=cwd, env=dict(os.environ),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        self.errors = bytearray()
        self._ready = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)

    def __enter__(self) -> Self:
        self._reader.start()
        assert self._ready.wait(START_TIMEOUT_S), bytes(self.errors)
        found = re.search(r"http://\S+", self.errors.decode())
        assert found, bytes(self.errors)
        self.url = found[0]
        self.port = int(self.url.rsplit(":", 1)[1].split("/")[0])
        return self

    def __exit__(self, *_: object) -> None:
        self.child.kill()
        self.child.wait()
        self._reader.join()
        self.child.stdout.close()
        self.child.stderr.close()

    def request(
        self, method: str, path: str, body: object = None, **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        """One exchange: status, headers and body. Bytes are sent as they are, all else as JSON."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=ANSWER_TIMEOUT_S)
        data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            connection.request(method, path, data, named)
            answer = connection.getresponse()
            return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
        finally:
            connection.close()

    def post(self, message: object, path: str = "/mcp", **headers: str) -> tuple[int, object]:
        """A message of the modern era; the status and the JSON that comes back, if it is any."""
        kinds = {
            "content_type": "application/json",
            "accept": "application/json, text/event-stream",
        }
        status, got, body = self.request("POST", path, message, **{**kinds, **headers})
        return status, json.loads(body) if "json" in got.get("content-type", "") else body

    def call(
        self, tool: str, arguments: object, path: str = "/mcp", **headers: str
    ) -> tuple[bool, str, dict[str, object]]:
        """Call a tool in the modern era: whether it failed, its text and its data."""
        params = {"name": tool, "arguments": arguments, "_meta": MODERN_META}
        message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
        era = {"mcp_protocol_version": "2026-07-28", "mcp_method": "tools/call", "mcp_name": tool}
        status, answer = self.post(message, path, **era, **headers)
        assert status == 200, answer
        if isinstance(answer, bytes):  # a stream: its last event is the answer
            answer = json.loads(answer.decode().rsplit("data: ", 1)[1])
        result = answer["result"]
        return (
            result.get("isError", False),
            result["content"][0]["text"],
            result.get("structuredContent", {}),
        )

    def done(self, tool: str, path: str = "/mcp", **arguments: object) -> dict[str, object]:
        """The data of a call that must succeed."""
        is_failure, text, data = self.call(tool, arguments, path)
        assert not is_failure, text
        return data

    def _read(self) -> None:
        for line in self.child.stderr:
            self.errors += line
            if b"serving MCP at" in line:
                self._ready.set()
        self._ready.set()
