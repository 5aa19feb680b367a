"""Hover: what memory knows about the word."""

from __future__ import annotations

from pathlib import Path

from milepost import api
from tests.lsp.client import CAPABILITIES


def test_a_word_that_memory_knows_shows_the_entry_and_where_it_comes_from(client, project, other):
    other.memory.add(
        "`total` is in cents.", kind="rule", status="stated", anchors=("shop.py#total",)
    )
    shown = client.hover(client.open(project / "shop.py"), 0, 5)
    assert "`total` is in cents." in shown
    assert "rule · stated · from mcp:other · about shop.py#total · today" in shown


def test_a_word_that_memory_does_not_know_shows_nothing(client, project, other):
    other.memory.add("`total` is in cents.")
    uri = client.open(project / "shop.py")
    assert client.hover(uri, 5, 5) is None
    assert client.hover(uri, 3, 0) is None
    assert client.hover(uri, 900, 0) is None


def test_an_entry_that_someone_else_just_saved_shows_at_once(client, project, other):
    uri = client.open(project / "shop.py")
    assert client.hover(uri, 5, 5) is None
    other.memory.add("`ship` never ships an empty order.")
    assert "never ships an empty order" in client.hover(uri, 5, 5)


def test_what_is_asked_again_is_never_an_old_answer(client, project, other):
    uri = client.open(project / "shop.py")
    entry = other.memory.add("`total` is in cents.", anchors=("shop.py#total",))
    for _ in range(2):
        assert "in cents" in client.hover(uri, 0, 5)
    other.memory.update(entry.id, text="`total` is in pence.")
    assert "in pence" in client.hover(uri, 0, 5)
    (project / "shop.py").write_text("def total(order):\n    return 0\n", encoding="utf-8")
    assert "shop.py#total has changed since" in client.hover(uri, 0, 5)
    (project / "AGENTS.md").write_text("- Never call `total` twice.\n", encoding="utf-8")
    assert "Never call `total` twice." in client.hover(uri, 0, 5)
    client.command("milepost.memory.forget", {"id": entry.id, "uri": uri})
    assert "in pence" not in client.hover(uri, 0, 5)
    (project / "AGENTS.md").unlink()
    assert client.hover(uri, 0, 5) is None
    assert client.titles(uri, (0, 5), invoked=False) == []


def test_remembered_text_cannot_leave_its_fence(client, project, other):
    evil = "`total` ```\n\n![x](https://evil.example/p.png) [run](command:x) <img src=y>"
    other.memory.add(evil)
    shown = client.hover(client.open(project / "shop.py"), 0, 5)
    opening, _, rest = shown.partition("text\n")
    marks = opening.rsplit("\n", 1)[1]
    assert set(marks) == {"`"}
    assert len(marks) > 3
    assert rest.split(f"\n{marks}\n")[0].endswith("<img src=y>")


def test_a_client_without_markdown_gets_plain_text(connect, project, other):
    other.memory.add("`total` is in cents.")
    client = connect()
    client.initialize(project, capabilities={**CAPABILITIES, "textDocument": {"hover": {}}})
    shown = client.hover(client.open(project / "shop.py"), 0, 5)
    assert shown.startswith("Milepost remembers about total\n\n`total` is in cents.\n(knowledge")


def test_the_unsaved_buffer_decides_which_word_it_is(client, project, other):
    other.memory.add("`total` is in cents.")
    uri = client.open(project / "shop.py")
    client.notify(
        "textDocument/didChange",
        {
            "textDocument": {"uri": uri, "version": 2},
            "contentChanges": [
                {
                    "range": {
                        "start": {"line": 0, "character": 0},
                        "end": {"line": 0, "character": 0},
                    },
                    "text": "import os\n\n",
                }
            ],
        },
    )
    assert client.hover(uri, 0, 5) is None
    assert "in cents" in client.hover(uri, 2, 5)


def test_a_document_that_is_not_open_or_no_file_shows_nothing(client, project, other):
    other.memory.add("`total` is in cents.")
    assert client.hover((project / "shop.py").as_uri(), 0, 5) is None
    assert client.hover("untitled:Untitled-1", 0, 0) is None
    assert client.hover("git:/shop.py?x", 0, 0) is None


def test_in_a_memory_file_the_entry_under_the_cursor_tells_where_it_comes_from(
    client, other: api.Workspace
):
    entry = other.memory.add("Use uv, never pip.", kind="rule")
    location = other.memory.locate(entry.id)
    uri = client.open(Path(other.memory.file()), language="markdown")
    shown = client.hover(uri, location.line, 3)
    assert "rule · unverified · from mcp:other" in shown
    assert client.hover(uri, 0, 3) is None
