"""The conversation of a run goes back to a point and goes on from there; nothing is deleted."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from milepost import api
from milepost.history.transcript import Transcripts


def play(project: Path, turns: list[dict[str, object]], name: str = "script") -> str:
    """A model that plays these turns."""
    script = project.parent / name
    script.write_text("".join(json.dumps(turn) + "\n" for turn in turns), encoding="utf-8")
    return f"scripted:{script}"


def write(path: str, text: str) -> dict[str, object]:
    return {"calls": [{"tool": "write", "arguments": {"path": path, "text": text}}]}


def run(
    workspace: api.Workspace, words: str | None, model: str, resume: str | None = None
) -> api.RunOutcome:
    return workspace.worker().run(words, model=model, resume=resume, tell=lambda _: None)


def said(workspace: api.Workspace, session: str) -> list[str]:
    """What counts of what the user said."""
    transcripts = Transcripts(Path(workspace.project.data_dir))
    found = [item for item in transcripts.in_force(session) if item.kind == "user"]
    transcripts.database.close()
    return [item.data["text"] for item in found]


def point(workspace: api.Workspace, label: str) -> api.Checkpoint:
    (found,) = [each for each in workspace.checkpoints.page(limit=200) if each.label == label]
    return found


def test_every_turn_of_the_users_has_a_point_with_their_first_words(
    project: Path, workspace: api.Workspace
) -> None:
    long = "Write the report,\nthen " + "check every single number in it " * 9
    model = play(project, [write("a.txt", "1"), {"say": "Done."}])
    outcome = run(workspace, long, model)
    model = play(project, [{"say": "Nothing is left."}])
    run(workspace, None, model, outcome.session)
    turns = [each for each in workspace.checkpoints.page() if each.kind == "turn"]
    assert [each.label[:40] for each in turns] == [
        "resumed", "Write the report, then check every singl",
    ]  # fmt: skip
    assert len(turns[1].label) == 100
    assert {each.session for each in turns} == {outcome.session}


def test_a_run_goes_on_from_the_point_that_it_went_back_to(
    project: Path, workspace: api.Workspace
) -> None:
    model = play(project, [write("a.txt", "first"), {"say": "Wrote a."}])
    session = run(workspace, "Write a", model).session
    model = play(project, [write("b.txt", "second"), {"say": "Wrote b."}])
    run(workspace, "Write b", model, session)
    assert said(workspace, session) == ["Write a", "Write b"]
    summary = Path(workspace.project.data_dir) / "sessions" / session / "checkpoint.md"
    assert "Write b" in summary.read_text("utf-8")

    back = point(workspace, "Write b")
    preview = workspace.checkpoints.preview(back.id, what="files,conversation")
    assert any("items are put away" in change.what for change in preview.beside)
    workspace.checkpoints.restore(back.id, what="files,conversation", plan=preview.plan)
    assert said(workspace, session) == ["Write a"]
    assert "Write b" not in summary.read_text("utf-8")
    assert (project / "a.txt").exists()
    assert not (project / "b.txt").exists()

    model = play(project, [write("c.txt", "third"), {"say": "Wrote c."}])
    run(workspace, "Write c", model, session)
    assert said(workspace, session) == ["Write a", "Write c"]
    exported = "".join(workspace.sessions().export(session))
    assert "Write b" in exported


def test_an_undo_brings_the_conversation_back_and_a_later_word_stops_it(
    project: Path, workspace: api.Workspace
) -> None:
    session = run(workspace, "Write a", play(project, [{"say": "No."}])).session
    run(workspace, "Write b", play(project, [{"say": "No."}]), session)
    back = point(workspace, "Write b")
    workspace.checkpoints.restore(back.id, what="conversation")
    assert said(workspace, session) == ["Write a"]
    workspace.checkpoints.undo()
    assert said(workspace, session) == ["Write a", "Write b"]
    workspace.checkpoints.redo()
    assert said(workspace, session) == ["Write a"]
    run(workspace, "Write c", play(project, [{"say": "No."}]), session)
    undone = workspace.checkpoints.undo()
    assert [item.path for item in undone.refused] == [f"session {session}"]
    assert said(workspace, session) == ["Write a", "Write c"]


def test_a_call_that_was_gone_back_from_is_not_run_again(
    project: Path, workspace: api.Workspace
) -> None:
    model = play(project, [write("a.txt", "1"), write("b.txt", "2"), {"say": "Done."}])
    session = run(workspace, "Write both", model).session
    after_first = point(workspace, "after write a.txt")
    workspace.checkpoints.restore(after_first.id, what="all")
    assert (project / "a.txt").exists()
    assert not (project / "b.txt").exists()
    transcripts = Transcripts(Path(workspace.project.data_dir))
    assert [item.kind for item in transcripts.in_force(session)] == [
        "asked", "user", "assistant", "began", "result",
    ]  # fmt: skip
    run(workspace, "That will do", play(project, [{"say": "Good."}]), session)
    assert not (project / "b.txt").exists()
    transcripts.database.close()


def test_a_call_in_the_middle_of_which_one_went_back_counts_as_not_run(
    project: Path, workspace: api.Workspace
) -> None:
    both = {"calls": [*write("a.txt", "1")["calls"], *write("b.txt", "2")["calls"]]}
    session = run(workspace, "Write both", play(project, [both, {"say": "Done."}])).session
    workspace.checkpoints.restore(point(workspace, "after write a.txt").id, what="all")
    run(workspace, "That will do", play(project, [{"say": "Good."}]), session)
    assert (project / "a.txt").exists()
    assert not (project / "b.txt").exists()
    transcripts = Transcripts(Path(workspace.project.data_dir))
    results = [item.data for item in transcripts.in_force(session) if item.kind == "result"]
    assert [result["failed"] for result in results] == [False, True]
    assert "counts as not done" in results[1]["text"]
    transcripts.database.close()


@settings(max_examples=30)
@given(acts=st.lists(st.one_of(st.none(), st.integers(0, 30)), max_size=30))
def test_what_counts_is_what_counted_when_the_position_was_the_newest(
    tmp_path_factory: pytest.TempPathFactory, acts: list[int | None]
) -> None:
    transcripts = Transcripts(tmp_path_factory.mktemp("sessions"))
    session = transcripts.create("x", "user:test").id
    counted: list[tuple[int, list[int]]] = [(0, [])]
    for act in acts:
        newest = counted[-1][1]
        if act is None:
            number = transcripts.append(session, "user", {"text": "x"})
            counted.append((number, [*newest, number]))
        else:
            position, then = counted[act % len(counted)]
            counted.append((transcripts.go_back(session, position), then))
        found = [item.number for item in transcripts.in_force(session)]
        assert found == counted[-1][1]
    for position, then in counted:
        items = transcripts.in_force(session, until=position)
        assert [item.number for item in items] == then
    copy = transcripts.fork(session, "user:test")
    assert len(transcripts.items(copy.id)) == len(counted[-1][1])
    transcripts.database.close()
