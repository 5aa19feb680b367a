"""Two thousand malformed or out-of-order messages over the real wire: every request is answered,
the server lives, and its memory stays flat."""

from __future__ import annotations

import contextlib
import json
import resource
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from milepost_lsp.protocol import catalogue
from tests.lsp.client import ANNOUNCED, Client, ServerError

MESSAGES = 2_000
# What the first messages of each kind build once; after them nothing may grow.
WARM_UP = 500
GROWTH_MIB = 16.0

LSP_METHODS = (
    "initialize", "initialized", "textDocument/didOpen", "textDocument/didChange",
    "textDocument/didClose", "textDocument/didSave", "textDocument/hover",
    "textDocument/codeAction", "textDocument/documentSymbol", "textDocument/foldingRange",
    "textDocument/documentLink", "documentLink/resolve", "textDocument/completion",
    "textDocument/codeLens", "textDocument/inlayHint", "textDocument/rename",
    "textDocument/prepareRename", "workspace/symbol", "workspace/executeCommand",
    "workspace/textDocumentContent", "workspace/didChangeConfiguration",
    "workspace/didChangeWorkspaceFolders", "window/workDoneProgress/cancel", "$/cancelRequest",
    "$/setTrace", "no/such/method", "codeAction/resolve",
)  # fmt: skip
OURS = tuple(
    message.method
    for subject in catalogue.SUBJECTS
    for message in subject.messages
    if message.sender == "client"
)
COMMANDS = tuple(command.name for command in catalogue.COMMANDS)

# Words that mean something somewhere, so that not all is refused at the first look.
KEYS = st.sampled_from(
    ["textDocument", "uri", "position", "range", "context", "command", "arguments", "id", "text",
     "version", "query", "newName", "contentChanges", "start", "end", "line", "character",
     "sessionId", "prompt", "settings", "jsonrpc", "method", "params", "limit", "scope", "token"]
)  # fmt: skip


def values(uris: tuple[str, ...]) -> st.SearchStrategy[Any]:
    leaf = st.one_of(
        st.none(), st.booleans(), st.integers(-(2**40), 2**40), st.floats(allow_nan=False),
        st.text(max_size=20), st.sampled_from(uris), st.sampled_from(COMMANDS),
        st.just({"line": 0, "character": 0}), st.just("\ud800"),
    )  # fmt: skip
    return st.recursive(
        leaf,
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(KEYS | st.text(max_size=8), inner, max_size=4)
        ),
        max_leaves=8,
    )


def messages(uris: tuple[str, ...]) -> st.SearchStrategy[dict[str, Any]]:
    """Requests, notifications and answers, mostly wrong."""
    value = values(uris)
    near = st.fixed_dictionaries(
        {},
        optional={
            "textDocument": st.fixed_dictionaries({"uri": st.sampled_from(uris)}) | value,
            "position": st.just({"line": 0, "character": 0}) | value,
            "range": value, "context": value, "command": st.sampled_from(COMMANDS),
            "arguments": st.lists(value, max_size=2), "query": value, "newName": value,
            "contentChanges": st.lists(value, max_size=2), "uri": st.sampled_from(uris) | value,
        },
    )  # fmt: skip
    params = near | value
    method = st.sampled_from((*LSP_METHODS, *OURS)) | st.text(max_size=10)
    return st.one_of(
        st.fixed_dictionaries({"method": method, "params": params, "id": st.just("?")}),
        st.fixed_dictionaries({"method": method, "params": params}),
        st.fixed_dictionaries({"id": value, "result": value}),
        st.fixed_dictionaries({"id": value, "error": value}),
        st.dictionaries(KEYS, value, max_size=3),
    )


def test_two_thousand_bad_messages_harm_nothing(connect, project, other):
    other.memory.add("`total` is exact.", anchors=("shop.py#total",))
    client: Client = connect()
    client.silent.update({"window/showMessageRequest"})
    client.initialize(project, capabilities=ANNOUNCED)
    memory = client.open(Path(other.memory.file()), language="markdown")
    uris = (client.open(project / "shop.py"), memory, "file:///nowhere.py", "milepost://x/goals/1")
    sent = 0
    before_mib = 0.0

    @seed(20261122)
    @settings(
        max_examples=MESSAGES, database=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(messages(uris))
    def send(message: dict[str, Any]) -> None:
        nonlocal sent, before_mib
        sent += 1
        if message.get("method") in ("shutdown", "exit") or _runs_something(message):
            return
        is_request = message.get("id") == "?" and "method" in message
        message = {"jsonrpc": "2.0", **message}
        if is_request:
            message["id"] = f"fuzz-{sent}"
        client.send_raw(json.dumps(message).encode())
        if is_request:
            with contextlib.suppress(ServerError):
                client.answer_to(message["id"])
        if sent == WARM_UP:
            before_mib = rss_mib(client.process.pid)
        client.received.clear()

    send()
    assert sent >= MESSAGES
    assert client.process.poll() is None
    assert client.command("milepost.memory.list", {})["total"] >= 0
    assert rss_mib(client.process.pid) - before_mib < GROWTH_MIB


def _runs_something(message: dict[str, Any]) -> bool:
    """A goal's checks are commands of a shell, and random words are no commands to run."""
    return "milepost.goal." in json.dumps(message)


def rss_mib(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="utf-8").split()[1])
    return pages * resource.getpagesize() / 1024**2
