"""What was forgotten, changed or masked by hand is gone from the index's file, byte for byte."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from milepost import api

# A word in the middle of many others, whose end no neighbour shares: FTS5 keeps of a word only what
# differs from the one before it.
_SECRET = "quokkazyxw"
_TRACE = b"kkazyxw"

_PATIENCE_S = 30.0


def traces(workspace: api.Workspace) -> list[str]:
    """The files of the index in which the word stands."""
    files = Path(workspace.project.data_dir).glob("index.db*")
    return sorted(path.name for path in files if _TRACE in path.read_bytes())


def act(workspace: api.Workspace) -> None:
    """What every server does after an action."""
    workspace.history.record("x", "y", "z")


@pytest.fixture(params=[3, 2_000])
def filled(request: pytest.FixtureRequest, workspace: api.Workspace) -> api.Workspace:
    rng = random.Random(1)
    workspace.memory.add("the first")
    with Path(workspace.memory.file()).open("a", encoding="utf-8") as file:
        for number in range(request.param):
            words = " ".join(f"w{rng.randrange(3_000)}ord{rng.randrange(9)}" for _ in range(20))
            file.write(f"- {words} <!-- milepost id=n{number:09d} -->\n")
    workspace.memory.refresh()
    return workspace


def by_forgetting(workspace: api.Workspace, entry_id: str) -> None:
    workspace.memory.forget(entry_id)


def by_changing(workspace: api.Workspace, entry_id: str) -> None:
    workspace.memory.update(entry_id, text="something else")


def by_hand(workspace: api.Workspace, entry_id: str) -> None:
    path = Path(workspace.memory.file())
    assert entry_id in path.read_text("utf-8")
    path.write_text(path.read_text("utf-8").replace(_SECRET, "[masked]"), "utf-8")
    workspace.memory.refresh()


@pytest.mark.parametrize("away", [by_forgetting, by_changing, by_hand])
def test_what_goes_out_of_memory_leaves_no_trace_in_the_index(
    filled: api.Workspace, away: Callable[[api.Workspace, str], None]
) -> None:
    entry = filled.memory.add(f"the {_SECRET} of the matter, and {_SECRET}s more")
    filled.memory.add("another entry after it, so that it is not the last")
    assert traces(filled)
    away(filled, entry.id)
    deadline = time.monotonic() + _PATIENCE_S
    while traces(filled) and time.monotonic() < deadline:
        act(filled)
    assert traces(filled) == []
    assert filled.memory.search("matter").hits == () or away is not by_forgetting
    assert filled.memory.check() == ()


def test_a_process_that_died_before_it_cleaned_leaves_that_to_the_next(
    filled: api.Workspace,
) -> None:
    entry = filled.memory.add(f"the {_SECRET} of the matter")
    filled.memory.forget(entry.id)
    filled.close()
    assert traces(filled)
    following = api.open_workspace(filled.project.root, actor="user:test")
    following.memory.search("anything")
    deadline = time.monotonic() + _PATIENCE_S
    while traces(following) and time.monotonic() < deadline:
        act(following)
    assert traces(following) == []
    following.close()


def test_pruning_cleans_the_index_at_once_and_keeps_the_revisions(filled: api.Workspace) -> None:
    point = filled.checkpoints.save("now")
    entry = filled.memory.add(f"the {_SECRET} of the matter")
    filled.memory.forget(entry.id)
    filled.data.prune(point.id)
    assert traces(filled) == []
    filled.memory.undo()
    assert [hit.entry.id for hit in filled.memory.search(_SECRET).hits] == [entry.id]
