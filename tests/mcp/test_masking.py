"""A secret that comes by in a session is kept nowhere, and its masking is never silent."""

from __future__ import annotations

import base64
import sqlite3
from pathlib import Path

import pytest

from milepost import api
from tests.mcp.wire import Wire

# Put together here, so that no scanner of repositories takes this file for a leak.
TOKEN = "ghp_" + "q7Zr2mX9" + "bT4kLw8s" + "VnE3cYh6" + "uJd1aPfGk5Ho"
PASSWORD = "correct-" + "horse-Battery9" + "-staple"


@pytest.fixture
def session(project: Path, monkeypatch: pytest.MonkeyPatch) -> Wire:
    monkeypatch.setenv("SERVICE_PASSWORD", PASSWORD)
    with Wire(project) as wire:
        yield wire


def everything_kept(home: Path) -> bytes:
    """Every byte of every file, and every value of every table."""
    content = b"".join(path.read_bytes() for path in sorted(home.rglob("*")) if path.is_file())
    for path in home.rglob("*.db"):
        with sqlite3.connect(path) as connection:
            content += "\n".join(connection.iterdump()).encode("utf-8", "replace")
    return content


def test_a_saved_secret_is_masked_and_the_caller_is_told(session: Wire) -> None:
    saved = session.done("memory_save", text=f"Deploys use the token {TOKEN} of the bot")
    assert saved["masked"]
    assert TOKEN not in saved["text"]
    assert "[secret:" in saved["text"]
    again = session.done("memory_save", text=f"The same token again: {TOKEN}")
    placeholder = saved["text"].split("[secret:")[1].split("]")[0]
    assert f"[secret:{placeholder}]" in again["text"], "equal secrets stay equal"


def test_after_a_whole_session_no_file_and_no_table_holds_the_secrets(
    session: Wire, home: Path
) -> None:
    kept = session.done("memory_save", text=f"token {TOKEN}")["id"]
    session.done("memory_save", id=kept, text=f"export TOKEN={TOKEN}; login with {PASSWORD}")
    session.done("memory_save", supersedes=kept, text=f"https://bot:{PASSWORD}@example.com/x.git")
    session.call("memory_save", {"text": f"{TOKEN} " * 500})
    session.call("memory_forget", {"id": TOKEN[:20]})
    session.done("memory_search", query=f"what was {PASSWORD}?")
    encoded = base64.b64encode(PASSWORD.encode()).decode()
    session.set_goal(
        condition="it prints",
        checks=["echo $SERVICE_PASSWORD; test -d .", f"echo {encoded}; false"],
    )
    verdict = session.done("goal_verify")
    assert PASSWORD not in str(verdict)
    session.done("history_search")
    assert session.end() == 0
    content = everything_kept(home)
    assert len(content) > 10_000
    assert TOKEN.encode() not in content
    assert PASSWORD.encode() not in content


def test_a_secret_that_a_person_wrote_into_the_file_goes_no_further(
    session: Wire, project: Path, home: Path
) -> None:
    session.done("memory_save", text="something")
    workspace = api.open_workspace(str(project), actor="user:test")
    memory = Path(workspace.memory.file())
    memory.write_text(memory.read_text("utf-8") + f"- the bot's token is {TOKEN}\n", "utf-8")
    (hit,) = session.done("memory_search", query="bot token")["hits"]
    assert TOKEN not in hit["text"]
    assert TOKEN not in str(session.done("memory_get"))
    session.done("memory_save", id=hit["id"], status="confirmed")
    assert TOKEN in memory.read_text("utf-8"), "it is the person's file"
    assert session.end() == 0
    workspace.close()
    content = everything_kept(home)
    assert content.count(TOKEN.encode()) == 1


def test_ordinary_text_is_left_as_it_is(session: Wire) -> None:
    text = (
        "commit 9fceb02d0ae598e95dc970b74767f19372d61a, uuid 123e4567-e89b-12d3-a456-426614174000,"
        " reads password from os.environ['DB_PASSWORD']; the token budget is 4000"
    )
    saved = session.done("memory_save", text=text)
    assert (saved["text"], saved.get("masked")) == (text, None)
