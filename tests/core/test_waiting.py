"""What is asked for at once is answered from memory, is never an old answer, and opens nothing."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from milepost import api
from milepost.base.files import locked
from milepost.base.sqlite import Database
from tests.opened import heard_opening


@pytest.fixture
def shop(project: Path, workspace: api.Workspace) -> api.Workspace:
    """A project in which an entry is about a function; it was asked for once."""
    (project / "shop.py").write_text("def total():\n    return 1\n", encoding="utf-8")
    workspace.memory.add("`total` is in cents.", anchors=("shop.py#total",))
    assert workspace.memory.about("total", path="shop.py")
    return workspace


def at_once(workspace: api.Workspace) -> tuple[str, ...]:
    with api.at_once():
        found = workspace.memory.about("total", path="shop.py")
    return tuple(entry.text for entry in found)


def test_a_word_that_was_asked_for_is_answered_from_memory_and_opens_nothing(shop):
    with heard_opening() as opened:
        assert at_once(shop) == ("`total` is in cents.",)
    assert opened == []


def test_what_is_not_in_memory_is_not_waited_for(shop):
    with heard_opening() as opened:
        for symbol in ("ship", "cents"):
            with pytest.raises(api.WouldWait), api.at_once():
                shop.memory.about(symbol, path="shop.py")
        with pytest.raises(api.WouldWait), api.at_once():
            shop.memory.add("Nothing is changed.")
    assert opened == []
    assert shop.memory.about("Nothing") == ()


def add(project: Path) -> None:
    other = api.open_workspace(str(project), actor="mcp:other")
    other.memory.add("`total` rounds down.")
    other.close()


def add_in_every_project(project: Path) -> None:
    other = api.open_workspace(str(project), actor="mcp:other")
    other.memory.add("`total` is what we call a sum.", scope="global")
    other.close()


def edit_by_hand(project: Path) -> None:
    opened = api.open_workspace(str(project), actor="test")
    file = Path(opened.memory.file())
    opened.close()
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("in cents", "in pence"), encoding="utf-8")


def change_the_code(project: Path) -> None:
    (project / "shop.py").write_text("def total():\n    return 2\n", encoding="utf-8")


def write_rules(project: Path) -> None:
    (project / "AGENTS.md").write_text("- Never change `total`.\n", encoding="utf-8")


def write_rules_in_a_folder(project: Path) -> None:
    (project / ".claude" / "rules").mkdir(parents=True)
    (project / ".claude" / "rules" / "a.md").write_text("- Test `total`.\n", encoding="utf-8")
    os.utime(project / ".claude" / "rules", (1, 1))  # or it would be listed anew for a while


@pytest.mark.parametrize(
    "change",
    [
        add,
        add_in_every_project,
        edit_by_hand,
        change_the_code,
        write_rules,
        write_rules_in_a_folder,
    ],
)
def test_what_anybody_changes_shows_with_the_next_question(
    project: Path, shop: api.Workspace, change: Callable[[Path], None]
) -> None:
    before = shop.memory.about("total", path="shop.py")
    assert at_once(shop)
    change(project)
    with pytest.raises(api.WouldWait):
        at_once(shop)
    now = shop.memory.about("total", path="shop.py")
    assert now != before
    if not any(entry.doubts for entry in now):  # where code went may always have to be looked for
        assert at_once(shop) == tuple(entry.text for entry in now)


def test_a_call_that_was_given_up_leaves_nothing_half_done(project: Path, tmp_path: Path) -> None:
    (project / "lib").mkdir()
    for folder in (project, project / "lib"):
        (folder / "AGENTS.md").write_text(f"- `total` of {folder.name}.\n", encoding="utf-8")
    opened = api.open_workspace(str(project), actor="user:test")
    try:
        for path in ("code.py", "lib/code.py"):
            with pytest.raises(api.WouldWait), api.at_once():
                opened.memory.about("total", path=path)
        found = opened.memory.about("total", path="lib/code.py")
        assert {entry.text for entry in found} == {"`total` of project.", "`total` of lib."}
    finally:
        opened.close()


def test_neither_a_lock_nor_a_database_is_waited_for(tmp_path: Path) -> None:
    database = Database(tmp_path / "a.db", (), durability="NORMAL", loss="Nothing.")
    with api.at_once():
        with pytest.raises(api.WouldWait), locked(tmp_path / "a.lock"):
            pass
        with pytest.raises(api.WouldWait), database.writing():
            pass
    assert list(tmp_path.glob("a.*")) == []
    with api.at_once(), pytest.raises(api.WouldWait):
        api.will_wait()
    api.will_wait()
