"""The reading for the first restore point of a large project is shown, and can be stopped."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from milepost import api

# Takes some seconds to read, on any machine: the reader lets others in after every 200 files.
_FILES = 12_000


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("large") / "large"
    for number in range(_FILES):
        if number % 400 == 0:
            folder = root / f"part{number // 400}"
            folder.mkdir(parents=True)
        (folder / f"{number}.txt").write_bytes(b"%d\n" % number)
    (root / "pyproject.toml").write_text("[project]\nname = 'large'\n", encoding="utf-8")
    return root


def values(client, token) -> list[dict[str, object]]:
    told = [message["params"] for message in client.got("$/progress")]
    return [each["value"] for each in told if each["token"] == token]


def begun(client) -> str:
    client.command("milepost.status", {})
    return client.wait_for("$/progress", lambda each: each["value"]["kind"] == "begin")["token"]


def ended(client, token: str) -> None:
    client.wait_for(
        "$/progress", lambda each: each["token"] == token and each["value"]["kind"] == "end"
    )


def stored(home: Path) -> int:
    (database,) = home.glob("projects/*/snapshots.db")
    with closing(sqlite3.connect(database)) as base:
        return base.execute("SELECT count(*) FROM blob").fetchone()[0]


def test_a_large_project_shows_how_far_it_is_read_and_answers_meanwhile(connect, large):
    client = connect(cwd=large)
    client.initialize(large)
    token = begun(client)
    asked = 0
    while not any(each["kind"] == "end" for each in values(client, token)):
        assert client.command("milepost.status", {})["project"]["name"] == "large"
        asked += 1
    assert asked > 5
    told = values(client, token)
    assert told[0]["title"] == "Milepost: reading large for its first restore point"
    assert told[0]["cancellable"] is True
    assert [each["kind"] for each in told[1:-1]] == ["report"] * (len(told) - 2)
    percentages = [each["percentage"] for each in told[1:-1]]
    assert percentages == sorted(percentages)
    assert len(percentages) > 1
    assert told[1]["message"].endswith(f"{_FILES + 1:,} files")
    assert client.command("milepost.checkpoint.save", {})["filesTotal"] == _FILES + 1


def test_who_stops_the_reading_has_the_first_point_read_the_rest(connect, large, tmp_path):
    client = connect(cwd=large)
    client.initialize(large)
    token = begun(client)
    client.notify("window/workDoneProgress/cancel", {"token": token})
    ended(client, token)
    assert stored(tmp_path / "home") < _FILES
    assert client.command("milepost.checkpoint.save", {})["filesTotal"] == _FILES + 1
    client.command("milepost.status", {})
    kinds = [each["kind"] for each in values(client, token)]
    assert (kinds.count("begin"), kinds.count("end")) == (1, 1)


def test_the_progress_ends_when_somebody_else_makes_the_first_point(connect, large):
    client = connect(cwd=large)
    client.initialize(large)
    token = begun(client)
    other = api.open_workspace(str(large), actor="mcp:other")
    assert other.checkpoints.save().files_total == _FILES + 1
    other.close()
    ended(client, token)


def test_leaving_in_the_middle_ends_the_progress_first(connect, large):
    client = connect(cwd=large)
    client.initialize(large)
    token = begun(client)
    assert client.close() == 0
    assert values(client, token)[-1] == {"kind": "end"}


def test_who_cannot_show_progress_and_who_has_a_small_project_hear_nothing(connect, large, project):
    for folder, capabilities in ((large, {"window": {}}), (project, None)):
        client = connect(cwd=folder)
        client.initialize(folder, capabilities=capabilities)
        saved = client.command("milepost.checkpoint.save", {})
        assert saved["filesTotal"] > 1
        assert client.got("window/workDoneProgress/create") == []
        assert client.got("$/progress") == []
