"""Several processes on one memory, and processes that die in the middle of a write."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

from milepost.memory import document as documents
from milepost.memory.store import MemoryStore

_WRITER = """
import sys
from pathlib import Path
from milepost.memory.store import MemoryStore
folder, name, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
store = MemoryStore(folder, "project", "x", stays=len(sys.argv) > 4)
for number in range(count):
    entry = store.add(f"{name} wrote number {number}", "knowledge", "unverified", name, ())
    print(entry.id, flush=True)
"""


def writer(folder: Path, name: str, count: int, *options: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", _WRITER, str(folder), name, str(count), *options],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip


def test_three_processes_at_once_lose_no_entry(tmp_path: Path) -> None:
    acknowledged: list[str] = []
    with ExitStack() as stack:
        writers = [
            stack.enter_context(writer(tmp_path, name, 60, *options))
            for name, *options in (("one",), ("two", "stays"), ("three", "stays"))
        ]
        for child in writers:
            acknowledged += [line.strip() for line in child.stdout.readlines()]
    assert [child.returncode for child in writers] == [0, 0, 0]
    store = MemoryStore(tmp_path, "project", "x")
    assert sorted(entry.id for entry in store.all()) == sorted(acknowledged)
    assert store.counts() == (180, 180)
    assert [entry.kind for entry in store.all()] == ["knowledge"] * 180
    # None was taken for a change by hand, so nobody looked while another was half done.
    changes = store.revisions.page(200, None)
    assert sorted({(change.actor, change.action) for change in changes}) == [
        ("one", "add"), ("three", "add"), ("two", "add"),
    ]  # fmt: skip


def test_an_acknowledged_entry_survives_a_kill_in_the_middle_of_writes(tmp_path: Path) -> None:
    rng = random.Random(7)
    acknowledged: list[str] = []
    for round_number in range(8):
        options = ("stays",) if round_number % 2 else ()
        with writer(tmp_path, f"round {round_number}", 10_000, *options) as child:
            wanted = rng.randrange(3, 30)
            acknowledged += [child.stdout.readline().strip() for _ in range(wanted)]
            child.kill()
            # What was printed before the kill was acknowledged too.
            acknowledged += [line.strip() for line in child.stdout if line.endswith("\n")]
    store = MemoryStore(tmp_path, "project", "x")
    found = [entry.id for entry in store.all()]
    assert len(found) == len(set(found))
    assert set(acknowledged) <= set(found)
    # At most the one entry per round that was written but not yet acknowledged.
    assert len(found) - len(acknowledged) <= 8
    assert store.counts()[0] == len(found)
    assert documents.parse(store.path.read_bytes()).to_bytes() == store.path.read_bytes()


def test_a_lock_that_died_with_its_process_holds_nobody_up(tmp_path: Path) -> None:
    with writer(tmp_path, "first", 10_000) as child:
        child.stdout.readline()
        child.kill()
    started = time.monotonic()
    MemoryStore(tmp_path, "project", "x").add("after", "rule", "stated", "test", ())
    assert time.monotonic() - started < 10
