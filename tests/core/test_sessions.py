"""`milepost session` and `milepost usage`: what was said, done and taken in runs."""

from __future__ import annotations

import json
from pathlib import Path

from tests.core.conftest import Run


def _script(folder: Path, *turns: dict[str, object]) -> str:
    path = folder.parent / "script.jsonl"
    path.write_text("".join(json.dumps(turn) + "\n" for turn in turns), "utf-8")
    return f"scripted:{path}"


def _session(run: Run) -> str:
    return json.loads(run("session", "list", "--json"))[0]["id"]


def test_a_session_is_read_searched_resumed_and_deleted(project: Path, milepost: Run) -> None:
    (project / "a.txt").write_text("the zebra is striped\n", "utf-8")
    read = {
        "say": "Looking at the zebra.",
        "calls": [{"tool": "read", "arguments": {"path": "a.txt"}}],
    }
    model = _script(project, read, {"say": "It is striped."})
    milepost("run", "What is in a.txt?", "--model", model)
    session = _session(milepost)
    shown = milepost("session", "show", session)
    for words in ("What is in a.txt?", "Looking at the zebra.", "> read", "It is striped."):
        assert words in shown
    rest = milepost("session", "show", session, "-n", "1")
    assert "There may be more: --after" in rest
    found = json.loads(milepost("session", "search", "zebra", "--json"))
    looked = next(item["number"] for item in found if "Looking" in item["text"])
    around = milepost("session", "around", str(looked), "-n", "1")
    assert "What is in a.txt?" in around
    assert "the zebra is striped" in around
    assert "no item 99999" in milepost("session", "around", "99999", code=1)
    model = _script(project, {"say": "Brown, too."})
    assert "Brown, too." in milepost("session", "resume", session, "And?", "--model", model)
    lines = [json.loads(line) for line in milepost("session", "export", session).splitlines()]
    said = [line["data"]["text"] for line in lines[1:] if line["kind"] == "user"]
    assert said == ["What is in a.txt?", "And?"]
    milepost("session", "delete", session)
    assert "no session" in milepost("session", "show", session, code=1)
    assert "Nothing was said" in milepost("session", "search", "zebra")


def test_a_session_keeps_its_limits_until_the_user_raises_them(
    project: Path, milepost: Run
) -> None:
    turns = [{"calls": [{"tool": "find", "arguments": {"pattern": f"*.{n}"}}]} for n in range(4)]
    milepost("run", "Go.", "--model", _script(project, *turns), "--max-steps", "2", code=6)
    session = _session(milepost)
    assert "2 steps are taken" in milepost(
        "session", "resume", session, "--model", _script(project, *turns), code=6
    )
    assert "Done." in milepost(
        "session", "resume", session, "--max-steps", "5", "--model",
        _script(project, {"say": "Done."}),
    )  # fmt: skip


def test_usage_tells_what_was_taken_by_whom(project: Path, milepost: Run) -> None:
    assert milepost("usage") == "No model was asked yet.\n"
    milepost("run", "One.", "--model", _script(project, {"say": "1"}))
    milepost("run", "Two.", "--model", _script(project, {"say": "2"}))
    rows = json.loads(milepost("usage", "--json"))
    assert len(rows) == 2
    assert {row["actor"] for row in rows} == {"worker"}
    assert {row["model"] for row in rows} == {"scripted"}
    assert [row["requests"] for row in rows] == [1, 1]
    assert all(row["cost_usd"] is None for row in rows)
    in_all = milepost("usage", "--by", "actor")
    assert in_all.startswith("worker  2 requests (2 not counted by their server), 0 tokens in")
    assert "cost not known" in in_all
    one = milepost("usage", "--session", rows[0]["session"], "--by", "session")
    assert one.startswith(rows[0]["session"])
    assert "usage is not kept by 'moon'" in milepost("usage", "--by", "moon", code=1)
