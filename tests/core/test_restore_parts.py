"""A restore point binds memory, tasks, goals and conversation to the files; each comes back, is
protected from being lost, and can be taken back."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from milepost import api
from milepost.tasks.store import TaskStore
from tests.core.test_snapshots import sh


def texts(workspace: api.Workspace) -> set[str]:
    return {entry.text for entry in workspace.memory.page(limit=100).entries}


def named(restore: api.Restore) -> list[str]:
    return [item.path for item in restore.refused]


def tasks_of(workspace: api.Workspace) -> TaskStore:
    return TaskStore(Path(workspace.project.data_dir))


def test_memory_goes_back_to_what_it_was_and_forth_again(workspace: api.Workspace) -> None:
    kept = workspace.memory.add("kept as it is")
    changed = workspace.memory.add("before")
    gone = workspace.memory.add("forgotten later")
    point = workspace.checkpoints.save()
    workspace.memory.update(changed.id, text="after")
    workspace.memory.forget(gone.id)
    workspace.memory.add("new")
    preview = workspace.checkpoints.preview(point.id, what="memory")
    assert {(change.part, change.kind) for change in preview.beside} == {
        ("memory", "modified"), ("memory", "added"), ("memory", "deleted"),
    }  # fmt: skip
    assert texts(workspace) == {"kept as it is", "after", "new"}

    done = workspace.checkpoints.restore(point.id, what="memory", plan=preview.plan)
    assert not done.refused
    assert texts(workspace) == {"kept as it is", "before", "forgotten later"}
    assert workspace.memory.get(kept.id).text == "kept as it is"
    assert workspace.memory.log(limit=1)[0].action == f"back to point {point.id}"

    workspace.checkpoints.undo()
    assert texts(workspace) == {"kept as it is", "after", "new"}
    workspace.checkpoints.redo()
    assert texts(workspace) == {"kept as it is", "before", "forgotten later"}


def test_a_point_after_a_mere_look_holds_what_was_remembered_before_the_look(
    workspace: api.Workspace,
) -> None:
    first = workspace.checkpoints.save()
    workspace.memory.add("between")
    # No file differs, so the look makes no point of its own.
    assert workspace.checkpoints.diff(first.id).changes == ()
    second = workspace.checkpoints.save()
    workspace.memory.add("after")
    third = workspace.checkpoints.save()
    workspace.checkpoints.restore(second.id, what="memory")
    assert texts(workspace) == {"between"}
    workspace.checkpoints.restore(first.id, what="memory")
    assert texts(workspace) == set()
    workspace.checkpoints.restore(third.id, what="memory")
    assert texts(workspace) == {"between", "after"}


def test_a_restore_of_files_leaves_memory_alone(project: Path, workspace: api.Workspace) -> None:
    sh(project, "echo 1 > f")
    point = workspace.checkpoints.save()
    sh(project, "echo 2 > f")
    workspace.memory.add("new")
    assert workspace.checkpoints.restore(point.id).beside == ()
    assert texts(workspace) == {"new"}
    assert (project / "f").read_text("ascii") == "1\n"


def test_all_parts_go_back_together_and_forth_again(
    project: Path, workspace: api.Workspace
) -> None:
    sh(project, "echo 1 > f")
    tasks = tasks_of(workspace)
    tasks.add("parse the sheet", session="S")
    goal = workspace.goals.set("f is there", checks=["file f"])
    point = workspace.checkpoints.save()
    sh(project, "echo 2 > f")
    workspace.memory.add("new")
    tasks.set_state("T1", "active")
    tasks.add("write the report", session="S")
    workspace.goals.pause(goal.id)
    later = workspace.goals.set("g is there", checks=["file g"])

    done = workspace.checkpoints.restore(point.id, what="all")
    assert not done.refused
    assert {change.part for change in done.beside} == {"memory", "tasks", "goal"}
    assert (project / "f").read_text("ascii") == "1\n"
    assert texts(workspace) == set()
    assert [(task.id, task.state) for task in tasks.all()] == [("T1", "open")]
    assert workspace.goals.get(goal.id).state == "active"
    assert workspace.goals.get(later.id).state == "abandoned"

    assert not workspace.checkpoints.undo().refused
    assert (project / "f").read_text("ascii") == "2\n"
    assert texts(workspace) == {"new"}
    assert [(task.id, task.state) for task in tasks.all()] == [("T1", "active"), ("T2", "open")]
    assert workspace.goals.get(goal.id).state == "paused"
    assert workspace.goals.get(later.id).state == "active"


def test_what_changed_since_the_preview_is_named_and_stays(workspace: api.Workspace) -> None:
    tasks = tasks_of(workspace)
    seen = workspace.memory.add("seen")
    goal = workspace.goals.set("f is there", checks=["file f"])
    point = workspace.checkpoints.save()
    workspace.memory.update(seen.id, text="changed before the preview")
    preview = workspace.checkpoints.preview(point.id, what="memory,tasks,goal")
    late = workspace.memory.add("written after the preview")
    tasks.add("planned after the preview", session="S")
    workspace.goals.pause(goal.id)
    done = workspace.checkpoints.restore(point.id, what="memory,tasks,goal", plan=preview.plan)
    assert named(done) == [f"entry {late.id} (project)", "the tasks", f"goal {goal.id}"]
    assert texts(workspace) == {"seen", "written after the preview"}
    assert [task.id for task in tasks.all()] == ["T1"]

    forced = workspace.checkpoints.restore(
        point.id, what="memory,tasks,goal", plan=preview.plan, force=True
    )
    assert not forced.refused
    assert texts(workspace) == {"seen"}
    assert tasks.all() == ()
    workspace.checkpoints.undo()
    assert texts(workspace) == {"seen", "written after the preview"}
    assert [task.id for task in tasks.all()] == ["T1"]
    assert workspace.goals.get(goal.id).state == "paused"


def test_an_undo_leaves_alone_what_changed_after_the_restore(workspace: api.Workspace) -> None:
    first = workspace.memory.add("first")
    second = workspace.memory.add("second")
    point = workspace.checkpoints.save()
    workspace.memory.update(first.id, text="first, later")
    workspace.memory.update(second.id, text="second, later")
    workspace.checkpoints.restore(point.id, what="memory")
    workspace.memory.update(second.id, text="by hand after the restore")
    undone = workspace.checkpoints.undo()
    assert named(undone) == [f"entry {second.id} (project)"]
    assert texts(workspace) == {"first, later", "by hand after the restore"}


def test_memory_undo_knows_a_restore_of_memory(workspace: api.Workspace) -> None:
    point = workspace.checkpoints.save()
    workspace.memory.add("new")
    workspace.checkpoints.restore(point.id, what="memory")
    assert texts(workspace) == set()
    workspace.memory.undo()
    assert texts(workspace) == {"new"}
    assert len(named(workspace.checkpoints.undo())) == 1


def test_what_a_person_wrote_by_hand_is_known_to_the_point(workspace: api.Workspace) -> None:
    workspace.memory.add("first")
    path = Path(workspace.memory.file())
    path.write_text(path.read_text("utf-8") + "\n- written by hand\n", "utf-8")
    point = workspace.checkpoints.save()
    path.write_text(path.read_text("utf-8").replace("- written by hand\n", ""), "utf-8")
    workspace.checkpoints.restore(point.id, what="memory")
    assert texts(workspace) == {"first", "written by hand"}


def test_an_agent_does_not_take_back_what_the_user_said(project: Path) -> None:
    agent = api.open_workspace(str(project), actor="mcp:codex")
    user = api.open_workspace(str(project), actor="user:terminal")
    goal = user.goals.set("f is there", checks=["file f"])
    point = agent.checkpoints.save()
    agent.memory.add("by the agent")
    users = user.memory.add("by the user")
    user.goals.pause(goal.id)
    done = agent.checkpoints.restore(point.id, what="all")
    assert named(done) == [f"entry {users.id} (project)", f"goal {goal.id}"]
    assert texts(user) == {"by the user"}
    forced = agent.checkpoints.restore(point.id, what="memory,goal", force=True)
    assert named(forced) == [f"goal {goal.id}"]
    assert texts(user) == set()
    agent.close()
    user.close()


def test_a_goal_that_was_met_is_active_again_until_it_is_verified(
    project: Path, workspace: api.Workspace
) -> None:
    sh(project, "echo 1 > f")
    goal = workspace.goals.set("f is there", checks=["file f"])
    assert workspace.goals.verify(goal.id).verdict == "met"
    point = workspace.checkpoints.save()
    workspace.goals.pause(goal.id)
    workspace.checkpoints.restore(point.id, what="goal")
    assert workspace.goals.get(goal.id).state == "active"
    assert workspace.goals.verify(goal.id).verdict == "met"


def test_notes_and_other_layers_go_back_and_what_spans_projects_stays(
    workspace: api.Workspace,
) -> None:
    point = workspace.checkpoints.save()
    workspace.memory.add("a note", scope="session")
    workspace.memory.add("of the worktree", scope="worktree")
    workspace.memory.add("of all projects", scope="global")
    workspace.checkpoints.restore(point.id, what="memory")
    assert texts(workspace) == {"of all projects"}
    workspace.checkpoints.undo()
    assert texts(workspace) == {"a note", "of the worktree", "of all projects"}


def test_a_memory_in_the_repository_goes_back_as_the_file_it_is(
    project: Path, workspace: api.Workspace
) -> None:
    workspace.memory.add("before")
    workspace.memory.relocate("repo")
    sh(project, "echo 1 > f")
    point = workspace.checkpoints.save()
    workspace.memory.add("after")
    sh(project, "echo 2 > f")
    done = workspace.checkpoints.restore(point.id, what="memory")
    assert [change.path for change in done.changes] == [".milepost/MEMORY.md"]
    assert texts(workspace) == {"before"}
    assert (project / "f").read_text("ascii") == "2\n"
    workspace.checkpoints.undo()
    assert texts(workspace) == {"before", "after"}


def test_a_point_from_before_parts_were_kept_says_so(
    project: Path, workspace: api.Workspace
) -> None:
    sh(project, "echo 1 > f")
    point = workspace.checkpoints.save()
    with workspace.checkpoints._store.database.writing() as connection:
        connection.execute("DELETE FROM beside")
    sh(project, "echo 2 > f")
    done = workspace.checkpoints.restore(point.id, what="all")
    assert [(item.path, item.reason) for item in done.refused] == [
        (part, "was not kept with this point")
        for part in ("memory", "conversation", "tasks", "goal")
    ]
    assert (project / "f").read_text("ascii") == "1\n"
    workspace.checkpoints.undo()
    assert (project / "f").read_text("ascii") == "2\n"


def test_a_log_that_was_made_anew_is_not_taken_for_the_old_one(workspace: api.Workspace) -> None:
    for number in range(5):
        workspace.memory.add(f"entry {number}")
    point = workspace.checkpoints.save()
    workspace.close()
    for path in Path(workspace.project.data_dir).glob("revisions.db*"):
        path.unlink()
    workspace.memory.add("after the log was lost")
    done = workspace.checkpoints.restore(point.id, what="memory")
    assert named(done) == ["the project memory"]
    assert "does not go back to that point" in done.refused[0].reason
    assert "after the log was lost" in texts(workspace)


def test_points_that_are_forgotten_leave_what_later_points_need(
    project: Path, workspace: api.Workspace
) -> None:
    tasks = tasks_of(workspace)
    kept: dict[int, int] = {}
    for number in range(40):
        sh(project, f"echo {number} > f")
        if number % 7 == 0:
            tasks.add(f"task {number}", session="S")
        kept[workspace.checkpoints.save().id] = len(tasks.all())
    assert workspace.checkpoints.prune(count=20) == 20
    for point in (24, 28, 40, 21):
        workspace.checkpoints.restore(point, what="tasks")
        assert len(tasks.all()) == kept[point]


def test_words_that_name_no_part_are_refused(workspace: api.Workspace) -> None:
    point = workspace.checkpoints.save()
    with pytest.raises(api.UserError, match="'memry' is no part of a restore point; use files"):
        workspace.checkpoints.preview(point.id, what="files,memry")
    with pytest.raises(api.UserError, match="paths go with files alone"):
        workspace.checkpoints.preview(point.id, what="all", paths=["f"])
    with pytest.raises(api.UserError, match="was not made in a conversation"):
        workspace.checkpoints.restore(point.id, what="conversation")
    with pytest.raises(api.UserError, match="only files and memory"):
        workspace.checkpoints.preview(point.id, what="tasks", only_by_agents=True)


_WORDS = st.sampled_from(["one", "two", "three", "four"])
_ACTS = st.lists(
    st.tuples(st.sampled_from(["add", "update", "forget", "save", "back", "undo"]), _WORDS),
    max_size=14,
)


@settings(max_examples=25)
@given(acts=_ACTS)
def test_memory_is_always_what_it_was_at_the_point_gone_back_to(
    tmp_path_factory: pytest.TempPathFactory, acts: list[tuple[str, str]]
) -> None:
    root = tmp_path_factory.mktemp("project")
    (root / "pyproject.toml").write_text("", "utf-8")
    workspace = api.open_workspace(str(root), actor="user:test")
    then: dict[int, dict[str, str]] = {}

    def now() -> dict[str, str]:
        return {entry.id: entry.text for entry in workspace.memory.page(limit=100).entries}

    before_last_restore: dict[str, str] | None = None
    for act, words in acts:
        entries = list(now())
        if act == "add":
            workspace.memory.add(words)
            before_last_restore = None
        elif act == "update" and entries:
            workspace.memory.update(entries[0], text=f"{words} and more")
            before_last_restore = None
        elif act == "forget" and entries:
            workspace.memory.forget(entries[-1])
            before_last_restore = None
        elif act == "save":
            then[workspace.checkpoints.save(words).id] = now()
        elif act == "back" and then:
            point = sorted(then)[len(words) % len(then)]
            before = now()
            done = workspace.checkpoints.restore(point, what="memory")
            assert not done.refused
            assert now() == then[point]
            before_last_restore = before if done.beside else None
        elif act == "undo" and before_last_restore is not None:
            workspace.checkpoints.undo()
            assert now() == before_last_restore
            before_last_restore = None
    workspace.close()
