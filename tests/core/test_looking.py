"""What was only looked at is kept, and does not crowd the lists of restore points."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from milepost import api
from milepost.checkpoints.rows import MIGRATIONS
from tests.core.test_snapshots import sh
from tests.core.test_wrap import milepost


def listed(workspace: api.Workspace) -> list[str]:
    return [point.label for point in workspace.checkpoints.page()]


def everything(workspace: api.Workspace) -> list[tuple[int, str]]:
    return [(point.id, point.kind) for point in workspace.checkpoints.page(has_looked=True)]


def by_diff(workspace: api.Workspace) -> None:
    workspace.checkpoints.diff(1)


def by_preview(workspace: api.Workspace) -> None:
    workspace.checkpoints.preview(1)


def by_goal(workspace: api.Workspace) -> None:
    workspace.goals.signs()


@pytest.mark.parametrize("watched", [False, True])
@pytest.mark.parametrize("look", [by_diff, by_preview, by_goal])
def test_what_was_seen_while_looking_is_kept_and_not_listed(
    project: Path, workspace: api.Workspace, look, watched: bool
) -> None:
    if watched:
        workspace.watch()
    workspace.checkpoints.save("mine")
    workspace.goals.set("Done.", checks=["test -d ."])
    before, mark = listed(workspace), workspace.checkpoints.mark()
    for text in ("one", "two"):
        (project / "f").write_text(text, "utf-8")
        look(workspace)
        look(workspace)  # nothing changed, so there is nothing new to keep
    assert listed(workspace) == before
    assert workspace.checkpoints.mark() == mark
    seen = [number for number, kind in everything(workspace) if kind == "seen"]
    assert len(seen) == 2
    # Only that point holds it, and it is as good as any other.
    workspace.checkpoints.restore(seen[1], paths=["f"])
    assert (project / "f").read_text("utf-8") == "one"


def test_what_a_look_found_counts_with_the_next_point_that_is_listed(
    project: Path, workspace: api.Workspace
) -> None:
    first = workspace.checkpoints.save("mine")
    sh(project, "echo 1 > a; echo 1 > b")
    workspace.checkpoints.diff(first.id)
    sh(project, "echo 2 > b; echo 1 > c")
    workspace.checkpoints.preview(first.id)
    saved = workspace.checkpoints.save("later")
    assert saved.files_changed == 3
    points = workspace.checkpoints.page()
    assert [(point.label, point.files_changed) for point in points] == [
        ("later", 3), ("mine", first.files_changed),
    ]  # fmt: skip
    assert workspace.checkpoints.get(saved.id).files_changed == 3


def test_a_point_that_was_only_seen_is_listed_once_it_stands_for_something(
    project: Path, workspace: api.Workspace
) -> None:
    first = workspace.checkpoints.save("mine")
    for stand in ("pinned", "named"):
        (project / "f").write_text(stand, "utf-8")
        workspace.checkpoints.diff(first.id)
        seen = workspace.checkpoints.page(limit=1, has_looked=True)[0].id
        assert workspace.checkpoints.page(limit=1)[0].id != seen
        if stand == "pinned":
            workspace.checkpoints.pin(seen)
        else:
            workspace.checkpoints.name(seen, "good")
        assert workspace.checkpoints.page(limit=1)[0].id == seen
        assert workspace.checkpoints.mark().newest == seen


def test_an_action_and_a_restore_take_up_what_was_seen_before_them(
    project: Path, workspace: api.Workspace
) -> None:
    first = workspace.checkpoints.save("mine")
    (project / "f").write_text("theirs", "utf-8")
    workspace.checkpoints.diff(first.id)
    action = workspace.checkpoints.begin("before make", actor="agent:codex")
    assert listed(workspace)[0] == "before make"
    (project / "g").write_text("agent's", "utf-8")
    done = workspace.checkpoints.finish(action.id)
    assert {change.path: change.by for change in done.changes} == {"g": "agent"}
    (project / "f").write_text("newest", "utf-8")
    plan = workspace.checkpoints.preview(first.id).plan
    went = workspace.checkpoints.restore(first.id, plan=plan)
    assert went.undo_id == int(plan)
    assert listed(workspace)[:2] == [f"went back to {first.id}", f"before going back to {first.id}"]
    workspace.checkpoints.undo()
    assert (project / "f").read_text("utf-8") == "newest"


def test_what_changed_after_a_preview_is_still_refused(
    project: Path, workspace: api.Workspace
) -> None:
    first = workspace.checkpoints.save("mine")
    (project / "f").write_text("seen", "utf-8")
    plan = workspace.checkpoints.preview(first.id).plan
    (project / "f").write_text("not seen", "utf-8")
    workspace.checkpoints.diff(first.id)  # a look between is no consent
    done = workspace.checkpoints.restore(first.id, plan=plan)
    assert [refusal.path for refusal in done.refused] == ["f"]
    assert (project / "f").read_text("utf-8") == "not seen"


def test_pages_of_what_is_listed_have_no_holes(project: Path, workspace: api.Workspace) -> None:
    for number in range(6):
        (project / "f").write_text(str(number), "utf-8")
        workspace.checkpoints.save(str(number))
        (project / "f").write_text(f"{number} seen", "utf-8")
        workspace.checkpoints.diff(1)
    pages = [workspace.checkpoints.page(limit=2, offset=offset) for offset in (0, 2, 4, 6)]
    assert [[point.label for point in page] for page in pages] == [
        ["5", "4"], ["3", "2"], ["1", "0"], [],
    ]  # fmt: skip
    older = workspace.checkpoints.page(limit=2, before=pages[0][-1].id)
    assert [point.label for point in older] == ["3", "2"]
    assert len(workspace.checkpoints.page(limit=200, has_looked=True)) == 12


def test_the_terminal_lists_what_was_seen_only_when_it_is_asked_for(project: Path) -> None:
    milepost(project, "checkpoint", "save", "mine")
    (project / "f").write_text("1", "utf-8")
    assert "f" in milepost(project, "checkpoint", "diff", "1").stdout
    assert "seen by" not in milepost(project, "checkpoint", "list").stdout
    points = json.loads(milepost(project, "checkpoint", "list", "--all", "--json").stdout)
    assert [point["kind"] for point in points] == ["seen", "saved"]


def test_what_earlier_versions_made_by_looking_is_told_from_the_rest(tmp_path: Path) -> None:
    labels = (
        "mine",
        "seen by a diff",
        "before going back to 1",
        "went back",
        "before going back to 2",
    )
    with closing(sqlite3.connect(tmp_path / "s.db")) as base, base:
        for script in MIGRATIONS[:4]:
            base.executescript(script)
        base.executemany(
            "INSERT INTO snapshot (at, actor, label, kind, before, tree_hash, policy, "
            "files_changed, files_total, left_out, left_out_total) "
            "VALUES ('', '', ?, ?, ?, x'', 1, 0, 0, '', 0)",
            [
                (label, kind, before)
                for label, kind, before in zip(
                    labels,
                    ("saved", "automatic", "automatic", "restored", "automatic"),
                    (None, None, None, 3, None),
                    strict=True,
                )
            ],
        )
        base.executescript(MIGRATIONS[4])
        kinds = [kind for (kind,) in base.execute("SELECT kind FROM snapshot ORDER BY id")]
    assert kinds == ["saved", "seen", "automatic", "restored", "seen"]
