"""A small LSP client for the tests: the real server as a child, spoken to in plain JSON.

A client library would repair what the tests want to send broken.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

TIMEOUT_S = 20.0

SERVER = [str(Path(sys.executable).with_name("milepost-lsp"))]


class ServerError(Exception):
    """The server answered with an error."""

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(f"{error['code']}: {error['message']}")
        self.code: int = error["code"]
        self.message: str = error["message"]
        self.data = error.get("data")


class Client:
    """One server process and what it said."""

    def __init__(
        self,
        cwd: Path,
        *,
        args: tuple[str, ...] = (),
        env: dict[str, str] | None = None,
        command: list[str] | None = None,
    ):
        self.received: list[dict[str, Any]] = []
        self.answers: list[str | None] = []
        self.asked: list[dict[str, Any]] = []
        self.silent: set[str] = set()
        # The open documents as the editor shows them, and the version that it gave them.
        self.documents: dict[str, str] = {}
        self.versions: dict[str, int] = {}
        self.settings: Any = None
        # In which it counts characters; the first that it says it knows is what the server takes.
        self.unit = "utf-16"
        # The option to choose each time that a permission is asked for.
        self.permissions: list[str] = []
        self._responses: dict[int | str | None, dict[str, Any]] = {}
        self._arrived = threading.Condition()
        self._next_id = 0
        self._has_ended = False
        self._write_lock = threading.Lock()
        self.process = subprocess.Popen(
            [*(command or SERVER), *args],
            cwd=cwd,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, **(env or {})},
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    # Talking

    def initialize(self, *folders: Path, capabilities: dict[str, Any] | None = None, **more: Any):
        """The handshake. Returns the server's capabilities."""
        known = CAPABILITIES if capabilities is None else capabilities
        self.unit = known.get("general", {}).get("positionEncodings", ["utf-16"])[0]
        params = {
            "processId": os.getpid(),
            "clientInfo": {"name": "Test Editor"},
            "rootUri": folders[0].as_uri() if folders else None,
            "capabilities": known,
            "workspaceFolders": [{"uri": f.as_uri(), "name": f.name} for f in folders] or None,
            **more,
        }
        result = self.request("initialize", params)
        self.notify("initialized", {})
        return result["capabilities"]

    def open(self, path: Path, text: str | None = None, language: str = "python") -> str:
        """Opens a document, with the text of its file if none is given. Returns its URI."""
        text = path.read_text(encoding="utf-8") if text is None else text
        item = {"uri": path.as_uri(), "languageId": language, "version": 1, "text": text}
        self.documents[path.as_uri()], self.versions[path.as_uri()] = text, 1
        self.notify("textDocument/didOpen", {"textDocument": item})
        return path.as_uri()

    def type(self, uri: str, text: str) -> None:
        """The user changes the text of an open document."""
        self.documents[uri] = text
        self.versions[uri] += 1
        document = {"uri": uri, "version": self.versions[uri]}
        changes = {"textDocument": document, "contentChanges": [{"text": text}]}
        self.notify("textDocument/didChange", changes)

    def hover(self, uri: str, line: int, character: int) -> str | None:
        found = self.request("textDocument/hover", at(uri, line, character))
        return found["contents"]["value"] if found else None

    def actions(
        self,
        uri: str,
        start: tuple[int, int],
        end: tuple[int, int] | None = None,
        **context: Any,
    ) -> list[dict[str, Any]]:
        """The code actions there; `invoked=False` for those of a light bulb."""
        invoked = context.pop("invoked", True)
        params = {
            "textDocument": {"uri": uri},
            "range": span(start, end or start),
            "context": {"diagnostics": [], "triggerKind": 1 if invoked else 2, **context},
        }
        return self.request("textDocument/codeAction", params)

    def titles(self, *where: Any, **context: Any) -> list[str]:
        return [action["title"] for action in self.actions(*where, **context)]

    def command(self, name: str, *arguments: Any, timeout: float = TIMEOUT_S) -> Any:
        params = {"command": name, "arguments": list(arguments)}
        return self.request("workspace/executeCommand", params, timeout=timeout)

    def apply(self, action: dict[str, Any]) -> Any:
        return self.command(action["command"]["command"], *action["command"]["arguments"])

    def choose(self, action: dict[str, Any]) -> Any:
        """What an editor does with the action that was chosen: resolve it, make its edit, run its
        command."""
        if "edit" not in action and "data" in action:
            action = self.request("codeAction/resolve", action)
        if "edit" in action:
            self.edit(action["edit"])
        return self.apply(action) if "command" in action else None

    def edit(self, edit: dict[str, Any]) -> bool:
        """Makes an edit in the documents that are open or on disk, as an editor does; False when
        it is for another version of one."""
        changes = [
            (each["textDocument"]["uri"], each["textDocument"]["version"], each["edits"])
            for each in edit.get("documentChanges", [])
            if "kind" not in each
        ] or [(uri, None, edits) for uri, edits in edit.get("changes", {}).items()]
        if any(version not in (None, self.versions.get(uri)) for uri, version, _ in changes):
            return False
        for each in edit.get("documentChanges", []):
            if each.get("kind") == "create":
                Path(each["uri"].removeprefix("file://")).touch(exist_ok=False)
        for uri, _, edits in changes:
            if uri not in self.documents:
                self.open(Path(uri.removeprefix("file://")))
            self.type(uri, edited(self.documents[uri], edits, self.unit))
        return True

    def request(self, method: str, params: Any = None, *, timeout: float = TIMEOUT_S) -> Any:
        return self.answer_to(self.start(method, params), timeout=timeout)

    def start(self, method: str, params: Any = None) -> int:
        """Sends a request and does not wait. Returns its id."""
        self._next_id += 1
        message = {"jsonrpc": "2.0", "id": self._next_id, "method": method, "params": params}
        self.send(message if params is not None else {k: v for k, v in message.items() if v})
        return self._next_id

    def answer_to(self, msg_id: int | str | None, *, timeout: float = TIMEOUT_S) -> Any:
        self._wait(lambda: msg_id in self._responses, timeout, f"an answer to {msg_id}")
        response = self._responses.pop(msg_id)
        if "error" in response:
            raise ServerError(response["error"])
        return response["result"]

    def notify(self, method: str, params: Any = None) -> None:
        self.send({"jsonrpc": "2.0", "method": method, "params": params})

    def send(self, message: Any) -> None:
        self.send_raw(json.dumps(message).encode())

    def send_raw(self, body: bytes, header: bytes | None = None) -> None:
        stdin = self.process.stdin
        assert stdin
        head = b"Content-Length: %d\r\n\r\n" % len(body) if header is None else header
        with self._write_lock:
            stdin.write(head + body)
            stdin.flush()

    # Listening

    def messages(self) -> list[str]:
        """What the user was shown."""
        return [m["params"]["message"] for m in self.got("window/showMessage")]

    def got(self, method: str) -> list[dict[str, Any]]:
        with self._arrived:
            return [message for message in self.received if message.get("method") == method]

    def wait_for_message(self, part: str) -> str:
        """Waits until the user is shown a message that holds `part`."""
        self.wait_until(lambda: any(part in m for m in self.messages()), f"a message with {part!r}")
        return next(m for m in self.messages() if part in m)

    def wait_for(self, method: str, matches=lambda params: True) -> dict[str, Any]:
        """Waits for a notification or request of the server. Returns its parameters."""

        def found():
            return [m for m in self.received if m.get("method") == method and matches(m["params"])]

        self._wait(lambda: bool(found()), TIMEOUT_S, method)
        return found()[0]["params"]

    def wait_until(self, condition, what: str, timeout: float = TIMEOUT_S) -> None:
        self._wait(condition, timeout, what)

    def _wait(self, condition, timeout: float, what: str) -> None:
        deadline = time.monotonic() + timeout
        with self._arrived:
            while not condition():
                left = deadline - time.monotonic()
                if left <= 0 or self._has_ended:
                    raise TimeoutError(f"no {what}; {self._last_words()}")
                # Short, so that conditions about the disk are seen too.
                self._arrived.wait(min(left, 0.1))

    def _last_words(self) -> str:
        if self._has_ended and self.process.stderr:
            return self.process.stderr.read().decode(errors="replace")[-2000:]
        return f"got {self.received[-5:]}"

    # Leaving

    def close(self) -> int:
        """Says shutdown and exit. Returns the exit code."""
        if self.process.poll() is None:
            with contextlib.suppress(OSError, TimeoutError, ServerError):
                self.request("shutdown")
                self.notify("exit")
        return self.wait_exit()

    def wait_exit(self, timeout: float = TIMEOUT_S) -> int:
        try:
            return self.process.wait(timeout)
        finally:
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait()
            self._reader.join(TIMEOUT_S)
            for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
                if stream:
                    with contextlib.suppress(OSError):
                        stream.close()

    def _read(self) -> None:
        stdout = self.process.stdout
        assert stdout
        while header := stdout.readline():
            length = 0
            while header.strip():
                name, _, value = header.partition(b":")
                if name.lower() == b"content-length":
                    length = int(value)
                header = stdout.readline()
            self._take(json.loads(stdout.read(length)))
        with self._arrived:
            self._has_ended = True
            self._arrived.notify_all()

    def _take(self, message: dict[str, Any]) -> None:
        with self._arrived:
            if "method" not in message:
                self._responses[message["id"]] = message
            else:
                self.received.append(message)
            self._arrived.notify_all()
        if "id" in message and message.get("method", "") not in {"", *self.silent}:
            with contextlib.suppress(OSError):
                self._answer(message)

    def _answer(self, message: dict[str, Any]) -> None:
        result: Any = None
        if message["method"] == "window/showMessageRequest":
            self.asked.append(message["params"])
            wanted = self.answers.pop(0) if self.answers else None
            for action in message["params"]["actions"]:
                if wanted is not None and action["title"].startswith(wanted):
                    result = action
        elif message["method"] == "milepost/permission/request":
            wanted = self.permissions.pop(0) if self.permissions else None
            chosen = {"outcome": "selected", "optionId": wanted}
            result = chosen if wanted else {"outcome": "cancelled"}
        elif message["method"] == "workspace/configuration":
            result = [self.settings]
        elif message["method"] == "window/showDocument":
            result = {"success": True}
        elif message["method"] == "workspace/applyEdit":
            result = {"applied": self.edit(message["params"]["edit"])}
        self.send({"jsonrpc": "2.0", "id": message["id"], "result": result})


# An editor that can do everything the server makes use of, and counts in UTF-16 as most do.
CAPABILITIES: dict[str, Any] = {
    "window": {"workDoneProgress": True, "showDocument": {"support": True}},
    "textDocument": {
        "hover": {"contentFormat": ["markdown", "plaintext"]},
        "documentSymbol": {"hierarchicalDocumentSymbolSupport": True},
    },
    "general": {"positionEncodings": ["utf-16"]},
}

# An editor with a chat panel.
CHATTING = {
    **CAPABILITIES,
    "experimental": {
        "milepost": {"chat": True, "permissions": True, "proposals": True, "memory": True}
    },
}

# An editor that also makes edits for the server, and finds out an action's edit when it is chosen.
EDITING: dict[str, Any] = {
    **CAPABILITIES,
    "workspace": {
        "applyEdit": True,
        "workspaceEdit": {
            "documentChanges": True,
            "resourceOperations": ["create"],
            "changeAnnotationSupport": {"groupsOnLabel": True},
        },
    },
    "textDocument": {
        **CAPABILITIES["textDocument"],
        "codeAction": {
            "dataSupport": True,
            "resolveSupport": {"properties": ["edit"]},
            "tagSupport": {"valueSet": [1]},
        },
    },
}

ANNOUNCED = {**CAPABILITIES, "experimental": {"milepost": {"memory": True}}}


def span(start: tuple[int, int], end: tuple[int, int]) -> dict[str, Any]:
    return {
        "start": {"line": start[0], "character": start[1]},
        "end": {"line": end[0], "character": end[1]},
    }


def at(uri: str, line: int, character: int) -> dict[str, Any]:
    return {
        "textDocument": {"uri": uri},
        "position": {"line": line, "character": character},
    }


# The encoding of each unit, and the bytes that one takes.
_UNITS = {"utf-8": ("utf-8", 1), "utf-16": ("utf-16-le", 2), "utf-32": ("utf-32-le", 4)}


def width(text: str, unit: str) -> int:
    """How many units a text takes."""
    encoding, size = _UNITS[unit]
    return len(text.encode(encoding)) // size


def edited(text: str, edits: list[dict[str, Any]], unit: str = "utf-16") -> str:
    """The text with LSP's edits, whose positions all mean the text before."""
    encoding, size = _UNITS[unit]
    starts = [0]
    for line in text.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))

    def offset(place: dict[str, int]) -> int:
        line = place["line"]
        if line >= len(starts):
            return len(text)
        rest = text[starts[line] :].encode(encoding)[: place["character"] * size]
        return starts[line] + len(rest.decode(encoding))

    spans = [
        (offset(each["range"]["start"]), offset(each["range"]["end"]), each["newText"])
        for each in edits
    ]
    ordered = sorted(spans, key=lambda span: span[:2])
    for (_, end, _), (start, _, _) in itertools.pairwise(ordered):
        assert end <= start, "edits overlap"
    for start, end, new in reversed(ordered):
        text = text[:start] + new + text[end:]
    return text
