"""What happens to memory when the world fails, and when several processes change it at random."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest

from milepost import api
from milepost.base import clock, files
from milepost.memory import document as documents
from milepost.memory.store import MemoryStore
from tests.core.test_memory_store import fill
from tests.opened import heard_opening

# A process that adds, updates, supersedes and forgets its own entries at random, and prints what
# was acknowledged: the words of each of its entries by id, null when it is gone.
_WORKER = """
import json, random, sys
from pathlib import Path
from milepost.memory.store import MemoryStore
folder, name, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
rng = random.Random(name)
store = MemoryStore(folder, "project", "x")
mine = []
for number in range(count):
    action = rng.choice(["add", "add", "update", "supersede", "forget"]) if mine else "add"
    target = rng.choice(mine) if mine else ""
    text = f"{name} says {number}"
    if action == "add":
        entry = store.add(text, rng.choice(["rule", "knowledge"]), "unverified", name, ())
        mine.append(entry.id)
        done = {entry.id: text}
    elif action == "update":
        done = {store.update(target, name, text=text, kind=None, status=None).id: text}
    elif action == "supersede":
        entry = store.supersede(target, text, None, name)
        mine.remove(target)
        mine.append(entry.id)
        done = {entry.id: text}
    else:
        store.forget(target, name)
        mine.remove(target)
        done = {target: None}
    print(json.dumps(done), flush=True)
"""

# A process that edits the file as an editor does: it reads, writes beside, and renames.
_EDITOR = """
import os, sys, time
from pathlib import Path
path, count = Path(sys.argv[1]), int(sys.argv[2])
kept = 0
while kept < count:
    try:
        before = path.stat()
        content = path.read_bytes()
    except FileNotFoundError:
        continue
    beside = path.with_name("edited")
    beside.write_bytes(content + f"- by hand {kept}\\n".encode())
    after = path.stat()
    # A careful editor looks whether the file changed under it.
    if (before.st_ino, before.st_size, before.st_mtime_ns) == (
        after.st_ino, after.st_size, after.st_mtime_ns
    ):
        os.replace(beside, path)
        print(f"by hand {kept}", flush=True)
        kept += 1
    time.sleep(0.02)
"""


def child(code: str, *arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)], stdout=subprocess.PIPE, text=True
    )


@pytest.mark.parametrize("is_large", [False, True])
def test_three_processes_that_change_entries_at_random_keep_every_one_and_no_other(
    tmp_path: Path, *, is_large: bool
) -> None:
    expected: dict[str, str | None] = {}
    if is_large:
        # Here entries of both kinds go to the end, under their headings again and again.
        fill(tmp_path / "MEMORY.md")
        MemoryStore(tmp_path, "project", "x").refresh()
    with ExitStack() as stack:
        workers = [
            stack.enter_context(child(_WORKER, tmp_path, name, 60)) for name in ("a", "b", "c")
        ]
        for worker in workers:
            for line in worker.stdout:
                expected.update(json.loads(line))
    assert [worker.returncode for worker in workers] == [0, 0, 0]
    store = MemoryStore(tmp_path, "project", "x")
    current = {entry.id: entry.text for entry in store.all()}
    for entry_id, text in expected.items():
        assert current.get(entry_id) == text
    assert store.counts() == (len(current), len(current))
    changes = store.revisions.page(1_000, None)
    assert len(changes) == 180
    assert {change.actor for change in changes} == {"a", "b", "c"}
    assert store.tidy() == is_large
    assert {entry.id: entry.text for entry in store.all()} == current
    assert store.counts() == (len(current), len(current))


def test_a_kill_in_the_middle_of_changes_of_any_kind_loses_nothing_acknowledged(
    tmp_path: Path,
) -> None:
    rng = random.Random(11)
    expected: dict[str, str | None] = {}
    for number in range(6):
        with child(_WORKER, tmp_path, f"round {number}", 10_000) as worker:
            for _ in range(rng.randrange(3, 30)):
                expected.update(json.loads(worker.stdout.readline()))
            worker.kill()
            # What was printed before the kill was acknowledged too.
            lines = [json.loads(line) for line in worker.stdout if line.endswith("\n")]
        for line in lines:
            expected.update(line)
        store = MemoryStore(tmp_path, "project", "x")
        current = {entry.id: entry.text for entry in store.all()}
        # The one change of each round that was written and not yet acknowledged may go further.
        differing = [key for key, text in expected.items() if current.get(key) != text]
        assert len(differing) <= 1
        for key in differing:
            expected[key] = current.get(key)
        assert store.counts() == (len(current), len(current))
        for key, text in current.items():
            found = store.get(key)
            assert found is not None
            assert found.text == text


def _in_place(path: Path, line: bytes) -> None:
    with path.open("ab") as file:
        file.write(line)


def _by_renaming(path: Path, line: bytes) -> None:
    beside = path.with_name("edited")
    beside.write_bytes(path.read_bytes() + line)
    beside.replace(path)


def _above(path: Path, line: bytes) -> None:
    path.write_bytes(line + b"\n" + path.read_bytes())


@pytest.mark.parametrize(
    ("module", "name", "edit"),
    [
        (os, "write", _in_place),
        (files, "append_durably", _in_place),
        (files, "append_durably", _by_renaming),
        (files, "append_durably", _above),
    ],
)
def test_what_a_person_writes_while_an_entry_is_appended_is_kept_and_so_is_the_entry(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    module: object,
    name: str,
    edit: Callable[[Path, bytes], None],
) -> None:
    store = MemoryStore(tmp_path, "project", "x")
    store.add("first", "knowledge", "stated", "t", ())
    store.add("second", "knowledge", "stated", "t", ())
    original = getattr(module, name)

    def edited_first(*arguments: object) -> object:
        monkeypatch.undo()
        edit(store.path, b"- by hand\n")
        return original(*arguments)

    monkeypatch.setattr(module, name, edited_first)
    added = store.add("third", "knowledge", "stated", "t", ())
    assert original is getattr(module, name)
    fresh = MemoryStore(tmp_path, "project", "x")
    assert sorted(entry.text for entry in fresh.all()) == ["by hand", "first", "second", "third"]
    assert fresh.get(added.id) is not None
    assert fresh.counts() == (4, 4)


def test_an_append_of_another_process_right_before_ours_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, other = (MemoryStore(tmp_path, "project", "x") for _ in range(2))
    store.add("first", "knowledge", "stated", "t", ())
    locked = store._file.locked

    def after_the_other() -> object:
        other.add("second", "knowledge", "stated", "t", ())
        return locked()

    monkeypatch.setattr(store._file, "locked", after_the_other)
    store.add("third", "knowledge", "stated", "t", ())
    assert [entry.text for entry in other.all()] == ["first", "second", "third"]
    assert store.counts() == (3, 3)


def test_a_process_that_has_just_started_saves_without_cutting_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = MemoryStore(tmp_path, "project", "x")
    rule = store.add("a rule", "rule", "stated", "t", ())
    for number in range(20):
        store.add(f"fact {number}", "knowledge", "stated", "t", ())
    size = len(store.path.read_bytes())
    cut: list[int] = []
    original = documents.parse_text

    def noted(text: str) -> documents.Document:
        cut.append(len(text))
        return original(text)

    monkeypatch.setattr(documents, "parse_text", noted)
    fresh = MemoryStore(tmp_path, "project", "x")
    fresh.add("second", "knowledge", "stated", "t", ())
    fresh.add("another rule", "rule", "stated", "t", ())
    fresh.update(rule.id, "t", text="a better rule", kind=None, status=None)
    fresh.supersede(rule.id, "a rule of thumb", None, "t")
    fresh.undo(None, "t")
    assert fresh.get(rule.id) is not None
    assert fresh.span(rule.id) is not None
    fresh.forget(rule.id, "t")
    assert cut
    assert max(cut) < size / 4
    monkeypatch.undo()
    assert fresh.counts() == (22, 22)


def test_a_person_who_edits_while_processes_write_loses_nothing_of_either(tmp_path: Path) -> None:
    MemoryStore(tmp_path, "project", "x").add("first", "knowledge", "stated", "t", ())
    with (
        child(_WORKER, tmp_path, "a", 40) as worker,
        child(_EDITOR, tmp_path / "MEMORY.md", 10) as editor,
    ):
        by_hand = [line.strip() for line in editor.stdout]
        expected: dict[str, str | None] = {}
        for line in worker.stdout:
            expected.update(json.loads(line))
    store = MemoryStore(tmp_path, "project", "x")
    texts = {entry.text for entry in store.all()}
    assert set(by_hand) <= texts
    assert {text for text in expected.values() if text} <= texts


def test_a_file_that_was_torn_by_a_power_cut_is_read_and_written_on(tmp_path: Path) -> None:
    store = MemoryStore(tmp_path, "project", "x")
    kept = store.add("kept", "knowledge", "stated", "t", ())
    torn = store.add("torn in the middle of its metadata", "knowledge", "stated", "t", ())
    content = store.path.read_bytes()
    store.path.write_bytes(content[: content.index(torn.id.encode()) + 4])
    fresh = MemoryStore(tmp_path, "project", "x")
    after = fresh.add("written after", "knowledge", "stated", "t", ())
    assert {kept.id, after.id} <= {entry.id for entry in fresh.all()}
    assert any("torn in the middle" in entry.text for entry in fresh.all())
    rows, entries = fresh.counts()
    assert rows == entries


def test_a_disk_that_takes_no_more_is_said_and_nothing_acknowledged_is_lost(
    tmp_path: Path,
) -> None:
    # The limit on a file's size is the kernel's own "no": what a full disk does, at a byte of ours.
    code = """
import resource, signal, sys
from pathlib import Path
from milepost.base.errors import WorldError
from milepost.memory.store import MemoryStore
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
store = MemoryStore(Path(sys.argv[1]), "project", "x")
print(store.add("kept", "knowledge", "stated", "t", ()).id)
size = store.path.stat().st_size
resource.setrlimit(resource.RLIMIT_FSIZE, (size + 20, resource.RLIM_INFINITY))
for kind in ("knowledge", "rule"):
    try:
        store.add("one too many", kind, "stated", "t", ())
        print("written")
    except WorldError as error:
        print(error)
"""
    with child(code, tmp_path) as process:
        entry_id, *refusals = process.stdout.read().splitlines()
    assert process.returncode == 0
    assert len(refusals) == 2
    assert all("nothing was changed" in refusal for refusal in refusals)
    assert [entry.id for entry in MemoryStore(tmp_path, "project", "x").all()] == [entry_id]


def test_a_clock_that_was_set_back_makes_no_entry_unreadable(
    workspace: api.Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("milepost.memory.store.utc_now", lambda: "2999-01-01T00:00:00Z")
    workspace.memory.add("from a clock that ran ahead")
    monkeypatch.undo()
    workspace.memory.add("from a clock that was set right")
    found = workspace.memory.search("clock")
    assert len(found.hits) == 2
    assert clock.unix_time("yesterday") is None


def test_a_search_looks_at_two_files_and_walks_no_tree(
    project: Path, workspace: api.Workspace
) -> None:
    for number in range(200):
        (project / f"f{number}").write_text("x", "utf-8")
    workspace.memory.add("something to find")
    workspace.memory.search("find")
    with heard_opening() as opened:
        for _ in range(10):
            assert workspace.memory.search("find").hits
    assert opened == []


@pytest.mark.parametrize("seed", range(3))
def test_any_bytes_at_all_in_the_file_are_survived(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    store = MemoryStore(tmp_path, "project", "x")
    store.path.write_bytes(os.urandom(rng.randrange(5_000)) + b"\n")
    before = store.path.read_bytes()
    added = store.add("kept", "rule", "stated", "t", ())
    assert before in store.path.read_bytes()
    assert store.get(added.id) is not None
    rows, entries = store.counts()
    assert rows == entries
