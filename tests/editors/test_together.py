"""Neovim with its plugin, an editor with VS Code's announcements, and an agent over MCP, at once on
one project: what one does, the others show.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.lsp.client import CAPABILITIES, Client
from tests.lsp.neovim import Neovim
from tests.mcp.wire import Wire

ANNOUNCED = {
    "memory": True,
    "chat": True,
    "permissions": True,
    "proposals": True,
    "quiet": True,
}


@pytest.fixture
def agent(project: Path) -> Iterator[Wire]:
    with Wire(project) as wire:
        yield wire


@pytest.fixture
def nvim(project: Path, tmp_path: Path, monkeypatch) -> Iterator[Neovim]:
    script = tmp_path / "script.jsonl"
    script.write_text(json.dumps({"say": "It adds up cents."}), encoding="utf-8")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("MILEPOST_MODEL", f"scripted:{script}")
    with Neovim(project, has_plugin=True) as editor:
        editor.open(project / "shop.py")
        yield editor


@pytest.fixture
def editor(connect: Callable[..., Client], project: Path) -> Client:
    client = connect()
    client.initialize(
        project,
        capabilities={**CAPABILITIES, "experimental": {"milepost": ANNOUNCED}},
        clientInfo={"name": "Visual Studio Code"},
    )
    client.command("milepost.status")
    return client


def statusline(nvim: Neovim) -> str:
    return nvim.lua("return require('milepost').statusline()")


def test_what_an_agent_does_shows_in_both_editors(agent, nvim, editor, project):
    agent.done("memory_save", text="`total` is in cents.", about=["shop.py#total"])
    editor.wait_for("milepost/memory/didChange")
    nvim.wait("the entry", lambda: "is in cents." in (nvim.hover(0, 5) or ""))
    agent.done("checkpoint_save", label="from the agent")
    editor.wait_for(
        "milepost/status/didChange",
        lambda params: (params["status"]["checkpoint"] or {}).get("label") == "from the agent",
    )
    nvim.wait("the point", lambda: "#1" in statusline(nvim))
    agent.done("goal_set", condition="It works.", checks=["file: shop.py"])
    editor.wait_for("milepost/goal/didChange")
    nvim.wait("the goal", lambda: "goal active" in statusline(nvim))


def test_what_one_editor_does_shows_in_the_other_and_to_the_agent(agent, nvim, editor, project):
    nvim.ex("Milepost remember The till opens at nine.")
    editor.wait_for("milepost/memory/didChange")
    found = agent.done("memory_search", query="till")
    assert "The till opens at nine." in json.dumps(found)
    entry = editor.command("milepost.memory.list", {})["entries"][0]
    editor.command("milepost.memory.forget", {"id": entry["id"]})
    nvim.lua("answers = ...", [])
    nvim.wait("it to go", lambda: nvim.command("milepost.memory.list", {})["total"] == 0)
    editor.command("milepost.checkpoint.save", {"label": "before"})
    nvim.type("broken")
    nvim.write()
    agent.done("checkpoint_restore", id=1, apply=True)
    nvim.wait(
        "the file as it was", lambda: "broken" not in (project / "shop.py").read_text("utf-8")
    )


def test_a_chat_in_one_editor_is_seen_in_the_other(nvim, editor, project):
    nvim.ex("Milepost chat")
    nvim.type("What does total do?")
    nvim.write()
    nvim.wait("the end", lambda: nvim.lua("return require('milepost.chat').running()") == 0)
    session = editor.request("milepost/session/list", {})["sessions"][0]["sessionId"]
    loaded = editor.request("milepost/session/load", {"sessionId": session})
    said = "".join(
        each["update"]["content"]["text"]
        for each in loaded["updates"]
        if each["update"]["sessionUpdate"] == "agent_message_chunk"
    )
    assert said == "It adds up cents."
    editor.request(
        "milepost/chat/prompt",
        {"sessionId": session, "prompt": [{"type": "text", "text": "And ship?"}]},
    )
    shown = (
        "return table.concat(vim.api.nvim_buf_get_lines("
        "require('milepost.chat').current().window.shown, 0, -1, false), '\\n')"
    )
    nvim.wait("the other's question", lambda: "And ship?" in nvim.lua(shown))
