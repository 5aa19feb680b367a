"""Vectors move what words found, and nobody ever waits for them."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from milepost import api
from milepost.base.errors import WorldError
from milepost.base.sqlite import Database
from milepost.history import log as log_module
from milepost.history.log import HistoryLog
from milepost.memory.store import MemoryStore
from milepost.search import models, table, vectors
from milepost.search.embedding import Embedding
from milepost.search.engine import Asked, Fts5, Only
from milepost.search.ranking import FACTS, Candidate
from milepost.search.semantic import refuse_if_reporting

_QUESTION = "who repairs our car?"
_NEAR = "A car that is broken goes to the mechanics, who fix any engine."
_FAR = "The car park opens at nine."


class Letters:
    """A model small enough to see through: how often each letter stands in a text."""

    model = "letters"
    weight = 1.0
    batch = 2

    def embed(self, texts: list[str]) -> np.ndarray:
        alphabet = "abcdefghijklmnopqrstuvwxyz"
        rows = [[text.count(letter) for letter in alphabet] for text in texts]
        return np.asarray(rows, np.float32)


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Callable[..., MemoryStore]]:
    """Opens the store of one folder, as often as a test likes."""
    opened: list[tuple[MemoryStore, Embedding]] = []

    def open_store(load: Callable[[], vectors.Embedder] = Letters) -> MemoryStore:
        embedding = Embedding(load)
        store = MemoryStore(tmp_path / "data", "project", "Memory", embedding=embedding)
        store.close = lambda: (embedding.close(), store.index.database.close())
        opened.append((store, embedding))
        return store

    yield open_store
    for store, embedding in opened:
        embedding.close()
        store.index.database.close()
        store.revisions.database.close()


def add(store: MemoryStore, text: str) -> str:
    return store.add(text, "knowledge", "stated", "user:test", ()).id


def found(store: MemoryStore, question: str) -> list[str]:
    return [entry.text for _, entry in store.search(question, kind=None, include_superseded=False)]


def made(store: MemoryStore) -> dict[str, str]:
    """The texts that have a vector, and the model that made it."""
    with store.index.database.reading() as connection:
        return dict(
            connection.execute(
                "SELECT doc.body, model FROM doc_vector JOIN doc USING (rowid)"
            ).fetchall()
        )


def test_a_search_does_not_wait_for_the_model(memory: Callable[..., MemoryStore]) -> None:
    may_load = threading.Event()

    def load() -> Letters:
        assert may_load.wait(60)
        return Letters()

    store = memory(load)
    add(store, _FAR)
    assert found(store, _QUESTION) == [_FAR]
    add(store, _NEAR)
    assert set(found(store, _QUESTION)) == {_FAR, _NEAR}
    assert made(store) == {}
    may_load.set()
    wait_until(lambda: set(made(store)) == {_FAR, _NEAR})


def test_a_save_after_the_model_came_gets_its_vector_without_another_search(
    memory: Callable[..., MemoryStore],
) -> None:
    store = memory()
    found(store, "anything")
    for number in range(5):
        add(store, f"entry number {number}")
    wait_until(lambda: len(made(store)) == 5)


def test_a_process_that_only_saves_loads_no_model(memory: Callable[..., MemoryStore]) -> None:
    asked_for: list[int] = []
    store = memory(lambda: asked_for.append(1) or Letters())
    add(store, _NEAR)
    assert asked_for == []
    assert made(store) == {}


def test_what_a_process_that_died_left_undone_is_made_by_the_next(
    memory: Callable[..., MemoryStore],
) -> None:
    first = memory()
    for number in range(7):
        add(first, f"entry number {number}")
    second = memory()
    found(second, "entry")
    wait_until(lambda: len(made(second)) == 7)


def test_an_entry_that_is_forgotten_leaves_no_vector(memory: Callable[..., MemoryStore]) -> None:
    store = memory()
    gone = add(store, _NEAR)
    found(store, "car")
    wait_until(lambda: _NEAR in made(store))
    store.forget(gone, "user:test")
    assert vectors_in(store.index.database) == 0


def test_the_vectors_of_another_model_are_made_anew(memory: Callable[..., MemoryStore]) -> None:
    class Others(Letters):
        model = "others"

    first = memory()
    add(first, _NEAR)
    found(first, "car")
    wait_until(lambda: made(first) == {_NEAR: "letters"})
    second = memory(Others)
    found(second, "car")
    wait_until(lambda: made(second) == {_NEAR: "others"})


def test_vectors_come_back_after_the_index_was_deleted(
    memory: Callable[..., MemoryStore], tmp_path: Path
) -> None:
    first = memory()
    add(first, _NEAR)
    first.index.database.close()
    for path in (tmp_path / "data").glob("index.db*"):
        path.unlink()
    second = memory()
    found(second, "car")
    wait_until(lambda: set(made(second)) == {_NEAR})


def test_a_model_that_cannot_be_loaded_leaves_the_words(
    memory: Callable[..., MemoryStore],
) -> None:
    def load() -> Letters:
        raise WorldError("cannot load the model; reinstall it")

    store = memory(load)
    add(store, _NEAR)
    for _ in range(3):
        assert found(store, "car") == [_NEAR]


def test_closing_while_the_model_loads_ends_at_once_and_opening_again_works(
    memory: Callable[..., MemoryStore],
) -> None:
    may_load = threading.Event()

    def load() -> Letters:
        may_load.wait(60)
        return Letters()

    embedding = Embedding(load)
    assert embedding.embedder() is None
    started = time.monotonic()
    embedding.close()
    assert time.monotonic() - started < 10
    may_load.set()
    assert embedding.embedder() is None or isinstance(embedding.embedder(), Letters)
    wait_until(lambda: embedding.embedder() is not None)
    embedding.close()


def test_a_row_that_was_changed_meanwhile_keeps_no_vector_of_its_old_text() -> None:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.executescript(table.SCHEMA + table.GONE_SCHEMA)
        connection.executescript(vectors.SCHEMA)
        rowid = table.put(connection, None, table.Text("", "the old text"))
        rows, _ = vectors.missing(connection, "letters", None)
        table.put(connection, rowid, table.Text("", "the new text"))
        vectors.keep(connection, "letters", rows, Letters().embed([row.text for row in rows]))
        assert connection.execute("SELECT count(*) FROM doc_vector").fetchone() == (0,)
        assert [row.body for row in vectors.missing(connection, "letters", None)[0]] == [
            "the new text"
        ]


def test_rows_without_a_vector_are_found_through_all_windows() -> None:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.executescript(table.SCHEMA)
        connection.executescript(vectors.SCHEMA)
        for number in range(2_500):
            table.put(connection, None, table.Text("", f"text {number}"))
        seen: list[int] = []
        below: int | None = None
        while below != 0:
            rows, below = vectors.missing(connection, "letters", below)
            seen += [row.rowid for row in rows]
        assert seen == list(range(2_500, 0, -1))


def test_events_of_the_history_get_vectors_too(tmp_path: Path) -> None:
    embedding = Embedding(Letters)
    log = HistoryLog(tmp_path, embedding)
    log.record(session="s", actor="a", action="edit", request="the parser", reply="", failed=False)
    assert [event.request for event in log.search("parser", 5)] == ["the parser"]

    wait_until(lambda: vectors_in(log.database) == 1)
    embedding.close()
    log.close()


def test_a_history_from_before_there_were_vectors_gets_them(tmp_path: Path) -> None:
    old = Database(
        tmp_path / "history.db", log_module._MIGRATIONS[:1], durability="NORMAL", loss=""
    )
    with old.writing() as connection:
        connection.execute(
            "INSERT INTO event VALUES (1, '2026-01-01', 's', 'a', 'edit', 'parser', '', 0)"
        )
        table.put(connection, 1, table.Text("edit", "parser"))
    old.close()
    embedding = Embedding(Letters)
    log = HistoryLog(tmp_path, embedding)
    assert [event.request for event in log.search("parser", 5)] == ["parser"]
    wait_until(lambda: vectors_in(log.database) == 1)
    embedding.close()
    log.close()


@pytest.mark.parametrize("name", ["static", "semantic"])
def test_each_model_puts_the_meant_text_before_the_one_with_the_word(
    name: models.Model, memory: Callable[..., MemoryStore]
) -> None:
    store = memory(lambda: models.load(name))
    for text in (
        _NEAR,
        _FAR,
        *(f"The meeting was moved for the {number}th time." for number in range(9)),
    ):
        add(store, text)
    assert found(store, _QUESTION)[0] == _FAR
    wait_until(lambda: len(made(store)) == 11)
    wait_until(lambda: found(store, _QUESTION)[0] == _NEAR)


@pytest.mark.parametrize("name", ["static", "semantic"])
def test_a_model_leaves_nothing_in_the_home_of_its_user(name: str, tmp_path: Path) -> None:
    home = tmp_path / "user"
    home.mkdir()
    script = f"from milepost.search import models; models.load({name!r}).embed(['a car'])"
    subprocess.run([sys.executable, "-c", script], check=True, env={"HOME": str(home)}, timeout=60)
    assert list(home.rglob("*")) == []


def test_a_runtime_that_reports_its_use_is_refused() -> None:
    refuse_if_reporting("1.28.0")
    for release in ("1.29.0", "1.31.1", "2.0.0"):
        with pytest.raises(ValueError, match=release):
            refuse_if_reporting(release)


@pytest.mark.parametrize("name", ["static", "semantic"])
def test_a_vector_does_not_depend_on_what_is_embedded_with_it(name: models.Model) -> None:
    model = models.load(name)
    alone = model.embed(["a short text"])[0]
    among = model.embed(["one that is longer " * 40, "a short text", ""])[1]
    assert np.allclose(alone, among)
    assert np.isfinite(model.embed(["", "\U0001f600\0", "x" * 100_000])).all()


def test_the_better_model_is_used_unless_another_is_asked_for() -> None:
    assert models.chosen("auto") == "semantic"
    assert models.chosen("static") == "static"
    assert models.chosen("off") is None


def test_a_word_that_is_no_setting_is_refused_with_those_that_are(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MILEPOST_VECTORS", "on")
    with pytest.raises(api.UserError, match='"off" or "static" or "semantic"'):
        api.open_workspace(str(project), actor="user:test")


def test_a_brief_workspace_searches_without_a_model(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MILEPOST_VECTORS", "static")
    workspace = api.open_workspace(str(project), actor="user:test", is_brief=True)
    workspace.memory.add(_NEAR)
    assert [hit.entry.text for hit in workspace.memory.search("car").hits] == [_NEAR]
    assert "milepost-vectors" not in {thread.name for thread in threading.enumerate()}
    workspace.close()


def test_nothing_heavy_is_imported_before_a_search_asks(project: Path) -> None:
    script = (
        "import sys; from milepost import api\n"
        f"w = api.open_workspace({str(project)!r}, actor='user:test'); w.memory.add('a car')\n"
        "print(sorted({'numpy', 'tokenizers', 'onnxruntime', 'wordllama'} & set(sys.modules)))\n"
        "w.memory.search('car')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], check=False, env=_environment(project, "static"),
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, "[]\n", "")


@pytest.mark.parametrize("name", ["static", "semantic"])
def test_a_process_that_ends_while_its_model_loads_ends_cleanly(name: str, project: Path) -> None:
    script = (
        "from milepost import api\n"
        f"w = api.open_workspace({str(project)!r}, actor='user:test'); w.memory.add('a car')\n"
        "assert w.memory.search('car').hits\n"
    )
    for _ in range(3):
        done = subprocess.run(
            [sys.executable, "-c", script], check=False, env=_environment(project, name),
            capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        assert (done.returncode, done.stderr) == (0, "")


class Counting:
    """An engine that is not SQLite's: it counts the asked words in every row."""

    def candidates(
        self, connection: sqlite3.Connection, asked: Asked, limit: int
    ) -> list[Candidate]:
        rows = connection.execute(
            f"SELECT rowid, body, at FROM doc WHERE {asked.only.condition}",
            dict(asked.only.parameters),
        )
        counted = [
            (rowid, sum(body.count(term) for term in asked.rows_of), at) for rowid, body, at in rows
        ]
        best = sorted((row for row in counted if row[1]), key=lambda row: -row[1])[:limit]
        return [Candidate(rowid, float(score), "", at, "", 0) for rowid, score, at in best]


@pytest.mark.parametrize("engine", [Fts5(), Counting()], ids=["fts5", "counting"])
def test_any_engine_can_bring_the_candidates(engine: Fts5 | Counting) -> None:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.executescript(table.SCHEMA)
        for body in ("a ship and a ship", "a ship at sea", "a horse", "a ship that is hidden"):
            table.put(connection, None, table.Text("", body))
        ranked = table.search(
            connection, "ship", FACTS, table.TermCounts(), engine=engine,
            only=Only("doc.rowid <> :hidden", {"hidden": 4}),
        )  # fmt: skip
    assert {rowid for rowid, _ in ranked} == {1, 2}
    assert ranked[0][0] == 1
    assert all(score > 0 for _, score in ranked)


def vectors_in(database: Database) -> int:
    with database.reading() as connection:
        return connection.execute("SELECT count(*) FROM doc_vector").fetchone()[0]


def wait_until(condition: Callable[[], bool]) -> None:
    """Come back when it holds; two minutes are for a machine under load, for the thread that makes
    vectors stands back for everyone."""
    deadline = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline, "it did not come about"
        threading.Event().wait(0.01)


def _environment(project: Path, setting: str) -> dict[str, str]:
    return {"MILEPOST_HOME": str(project.parent / "home"), "MILEPOST_VECTORS": setting}
