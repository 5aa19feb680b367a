"""The commands that a client's own views send: status, search, edit, points, goals."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lsp.client import ServerError


def test_the_status_names_goal_point_and_model(connect, project, other):
    client = connect(env={"MILEPOST_MODEL": "openai:small"})
    client.initialize(project)
    empty = client.command("milepost.status", {"uri": project.as_uri()})
    assert empty["goal"] is None
    assert empty["checkpoint"] is None
    assert empty["checkpointError"] is None
    assert empty["model"] == "openai:small"
    assert empty["running"] == []
    assert empty["project"]["root"] == str(project)
    met = client.command("milepost.goal.set", {"condition": "Done.", "checks": ["test -d ."]})
    client.command("milepost.goal.verify", {"goalId": met["id"]})
    paused = other.goals.set("Later.")
    other.goals.pause(paused.id)
    point = other.checkpoints.save("before")
    status = client.command("milepost.status", {})
    assert (status["goal"]["id"], status["goal"]["state"]) == (paused.id, "paused")
    assert status["checkpoint"] == {
        "id": point.id, "label": "before", "createdAt": point.created_at,
    }  # fmt: skip


def test_the_status_says_why_a_point_could_not_be_made(client, project, other):
    other.checkpoints.save()
    folder = project.parent / "home" / "projects" / other.project.id
    database = folder / "snapshots.db"
    other.close()
    for name in ("snapshots.db-wal", "snapshots.db-shm"):
        (folder / name).unlink(missing_ok=True)
    database.unlink()
    database.mkdir()
    with pytest.raises(ServerError):
        client.command("milepost.checkpoint.save", {})
    assert "snapshots.db" in client.command("milepost.status", {})["checkpointError"]
    database.rmdir()
    assert "snapshots.db" in client.command("milepost.status", {})["checkpointError"]
    client.command("milepost.checkpoint.save", {})
    assert client.command("milepost.status", {})["checkpointError"] is None


def test_an_entry_is_located_in_its_file(client, other):
    other.memory.add("The port is 6432.")
    entry = other.memory.add("Tests run with pytest -q.", kind="rule")
    place = client.command("milepost.memory.locate", {"id": entry.id})
    path = Path(other.memory.file("project"))
    assert place["uri"] == path.as_uri()
    assert entry.id in path.read_text(encoding="utf-8").splitlines()[place["line"]]
    with pytest.raises(ServerError, match="nothing"):
        client.command("milepost.memory.locate", {"id": "nothing"})


def test_search_answers_with_what_it_found_best_first(client, other):
    other.memory.add("The port is 6432.")
    other.memory.add("Tests run with pytest -q.", kind="rule")
    found = client.command("milepost.memory.search", {"query": "which port"})
    assert [hit["entry"]["text"] for hit in found["hits"]] == ["The port is 6432."]
    assert found["entriesSearched"] == 2
    none = client.command("milepost.memory.search", {"query": "port", "kind": "rule"})
    assert none["hits"] == []
    assert "without kind" in none["advice"]


def test_an_edit_makes_the_words_the_users_own(client, other):
    entry = other.memory.add("The port is 6432.")
    assert (entry.status, entry.source) == ("unverified", "mcp:other")
    changed = client.command(
        "milepost.memory.edit",
        {"id": entry.id, "text": "The port is 7000.", "version": entry.version},
    )
    assert (changed["text"], changed["status"]) == ("The port is 7000.", "stated")
    assert changed["source"] == "user:test-editor"
    assert client.messages() == ["Changed: The port is 7000."]


def test_an_edit_of_other_words_than_were_seen_is_refused(client, other):
    entry = other.memory.add("The port is 6432.")
    other.memory.update(entry.id, text="The port is 6433.")
    with pytest.raises(ServerError) as error:
        client.command(
            "milepost.memory.edit", {"id": entry.id, "text": "x", "version": entry.version}
        )
    assert error.value.code == -32803
    assert other.memory.get(entry.id).text == "The port is 6433."


def test_points_are_listed_by_pages_and_kept(client, project, other):
    assert client.command("milepost.checkpoint.list", {}) == {
        "checkpoints": [], "nextOffset": None,
    }  # fmt: skip
    for number in range(3):
        (project / "shop.py").write_text(f"x = {number}\n", encoding="utf-8")
        other.checkpoints.save(f"number {number}")
    first = client.command("milepost.checkpoint.list", {"limit": 2})
    assert [point["label"] for point in first["checkpoints"]] == ["number 2", "number 1"]
    assert first["nextOffset"] == 2
    last = client.command("milepost.checkpoint.list", {"limit": 2, "offset": 2})
    assert [point["label"] for point in last["checkpoints"]] == ["number 0"]
    assert last["nextOffset"] is None
    oldest = last["checkpoints"][0]["id"]
    assert client.command("milepost.checkpoint.pin", {"id": oldest})["pinned"] is True
    unpinned = client.command("milepost.checkpoint.pin", {"id": oldest, "pinned": False})
    assert unpinned["pinned"] is False
    named = client.command("milepost.checkpoint.name", {"id": oldest, "name": "start"})
    assert named["name"] == "start"
    assert client.command("milepost.checkpoint.name", {"id": oldest, "name": ""})["name"] is None


def test_what_was_seen_by_a_diff_is_listed_only_when_it_is_asked_for(client, project, other):
    first = other.checkpoints.save("mine")
    for number in range(2):
        (project / "shop.py").write_text(f"x = {number}\n", encoding="utf-8")
        client.command("milepost.checkpoint.diff", {"from": first.id})
    listed = client.command("milepost.checkpoint.list", {"limit": 1})
    assert [point["label"] for point in listed["checkpoints"]] == ["mine"]
    assert listed["nextOffset"] is None
    whole = client.command("milepost.checkpoint.list", {"limit": 2, "all": True})
    assert [point["kind"] for point in whole["checkpoints"]] == ["seen", "seen"]
    assert whole["nextOffset"] == 2


def test_a_diff_has_the_changes_and_their_text(client, project, other):
    first = other.checkpoints.save()
    (project / "shop.py").write_text("x = 1\n", encoding="utf-8")
    (project / "docs").mkdir()
    (project / "docs" / "new.md").write_text("new\n", encoding="utf-8")
    second = other.checkpoints.save()
    (project / "shop.py").write_text("x = 2\n", encoding="utf-8")
    both = client.command("milepost.checkpoint.diff", {"from": first.id, "to": second.id})
    assert [(each["path"], each["kind"]) for each in both["changes"]] == [
        ("docs", "added"), ("docs/new.md", "added"), ("shop.py", "modified"),
    ]  # fmt: skip
    assert "+++ b/docs/new.md\n" in both["text"]
    assert "+x = 1\n" in both["text"]
    one = client.command(
        "milepost.checkpoint.diff", {"from": first.id, "to": second.id, "path": "docs"}
    )
    assert [each["path"] for each in one["changes"]] == ["docs", "docs/new.md"]
    now = client.command("milepost.checkpoint.diff", {"from": second.id})
    assert "-x = 1\n+x = 2\n" in now["text"]
    backwards = client.command("milepost.checkpoint.diff", {"from": second.id, "to": first.id})
    assert [each["kind"] for each in backwards["changes"]] == [
        "deleted", "deleted", "modified",
    ]  # fmt: skip


def test_an_undone_restore_is_done_again(client, project, other):
    point = other.checkpoints.save()
    (project / "shop.py").write_text("x = 2\n", encoding="utf-8")
    client.command("milepost.checkpoint.goBack", {"id": point.id, "apply": True})
    client.command("milepost.checkpoint.undo", {})
    assert (project / "shop.py").read_text(encoding="utf-8") == "x = 2\n"
    client.command("milepost.checkpoint.redo", {})
    assert (project / "shop.py").read_text(encoding="utf-8") != "x = 2\n"
    assert client.messages()[-1] == "Redid the restore: 1 file changed. It can be undone."


def test_goals_are_listed_and_moved(client, other):
    assert client.command("milepost.goal.list", {}) == {"goals": []}
    goal = other.goals.set("It works.")
    asked = {"goalId": goal.id}
    assert [each["id"] for each in client.command("milepost.goal.list", {})["goals"]] == [goal.id]
    assert client.command("milepost.goal.pause", asked)["state"] == "paused"
    assert client.command("milepost.goal.resume", asked)["state"] == "active"
    assert client.command("milepost.goal.abandon", asked)["state"] == "abandoned"
    with pytest.raises(ServerError) as error:
        client.command("milepost.goal.pause", asked)
    assert error.value.code == -32803


def test_what_a_view_asks_for_is_not_in_the_history(client, other):
    other.memory.add("The port is 6432.")
    for command, argument in (
        ("milepost.status", {}),
        ("milepost.memory.search", {"query": "port"}),
        ("milepost.memory.list", {}),
        ("milepost.checkpoint.list", {}),
        ("milepost.goal.list", {}),
    ):
        client.command(command, argument)
    client.command("milepost.memory.remember", {"text": "Use uv."})
    assert [event.action for event in other.history.search("").events] == [
        "milepost.memory.remember"
    ]


def test_checks_are_proposed_for_the_words_of_a_goal_and_nothing_is_set(client, project, other):
    (project / "conftest.py").write_text("", encoding="utf-8")
    (project / "test_shop.py").write_text("def test_a():\n    assert 1 + 1 == 2\n", "utf-8")
    asked = {"condition": "The tests pass and the work is committed"}
    proposed = client.command("milepost.goal.propose", asked)["checks"]
    assert [check["kind"] for check in proposed] == ["tests", "committed"]
    assert [check["command"] for check in proposed] == [
        check.command for check in other.goals.proposals(asked["condition"])
    ]
    assert client.command("milepost.goal.propose", {"condition": "It is good"}) == {"checks": []}
    with pytest.raises(ServerError, match="condition"):
        client.command("milepost.goal.propose", {"condition": "  "})
    assert other.goals.page() == ()


def test_what_only_the_user_may_say_of_a_goal_can_be_said_in_the_editor(client, project, other):
    (project / "conftest.py").write_text("", encoding="utf-8")
    (project / "test_shop.py").write_text("def test_a():\n    assert 1 + 1 == 2\n", "utf-8")
    goal = other.goals.set("The tests pass.", checks=["tests: python3 -m pytest -q"])
    asked = {"goalId": goal.id}
    assert goal.not_allowed
    assert client.command("milepost.goal.allow", asked)["notAllowed"] == []
    limited = client.command("milepost.goal.setBudget", {**asked, "maxVerifications": 5})
    assert (limited["maxVerifications"], limited["maxSeconds"]) == (5, None)
    (project / "test_shop.py").write_text("def test_a():\n    assert 1 + 1 > 1\n", "utf-8")
    verdict = client.command("milepost.goal.verify", asked)
    assert verdict["verdict"] == "unverifiable"
    (sign,) = verdict["signs"]
    assert client.command("milepost.goal.signs", asked) == [sign]
    assert not sign["isAccepted"]
    with pytest.raises(ServerError, match="no sign nope"):
        client.command("milepost.goal.acceptChanges", {**asked, "signs": ["nope"]})
    (accepted,) = client.command("milepost.goal.acceptChanges", {**asked, "signs": [sign["id"]]})
    assert accepted["isAccepted"]
    assert client.command("milepost.goal.verify", asked)["verdict"] == "met"
