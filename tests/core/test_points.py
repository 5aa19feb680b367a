"""Keeping, naming and forgetting restore points, and whose changes are whose."""

from __future__ import annotations

import hashlib
import os
import sqlite3
import tempfile
from contextlib import closing
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from milepost import api
from milepost.checkpoints import retention
from milepost.checkpoints.rows import MIGRATIONS, Request
from milepost.checkpoints.store import SnapshotStore
from tests.core.test_snapshots import sh
from tests.tree import Stamp, fingerprint


def points(workspace: api.Workspace) -> list[int]:
    return [point.id for point in workspace.checkpoints.page(limit=200)]


def test_named_and_pinned_points_stay_when_others_are_forgotten(
    project: Path, workspace: api.Workspace
) -> None:
    trees: dict[int, dict[str, Stamp]] = {}
    for number in range(60):
        sh(project, f"echo {number} > f; rm -rf d; mkdir d; echo {number % 3} > d/g{number % 7}")
        trees[workspace.checkpoints.save().id] = fingerprint(project)
    workspace.checkpoints.pin(5)
    workspace.checkpoints.name(12, "before the rewrite")
    workspace.checkpoints._store.database.checkpoint()
    assert workspace.checkpoints.prune(count=25) == 35
    kept = points(workspace)
    assert {5, 12} < set(kept)
    assert len(kept) == 25
    for point in (*kept[::6], 12, 5):
        workspace.checkpoints.restore(point)
        assert fingerprint(project) == trees[point]
    assert workspace.checkpoints.find("before the rewrite").id == 12
    workspace.checkpoints.pin(5, pinned=False)
    workspace.checkpoints.name(12, "")
    workspace.checkpoints.prune(count=20)
    assert not {5, 12} & set(points(workspace))


def test_points_are_forgotten_by_age_and_by_bytes(project: Path, workspace: api.Workspace) -> None:
    for number in range(40):
        sh(project, f"head -c 4000 /dev/urandom > f{number % 2}")
        workspace.checkpoints.save()
    assert workspace.checkpoints.prune(age_s=3_600) == 0
    with workspace.checkpoints._store.database.writing() as connection:
        connection.execute("UPDATE snapshot SET at = '2020-01-01T00:00:00Z' WHERE id <= 10")
    assert workspace.checkpoints.prune(age_s=3_600) == 10
    before = workspace.checkpoints.size()
    assert workspace.checkpoints.prune(max_bytes=before.packed_bytes * 9 // 10) > 0
    after = workspace.checkpoints.size()
    assert after.packed_bytes < before.packed_bytes
    assert after.points == len(points(workspace)) >= 20
    assert workspace.checkpoints.prune() == 0


def test_what_takes_the_newest_restore_back_is_never_forgotten(
    project: Path, workspace: api.Workspace
) -> None:
    sh(project, "echo 1 > f")
    first = workspace.checkpoints.save()
    sh(project, "echo 2 > f")
    workspace.checkpoints.restore(first.id)
    for number in range(30):
        sh(project, f"echo {number} > g")
        workspace.checkpoints.save()
    workspace.checkpoints.prune(count=1)
    workspace.checkpoints.undo()
    assert (project / "f").read_text("ascii") == "2\n"


@settings(max_examples=20)
@given(
    st.lists(
        st.tuples(st.sets(st.sampled_from("abc")), st.sampled_from(["agent", "user"])),
        min_size=3,
        max_size=12,
    ),
    st.data(),
)
def test_the_points_that_stay_tell_the_same_of_what_lies_between_them(
    steps: list[tuple[set[str], str]], data: st.DataObject
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "project"
        root.mkdir()
        store = SnapshotStore(root, Path(folder) / "data")
        ids: list[int] = []
        with store.exclusive():
            for number, (names, hand) in enumerate(steps):
                for name in names:
                    path = root / name
                    if path.exists() and number % 4 == 3:
                        path.unlink()
                    else:
                        path.write_bytes(b"%d" % (number % 5))
                ids.append(store.take(Request("user:test", hand=hand)).id)
            kept = [*sorted(data.draw(st.sets(st.sampled_from(ids[:-1])))), ids[-1]]
            spans = list(combinations(kept, 2))
            before = [(store.between(*span), store.hands(*span)) for span in spans]
            names = [os.fsencode(name) for name in "abc"]
            states = [store.state_at(point, name) for point in kept for name in names]
            for point in kept:
                store.mark(point, name=None, pinned=True)
            assert retention.forget_before(store, ids[-1]) == len(ids) - len(kept)
        assert [point.id for point in store.page(50, None)] == kept[::-1]
        assert [store.state_at(point, name) for point in kept for name in names] == states
        for (ends, hands), span in zip(before, spans, strict=True):
            assert store.between(*span) == ends
            # Of a change that two made together, nobody can tell any more whose it is.
            for name, hand in store.hands(*span).items():
                assert hand == hands[name] or (hand, hands[name]) == ("unknown", "several")
        store.close()


def test_two_points_cannot_have_one_name(project: Path, workspace: api.Workspace) -> None:
    first, second = workspace.checkpoints.save(), workspace.checkpoints.save()
    workspace.checkpoints.name(first.id, "good")
    with pytest.raises(api.UserError, match="point 1 is named 'good'"):
        workspace.checkpoints.name(second.id, "good")


def test_what_an_agent_changed_is_told_from_what_came_between(
    project: Path, workspace: api.Workspace
) -> None:
    sh(project, "echo 1 > by_agent; echo 1 > by_both; echo 1 > by_user")
    start = workspace.checkpoints.save()
    action = workspace.checkpoints.begin(actor="agent:codex")
    sh(project, "echo 2 > by_agent; echo 2 > by_both; echo 2 > made_by_agent")
    workspace.checkpoints.finish(action.id)
    sh(project, "echo 3 > by_both; echo 3 > by_user")
    later = workspace.checkpoints.begin(actor="agent:codex")
    sh(project, "echo 4 > by_agent")
    done = workspace.checkpoints.finish(later.id)
    assert [(change.path, change.by) for change in done.changes] == [("by_agent", "agent")]
    found = workspace.checkpoints.diff(start.id).changes
    assert {change.path: change.by for change in found} == {
        "by_agent": "agent", "made_by_agent": "agent", "by_both": "several", "by_user": "other",
    }  # fmt: skip

    back = workspace.checkpoints.restore(start.id, only_by_agents=True)
    assert [item.path for item in back.refused] == ["by_both"]
    assert (project / "by_agent").read_text("ascii") == "1\n"
    assert not (project / "made_by_agent").exists()
    assert (project / "by_both").read_text("ascii") == "3\n"
    assert (project / "by_user").read_text("ascii") == "3\n"


def test_an_agents_change_after_the_users_goes_back_to_the_users(
    project: Path, workspace: api.Workspace
) -> None:
    sh(project, "echo 1 > f")
    start = workspace.checkpoints.save()
    sh(project, "echo 'by the user' > f")
    workspace.checkpoints.written_by_user("f")
    action = workspace.checkpoints.begin(actor="agent:codex")
    sh(project, "echo 'by the agent' > f")
    workspace.checkpoints.finish(action.id)
    workspace.checkpoints.restore(start.id, only_by_agents=True)
    assert (project / "f").read_text("ascii") == "by the user\n"


def test_what_the_editor_wrote_during_an_action_is_the_users(
    project: Path, workspace: api.Workspace
) -> None:
    action = workspace.checkpoints.begin(actor="agent:codex")
    sh(project, "echo 1 > saved; echo 1 > saved_then_changed; echo 1 > written")
    workspace.checkpoints.written_by_user("saved")
    workspace.checkpoints.written_by_user("saved_then_changed")
    sh(project, "echo 22 > saved_then_changed")
    found = workspace.checkpoints.finish(action.id).changes
    assert {change.path: change.by for change in found} == {
        "saved": "user", "saved_then_changed": "agent", "written": "agent",
    }  # fmt: skip


def test_when_two_agents_act_at_once_nobody_knows_whose_it_was(
    project: Path, workspace: api.Workspace
) -> None:
    one = workspace.checkpoints.begin(actor="agent:one")
    two = workspace.checkpoints.begin(actor="agent:two")
    sh(project, "echo 1 > f")
    assert workspace.checkpoints.finish(one.id).changes == (api.Change("f", "added", "unknown"),)
    sh(project, "echo 1 > g")
    assert workspace.checkpoints.finish(two.id).changes[-1].by == "unknown"
    with pytest.raises(api.UserError, match="no action"):
        workspace.checkpoints.finish(two.id)


def test_an_agents_word_for_its_own_work_counts_only_between_its_own_points(
    project: Path, workspace: api.Workspace
) -> None:
    agent = api.open_workspace(str(project), actor="mcp:codex", session="s")
    agent.checkpoints.save()
    sh(project, "echo 1 > f")
    mine = agent.checkpoints.save(mine=True)
    workspace.checkpoints.save()
    sh(project, "echo 1 > g")
    agent.checkpoints.save(mine=True)
    found = agent.checkpoints.diff(mine.id - 1).changes
    assert {change.path: change.by for change in found} == {"f": "agent", "g": "unknown"}
    agent.close()


def test_points_made_before_names_and_hands_were_kept_are_still_whole(
    project: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "old"
    folder.mkdir()
    _old_store(folder / "snapshots.db")
    sh(project, "rm README.md; echo new > f")
    store = SnapshotStore(project, folder)
    assert store.rows([b"f"])[b"f"].sha256 == hashlib.sha256(b"old\n").digest()
    with store.exclusive():
        taken = store.take(Request("user:test"))
    assert (taken.id, store.get(1).left_out_total) == (2, 1)
    assert store.left_out(1) == (("x.log", "ignored"),)
    then = store.between(1, 2)[b"f"][0]
    assert store.content(then.blob) == b"old\n"
    assert store.hands(1, 2)[b"f"] == "unknown"
    store.close()


def _old_store(path: Path) -> None:
    """A store as the first schema made it, with one file that has changed since."""
    with closing(sqlite3.connect(path)) as base, base:
        base.executescript(MIGRATIONS[0] + "PRAGMA user_version=1;")
        base.executemany(
            "INSERT INTO blob VALUES (?, ?, ?, 0, ?)",
            [
                (number, hashlib.sha256(data).digest(), len(data), data)
                for number, data in ((1, b""), (2, b"old\n"))
            ],
        )
        base.executescript(
            """
            INSERT INTO snapshot VALUES (1, '2026-01-01T00:00:00Z', 'a', '', 'saved', NULL, NULL,
                zeroblob(32), 1, 1, 1, 1, '[["x.log", "ignored"]]', 1);
            INSERT INTO path VALUES (1, CAST('f' AS BLOB));
            INSERT INTO change VALUES (1, 1, NULL, NULL, 33188, 2, 0);
            INSERT INTO current VALUES (1, 33188, 2, 4, 1, 1, 1, 1);
            """
        )


_EDITS = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", "d/a", "d/b", "d/e/a"]),
        st.one_of(st.none(), st.binary(max_size=200), st.just(b"x" * 3000)),
        st.sampled_from([0o644, 0o600, 0o755]),
    ),
    min_size=1,
    max_size=6,
)


@settings(max_examples=15)
@given(st.lists(_EDITS, min_size=2, max_size=5), st.data())
def test_a_restore_is_exact_can_be_undone_and_redone_and_spares_what_came_later(
    steps: list[list[tuple[str, bytes | None, int]]], data: st.DataObject
) -> None:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv("MILEPOST_HOME", f"{folder}/home")
        root = Path(folder) / "project"
        root.mkdir()
        workspace = api.open_workspace(str(root), actor="user:test")
        if data.draw(st.booleans()):
            workspace.watch()
        trees: dict[int, dict[str, Stamp]] = {}
        for edits in steps:
            for edit in edits:
                _do(root, *edit)
            trees[workspace.checkpoints.save().id] = fingerprint(root)
        for target in data.draw(st.lists(st.sampled_from(sorted(trees)), min_size=1, max_size=3)):
            before = fingerprint(root)
            done = workspace.checkpoints.restore(target)
            assert done.refused == ()
            assert fingerprint(root) == trees[target]
            if not done.changes:
                continue
            workspace.checkpoints.undo()
            assert fingerprint(root) == before
            workspace.checkpoints.redo()
            assert fingerprint(root) == trees[target]
            # What comes after a restore is no part of it.
            (root / "later").write_bytes(b"mine")
            workspace.checkpoints.undo()
            assert (root / "later").read_bytes() == b"mine"
            (root / "later").unlink()
        workspace.close()


def _do(root: Path, name: str, content: bytes | None, mode: int) -> None:
    path = root / name
    if content is None:
        path.unlink(missing_ok=True)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    path.chmod(mode)
