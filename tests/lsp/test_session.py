"""Which project serves a document: several folders, none, and the ones that cannot be projects."""

from __future__ import annotations

from pathlib import Path

import pytest

from milepost import api
from tests.lsp.client import ServerError


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    """A folder that is no project, for servers to start in."""
    folder = tmp_path / "shelf"
    folder.mkdir()
    return folder


def make(root: Path, fact: str) -> Path:
    root.mkdir(parents=True)
    (root / "pyproject.toml").write_text("", encoding="utf-8")
    (root / "code.py").write_text("thing = 1\n", encoding="utf-8")
    workspace = api.open_workspace(str(root), actor="test")
    workspace.memory.add(fact)
    workspace.close()
    return root


def test_each_document_is_served_by_the_innermost_folder_that_holds_it(connect, shelf, tmp_path):
    outer = make(tmp_path / "outer", "`thing` of the outer project.")
    inner = make(outer / "inner", "`thing` of the inner project.")
    client = connect(cwd=shelf)
    client.initialize(outer, inner)
    assert "outer" in client.hover(client.open(outer / "code.py"), 0, 0)
    assert "inner" in client.hover(client.open(inner / "code.py"), 0, 0)


def test_with_several_projects_a_command_must_say_which(connect, shelf, tmp_path):
    one, two = make(tmp_path / "one", "One."), make(tmp_path / "two", "Two.")
    client = connect(cwd=shelf)
    client.initialize(one, two)
    with pytest.raises(ServerError) as error:
        client.command("milepost.memory.list", {})
    assert "one" in error.value.message
    assert "two" in error.value.message
    page = client.command("milepost.memory.list", {"uri": (two / "code.py").as_uri()})
    assert [entry["text"] for entry in page["entries"]] == ["Two."]


def test_two_folders_of_one_project_are_one_project(connect, shelf, project):
    for name in ("a", "b"):
        (project / name).mkdir()
    client = connect(cwd=shelf)
    client.initialize(project / "a", project / "b")
    assert client.command("milepost.memory.list", {})["total"] == 0


def test_folders_may_come_and_go(connect, shelf, tmp_path):
    one, two = make(tmp_path / "one", "`thing` one."), make(tmp_path / "two", "`thing` two.")
    client = connect(cwd=shelf)
    client.initialize(one)
    uri = client.open(two / "code.py")
    assert client.hover(uri, 0, 0) is None
    folder = {"uri": two.as_uri(), "name": "two"}
    change(client, added=[folder])
    assert "two" in client.hover(uri, 0, 0)
    change(client, removed=[folder])
    assert client.hover(uri, 0, 0) is None


def test_a_symbolic_link_to_the_project_is_the_project(connect, shelf, tmp_path):
    root = make(tmp_path / "real", "`thing` is real.")
    link = tmp_path / "link"
    link.symlink_to(root)
    client = connect(cwd=shelf)
    client.initialize(link)
    assert "is real" in client.hover(client.open(link / "code.py"), 0, 0)


def test_without_a_project_requests_are_empty_and_one_message_explains(
    connect, shelf, monkeypatch, tmp_path
):
    monkeypatch.setenv("HOME", str(tmp_path))
    client = connect(cwd=shelf)
    client.initialize(tmp_path)
    (tmp_path / "x.py").write_text("x = 1\n", encoding="utf-8")
    uri = client.open(tmp_path / "x.py")
    assert client.hover(uri, 0, 0) is None
    assert client.actions(uri, (0, 0), (0, 5)) == []
    assert client.request("textDocument/documentSymbol", {"textDocument": {"uri": uri}}) is None
    assert len(client.messages()) == 1
    assert "project" in client.messages()[0]
    with pytest.raises(ServerError) as error:
        client.command("milepost.checkpoint.save", {})
    assert error.value.code == -32803
    assert "project" in error.value.message


def test_the_current_folder_never_stands_in_for_a_folder_that_is_no_project(
    connect, project, monkeypatch, tmp_path
):
    monkeypatch.setenv("HOME", str(tmp_path))
    client = connect(cwd=project)
    client.initialize(tmp_path)
    with pytest.raises(ServerError):
        client.command("milepost.memory.remember", {"text": "For the wrong project."})


def test_a_client_without_folders_is_served_where_the_server_was_started(connect, project, other):
    other.memory.add("`total` is in cents.")
    client = connect(cwd=project)
    client.initialize(workspaceFolders=None)
    assert "in cents" in client.hover(client.open(project / "shop.py"), 0, 5)


def test_a_client_of_old_names_its_root_only(connect, shelf, project, other):
    other.memory.add("`total` is in cents.")
    client = connect(cwd=shelf)
    client.initialize(workspaceFolders=None, rootUri=project.as_uri())
    assert "in cents" in client.hover(client.open(project / "shop.py"), 0, 5)


def test_a_project_named_outright_serves_whatever_is_open(connect, shelf, project, other):
    other.memory.add("Use uv.")
    client = connect(cwd=shelf, args=("--project", str(project)))
    client.initialize(shelf)
    assert client.command("milepost.memory.list", {})["total"] == 1


def test_a_folder_becomes_a_project_without_a_restart(connect, shelf, monkeypatch, tmp_path):
    late = tmp_path / "late"
    client = connect(cwd=shelf)
    client.initialize(late)
    with pytest.raises(ServerError):
        client.command("milepost.memory.list", {})
    make(late, "Better late.")
    assert client.command("milepost.memory.list", {})["total"] == 1


def change(client, added=(), removed=()) -> None:
    event = {"added": list(added), "removed": list(removed)}
    client.notify("workspace/didChangeWorkspaceFolders", {"event": event})
