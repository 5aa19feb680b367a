"""What another memory server kept is imported, found over MCP, and taken back; and an agent changes
only the words that it was shown."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

from milepost import api
from tests.mcp.wire import Wire

_ROOT = Path(__file__).parents[2]
_SERVER_MEMORY = _ROOT / "tests/npm/node_modules/@modelcontextprotocol/server-memory/dist/index.js"


def milepost(project: Path, *words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "milepost", "memory", *words],
        cwd=project, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_real_store_of_server_memory_is_imported_found_and_taken_back(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = tmp_path / "graph.jsonl"
    monkeypatch.setenv("MEMORY_FILE_PATH", str(store))
    monkeypatch.setenv("HOME", str(tmp_path))
    node = _ROOT / ".tools" / "node" / "bin" / "node"
    command = [str(node) if node.exists() else "node", str(_SERVER_MEMORY)]
    with Wire(project, command=command) as theirs:
        theirs.request("initialize", {"protocolVersion": "2025-06-18", "capabilities": {},
                                      "clientInfo": {"name": "test", "version": "1"}})  # fmt: skip
        theirs.send({"jsonrpc": "2.0", "method": "notifications/initialized"})
        shop = {"name": "shop", "entityType": "project"}
        facts = ["Invoices are numbered per quarter", "Staging listens on port 6432"]
        theirs.done("create_entities", entities=[{**shop, "observations": facts}])
        theirs.done(
            "create_relations",
            relations=[{"from": "shop", "to": "harbour", "relationType": "bills"}],
        )
    before = hashlib.sha256(store.read_bytes()).hexdigest()
    assert f"--from server-memory\n      {store}" in milepost(project, "import")
    assert "3 entries would be added" in milepost(
        project, "import", "--from", "server-memory", "--dry-run"
    )
    done = milepost(project, "import", "--from", "server-memory")
    assert "3 entries added, 0 left out, 0 with a secret masked." in done
    assert "0 entries added, 3 left out" in milepost(project, "import", str(store))
    assert hashlib.sha256(store.read_bytes()).hexdigest() == before
    with Wire(project) as ours:
        (hit,) = ours.done("memory_search", query="how are invoices numbered")["hits"]
        assert hit["text"] == "shop (project): Invoices are numbered per quarter"
        assert (hit["status"], hit["source"]) == ("unverified", "import:server-memory")
        assert "`milepost memory undo 1` takes all of it back." in done
        milepost(project, "undo", "1")
        assert ours.done("memory_search", query="how are invoices numbered")["hits"] == []
        assert ours.done("memory_get")["total"] == 0


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("memory_save", {"text": "the port is 3"}),
        ("memory_save", {"status": "confirmed"}),
        ("memory_forget", {}),
    ],
)
def test_an_agent_does_not_change_words_that_a_person_wrote_since_it_looked(
    wire: Wire, project: Path, tool: str, arguments: dict[str, str]
) -> None:
    person = api.open_workspace(str(project), actor="user:editor").memory
    entry = person.add("the port is 1", status="stated")
    wire.done("memory_search", query="port")
    person.update(entry.id, text="the port is 2, ask Ann")
    failed, text, _ = wire.call(tool, {"id": entry.id, **arguments})
    assert failed
    assert "the port is 2, ask Ann" in text
    assert person.get(entry.id).text == "the port is 2, ask Ann"
    # It has seen them now, and may decide.
    wire.done(tool, id=entry.id, **arguments)


def test_superseding_is_held_to_the_words_that_were_seen_too(wire: Wire, project: Path) -> None:
    person = api.open_workspace(str(project), actor="user:editor").memory
    entry = person.add("the port is 1")
    wire.done("memory_get", id=entry.id)
    person.update(entry.id, text="the port is 2")
    failed, text, _ = wire.call("memory_save", {"supersedes": entry.id, "text": "no port"})
    assert failed
    assert "the port is 2" in text
    assert person.page().total == 1


def test_an_agent_builds_on_its_own_changes(wire: Wire) -> None:
    first = wire.done("memory_save", text="one")["id"]
    for words in ("two", "three"):
        assert wire.done("memory_save", id=first, text=words)["text"] == words


def test_a_suspect_entry_says_how_it_is_confirmed(wire: Wire, project: Path) -> None:
    (project / "shop.py").write_text("def total():\n    return 1\n", "utf-8")
    saved = wire.done("memory_save", text="total is one", about=["shop.py#total"])["id"]
    assert "to_confirm" not in wire.done("memory_get", id=saved)
    (project / "shop.py").write_text("def total():\n    return 2\n", "utf-8")
    _, text, data = wire.call("memory_get", {"id": saved})
    assert "status confirmed" in text
    assert "status confirmed" in data["to_confirm"]
    wire.done("memory_save", id=saved, status="confirmed")
    assert "suspect" not in wire.done("memory_get", id=saved)


def test_an_agent_cannot_say_that_a_person_said_what_it_wrote(wire: Wire) -> None:
    saved = wire.done("memory_save", text="the sky is green")["id"]
    failed, text, _ = wire.call("memory_save", {"id": saved, "status": "stated"})
    assert failed
    assert "only the user" in text


def test_an_export_is_one_line_of_json_an_entry(wire: Wire, project: Path, tmp_path: Path) -> None:
    wire.done("memory_save", text="kept für später")
    header, entry = map(json.loads, milepost(project, "export").splitlines())
    assert (header["version"], entry["text"]) == (1, "kept für später")
    target = tmp_path / "out.md"
    assert "Wrote" in milepost(project, "export", "--format", "markdown", "-o", str(target))
    assert "kept für später" in target.read_text("utf-8")
