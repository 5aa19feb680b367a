"""What judges and the help in editors took is in `milepost usage`, over real HTTP."""

from __future__ import annotations

import json
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest

from milepost import api
from milepost.base.sqlite import Database
from milepost.goals.judge_bench import cases
from milepost.history import transcript
from milepost.history.transcript import Transcripts
from tests.core.conftest import Run
from tests.core.model_server import Act, ModelServer, anthropic_reply, openai_reply, refusal

_GUIDE = "Install it with pip.\n"
_MET = json.dumps({"verdict": "met", "reason": "it does", "quotes": [_GUIDE.strip()]})
_SHOP = "def add(a, b):\n    return a - b\n"
_CODE = api.Code(_SHOP, 0, 2, path="shop.py", symbol="add")
_FITS = (("replace", {"old": "a - b", "new": "a + b"}),)
_DOES_NOT_FIT = (("replace", {"old": "what stands nowhere", "new": "x"}),)


def _speaks(dialect: str, say: str = "", **more: object) -> Act:
    if dialect == "openai":
        usage = {
            "prompt_tokens": 900,
            "completion_tokens": 40,
            "prompt_tokens_details": {"cached_tokens": 500},
        }
        return openai_reply(say, usage=usage, **more)
    usage = {"input_tokens": 400, "cache_read_input_tokens": 500, "output_tokens": 1}
    return anthropic_reply(say, usage=usage, **more)


def _use(dialect: str, server: ModelServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MILEPOST_MODEL", f"{dialect}:m")
    monkeypatch.setenv(f"{dialect.upper()}_BASE_URL", server.url)


def _rows(milepost: Run, *more: str) -> list[dict[str, object]]:
    return json.loads(milepost("usage", "--json", *more))


@pytest.mark.parametrize("dialect", ["openai", "anthropic"])
def test_all_that_was_taken_is_told_with_who_took_it(
    project: Path,
    workspace: api.Workspace,
    milepost: Run,
    dialect: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    acts = [
        _speaks(dialect, "It is done."),
        _speaks(dialect, _MET),
        _speaks(dialect, "It subtracts."),
        _speaks(dialect, "Mended.", calls=_FITS),
        _speaks(dialect, "Mended.", calls=_DOES_NOT_FIT),
        _speaks(dialect, "No idea."),
    ]
    with ModelServer(acts) as server:
        _use(dialect, server, monkeypatch)
        milepost("run", "Do it.")
        workspace.goals.set("the guide explains how to install")
        (project / "guide.md").write_text(_GUIDE, "utf-8")
        assert "met" in milepost("goal", "verify", "--judge", f"{dialect}:judge-1")
        stop = threading.Event()
        workspace.assist().answer("What does it do?", _CODE, stop)
        workspace.assist().rewrite("Make it add.", _CODE, stop)
        # What does not fit was taken all the same, and so was what says nothing.
        for _ in range(2):
            with pytest.raises(api.UserError):
                workspace.assist().rewrite("Make it add.", _CODE, stop)
    rows = _rows(milepost)
    told = [(row["actor"], row["model"], row["requests"], bool(row["session"])) for row in rows]
    assert told == [
        ("worker", "m", 1, True), ("judge", "judge-1", 1, False), ("assist", "m", 4, False),
    ]  # fmt: skip
    output = 40 if dialect == "openai" else 42
    for row in rows:
        taken = [row[key] for key in ("input_tokens", "cache_read_tokens", "output_tokens")]
        assert taken == [count * int(str(row["requests"])) for count in (900, 500, output)]
        assert row["estimated"] == 0
    session = str(rows[0]["session"])
    assert _rows(milepost, "--session", session) == [rows[0]]
    by_session = milepost("usage", "--by", "session,actor").splitlines()
    assert by_session[0].startswith(f"{session}  worker  1 requests")
    assert by_session[1].startswith("-  judge  1 requests")
    assert by_session[2].startswith("-  assist  4 requests")
    assert by_session[3].startswith("in all: 5,400 tokens in")


_NOT_MET = json.dumps({"verdict": "not_met", "reason": "it says nothing of it", "quotes": []})


@pytest.mark.parametrize("mode", ["build", "compose"])
def test_what_a_judge_takes_in_a_run_is_the_sessions_and_counts_against_its_limits(
    project: Path,
    workspace: api.Workspace,
    milepost: Run,
    mode: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    workspace.goals.set("the guide explains how to install")
    (project / "guide.md").write_text(_GUIDE, "utf-8")
    monkeypatch.setenv("MILEPOST_JUDGE", "openai:judge-1")
    # Of a composition the spec, the plan and the building come before.
    replies = 3 if mode == "compose" else 1
    acts = [*[_speaks("openai", "Done.")] * replies, _speaks("openai", _NOT_MET)]
    with ModelServer(acts) as server:
        _use("openai", server, monkeypatch)
        limit = 940 * (replies + 1)
        told = milepost("run", "Do it.", "--mode", mode, "--max-tokens", str(limit), code=6)
        # The judge's answer took the last of them, so the worker is not asked again.
        assert len(server.asked) == replies + 1
    assert f"{limit:,} of {limit:,} tokens are used" in told
    worker, judge = _rows(milepost)
    assert (judge["actor"], judge["model"], judge["requests"]) == ("judge", "judge-1", 1)
    assert judge["session"] == worker["session"]
    assert judge["input_tokens"] + worker["input_tokens"] == 900 * (replies + 1)


def test_a_model_that_fails_took_nothing_that_we_know_of(
    workspace: api.Workspace, milepost: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ModelServer([refusal(401, {"error": {"message": "who?"}})] * 2) as server:
        _use("openai", server, monkeypatch)
        workspace.goals.set("the guide explains how to install")
        milepost("goal", "verify", "--judge", "openai:judge-1", code=5)
        with pytest.raises(api.WorldError):
            workspace.assist().answer("What does it do?", _CODE, threading.Event())
    assert milepost("usage") == "No model was asked yet.\n"


def test_a_model_that_is_tried_as_a_judge_is_counted_where_there_is_a_project(
    project: Path, milepost: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    say = json.dumps({"verdict": "not_met", "reason": "it is not shown", "quotes": []})
    count = len(cases())
    with ModelServer([_speaks("openai", say)] * (count * 2)) as server:
        _use("openai", server, monkeypatch)
        milepost("goal", "bench")
        (row,) = _rows(milepost)
        assert (row["actor"], row["requests"], row["input_tokens"]) == ("judge", count, 900 * count)
        elsewhere = project.parent / "elsewhere"
        elsewhere.mkdir()
        monkeypatch.chdir(elsewhere)
        milepost("goal", "bench")
        assert len(server.asked) == count * 2
        assert "is no folder" in milepost("goal", "bench", "--project", "nowhere", code=1)
    monkeypatch.chdir(project)
    assert _rows(milepost) == [row]


@pytest.mark.parametrize("dialect", ["openai", "anthropic"])
def test_an_entry_that_cannot_be_made_costs_no_verdict_and_no_answer(
    project: Path,
    workspace: api.Workspace,
    milepost: Run,
    dialect: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = Path(workspace.project.data_dir) / "sessions.db"
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path)) as base:
        base.execute("PRAGMA user_version = 99")
    acts = [_speaks(dialect, _MET), _speaks(dialect, "It subtracts.")]
    with ModelServer(acts) as server:
        _use(dialect, server, monkeypatch)
        workspace.goals.set("the guide explains how to install")
        (project / "guide.md").write_text(_GUIDE, "utf-8")
        told = milepost("goal", "verify", "--judge", f"{dialect}:judge-1")
        answer = workspace.assist().answer("What does it do?", _CODE, threading.Event())
    assert "the judge says: it does" in told
    assert "what judge-1 just took is missing in `milepost usage`" in told
    assert "written by a newer Milepost" in told
    assert answer.words == "It subtracts."
    (notice,) = workspace.notices()
    assert notice.startswith("what m just took is missing")
    assert workspace.notices() == ()


def test_what_was_taken_outlives_sessions_and_pruning_and_goes_with_all_data(
    workspace: api.Workspace, milepost: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ModelServer([_speaks("openai", "Yes.")] * 2) as server:
        _use("openai", server, monkeypatch)
        milepost("run", "Do it.")
        workspace.assist().answer("What does it do?", _CODE, threading.Event())
    worker, assist = _rows(milepost)
    milepost("session", "delete", str(worker["session"]))
    point = workspace.checkpoints.save().id
    milepost("data", "prune", str(point), "--sessions", "0")
    assert _rows(milepost) == [assist]
    assert "0 secrets" in milepost("data", "scan")
    workspace.close()
    milepost("data", "wipe", "--yes")
    assert _rows(milepost) == []


def test_a_database_from_before_gets_its_place_for_what_is_taken(tmp_path: Path) -> None:
    before = transcript._MIGRATIONS[:3]
    old = Database(tmp_path / "sessions.db", before, durability="FULL", loss="Nothing of worth.")
    with old.writing() as connection:
        connection.execute(
            "INSERT INTO session (id, title, actor, state, created_at, updated_at) "
            "VALUES ('old', 'Before', 'user:test', 'active', '2026', '2026')"
        )
    old.close()
    again = Transcripts(tmp_path)
    again.taken.add("judge", "m", {"input_tokens": 3}, None)
    assert again.get("old").title == "Before"
    (item,) = again.taken.all()
    assert (item.session, item.data["actor"], item.data["usage"]) == (
        "", "judge", {"input_tokens": 3},
    )  # fmt: skip
    again.database.close()
