"""One server with several real projects: everything belongs to the one that its document is in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from milepost import api
from tests.core.chat.conversing import calling, script
from tests.lsp.client import CHATTING, EDITING, Client, ServerError, at, span
from tests.lsp.test_inspection import FULL, diagnosed, hints, last, lenses
from tests.lsp.test_session import change

CODE = "def thing():\n    return 1\n"


@dataclass
class Project:
    """A project with a fact about its code, used by this process as well."""

    root: Path
    space: api.Workspace
    entry: api.Entry

    @property
    def code(self) -> Path:
        return self.root / "code.py"

    @property
    def memory(self) -> Path:
        return Path(self.space.memory.file())

    @property
    def folder(self) -> dict[str, str]:
        return {"uri": self.root.as_uri(), "name": self.root.name}


Make = Callable[..., Project]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    made: list[api.Workspace] = []

    def project(name: str, root: Path | None = None) -> Project:
        root = root or tmp_path / name
        root.mkdir(parents=True)
        (root / "pyproject.toml").write_text("", "utf-8")
        (root / "code.py").write_text(CODE, "utf-8")
        made.append(api.open_workspace(str(root), actor="mcp:other"))
        entry = made[-1].memory.add(f"`thing` of {name}.", anchors=("code.py#thing",))
        return Project(root, made[-1], entry)

    yield project
    for space in made:
        space.close()


@pytest.fixture
def start(connect: Callable[..., Client], tmp_path: Path) -> Callable[..., Client]:
    """Starts a server for these folders, in a folder that is no project."""
    shelf = tmp_path / "shelf"
    shelf.mkdir()

    def begin(*folders: Path, model: str = "", **more: Any) -> Client:
        client = connect(cwd=shelf, env={"MILEPOST_MODEL": model})
        workspace = {**EDITING["workspace"], **FULL["workspace"]}
        known = {**FULL, "workspace": workspace, "experimental": CHATTING["experimental"]}
        client.initialize(*folders, capabilities={**known, **more})
        return client

    return begin


def test_each_documents_memory_is_its_projects(make, start):
    one, two = make("one"), make("two")
    client = start(one.root, two.root)
    for here, there in ((one, two), (two, one)):
        code, memory = client.open(here.code), client.open(here.memory, language="markdown")
        assert f"of {here.root.name}" in client.hover(code, 0, 5)
        client.wait_until(lambda code=code: hints(client, code) == ["1 memory"], "a hint")
        # What changed in one is in doubt there alone.
        here.code.write_text(CODE.replace("1", "2"), "utf-8")
        client.notify("textDocument/didSave", {"textDocument": {"uri": code}})
        client.wait_until(lambda memory=memory: diagnosed(client, memory) == ["suspect"], "doubt")
        assert last(client, there.memory.as_uri()) == []
        titles = lenses(client, memory)
        assert titles == ["stale: code.py#thing has changed since", "confirm", "forget"]
        (lens, *_) = client.request("textDocument/codeLens", {"textDocument": {"uri": memory}})
        assert lens["command"]["arguments"][0]["id"] == here.entry.id
        link = client.request("textDocument/documentLink", {"textDocument": {"uri": memory}})[-1]
        target = client.request("documentLink/resolve", link)["target"]
        assert target.startswith(here.code.as_uri())
        client.command("milepost.memory.confirm", {"id": here.entry.id, "uri": memory})
        assert here.space.memory.get(here.entry.id).status == "confirmed"
        client.wait_until(lambda memory=memory: diagnosed(client, memory) == [], "an end of it")
    names = {
        each["containerName"] for each in client.request("workspace/symbol", {"query": "thing"})
    }
    assert names == {"memory of one: knowledge", "memory of two: knowledge"}
    uri = client.open(two.root / "new.py", "# Rare.\n")
    kept = client.command("milepost.memory.remember", {"uri": uri, "text": "Kept in two."})
    assert two.space.memory.get(kept["id"]).text == "Kept in two."
    with pytest.raises(api.UserError):
        one.space.memory.get(kept["id"])


def test_each_documents_goals_points_and_chats_are_its_projects(make, start, tmp_path):
    one, two = make("one"), make("two")
    model = script(tmp_path, calling("write", path="made.txt", text="x"), {"say": "Made."})
    client = start(one.root, two.root, model=model)
    where = {"uri": client.open(two.code)}
    client.command("milepost.goal.set", {**where, "condition": "Two works."})
    client.command("milepost.checkpoint.save", {**where, "label": "of two"})
    prompt = [{"type": "text", "text": "Make it."}]
    session = client.request("milepost/chat/prompt", {"prompt": prompt, **where})["sessionId"]
    assert (two.root / "made.txt").exists()
    assert not (one.root / "made.txt").exists()
    for project, wanted in ((one, (0, None, 0)), (two, (1, "Two works.", 1))):
        uri = {"uri": project.code.as_uri()}
        status = client.command("milepost.status", uri)
        goal = status["goal"] and status["goal"]["condition"]
        points = client.command("milepost.checkpoint.list", uri)["checkpoints"]
        sessions = client.request("milepost/session/list", uri)["total"]
        assert (min(1, len(points)), goal, sessions) == wanted
    # A session and a milepost: document name their project.
    told = client.request("milepost/session/load", {"sessionId": session})
    assert told["session"]["sessionId"] == session
    shown = f"milepost://{two.space.project.id}/sessions/{session}"
    assert "Make it." in client.command("milepost.document.read", {"uri": shown})["text"]
    summary = Path(two.space.project.data_dir, "sessions", session, "checkpoint.md")
    uri = client.open(summary, language="markdown")
    links = client.request("textDocument/documentLink", {"textDocument": {"uri": uri}})
    assert (two.root / "made.txt").as_uri() in [each["target"] for each in links]
    # What others do is told with the project that it is in.
    one.space.goals.set("One works.")
    client.wait_for("milepost/goal/didChange", lambda p: p["uri"] == one.root.as_uri())


def test_a_folder_that_comes_and_goes_takes_what_is_shown_with_it(make, start):
    one, two = make("one"), make("two")
    two.code.write_text(CODE.replace("1", "2"), "utf-8")
    client = start(one.root)
    code, memory = client.open(two.code), client.open(two.memory, language="markdown")
    assert client.hover(code, 0, 5) is None
    assert client.request("textDocument/documentSymbol", {"textDocument": {"uri": memory}}) is None
    change(client, added=[two.folder])
    client.wait_until(lambda: diagnosed(client, memory) == ["suspect"], "what is in doubt")
    client.wait_until(lambda: diagnosed(client, code) == ["suspect"], "and where")
    assert "of two" in client.hover(code, 0, 5)
    assert len(client.command("milepost.status", {"uri": code})) > 0
    with pytest.raises(ServerError, match="several projects"):
        client.command("milepost.status", {})
    change(client, removed=[two.folder])
    client.wait_until(lambda: last(client, memory) == last(client, code) == [], "an end of it")
    assert client.hover(code, 0, 5) is None
    assert lenses_or_none(client, memory) is None
    assert client.command("milepost.status", {})["project"]["name"] == "one"
    # What happens there is no news any more; what happens here is.
    two.space.goals.set("Unheard.")
    one.space.goals.set("Heard.")
    client.wait_for("milepost/goal/didChange", lambda p: p["uri"] == one.root.as_uri())
    told = [m["params"]["uri"] for m in client.got("milepost/goal/didChange")]
    assert two.root.as_uri() not in told
    change(client, added=[two.folder])
    client.wait_until(lambda: diagnosed(client, memory) == ["suspect"], "what is in doubt again")


def lenses_or_none(client: Client, uri: str) -> list[str] | None:
    return client.request("textDocument/codeLens", {"textDocument": {"uri": uri}})


def test_the_innermost_of_nested_roots_wins_by_whatever_way_it_is_shown(make, start, tmp_path):
    outer = make("outer")
    inner = make("inner", outer.root / "parts" / "inner")
    link = tmp_path / "a-link-whose-name-is-longer-than-the-way-to-what-it-links-to-by-far-and-more"
    link.symlink_to(outer.root, target_is_directory=True)
    client = start(link, inner.root)
    for path, name in (
        (inner.code, "inner"), (link / "parts" / "inner" / "code.py", "inner"),
        (outer.code, "outer"), (link / "code.py", "outer"),
    ):  # fmt: skip
        assert f"of {name}" in client.hover(client.open(path), 0, 5), path
    change(client, removed=[inner.folder])
    client.wait_until(lambda: "inner" not in str(client.hover(inner.code.as_uri(), 0, 5)), "outer")


def test_a_document_outside_of_all_roots_is_nobodys_and_nobody_is_told_off(make, start, tmp_path):
    one, two = make("one"), make("two")
    client = start(one.root, two.root)
    (tmp_path / "stray.py").write_text("thing = 1\n", "utf-8")
    uri = client.open(tmp_path / "stray.py")
    assert client.hover(uri, 0, 2) is None
    assert client.actions(uri, (0, 0), (0, 5)) == []
    for method in ("documentSymbol", "foldingRange", "documentLink", "codeLens"):
        assert client.request(f"textDocument/{method}", {"textDocument": {"uri": uri}}) is None
    assert client.request("textDocument/completion", at(uri, 0, 3)) is None
    for untitled in ("untitled:Untitled-1", "git:/x.py?ref"):
        item = {"uri": untitled, "languageId": "python", "version": 1, "text": "thing = 1\n"}
        client.notify("textDocument/didOpen", {"textDocument": item})
        assert client.hover(untitled, 0, 2) is None
    with pytest.raises(ServerError, match="no open project holds"):
        client.command("milepost.memory.remember", {"uri": uri, "text": "x"})
    with pytest.raises(ServerError, match="no open project holds"):
        client.request(
            "milepost/chat/prompt", {"prompt": [{"type": "text", "text": "x"}], "uri": uri}
        )
    assert client.messages() == []


def test_a_file_of_the_project_beside_the_folder_that_is_shown_belongs_to_it(make, start):
    one, two = make("one"), make("two")
    (two.root / "parts").mkdir()
    client = start(one.root, two.root / "parts")
    assert "of two" in client.hover(client.open(two.code), 0, 5)


def test_one_project_shown_twice_is_one(make, start, tmp_path):
    one = make("one")
    link = tmp_path / "link"
    link.symlink_to(one.root, target_is_directory=True)
    edit = calling("edit", path="code.py", old="return 1", new="return 2")
    model = script(tmp_path, calling("read", path="code.py"), edit, {"say": "Done."})
    client = start(link, one.root, model=model)
    assert client.command("milepost.status", {})["project"]["root"] == str(one.root)
    uri = client.open(link / "code.py")
    about = {"uri": uri, "range": span((1, 4), (1, 12))}
    kept = client.command("milepost.memory.remember", about)
    assert kept["anchors"] == ["code.py#thing"]
    client.request("milepost/chat/prompt", {"prompt": [{"type": "text", "text": "Do it."}]})
    changed = client.wait_for("milepost/proposal/didChange")["proposal"]
    # The editor sees the file change, and the edit is taken back in the document that it shows.
    client.type(uri, one.code.read_text("utf-8"))
    client.request("milepost/proposal/reject", {"proposalId": changed["id"]})
    assert client.documents[uri] == CODE
    assert list(client.documents) == [uri]
