"""A server in this process and the client's end of its wire, all in plain JSON.

For what needs the server's own objects at hand; whatever can be told from the outside is told with
`client.py`, over a real process.
"""

from __future__ import annotations

import asyncio
import functools
import json
from typing import Any

from lsprotocol import types
from pygls.protocol import default_converter

from milepost_lsp.editor import Editor
from milepost_lsp.guard import GuardedProtocol, GuardedServer
from milepost_lsp.session import Session
from tests.lsp.client import edited

# Making one is most of the time that a server takes to make, and it keeps nothing.
CONVERTER = functools.cache(default_converter)

PLAIN = {
    "workspace": {"applyEdit": True, "workspaceEdit": {"documentChanges": True}},
    "general": {"positionEncodings": ["utf-16"]},
}


class Peer:
    """One server, and a client that keeps documents as an editor does."""

    def __init__(
        self, announced: Any = None, *, capabilities: dict[str, Any] | None = None
    ) -> None:
        self.server = GuardedServer(
            "milepost",
            "0",
            protocol_cls=GuardedProtocol,
            text_document_sync_kind=types.TextDocumentSyncKind.Incremental,
            converter_factory=CONVERTER,
        )
        self.server.protocol.set_writer(self)
        self.session = Session()
        self.editor = Editor(self.server, self.session)
        self.got: list[dict[str, Any]] = []
        # What the editor shows, and the version that it gave it.
        self.documents: dict[str, tuple[str, int]] = {}
        # Set to have it act like an editor that says no, or says yes and does nothing.
        self.refuses: str | None = None
        self.forgets = False
        self._arrived = asyncio.Event()
        known = PLAIN if capabilities is None else capabilities
        experimental = {"experimental": {"milepost": announced}}
        self.send(
            "initialize",
            {"processId": None, "rootUri": None, "capabilities": {**known, **experimental}},
            msg_id=0,
        )

    # pygls' writer

    def write(self, data: bytes) -> None:
        message = json.loads(data.split(b"\r\n\r\n", 1)[1])
        self.got.append(message)
        self._arrived.set()
        if message.get("method") == "workspace/applyEdit":
            asyncio.get_running_loop().call_soon(self._apply, message)

    def close(self) -> None: ...

    # Talking

    def send(self, method: str, params: Any, *, msg_id: int | None = None) -> None:
        message = {"jsonrpc": "2.0", "method": method, "params": params}
        if msg_id is not None:
            message["id"] = msg_id
        self.take(message)

    def take(self, message: dict[str, Any]) -> None:
        self.server.protocol.receive(json.dumps(message).encode())

    async def answer(self, msg_id: int) -> dict[str, Any]:
        return await self.wait_for(lambda message: message.get("id") == msg_id)

    async def wait_for(self, matches) -> dict[str, Any]:
        async with asyncio.timeout(5):
            while not (found := [each for each in self.got if matches(each)]):
                self._arrived.clear()
                await self._arrived.wait()
            return found[-1]

    def told(self, method: str) -> list[Any]:
        return [each["params"] for each in self.got if each.get("method") == method]

    # Editing

    def open(self, uri: str, text: str) -> None:
        self.documents[uri] = (text, 1)
        item = {"uri": uri, "languageId": "text", "version": 1, "text": text}
        self.send("textDocument/didOpen", {"textDocument": item})

    def type(self, uri: str, text: str) -> None:
        """The user changes the whole text."""
        version = self.documents[uri][1] + 1
        self.documents[uri] = (text, version)
        self.send(
            "textDocument/didChange",
            {
                "textDocument": {"uri": uri, "version": version},
                "contentChanges": [{"text": text}],
            },
        )

    def text(self, uri: str) -> str:
        return self.documents[uri][0]

    def _apply(self, message: dict[str, Any]) -> None:
        result = {"applied": self.refuses is None}
        if self.refuses is not None:
            result["failureReason"] = self.refuses
        elif not self.forgets:
            self._edit(message["params"]["edit"])
        self.take({"jsonrpc": "2.0", "id": message["id"], "result": result})

    def _edit(self, edit: dict[str, Any]) -> None:
        changes = [
            (change["textDocument"]["uri"], change["textDocument"]["version"], change["edits"])
            for change in edit.get("documentChanges", [])
        ] or [(uri, None, edits) for uri, edits in edit["changes"].items()]
        for uri, version, edits in changes:
            text, current = self.documents[uri]
            if version in (None, current):
                self.type(uri, edited(text, edits))
