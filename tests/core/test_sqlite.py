"""Databases are migrated, shared between processes and threads, and put aside when damaged."""

from __future__ import annotations

import os
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from milepost.base.errors import WorldError
from milepost.base.sqlite import Database

_ONE = "CREATE TABLE t (x INTEGER) STRICT; INSERT INTO t VALUES (1);"
_TWO = "ALTER TABLE t ADD COLUMN y TEXT; UPDATE t SET y = 'two';"


def database(path: Path, *migrations: str) -> Database:
    return Database(path, migrations, durability="FULL", loss="Nothing of worth.")


def rows(base: Database) -> list[tuple[object, ...]]:
    with base.reading() as connection:
        return connection.execute("SELECT * FROM t").fetchall()


def test_migrations_run_once_each_in_order(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    assert rows(database(path, _ONE)) == [(1,)]
    assert rows(database(path, _ONE, _TWO)) == [(1, "two")]
    assert rows(database(path, _ONE, _TWO)) == [(1, "two")]


def test_a_file_that_cannot_be_migrated_stays_as_it_is_and_says_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    rows(database(path, _ONE))
    with pytest.raises(WorldError, match=r"not as its schema 1 should be .*name and call"):
        rows(database(path, _ONE, "ALTER TABLE t ADD COLUMN z TEXT; NONSENSE;"))
    assert rows(database(path, _ONE)) == [(1,)]


def test_a_file_of_a_newer_milepost_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    rows(database(path, _ONE, _TWO))
    with pytest.raises(WorldError, match="newer Milepost"):
        rows(database(path, _ONE))
    assert rows(database(path, _ONE, _TWO)) == [(1, "two")]


def test_an_exception_rolls_the_transaction_back(tmp_path: Path) -> None:
    base = database(tmp_path / "x.db", _ONE)

    def fail() -> None:
        with base.writing() as connection:
            connection.execute("DELETE FROM t")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert rows(base) == [(1,)]


@pytest.mark.parametrize("damage", ["garbage", "truncated", "zeroed"])
def test_a_damaged_file_is_put_aside_with_a_notice_and_work_goes_on(
    tmp_path: Path, damage: str
) -> None:
    path = tmp_path / "x.db"
    base = database(path, _ONE)
    with base.writing() as connection:
        connection.executemany("INSERT INTO t VALUES (?)", ((number,) for number in range(5000)))
        connection.execute("CREATE INDEX i ON t (x)")
    base.close()
    content = path.read_bytes()
    path.write_bytes(
        {
            "garbage": b"no database " * 1000,
            "truncated": content[: len(content) // 2],
            "zeroed": content[:8192] + bytes(len(content) - 8192),
        }[damage]
    )
    fresh = database(path, _ONE)
    assert rows(fresh) == [(1,)]
    (notice,) = fresh.take_notices()
    assert "put aside as x.db.corrupt-" in notice
    assert fresh.take_notices() == ()


def test_many_threads_write_without_an_error(tmp_path: Path) -> None:
    base = database(tmp_path / "x.db", "CREATE TABLE t (x INTEGER) STRICT;")

    def write(worker: int) -> None:
        for number in range(20):
            with base.writing() as connection:
                connection.execute("INSERT INTO t VALUES (?)", (worker * 100 + number,))

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(write, range(8))) == [None] * 8
    assert len(rows(base)) == 160
    base.close()


def test_threads_that_ended_leave_no_connection_open(tmp_path: Path) -> None:
    base = database(tmp_path / "x.db", _ONE)
    rows(base)
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(20):
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(rows, base).result() == [(1,)]
    assert len(os.listdir("/proc/self/fd")) < before + 10
    base.close()


def test_threads_that_ask_in_turn_share_one_connection(tmp_path: Path) -> None:
    base = database(tmp_path / "x.db", _ONE)

    def mine() -> sqlite3.Connection:
        with base.reading() as connection:
            return connection

    first = mine()
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(mine).result() is first
    assert mine() is first
    base.close()


def test_two_threads_never_use_one_connection_at_once(tmp_path: Path) -> None:
    base = database(tmp_path / "x.db", _ONE)
    is_in, may_go = threading.Event(), threading.Event()

    def write() -> sqlite3.Connection:
        with base.writing() as connection:
            connection.execute("UPDATE t SET x = 2")
            is_in.set()
            assert may_go.wait(30)
            return connection

    # This thread had the connection before the other one has it.
    assert rows(base) == [(1,)]
    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(write)
        assert is_in.wait(30)
        with base.reading() as connection:
            assert connection.execute("SELECT x FROM t").fetchall() == [(1,)]
            may_go.set()
            assert writing.result() is not connection
            assert connection.execute("SELECT x FROM t").fetchall() == [(2,)]
    base.close()


def test_a_block_within_a_block_sees_what_is_not_committed_yet(tmp_path: Path) -> None:
    base = database(tmp_path / "x.db", _ONE)
    with base.writing() as connection:
        connection.execute("UPDATE t SET x = 2")
        assert rows(base) == [(2,)]
    base.close()


def test_a_connection_in_use_is_closed_when_it_is_done(tmp_path: Path) -> None:
    base = database(tmp_path / "x.db", _ONE)
    with base.reading() as connection:
        base.close()
        assert connection.execute("SELECT x FROM t").fetchall() == [(1,)]
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        connection.execute("SELECT x FROM t")
    assert rows(base) == [(1,)]
    base.close()


def test_a_file_that_another_took_the_place_of_is_let_go(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    base, other = database(path, _ONE), database(tmp_path / "y.db", _ONE, _TWO)
    with base.reading() as old:
        assert old.execute("SELECT * FROM t").fetchall() == [(1,)]
    with other.writing() as connection:
        connection.execute("PRAGMA user_version=1")
    other.close()
    os.replace(tmp_path / "y.db", path)
    assert rows(base) == [(1, "two")]
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        old.execute("SELECT * FROM t")
    base.close()


def test_a_barrier_syncs_what_every_process_has_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = Database(tmp_path / "x.db", (_ONE,), durability="NORMAL", loss="Nothing of worth.")
    base.barrier()  # there is nothing to sync yet, and no file
    rows(base)
    other = sqlite3.connect(tmp_path / "x.db", isolation_level=None)
    other.execute("INSERT INTO t VALUES (2)")
    synced: list[str] = []
    real = os.fdatasync
    monkeypatch.setattr(
        os,
        "fdatasync",
        lambda handle: (real(handle), synced.append(os.readlink(f"/proc/self/fd/{handle}"))),
    )
    base.barrier()
    assert synced == [str(tmp_path / "x.db-wal")]
    other.close()
    base.close()
