"""When the menu offers what. What each action does is in test_examples and the test_*_command."""

from __future__ import annotations

ASK = "Milepost: ask about the selection"
REMEMBER = "Milepost: remember selection"
RULE = "Milepost: remember selection as a rule"
WORKTREE = "Milepost: remember selection for this worktree"
GOAL = "Milepost: set selection as goal"
CHECKPOINT = "Milepost: checkpoint now"
MEMORY = "Milepost: show memory"
BRIEF = "Milepost: brief me"
CHAT = "Milepost: open a chat"
BACK = "Milepost: go back to a restore point…"
ABOUT = "Milepost: what does memory know about `total`"


def test_without_a_selection_and_unasked_there_is_no_light_bulb(client, project, other):
    other.memory.add("`total` is in cents.")
    other.goals.set("it works", checks=["test -d ."])
    other.checkpoints.save("start")
    uri = client.open(project / "shop.py")
    assert client.titles(uri, (6, 5), invoked=False) == []


def test_a_light_bulb_shows_where_memory_knows_the_symbol(client, project, other):
    other.memory.add("`total` is in cents.")
    uri = client.open(project / "shop.py")
    assert client.titles(uri, (0, 6), invoked=False) == [ABOUT]


def test_a_selection_can_be_remembered_or_made_a_goal(client, project):
    uri = client.open(project / "shop.py")
    selected = client.titles(uri, (1, 4), (1, 20), invoked=False)
    assert selected == [ASK, REMEMBER, RULE, WORKTREE, GOAL]


def test_a_blank_selection_is_none(client, project):
    uri = client.open(project / "shop.py")
    assert client.titles(uri, (3, 0), (4, 0), invoked=False) == []


def test_the_menu_the_user_opened_also_offers_what_is_about_the_project(client, project, other):
    uri = client.open(project / "shop.py")
    assert client.titles(uri, (3, 0)) == [CHECKPOINT, MEMORY, BRIEF, CHAT]
    other.goals.set("it works", checks=["test -d ."])
    other.checkpoints.save("start")
    goal = "Milepost: verify goal “it works”"
    assert client.titles(uri, (3, 0)) == [goal, CHECKPOINT, BACK, MEMORY, BRIEF, CHAT]


def test_a_client_that_does_not_say_why_it_asks_counts_as_a_light_bulb(client, project):
    uri = client.open(project / "shop.py")
    assert client.titles(uri, (3, 0), triggerKind=None) == []


def test_only_the_kinds_that_were_asked_for_are_offered(client, project):
    uri = client.open(project / "shop.py")
    selected = (uri, (1, 4), (1, 20))
    assert client.titles(*selected, only=["source"], invoked=False) == [
        CHECKPOINT,
        MEMORY,
        BRIEF,
        CHAT,
    ]
    assert client.titles(*selected, only=["source.milepost.checkpoint"]) == [CHECKPOINT]
    assert client.titles(*selected, only=["milepost"]) == [ASK, REMEMBER, RULE, WORKTREE, GOAL]
    assert client.titles(*selected, only=["quickfix", "source.organizeImports"]) == []


def test_without_a_model_every_action_is_a_command_that_needs_no_resolving(client, project):
    uri = client.open(project / "shop.py")
    for action in client.actions(uri, (1, 4), (1, 20)):
        assert action["command"]["title"] == action["title"]
        assert "edit" not in action


def test_a_document_outside_every_project_offers_nothing(client, tmp_path):
    (tmp_path / "elsewhere.py").write_text("x = 1\n", encoding="utf-8")
    uri = client.open(tmp_path / "elsewhere.py")
    assert client.actions(uri, (0, 0), (0, 5)) == []
    assert client.hover(uri, 0, 0) is None
