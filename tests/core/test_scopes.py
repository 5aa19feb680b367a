"""What holds here, now, or for one task: each scope has a file of its own, and is found from where
it should be and from nowhere else."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from milepost import api
from tests.conftest import git


def words(found: api.SearchResult) -> list[str]:
    return [hit.entry.text for hit in found.hits]


def opened(root: Path, session: str | None = None, actor: str = "mcp:agent") -> api.Workspace:
    return api.open_workspace(str(root), actor=actor, session=session)


def databases(home: Path) -> list[str]:
    return sorted(str(path.relative_to(home)) for path in home.rglob("*.db"))


@pytest.fixture
def linked(project: Path, tmp_path: Path) -> Path:
    """A second worktree of the project, made by git."""
    folder = tmp_path / "linked"
    git(project, "worktree", "add", "-q", "-b", "feature", str(folder))
    return folder


def test_what_is_remembered_in_one_worktree_is_not_found_in_the_other(
    project: Path, linked: Path
) -> None:
    one, two = opened(project), opened(linked)
    one.memory.add("the build is broken here", scope="worktree")
    two.memory.add("the build is green here", scope="worktree")
    two.memory.add("the build takes a minute")
    assert words(one.memory.search("build")) == [
        "the build is broken here",
        "the build takes a minute",
    ]
    assert set(words(two.memory.search("build"))) == {
        "the build is green here",
        "the build takes a minute",
    }
    assert len(words(one.memory.search("build", elsewhere=True))) == 3
    assert one.memory.file("worktree") != two.memory.file("worktree")


def test_a_moved_repository_keeps_what_its_main_worktree_remembers(
    project: Path, tmp_path: Path
) -> None:
    opened(project).memory.add("the port is 8080 here", scope="worktree")
    project.rename(tmp_path / "elsewhere")
    assert words(opened(tmp_path / "elsewhere").memory.search("port")) == ["the port is 8080 here"]


def test_notes_are_found_in_their_session_and_in_another_by_name(project: Path) -> None:
    one, two = opened(project, "one"), opened(project, "two")
    one.memory.add("the parser chokes on tabs", scope="session")
    assert words(one.memory.search("parser")) == ["the parser chokes on tabs"]
    assert words(opened(project, "one").memory.search("parser")) == ["the parser chokes on tabs"]
    assert two.memory.search("parser").hits == ()
    assert words(two.memory.search("parser", session="one")) == ["the parser chokes on tabs"]
    assert words(two.memory.search("parser", scope="session", session="one")) == [
        "the parser chokes on tabs"
    ]
    (hit,) = two.memory.search("parser", elsewhere=True).hits
    assert (hit.entry.scope, hit.entry.within) == ("session", "one")


def test_progress_is_kept_for_its_task_across_sessions(project: Path) -> None:
    opened(project).memory.add("the schema is done", task="T1.1")
    later = opened(project)
    assert words(later.memory.search("schema", task="T1.1")) == ["the schema is done"]
    assert later.memory.search("schema").hits == ()
    assert later.memory.search("schema", task="T1").hits == ()
    path = Path(later.memory.file(task="T1.1"))
    assert path.parts[-3:] == ("tasks", "T1.1", "progress.md")


def test_a_scope_that_nobody_wrote_into_leaves_nothing_on_disk(project: Path, home: Path) -> None:
    workspace = opened(project, "s1")
    workspace.memory.search("anything", task="T1", session="s2", elsewhere=True)
    workspace.memory.page()
    workspace.memory.log(scope="session")
    assert databases(home) == []
    workspace.memory.add("x", scope="worktree")
    workspace.memory.search("anything")
    assert {Path(path).parts[-3:-1] for path in databases(home)} == {("worktrees", "main")}


def test_a_search_opens_only_the_scopes_that_are_in_play(project: Path) -> None:
    for number in range(5):
        opened(project, f"s{number}").memory.add("alpha", scope="session")
        opened(project).memory.add("alpha", task=f"T{number + 1}")
    workspace = opened(project, "s0")
    assert len(workspace.memory.search("alpha", task="T2").hits) == 2
    folder = Path(workspace.project.data_dir)
    for path in folder.glob("*/*/index.db*"):
        path.unlink()
    fresh = opened(project, "s1")
    fresh.memory.search("alpha")
    assert [path.parent.name for path in folder.glob("*/*/index.db")] == ["s1"]


def test_at_like_relevance_what_is_nearer_comes_first(project: Path) -> None:
    workspace = opened(project, "s1")
    for place in ({"scope": "global"}, {"scope": "project"}, {"scope": "worktree"}, {"task": "T1"}):
        workspace.memory.add("staging listens on port 6432", **place)
    found = workspace.memory.search("staging port", task="T1").hits
    assert [hit.entry.scope for hit in found] == ["task", "worktree", "project", "global"]


def test_a_poor_match_nearby_does_not_hide_a_good_one_in_the_project(project: Path) -> None:
    workspace = opened(project, "s1")
    workspace.memory.add("staging listens on port 6432 behind the proxy")
    workspace.memory.add("looked at the port of the parser to Rust", scope="session")
    found = words(workspace.memory.search("which port does staging listen on behind the proxy"))
    assert found[0] == "staging listens on port 6432 behind the proxy"


def test_agents_add_to_notes_and_forget_them_and_only_a_person_changes_them(project: Path) -> None:
    agent, person = opened(project, "s1"), opened(project, "s1", "user:test")
    note = agent.memory.add("first thought", scope="session")
    with pytest.raises(api.UserError, match="added to and not changed"):
        agent.memory.update(note.id, text="second thought")
    with pytest.raises(api.UserError, match="added to and not changed"):
        agent.memory.supersede(note.id, "second thought")
    assert person.memory.update(note.id, text="second thought").id == note.id
    agent.memory.forget(note.id)
    assert "thought" not in Path(agent.memory.file("session")).read_text("utf-8")


def test_every_operation_works_in_every_scope_by_id(project: Path) -> None:
    person = opened(project, "s1", "user:test")
    for place in ({"scope": "worktree"}, {"scope": "session"}, {"task": "T2"}, {"scope": "global"}):
        entry = person.memory.add("old words", **place)
        scope, task = place.get("scope"), place.get("task")
        assert person.memory.get(entry.id).text == "old words"
        assert person.memory.locate(entry.id).path == person.memory.file(scope, task=task)
        person.memory.update(entry.id, text="new words", status="confirmed")
        (newest, _) = person.memory.log(scope=scope, task=task)
        assert newest.action == "update"
        person.memory.undo(scope=scope, task=task)
        assert person.memory.get(entry.id).text == "old words"
        successor = person.memory.supersede(entry.id, "other words")
        assert successor.scope == entry.scope
        person.memory.forget(successor.id)
        assert person.memory.file(scope, task=task) in person.memory.files()
    assert person.memory.check() == ()


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "../x", "a/b", "a\\b", "-x", ".x", "x.", "con", "NUL.txt", "a b", "x" * 65,
     "\0", "caf\u00e9", "\ud800", "x\n"],
)  # fmt: skip
def test_what_cannot_be_a_folder_is_no_session_and_no_task(project: Path, name: str) -> None:
    workspace = opened(project)
    with pytest.raises(api.UserError, match="cannot name a session"):
        opened(project, name)
    with pytest.raises(api.UserError, match="cannot name a session"):
        workspace.memory.add("x", scope="session", session=name or "..")
    with pytest.raises(api.UserError, match="not a task's id"):
        workspace.memory.add("x", scope="task", task=name)
    assert not Path(workspace.project.data_dir).exists()


def test_a_name_goes_with_its_scope_only(project: Path) -> None:
    workspace = opened(project)
    with pytest.raises(api.UserError, match="name the task"):
        workspace.memory.add("x", scope="task")
    with pytest.raises(api.UserError, match="leave one out"):
        workspace.memory.add("x", scope="global", task="T1")
    with pytest.raises(api.UserError, match="leave one out"):
        workspace.memory.add("x", scope="project", session="s1")
    with pytest.raises(api.UserError, match="use one of project"):
        workspace.memory.search("x", scope="nowhere")


def test_a_note_is_promoted_to_project_memory_under_its_id(project: Path) -> None:
    agent = opened(project, "s1")
    note = agent.memory.add("tabs break the parser", scope="session", anchors=("README.md",))
    moved = agent.memory.update(note.id, scope="project")
    assert (moved.id, moved.scope, moved.anchors) == (note.id, "project", ("README.md",))
    assert (moved.created_at, moved.source) == (note.created_at, note.source)
    assert "tabs" not in Path(agent.memory.file("session")).read_text("utf-8")
    assert words(opened(project).memory.search("parser tabs")) == ["tabs break the parser"]
    assert agent.memory.log()[0].action == "move from session s1"
    assert agent.memory.log(scope="session")[0].action == "move to project"


@pytest.mark.parametrize("side", ["project", "session"])
def test_a_move_is_taken_back_from_either_side_and_made_again(project: Path, side: str) -> None:
    memory = opened(project, "s1").memory
    note = memory.add("tabs break the parser", scope="session")
    memory.update(note.id, scope="project")
    undo = memory.undo(scope=side)
    assert memory.get(note.id).scope == "session"
    assert memory.page().total == 1
    memory.undo(undo.id, scope=side)
    assert memory.get(note.id).scope == "project"
    assert memory.page().total == 1


def test_a_move_is_not_taken_back_over_a_later_change(project: Path) -> None:
    memory = opened(project, "s1").memory
    note = memory.add("tabs break the parser", scope="session")
    memory.update(note.id, scope="project")
    memory.update(note.id, text="tabs and blanks break the parser")
    with pytest.raises(api.UserError, match="changed since"):
        memory.undo(scope="session")
    assert memory.page().total == 1


def test_a_move_and_a_change_are_one_call(project: Path) -> None:
    memory = opened(project, "s1").memory
    note = memory.add("tabs break the parser", scope="session")
    moved = memory.update(note.id, scope="project", kind="rule", text="never use tabs")
    assert (moved.scope, moved.kind, moved.text) == ("project", "rule", "never use tabs")


def test_an_id_that_is_taken_in_the_other_scope_is_not_given_twice(project: Path) -> None:
    memory = opened(project, "s1").memory
    note = memory.add("ours", scope="session")
    path = Path(memory.file("global"))
    path.parent.mkdir(parents=True)
    path.write_text(f"## Rules\n\n- theirs <!-- milepost id={note.id} -->\n", "utf-8")
    session_file = Path(memory.file("session"))
    assert memory.get(note.id).scope == "global"
    person = opened(project, "s1", "user:test").memory
    assert person.update(note.id, scope="worktree").text == "theirs"
    moved = person.update(note.id, scope="session")
    assert moved.id != note.id
    assert {"ours", "theirs"} <= {entry.text for entry in person.page().entries}
    assert session_file.read_text("utf-8").count(note.id) == 1


def test_a_move_that_was_cut_short_can_be_repeated_and_loses_nothing(project: Path) -> None:
    memory = opened(project, "s1").memory
    note = memory.add("tabs break the parser", scope="session")
    before = Path(memory.file("session")).read_bytes()
    memory.update(note.id, scope="worktree")
    Path(memory.file("session")).write_bytes(before)
    assert memory.page().total == 2
    memory.update(note.id, scope="worktree")
    (entry,) = memory.page().entries
    assert (entry.id, entry.scope, entry.text) == (note.id, "worktree", "tabs break the parser")


_WRITER = """
import sys
from milepost import api
workspace = api.open_workspace(sys.argv[1], actor="mcp:writer", session="shared")
for number in range(25):
    note = workspace.memory.add(f"{sys.argv[2]} note {number}", scope="session")
    if number % 5 == 0:
        workspace.memory.update(note.id, scope="project")
"""


def test_two_processes_note_and_promote_at_once_and_nothing_is_lost(project: Path) -> None:
    children = [
        subprocess.Popen([sys.executable, "-c", _WRITER, str(project), name])
        for name in ("one", "two")
    ]
    assert [child.wait(60) for child in children] == [0, 0]
    memory = opened(project, "shared").memory
    assert memory.page(scope="session").total == 40
    assert memory.page(scope="project").total == 10
    assert memory.check() == ()


def test_data_knows_the_files_of_every_scope(project: Path, tmp_path: Path) -> None:
    workspace = opened(project, "s1", "user:test")
    for place in ({}, {"scope": "worktree"}, {"scope": "session"}, {"task": "T1"}):
        workspace.memory.add("x", **place)
    names = {Path(file.path).name for file in workspace.data.usage()}
    assert {"MEMORY.md", "notes.md", "progress.md"} <= names
    workspace.data.export(str(tmp_path / "all.tar.gz"))
    listed = subprocess.run(
        ["tar", "tzf", str(tmp_path / "all.tar.gz")], capture_output=True, text=True, check=True
    ).stdout
    for path in ("sessions/s1/notes.md", "tasks/T1/progress.md", "worktrees/main/MEMORY.md"):
        assert f"{workspace.project.id}/{path}\n" in listed


def test_old_notes_go_only_when_asked_and_never_those_of_this_session(project: Path) -> None:
    for name in ("old", "new", "mine"):
        opened(project, name).memory.add(name, scope="session")
    workspace = opened(project, "mine", "user:test")
    folder = Path(workspace.project.data_dir) / "sessions"
    for name in ("old", "mine"):
        os.utime(folder / name / "notes.md", (1_000_000_000, 1_000_000_000))
    assert workspace.data.prune_sessions(30) == ("old",)
    assert sorted(os.listdir(folder)) == ["mine", "new"]
    assert workspace.data.prune_sessions(30) == ()
    with pytest.raises(api.UserError, match="age in days"):
        workspace.data.prune_sessions(-1)


def test_a_link_to_a_memory_file_is_that_memory_and_any_other_file_is_none(project: Path) -> None:
    workspace = opened(project)
    workspace.memory.add("Use pnpm.")
    file = Path(workspace.memory.file())
    link = project / "notes-of-mine.md"
    link.symlink_to(file)
    assert workspace.memory.scope_of(str(file)) == "project"
    assert workspace.memory.scope_of(str(link)) == "project"
    assert workspace.memory.scope_of(str(project / "MEMORY.md")) is None
    assert workspace.memory.scope_of(str(project / "README.md")) is None
    workspace.close()
