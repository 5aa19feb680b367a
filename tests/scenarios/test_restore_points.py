"""The story of restore points, over the terminal, MCP and LSP: what is saved is listed, compared,
brought back part by part, taken back, done again, named, kept and forgotten."""

from __future__ import annotations

from pathlib import Path

import pytest

from milepost import api
from tests.scenarios.faces import Opened, Terminal
from tests.tree import fingerprint

FACES = ("terminal", "agent", "editor")


def texts(user: api.Workspace) -> set[str]:
    return {entry.text for entry in user.memory.page().entries}


@pytest.mark.parametrize("kind", FACES)
def test_points_are_listed_compared_and_brought_back(project: Path, kind: str) -> None:
    with Opened.on(kind, project) as face:
        (project / "f").write_text("one\n", "utf-8")
        first = face.save("first")
        good = fingerprint(project)
        (project / "f").write_text("two\n", "utf-8")
        (project / "new").write_text("new\n", "utf-8")
        second = face.save("second")
        (project / "README.md").unlink()
        bad = fingerprint(project)

        assert [label for label in face.labels() if label in {"first", "second"}] == [
            "second", "first",
        ]  # fmt: skip
        assert face.differing(first, second) == {"f", "new"}
        assert face.differing(first) == {"f", "new", "README.md"}
        assert "-one\n+two" in face.patch(first, "f")
        assert face.preview(first, "files")["applied"] is False
        assert fingerprint(project) == bad

        assert face.restore(first, "files")["applied"] is True
        assert fingerprint(project) == good
        face.undo()
        assert fingerprint(project) == bad
        face.redo()
        assert fingerprint(project) == good


@pytest.mark.parametrize("kind", FACES)
def test_each_part_comes_back_alone_and_all_together(project: Path, kind: str) -> None:
    user = api.open_workspace(str(project), actor="user:terminal")
    with Opened.on(kind, project) as face:
        (project / "f").write_text("one\n", "utf-8")
        point = face.save("first")
        # What the agent itself has remembered and set, so that it may take it back.
        hand = api.open_workspace(
            str(project), actor="mcp:opencode" if kind == "agent" else "user:terminal"
        )
        hand.memory.add("learned later")
        goal = hand.goals.set("f is there", checks=["file: f"])
        hand.close()
        (project / "f").write_text("two\n", "utf-8")

        face.restore(point, "memory")
        assert texts(user) == set()
        assert user.goals.get(goal.id).state == "active"
        assert (project / "f").read_text("utf-8") == "two\n"
        face.undo()
        assert texts(user) == {"learned later"}

        face.restore(point, "goal")
        assert user.goals.get(goal.id).state == "abandoned"
        face.undo()
        assert user.goals.get(goal.id).state == "active"

        face.restore(point, "all")
        assert texts(user) == set()
        assert user.goals.get(goal.id).state == "abandoned"
        assert (project / "f").read_text("utf-8") == "one\n"
        face.undo()
        assert texts(user) == {"learned later"}
        assert user.goals.get(goal.id).state == "active"
        assert (project / "f").read_text("utf-8") == "two\n"
    user.close()


@pytest.mark.parametrize("kind", FACES)
def test_what_changed_after_a_restore_stays_when_it_is_taken_back(project: Path, kind: str) -> None:
    with Opened.on(kind, project) as face:
        for name in ("f", "g"):
            (project / name).write_text("one\n", "utf-8")
        point = face.save("first")
        for name in ("f", "g"):
            (project / name).write_text("two\n", "utf-8")
        face.restore(point, "files")
        (project / "g").write_text("by another hand\n", "utf-8")
        undone = face.undo()
        assert "g" in str(undone["refused"])
        assert (project / "f").read_text("utf-8") == "two\n"
        assert (project / "g").read_text("utf-8") == "by another hand\n"


@pytest.mark.parametrize("kind", FACES)
def test_named_and_pinned_points_outlive_the_others(project: Path, kind: str) -> None:
    terminal = Terminal(project)
    user = api.open_workspace(str(project), actor="user:terminal")
    with Opened.on(kind, project) as face:
        (project / "f").write_text("one\n", "utf-8")
        named, pinned = face.save("to be named"), face.save("to be pinned")
        face.name(named, "green")
        face.pin(pinned)
        for number in range(25):
            (project / "f").write_text(f"{number}\n", "utf-8")
            user.checkpoints.save()
        assert terminal.run("prune", "--keep", "20") > 0
        assert {"to be named", "to be pinned"} <= {
            point["label"] for point in terminal.run("list", "-n", "100")
        }
        size = terminal.run("du")
        assert size["points"] >= 22
        assert size["disk_bytes"] > 0
        assert face.restore(named, "files")["applied"] is True
        assert (project / "f").read_text("utf-8") == "one\n"
    user.close()
