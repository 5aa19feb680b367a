"""What the answer to initialize announces is what there is, and is said before it is loaded."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from milepost_lsp import early
from milepost_lsp.protocol import catalogue
from milepost_lsp.server import furnish

# What LSP announces by these, or what pygls does by itself.
_IMPLIED = {
    "initialized", "codeAction/resolve", "documentLink/resolve", "textDocument/prepareRename",
    "workspace/didChangeConfiguration", "workspace/textDocumentContent",
}  # fmt: skip


def test_the_table_is_what_the_handlers_are():
    server = early.build_server()
    announced = dict(server.protocol.fm.features), dict(server.protocol.fm.feature_options)
    furnish(_emptied(server), server.session)
    there = server.protocol.fm.features
    ours = {m.method for subject in catalogue.SUBJECTS for m in subject.messages}
    assert set(there) - ours - _IMPLIED == set(announced[0])
    assert server.protocol.fm.feature_options == announced[1]
    assert list(early.COMMANDS) == list(server.protocol.fm.commands)


def _emptied(server: early.EarlyServer) -> early.EarlyServer:
    manager = server.protocol.fm
    for known in (manager.features, manager.feature_options, manager.commands):
        known.clear()
    return server


def test_nothing_that_initialize_does_not_need_is_loaded_for_it():
    code = (
        "from milepost_lsp import lazy_types; lazy_types.load()\n"
        "from milepost_lsp.early import build_server\n"
        "import milepost_lsp.transport, sys, json\n"
        "build_server()\n"
        "print(json.dumps(sorted(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    loaded = set(json.loads(done.stdout))
    assert not [
        name
        for name in loaded
        if name.startswith(("milepost_lsp.features", "milepost_lsp.actions", "milepost_lsp.chat"))
    ]
    assert not loaded & {"sqlite3", "pydantic", "watchfiles", "milepost.api.workspace"}


def test_the_first_message_is_answered_whatever_it_is(connect, project: Path):
    client = connect()
    folders = [{"uri": project.as_uri(), "name": "shop"}]
    client.request(
        "initialize", {"processId": None, "capabilities": {}, "workspaceFolders": folders}
    )
    # Without "initialized", which some clients forget.
    assert client.command("milepost.memory.list", {})["total"] == 0
