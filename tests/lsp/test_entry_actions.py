"""Confirm, forget, undo and the log: where they are offered, and what they refuse."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lsp.client import ServerError

CONFIRM = "Milepost: confirm this entry"
FORGET = "Milepost: forget this entry"
CHANGES = "Milepost: show the changes of this entry"


def open_at(client, other, entry, text: str | None = None) -> tuple[str, tuple[int, int]]:
    line = other.memory.locate(entry.id).line
    return client.open(Path(other.memory.file()), text, language="markdown"), (line, 3)


def test_an_entry_that_is_in_no_doubt_needs_no_confirming(client, other):
    sure = other.memory.add("Ann said so.", status="stated")
    unsure = other.memory.add("It seems so.")
    uri, place = open_at(client, other, sure)
    assert client.titles(uri, place, invoked=False) == [FORGET, CHANGES]
    place = (other.memory.locate(unsure.id).line, 3)
    assert client.titles(uri, place, invoked=False) == [CONFIRM, FORGET, CHANGES]
    assert client.titles(uri, (0, 0), invoked=False) == []


def test_an_entry_that_nobody_saw_changing_has_no_log(client, other):
    path = Path(other.memory.file())
    path.parent.mkdir(parents=True)
    path.write_text("## Rules\n\n- by hand, before all\n", "utf-8")
    uri = client.open(path, language="markdown")
    assert client.titles(uri, (2, 3), invoked=False) == [FORGET]


def test_code_whose_entry_is_suspect_offers_to_confirm_or_forget_it(client, project, other):
    entry = other.memory.add("total is in cents", status="stated", anchors=("shop.py#total",))
    uri = client.open(project / "shop.py")
    about = "Milepost: what does memory know about `total`"
    assert client.titles(uri, (0, 6), invoked=False) == [about]
    code = (project / "shop.py").read_text("utf-8")
    (project / "shop.py").write_text(code.replace("sum(", "int("), "utf-8")
    offered = {action["title"]: action for action in client.actions(uri, (0, 6), invoked=False)}
    assert list(offered) == [
        about,
        "Milepost: confirm “total is in cents”",
        "Milepost: forget “total is in cents”",
    ]
    client.apply(offered["Milepost: confirm “total is in cents”"])
    assert other.memory.get(entry.id).doubts == ()
    assert client.titles(uri, (0, 6), invoked=False) == [about]
    # A line that only calls it has no light bulb of these.
    assert client.titles(uri, (4, 0), invoked=False) == []


@pytest.mark.parametrize("title", [CONFIRM, FORGET])
def test_words_that_the_buffer_does_not_show_are_not_changed(client, other, title):
    entry = other.memory.add("the port is 1")
    uri, place = open_at(client, other, entry)
    action = next(each for each in client.actions(uri, place) if each["title"] == title)
    other.memory.update(entry.id, text="the port is 2")
    with pytest.raises(ServerError, match="the port is 2") as refusal:
        client.apply(action)
    assert refusal.value.code == -32803
    assert other.memory.get(entry.id).status == "unverified"


def test_an_unsaved_edit_of_the_entry_is_not_confirmed_by_mistake(client, other):
    entry = other.memory.add("the port is 1")
    text = Path(other.memory.file()).read_text("utf-8").replace("port is 1", "port is 9")
    uri, place = open_at(client, other, entry, text)
    action = next(each for each in client.actions(uri, place) if each["title"] == CONFIRM)
    with pytest.raises(ServerError, match="the port is 1"):
        client.apply(action)


def test_the_undo_takes_back_what_its_title_says(client, other):
    entry = other.memory.add("one")
    other.memory.update(entry.id, text="two")
    uri, place = open_at(client, other, entry)
    title = "Milepost: undo the last change of memory (update by mcp:other)"
    assert title not in client.titles(uri, place, invoked=False)
    action = next(each for each in client.actions(uri, place) if each["title"] == title)
    other.memory.add("something else meanwhile")
    done = client.apply(action)
    assert (done["action"], done["undoes"]) == ("undo", 2)
    assert other.memory.get(entry.id).text == "one"
    assert done["revisions"][0]["after"]["text"] == "one"


def test_global_memory_has_an_undo_of_its_own(client, other):
    other.memory.add("of the project")
    other.memory.add("of all", scope="global")
    uri = client.open(Path(other.memory.file("global")), language="markdown")
    action = next(each for each in client.actions(uri, (0, 0)) if "undo the last" in each["title"])
    client.apply(action)
    assert [entry.text for entry in other.memory.page().entries] == ["of the project"]


def test_the_log_answers_with_every_change_of_the_entry(client, other):
    entry = other.memory.add("one")
    other.memory.update(entry.id, text="two")
    other.memory.add("another")
    changes = client.command("milepost.memory.log", {"id": entry.id})
    assert [change["action"] for change in changes] == ["update", "add"]
    assert changes[0]["revisions"][0]["before"]["text"] == "one"
    assert len(client.command("milepost.memory.log", {})) == 3
    shown = client.wait_for("window/showDocument")["uri"].removeprefix("file://")
    assert "Before:" in Path(shown).read_text("utf-8")


def test_hover_on_an_entry_tells_its_doubts_and_how_many_changes_it_had(client, project, other):
    entry = other.memory.add("total is in cents", anchors=("shop.py#total",))
    other.memory.update(entry.id, kind="rule")
    code = (project / "shop.py").read_text("utf-8")
    (project / "shop.py").write_text(code.replace("sum(", "int("), "utf-8")
    uri, (line, _) = open_at(client, other, entry)
    shown = client.hover(uri, line, 3)
    assert "rule · unverified · from mcp:other · about shop.py#total · today" in shown
    assert "2 changes in its log" in shown
    assert "suspect: shop.py#total has changed since" in shown
