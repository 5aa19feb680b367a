"""Every change of memory can be seen and taken back, whoever made it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from milepost import api
from milepost.base.errors import UserError
from milepost.memory.store import MemoryStore


def content(workspace: api.Workspace) -> str:
    return Path(workspace.memory.file()).read_text("utf-8")


def words(workspace: api.Workspace) -> list[str]:
    return [entry.text for entry in workspace.memory.page().entries]


def test_each_kind_of_change_is_taken_back_and_made_again(workspace: api.Workspace) -> None:
    memory = workspace.memory
    first = memory.add("deploy on Fridays", kind="rule")
    memory.update(first.id, text="deploy on Mondays", status="confirmed")
    memory.update(first.id, kind="decision")
    memory.supersede(first.id, "deploy whenever it is green")
    memory.forget(first.id)
    states = []
    for _ in range(5):
        states.append(sorted(words(workspace)))
        memory.undo()
    assert words(workspace) == []
    assert states == [
        ["deploy whenever it is green"],
        ["deploy on Mondays", "deploy whenever it is green"],
        ["deploy on Mondays"],
        ["deploy on Mondays"],
        ["deploy on Fridays"],
    ]
    with pytest.raises(api.UserError, match="no change"):
        memory.undo()


def test_an_undo_is_a_change_and_can_be_taken_back_by_its_number(workspace: api.Workspace) -> None:
    workspace.memory.add("kept")
    before = content(workspace)
    undo = workspace.memory.undo()
    assert (undo.action, words(workspace)) == ("undo", [])
    workspace.memory.undo(undo.id)
    assert words(workspace) == ["kept"]
    assert content(workspace) == before


def test_the_log_says_who_changed_what_and_what_it_was(
    project: Path, workspace: api.Workspace
) -> None:
    entry = workspace.memory.add("old words")
    other = api.open_workspace(str(project), actor="mcp:codex")
    other.memory.update(entry.id, text="new words")
    newest, oldest = workspace.memory.log(entry_id=entry.id)
    assert (newest.actor, newest.action) == ("mcp:codex", "update")
    (revision,) = newest.revisions
    assert (revision.before.text, revision.after.text) == ("old words", "new words")
    assert (oldest.actor, oldest.action, oldest.revisions[0].before) == ("user:test", "add", None)


def test_a_hand_edit_is_in_the_log_and_can_be_taken_back(workspace: api.Workspace) -> None:
    kept = workspace.memory.add("kept as it is")
    lost = workspace.memory.add("lost by an accident in the editor")
    path = Path(workspace.memory.file())
    lines = path.read_text("utf-8").splitlines(keepends=True)
    path.write_text("".join(line for line in lines if lost.id not in line), "utf-8")
    (change, *_) = workspace.memory.log()
    assert (change.actor, change.action) == ("file", "edit")
    assert [revision.before.id for revision in change.revisions] == [lost.id]
    workspace.memory.undo()
    assert {entry.id for entry in workspace.memory.page().entries} == {kept.id, lost.id}


def test_a_hand_edit_right_before_a_change_of_ours_is_told_apart(workspace: api.Workspace) -> None:
    workspace.memory.add("first")
    path = Path(workspace.memory.file())
    path.write_text(path.read_text("utf-8") + "- by hand\n", "utf-8")
    workspace.memory.add("ours", kind="rule")
    changes = {change.action: change for change in workspace.memory.log(limit=2)}
    assert [item.after.text for item in changes["edit"].revisions] == ["by hand"]
    assert [item.after.text for item in changes["add"].revisions] == ["ours"]


def test_no_change_is_taken_back_over_a_later_one(workspace: api.Workspace) -> None:
    entry = workspace.memory.add("one")
    (added,) = workspace.memory.log()
    workspace.memory.update(entry.id, text="two")
    before = content(workspace)
    with pytest.raises(api.UserError, match="changed since"):
        workspace.memory.undo(added.id)
    assert content(workspace) == before


def test_a_change_is_taken_back_once(workspace: api.Workspace) -> None:
    workspace.memory.add("one")
    workspace.memory.add("two")
    number = workspace.memory.log(limit=1)[0].id
    undo = workspace.memory.undo(number)
    with pytest.raises(api.UserError, match=f"change {undo.id}"):
        workspace.memory.undo(number)
    with pytest.raises(api.UserError, match="no change 99"):
        workspace.memory.undo(99)


def test_the_first_look_at_a_file_that_was_always_there_is_no_change(
    workspace: api.Workspace,
) -> None:
    path = Path(workspace.memory.file())
    path.parent.mkdir(parents=True)
    path.write_text("## Rules\n\n- written before Milepost came\n", "utf-8")
    assert words(workspace) == ["written before Milepost came"]
    assert workspace.memory.search("Milepost").hits
    assert workspace.memory.log() == ()


def test_bytes_that_are_not_utf8_survive_an_update_of_their_status(
    workspace: api.Workspace,
) -> None:
    path = Path(workspace.memory.file())
    path.parent.mkdir(parents=True)
    path.write_bytes(b"## Rules\n\n- caf\xe9\n")
    (entry,) = workspace.memory.page().entries
    workspace.memory.update(entry.id, status="confirmed")
    assert b"- caf\xe9 <!--" in path.read_bytes()


_ACTIONS = st.lists(
    st.tuples(st.sampled_from(["add", "update", "move", "supersede", "forget"]), st.integers(0, 9)),
    max_size=10,
)


@settings(max_examples=40)
@given(_ACTIONS)
def test_taking_everything_back_leaves_what_was_there_before(
    tmp_path_factory: pytest.TempPathFactory, actions: list[tuple[str, int]]
) -> None:
    store = MemoryStore(tmp_path_factory.mktemp("memory"), "project", "x")
    store.path.write_text("# T\n\n## Rules\n\n- by hand\n\n## Mine\n\nA note.\n", "utf-8")
    store.refresh()
    before = {entry.id: entry for entry in store.all()}
    done = 0
    for action, number in actions:
        ids = sorted(entry.id for entry in store.all())
        target = ids[number % len(ids)] if ids else ""
        try:
            if action == "add":
                store.add(f"number {number}", "knowledge", "unverified", "t", ())
            elif action == "update":
                store.update(target, "t", text=f"changed {number}", kind=None, status=None)
            elif action == "move":
                store.update(target, "t", text=None, kind="decision", status=None)
            elif action == "supersede":
                store.supersede(target, f"instead {number}", None, "t")
            else:
                store.forget(target, "t")
            done += 1
        except UserError:
            continue
    for _ in range(done):
        store.undo(None, "t")
    assert {entry.id: entry for entry in store.all()} == before
    assert store.counts() == (len(before), len(before))
