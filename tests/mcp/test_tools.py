"""Each tool from the outside: what it does, and what it answers when it is called wrongly."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

import pytest

from milepost import api
from tests.mcp.wire import Wire
from tests.tree import fingerprint


def test_what_one_client_saves_another_finds_with_its_source(project: Path) -> None:
    with Wire(project) as one, Wire(project) as two:
        hello = {"protocolVersion": "2025-11-25", "clientInfo": {"name": "codex"}}
        one.request("initialize", hello)
        saved = one.done("memory_save", text="Use uv, never pip", kind="rule", about=["uv.lock"])
        (hit,) = two.done("memory_search", query="which package installer? pip?")["hits"]
        assert hit["id"] == saved["id"]
        assert (hit["source"], hit["kind"], hit["about"]) == ("mcp:codex", "rule", ["uv.lock"])


def test_a_note_is_this_sessions_until_it_is_moved_to_the_project(project: Path) -> None:
    with Wire(project) as one, Wire(project) as two:
        note = one.done("memory_save", text="tabs break the parser", scope="session")
        assert note["scope"] == "session"
        assert one.done("memory_search", query="parser")["hits"][0]["id"] == note["id"]
        assert two.done("memory_search", query="parser")["hits"] == []
        failed, text, _ = one.call("memory_save", {"id": note["id"], "text": "other words"})
        assert failed
        assert "added to and not changed" in text
        moved = one.done("memory_save", id=note["id"], scope="project")
        assert (moved["id"], moved["scope"]) == (note["id"], "project")
        assert two.done("memory_search", query="parser")["hits"][0]["id"] == note["id"]


def test_what_is_kept_of_a_task_is_found_by_every_session_that_names_it(project: Path) -> None:
    with Wire(project) as one, Wire(project) as two:
        saved = one.done("memory_save", text="the schema is done", task="T1.1")
        assert (saved["scope"], saved["within"]) == ("task", "T1.1")
        assert two.done("memory_search", query="schema")["hits"] == []
        _, text, data = two.call("memory_search", {"query": "schema", "task": "T1.1"})
        assert data["hits"][0]["id"] == saved["id"]
        assert "task T1.1" in text


def test_a_near_duplicate_is_saved_and_the_other_one_named(wire: Wire) -> None:
    first = wire.done("memory_save", text="Staging listens on port 6432")
    assert "similar" not in first
    again = wire.done("memory_save", text="staging: listens on port 6432")
    assert [entry["id"] for entry in again["similar"]] == [first["id"]]


def test_an_entry_is_changed_superseded_read_and_forgotten_by_its_id(wire: Wire) -> None:
    first = wire.done("memory_save", text="deploy on Fridays")["id"]
    wire.done("memory_save", id=first, status="confirmed", kind="rule")
    assert wire.done("memory_get", id=first)["status"] == "confirmed"
    second = wire.done("memory_save", text="never deploy on Fridays", supersedes=first)["id"]
    assert [hit["id"] for hit in wire.done("memory_search", query="deploy")["hits"]] == [second]
    both = wire.done("memory_search", query="deploy", include_superseded=True)["hits"]
    assert {hit["id"] for hit in both} == {first, second}
    assert wire.done("memory_forget", id=second)["text"] == "never deploy on Fridays"
    assert wire.call("memory_get", {"id": second})[0]


def test_an_agents_own_changes_are_taken_back_and_nobody_elses(project: Path) -> None:
    with Wire(project) as wire:
        start = wire.done("checkpoint_save")["id"]
        (project / "mine").write_text("by the agent", "utf-8")
        wire.done("checkpoint_save", mine=True)
        (project / "theirs").write_text("by someone else", "utf-8")
        done = wire.done("checkpoint_restore", id=start, agents_only=True, apply=True)
        assert done["changes"] == {"total": 1, "deleted": ["mine"]}
        assert (project / "theirs").read_text("utf-8") == "by someone else"
        assert not (project / "mine").exists()


def test_all_entries_are_read_page_by_page_within_the_bound(wire: Wire) -> None:
    for number in range(12):
        wire.done("memory_save", text=f"{number} " + "long " * 500)
    seen: list[str] = []
    offset = 0
    while offset is not None:
        failed, text, page = wire.call("memory_get", {"offset": offset})
        assert not failed
        assert len(text) < 16_000
        seen += [entry["id"] for entry in page["entries"]]
        offset = page.get("next_offset")
    assert len(set(seen)) == 12


def test_text_and_data_say_the_same(wire: Wire) -> None:
    wire.done("memory_save", text="the answer is forty-two")
    _, text, data = wire.call("memory_search", {"query": "answer"})
    (hit,) = data["hits"]
    assert all(str(hit[key]) in text for key in ("id", "text", "kind", "status", "source"))


def test_an_empty_answer_says_what_was_searched_and_is_no_error(wire: Wire) -> None:
    wire.done("memory_save", text="something else")
    failed, text, data = wire.call("memory_search", {"query": "zebra"})
    assert not failed
    assert "1 entries searched" in text
    assert data["hits"] == []
    assert "others" in data["advice"]


def test_a_broken_tree_is_previewed_restored_and_the_restore_undone(
    wire: Wire, project: Path
) -> None:
    (project / "f").write_text("good\n", "utf-8")
    point = wire.done("checkpoint_save", label="it works")["id"]
    good = fingerprint(project)
    (project / "f").write_text("bad\n", "utf-8")
    (project / "README.md").unlink()
    bad = fingerprint(project)
    changes = wire.done("checkpoint_list", diff=point)["changes"]
    assert (changes["total"], changes["modified"], changes["deleted"]) == (2, ["f"], ["README.md"])
    assert "-good\n+bad" in wire.done("checkpoint_list", diff=point, path="f")["patch"]
    preview = wire.done("checkpoint_restore", id=point)
    assert preview["applied"] is False
    assert fingerprint(project) == bad
    wire.done("checkpoint_restore", id=point, apply=True, plan=preview["plan"])
    assert fingerprint(project) == good
    wire.done("checkpoint_restore", undo=True)
    assert fingerprint(project) == bad
    labels = [item["label"] for item in wire.done("checkpoint_list")["checkpoints"]]
    assert "it works" in labels
    # What the diff saw became what the restore goes back to; no look is left in the list.
    assert not [label for label in labels if "seen by" in label]


def test_what_an_agent_only_looked_at_is_listed_when_it_asks_for_all(
    wire: Wire, project: Path
) -> None:
    point = wire.done("checkpoint_save", label="mine")["id"]
    for number in range(2):
        (project / "f").write_text(str(number), "utf-8")
        wire.done("checkpoint_list", diff=point)
        wire.done("checkpoint_restore", id=point)
    assert [each["label"] for each in wire.done("checkpoint_list")["checkpoints"]] == ["mine"]
    everything = wire.done("checkpoint_list", all=True)["checkpoints"]
    assert [each["label"] for each in everything] == ["seen by a diff", "seen by a diff", "mine"]


def test_memory_and_goals_go_back_with_the_files_and_the_users_words_stay(
    wire: Wire, project: Path
) -> None:
    (project / "f").write_text("good\n", "utf-8")
    point = wire.done("checkpoint_save")["id"]
    (project / "f").write_text("bad\n", "utf-8")
    wire.done("memory_save", text="a wrong turn")
    users = api.open_workspace(str(project), actor="user:terminal")
    stated = users.memory.add("by the user")
    wire.set_goal(condition="it is done", checks=["file: state"])
    preview = wire.done("checkpoint_restore", id=point, what="all")
    assert preview["beside_total"] == 2
    done = wire.done("checkpoint_restore", id=point, what="all", apply=True, plan=preview["plan"])
    assert done["refused_total"] == 1
    assert done["refused"][0].startswith(f"entry {stated.id} (project): the user")
    assert (project / "f").read_text("utf-8") == "good\n"
    assert [entry.text for entry in users.memory.page().entries] == ["by the user"]
    assert users.goals.page()[0].state == "abandoned"
    wire.done("checkpoint_restore", undo=True)
    assert (project / "f").read_text("utf-8") == "bad\n"
    assert {entry.text for entry in users.memory.page().entries} == {"a wrong turn", "by the user"}
    assert users.goals.page()[0].state == "active"
    users.close()


def test_a_goal_is_not_met_until_its_check_passes(wire: Wire, project: Path) -> None:
    wire.set_goal(condition="it is done", checks=["grep -q done state"])
    (project / "state").write_text("not yet", "utf-8")
    verdict = wire.done("goal_verify")
    assert verdict["verdict"] == "not_met"
    assert verdict["evidence"][0]["exit_code"] == 1
    (project / "state").write_text("done", "utf-8")
    assert wire.done("goal_verify")["verdict"] == "met"
    assert wire.done("goal_verify")["evidence"][0]["reused"] is True
    assert wire.done("goal_verify", fresh=True)["evidence"][0]["reused"] is False


def test_the_history_tells_what_every_client_did(project: Path) -> None:
    with Wire(project) as one:
        one.done("memory_save", text="remembered by one")
        one.call("memory_forget", {"id": "abcd1234ef"})
        assert one.end() == 0
    with Wire(project) as two:
        events = two.done("history_search", query="remembered")["events"]
        assert events[0]["action"] == "memory_save"
        assert events[0]["actor"] == "mcp:unknown"
        failure = two.done("history_search", query="abcd1234ef")["events"][0]
        assert failure["failed"] is True


# A call that is wrong, and a word that its answer must hold.
_WRONG = [
    ("memory_search", {}, "needs query"),
    ("memory_search", None, "needs query"),
    ("memory_search", {"query": 5}, "query must be a string"),
    ("memory_search", {"query": None}, "query must be a string"),
    ("memory_search", {"query": "x", "limt": 5}, "no argument 'limt'"),
    ("memory_search", {"query": "x", "limit": 0}, "limit must be"),
    ("memory_search", {"query": "x", "limit": True}, "limit must be"),
    ("memory_search", {"query": "x", "limit": 1e3}, "limit must be"),
    ("memory_search", {"query": "x", "kind": "rules"}, "kind must be one of"),
    ("memory_search", {"query": "half \ud83d"}, "surrogate"),
    ("memory_search", {"query": "nul \0"}, "NUL"),
    ("memory_search", {"half \ud83d": "x"}, "no argument"),
    ("memory_search", "text", "must be an object"),
    ("memory_search", [1], "must be an object"),
    ("memory_search", {"query": "x", "scope": "here"}, "scope must be one of"),
    ("memory_search", {"query": "x", "scope": "task"}, "name the task"),
    ("memory_search", {"query": "x", "task": "../T1"}, "not a task's id"),
    ("memory_get", {"scope": "here"}, "there is no scope"),
    ("memory_save", {"text": "x", "scope": "global", "task": "T1"}, "leave one out"),
    ("memory_get", {"id": "abcd1234ef"}, "no entry"),
    ("memory_get", {"id": ""}, "not an id"),
    ("memory_get", {"offset": -1}, "offset must be"),
    ("memory_save", {}, "text"),
    ("memory_save", {"text": "  "}, "nothing to remember"),
    ("memory_save", {"text": "x" * 8001}, "8000"),
    ("memory_save", {"text": "half \ude00"}, "surrogate"),
    ("memory_save", {"text": "x", "id": "a", "supersedes": "b"}, "not both"),
    ("memory_save", {"id": "abcd1234ef"}, "what is to change"),
    ("memory_save", {"text": "x", "supersedes": "abcd1234ef"}, "no entry"),
    ("memory_save", {"text": "x", "about": "path"}, "about must be a list"),
    ("memory_save", {"text": "x", "about": ["a\nb"]}, "one line"),
    ("memory_forget", {}, "needs id"),
    ("memory_forget", {"id": "../../etc"}, "not an id"),
    ("history_search", {"limit": 10_000}, "limit must be"),
    ("checkpoint_save", {"label": "two\nlines"}, "one line"),
    ("checkpoint_save", {"label": "x" * 201}, "200"),
    ("checkpoint_list", {"path": "x"}, "diff"),
    ("checkpoint_list", {"diff": 99}, "no restore point 99"),
    ("checkpoint_list", {"diff": 2**60}, "diff must be"),
    ("checkpoint_restore", {}, "id"),
    ("checkpoint_restore", {"id": 99}, "no restore point 99"),
    ("checkpoint_restore", {"id": 1, "what": "mind"}, "use files, memory"),
    ("checkpoint_restore", {"undo": True, "what": "all"}, "no other argument"),
    ("checkpoint_restore", {"id": "1"}, "id must be"),
    ("checkpoint_restore", {"undo": True, "id": 1}, "undo"),
    ("checkpoint_restore", {"undo": True}, "no restore to take back"),
    ("checkpoint_restore", {"id": 1, "apply": True, "plan": "x"}, "preview"),
    ("goal_set", {}, "condition"),
    ("goal_set", {"condition": " "}, "empty"),
    ("goal_set", {"condition": "x", "checks": "make"}, "checks must be a list"),
    ("goal_set", {"condition": "x", "checks": [""]}, "empty"),
    ("goal_set", {"condition": "x", "checks": [5]}, "checks must be a list"),
    ("goal_set", {"condition": "x", "checks": ["make"] * 21}, "20"),
    ("goal_set", {"abandon": "abcd1234ef"}, "no goal"),
    ("goal_verify", {}, "no goal yet"),
    ("goal_verify", {"id": "abcd1234ef"}, "no goal"),
]


def test_every_wrong_call_is_answered_at_once_with_what_to_do_and_changes_nothing(
    wire: Wire, project: Path
) -> None:
    before = fingerprint(project, leave_out=())
    wire.call("memory_search", {"query": "the first call opens the databases"})
    for tool, arguments, words in _WRONG:
        failed, text, data = wire.call(tool, arguments)
        assert failed, (tool, arguments)
        assert words in text, (tool, arguments, text)
        assert data == {}
    assert {tool for tool, _, _ in _WRONG} >= {
        tool["name"] for tool in wire.request("tools/list")["result"]["tools"]
    }
    assert wire.done("memory_get")["total"] == 0
    assert wire.done("checkpoint_list")["checkpoints"] == []
    assert fingerprint(project, leave_out=()) == before


def test_a_call_that_is_answered_counts_no_more_while_its_history_is_written(
    wire: Wire, workspace: api.Workspace, home: Path
) -> None:
    # The first call opens the database.
    assert wire.done("history_search", query="goal_verify")["events"] == []
    (history,) = home.rglob("history.db")
    with contextlib.closing(sqlite3.connect(history, isolation_level=None)) as busy:
        busy.execute("BEGIN IMMEDIATE")
        told = [wire.call("goal_verify", {"id": "abcd1234ef"})[1] for _ in range(12)]
        busy.execute("ROLLBACK")
    assert all("no goal" in each for each in told)
    assert wire.end() == 0
    assert len(workspace.history.search("goal_verify", limit=50).events) == 12


@pytest.mark.parametrize("rounds", [200])
def test_two_servers_write_200_entries_each_and_none_is_lost(project: Path, rounds: int) -> None:
    with Wire(project) as one, Wire(project) as two:
        for number in range(rounds):
            for name, wire in (("one", one), ("two", two)):
                arguments = {"text": f"{name} wrote fact {number}"}
                params = {"name": "memory_save", "arguments": arguments}
                request = {"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": params}
                wire.send(request)
        answers = [wire.receive() for wire in (one, two) for _ in range(rounds)]
    saved = [answer["result"]["structuredContent"]["id"] for answer in answers]
    assert len(set(saved)) == 2 * rounds
    workspace = api.open_workspace(str(project), actor="user:test")
    page = workspace.memory.page(limit=100)
    assert page.total == 2 * rounds
    assert workspace.memory.check() == ()
    content = Path(workspace.memory.file()).read_text("utf-8")
    assert content.count("\n- ") == 2 * rounds
    assert content.count("\n## ") == 4
    for name in ("one", "two"):
        for number in (0, rounds // 2, rounds - 1):
            found = workspace.memory.search(f"{name} wrote fact {number}", limit=1)
            assert found.hits[0].entry.text == f"{name} wrote fact {number}"


def test_a_search_keeps_to_its_budget_and_says_how_many_more_there_are(wire: Wire) -> None:
    for number in range(5):
        wire.done("memory_save", text=f"Queue {number} is drained. " + "It takes a while. " * 60)
    whole = wire.done("memory_search", query="queue drained")
    assert all("characters more" in hit["text"] for hit in whole["hits"])
    found = wire.done("memory_search", query="queue drained", budget_tokens=600)
    assert found["hits"][0]["text"].endswith("It takes a while.")
    assert found["left_out"] + len(found["hits"]) == 5
    assert found["hits"][0]["age"] == "just now"
