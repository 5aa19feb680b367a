"""Checkpoint now, go back, undo."""

from __future__ import annotations

import pytest

from tests.lsp.client import ServerError
from tests.lsp.conftest import SHOP

SAVE = "milepost.checkpoint.save"
BACK = "milepost.checkpoint.goBack"
UNDO = "milepost.checkpoint.undo"


def test_a_checkpoint_is_there_for_everyone(client, other):
    point = client.command(SAVE, {"label": "before the rewrite"})
    assert point["actor"] == "user:test-editor"
    assert other.checkpoints.get(point["id"]).label == "before the rewrite"
    assert client.messages() == [f"Checkpoint #{point['id']} “before the rewrite” saved: 2 files."]


def test_going_back_asks_which_point_and_whether(client, project):
    client.command(SAVE, {"label": "first"})
    (project / "shop.py").write_text("broken\n", encoding="utf-8")
    (project / "junk.txt").write_text("junk\n", encoding="utf-8")
    client.answers = ["#1 first", "Go back"]
    done = client.command(BACK, {})
    assert done["applied"] is True
    assert (project / "shop.py").read_text(encoding="utf-8") == SHOP
    assert not (project / "junk.txt").exists()
    which, whether = client.asked
    assert which["message"] == "Go back to which restore point?"
    assert whether["message"] == (
        "Go back to #1 “first”? 2 files: removes junk.txt; changes shop.py."
    )
    assert client.messages()[-1] == "Went back to #1 “first”: 2 files changed. It can be undone."


def test_no_answer_to_which_changes_nothing(client, project):
    client.command(SAVE, {})
    (project / "shop.py").write_text("broken\n", encoding="utf-8")
    assert client.command(BACK, {}) is None
    assert (project / "shop.py").read_text(encoding="utf-8") == "broken\n"


@pytest.mark.parametrize("answer", ["Cancel", None])
def test_only_a_yes_restores(client, project, answer):
    point = client.command(SAVE, {})
    (project / "shop.py").write_text("broken\n", encoding="utf-8")
    client.answers = [answer]
    assert client.command(BACK, {"id": point["id"]})["applied"] is False
    assert (project / "shop.py").read_text(encoding="utf-8") == "broken\n"


def test_the_question_names_buffers_that_hold_another_text(client, project):
    point = client.command(SAVE, {})
    (project / "shop.py").write_text("broken\n", encoding="utf-8")
    client.open(project / "shop.py", "unsaved work\n")
    client.command(BACK, {"id": point["id"]})
    assert "Open in the editor with another text: shop.py." in client.asked[0]["message"]


def test_from_outside_an_id_and_apply_are_enough(client, project):
    point = client.command(SAVE, {})
    (project / "shop.py").write_text("broken\n", encoding="utf-8")
    done = client.command(BACK, {"id": point["id"], "apply": True})
    assert done["applied"]
    assert done["changes"] == [{"path": "shop.py", "kind": "modified", "by": "unknown"}]
    assert client.asked == []


def test_apply_false_previews_and_asks_nothing(client, project):
    point = client.command(SAVE, {})
    (project / "shop.py").write_text("broken\n", encoding="utf-8")
    preview = client.command(BACK, {"id": point["id"], "apply": False})
    assert preview["applied"] is False
    assert len(preview["changes"]) == 1
    assert client.asked == []
    assert (project / "shop.py").read_text(encoding="utf-8") == "broken\n"


def test_some_paths_only(client, project):
    point = client.command(SAVE, {})
    for name in ("shop.py", "pyproject.toml"):
        (project / name).write_text("broken\n", encoding="utf-8")
    client.command(BACK, {"id": point["id"], "apply": True, "paths": ["shop.py"]})
    assert (project / "shop.py").read_text(encoding="utf-8") == SHOP
    assert (project / "pyproject.toml").read_text(encoding="utf-8") == "broken\n"


def test_a_restore_can_be_undone_and_the_menu_offers_it(client, project):
    point = client.command(SAVE, {})
    (project / "shop.py").write_text("precious\n", encoding="utf-8")
    client.command(BACK, {"id": point["id"], "apply": True})
    uri = client.open(project / "shop.py")
    action = next(a for a in client.actions(uri, (0, 0)) if "undo" in a["title"])
    assert client.apply(action)["applied"] is True
    assert (project / "shop.py").read_text(encoding="utf-8") == "precious\n"


def test_when_nothing_differs_it_says_so_and_does_not_ask(client):
    point = client.command(SAVE, {"label": "now"})
    client.command(BACK, {"id": point["id"]})
    assert client.asked == []
    assert client.messages()[-1] == f"Nothing differs from #{point['id']} “now”."


@pytest.mark.parametrize(
    ("command", "argument", "code"),
    [
        (BACK, {"id": 999}, -32803),
        (BACK, {}, -32803),
        (UNDO, {}, -32803),
        (BACK, {"id": "1"}, -32602),
        (BACK, {"id": 1.0}, -32602),
        (BACK, {"id": 1, "apply": "yes"}, -32602),
        (BACK, {"id": 10**30}, -32602),
        (SAVE, {"label": None}, -32602),
    ],
)
def test_what_cannot_be_done_is_answered_with_an_error(client, command, argument, code):
    with pytest.raises(ServerError) as error:
        client.command(command, argument)
    assert error.value.code == code
    assert error.value.data is None


def test_what_the_editor_saved_during_an_agents_action_is_the_users(client, project, other):
    action = other.checkpoints.begin(actor="agent:codex")
    uri = client.open(project / "shop.py")
    (project / "shop.py").write_text("mine\n", encoding="utf-8")
    (project / "theirs.py").write_text("theirs\n", encoding="utf-8")
    client.notify("textDocument/didSave", {"textDocument": {"uri": uri}})
    with other.checkpoints._store.database.reading() as base:
        client.wait_until(
            lambda: base.execute("SELECT count(*) FROM claim").fetchone() == (1,),
            "the save to be noted",
        )
    found = other.checkpoints.finish(action.id).changes
    assert {change.path: change.by for change in found} == {
        "shop.py": "user",
        "theirs.py": "agent",
    }


def test_memory_goes_back_by_its_name_and_the_question_says_so(client, other):
    point = client.command(SAVE, {"label": "first"})
    other.memory.add("written later")
    client.answers = ["Go back"]
    done = client.command(BACK, {"id": point["id"], "what": "memory"})
    assert "Also memory (entry" in client.asked[0]["message"]
    assert client.messages()[-1] == "Went back to #1 “first”: memory (1) changed. It can be undone."
    assert [change["kind"] for change in done["beside"]] == ["deleted"]
    assert other.memory.page().total == 0
    client.command(UNDO, {})
    assert other.memory.page().total == 1


def test_a_part_that_is_none_is_refused_with_the_names_of_all(client):
    point = client.command(SAVE, {})
    with pytest.raises(ServerError, match="no part of a restore point; use files, memory"):
        client.command(BACK, {"id": point["id"], "what": "everything"})
