"""The file is the truth, the index follows it, and nothing acknowledged is lost."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from milepost.base.errors import UserError, WorldError
from milepost.memory.layout import Layout
from milepost.memory.store import MemoryStore


@pytest.fixture
def store(tmp_path: Path) -> MemoryStore:
    return MemoryStore(tmp_path / "memory", "project", "Memory of x")


def add(store: MemoryStore, text: str, kind: str = "knowledge") -> str:
    return store.add(text, kind, "unverified", "test", ()).id


def texts(store: MemoryStore, question: str) -> list[str]:
    found = store.search(question, kind=None, include_superseded=False)
    return [entry.text for _, entry in found]


def assert_index_is_the_file(store: MemoryStore) -> None:
    rows, entries = store.counts()
    assert rows == entries
    store.index.bring_level(None, Layout("\n", {}), [])
    fresh = MemoryStore(store.path.parent, store.scope, "x")
    assert fresh.counts() == (entries, entries)


def test_an_entrys_digest_is_the_same_from_the_file_and_from_the_index(store: MemoryStore) -> None:
    assert store.digests() == {}
    kept = add(store, "Use uv, never pip", "rule")
    changed = add(store, "The port is 8080")
    small = store.digests()
    assert store.path.stat().st_size < 1_000
    with store.path.open("a", encoding="utf-8") as file:
        file.writelines(f"- Fact {number} of many\n" for number in range(5_000))
    large = store.digests()
    assert len(large) == 5_002
    assert {key: large[key] for key in small} == small
    store.update(changed, "test", text="The port is 9090", kind=None, status=None)
    now = store.digests()
    assert [key for key in large if now[key] != large[key]] == [changed]
    assert kept in now


def test_what_was_added_is_found_shown_and_stands_under_its_heading(store: MemoryStore) -> None:
    entry_id = add(store, "Use uv, never pip", "rule")
    assert texts(store, "which installer: pip?") == ["Use uv, never pip"]
    found = store.get(entry_id)
    assert found is not None
    assert (found.kind, found.status, found.source) == ("rule", "unverified", "test")
    span = store.span(entry_id)
    assert span is not None
    lines = store.path.read_text("utf-8").split("\n")
    assert lines[span.line].startswith("- Use uv, never pip")
    assert "## Rules" in lines[: span.line]


def test_the_file_and_its_folder_are_private(store: MemoryStore) -> None:
    add(store, "x")
    assert store.path.stat().st_mode & 0o777 == 0o600
    assert store.path.parent.stat().st_mode & 0o777 == 0o700


def test_a_hand_edit_is_found_without_a_restart_and_leaves_no_trace_in_the_file(
    store: MemoryStore,
) -> None:
    add(store, "old words")
    edited = store.path.read_text("utf-8") + "\n- staging listens on port 6432\n"
    store.path.write_text(edited, "utf-8")
    assert texts(store, "staging port") == ["staging listens on port 6432"]
    assert store.path.read_text("utf-8") == edited


def test_an_entry_written_by_hand_can_be_changed_and_forgotten_by_its_id(
    store: MemoryStore,
) -> None:
    add(store, "x")
    store.path.write_text("## Rules\n\n- by hand\n- another\n", "utf-8")
    ((_, found),) = store.search("hand", kind=None, include_superseded=False)
    assert (found.source, found.status) == ("file", "stated")
    changed = store.update(found.id, "test", text="by hand, twice", kind=None, status="confirmed")
    assert changed.id == found.id
    assert "- by hand, twice <!-- milepost" in store.path.read_text("utf-8")
    store.forget(found.id, "test")
    assert store.path.read_text("utf-8") == "## Rules\n\n- another\n"
    assert_index_is_the_file(store)


def test_a_superseded_entry_stays_in_the_file_and_out_of_searches(store: MemoryStore) -> None:
    old = add(store, "deploy on Fridays", "rule")
    new = store.supersede(old, "never deploy on Fridays", None, "user:test")
    assert texts(store, "deploy") == ["never deploy on Fridays"]
    assert (new.kind, new.status) == ("rule", "stated")
    both = store.search("deploy", kind=None, include_superseded=True)
    assert {entry.id for _, entry in both} == {old, new.id}
    with pytest.raises(UserError, match=new.id):
        store.supersede(old, "again", None, "test")
    assert_index_is_the_file(store)


def test_a_new_kind_moves_the_entry_and_keeps_its_id(store: MemoryStore) -> None:
    entry_id = add(store, "prefer httpx")
    store.update(entry_id, "test", text=None, kind="rule", status=None)
    found = store.get(entry_id)
    assert found is not None
    assert found.kind == "rule"
    assert len(store.all()) == 1


@pytest.mark.parametrize("text", ["", " \n ", "x" * 8001, "half \ud83d", "nul \0"])
def test_a_text_that_cannot_be_kept_is_refused_and_changes_nothing(
    store: MemoryStore, text: str
) -> None:
    add(store, "x")
    before = store.path.read_bytes()
    with pytest.raises(UserError):
        add(store, text)
    assert store.path.read_bytes() == before


def test_an_unknown_id_is_told_from_what_is_no_id(store: MemoryStore) -> None:
    with pytest.raises(UserError, match="no entry"):
        store.forget("abcd1234ef", "test")
    with pytest.raises(UserError, match="not an id"):
        store.forget("../../etc/passwd", "test")


def test_near_duplicates_are_named_and_never_dropped(store: MemoryStore) -> None:
    first = store.add("Staging listens on port 6432", "knowledge", "stated", "t", ())
    add(store, "Production listens on port 5432 and needs a client certificate")
    again = store.add("The staging listens on ports 6432!", "knowledge", "stated", "t", ())
    other = store.add("Deploys are announced in the release channel", "rule", "stated", "t", ())
    assert [entry.id for entry in store.similar(again.text, again.id)] == [first.id]
    assert store.similar(other.text, other.id) == []
    assert len(store.all()) == 4


def test_what_is_alike_is_told_with_the_entry_that_was_added(store: MemoryStore) -> None:
    first = store.add("Staging listens on port 6432", "knowledge", "stated", "t", ())
    for kind in ("knowledge", "rule"):
        again, similar = store.add_compared(
            "The staging listens on ports 6432!", kind, "stated", "t", ()
        )
        assert [entry.id for entry in similar] == [first.id]
        store.forget(again.id, "t")


def fill(path: Path, entries: int = 2_000) -> None:
    """A memory file that is too large to be written anew for every entry."""
    lines = (
        f"- The pool of shard {number} was measured again and holds {number * 7} connections "
        f"without a retry. <!-- milepost id=n{number:07d} status=stated -->\n"
        for number in range(entries)
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    body = "".join(lines)
    path.write_text(
        f"# Memory\n\n## Rules\n\n- The first rule.\n\n## Discovered knowledge\n\n{body}", "utf-8"
    )


def test_an_entry_for_an_earlier_section_of_a_large_file_leaves_what_is_there_where_it_is(
    store: MemoryStore,
) -> None:
    fill(store.path)
    store.refresh()
    before, inode = store.path.read_bytes(), store.path.stat().st_ino
    rule, fact = add(store, "Never deploy on a Friday", "rule"), add(store, "Deploys take an hour")
    second = add(store, "Never deploy while on call", "rule")
    assert store.path.stat().st_ino == inode
    assert store.path.read_bytes().startswith(before)
    assert [store.get(each).kind for each in (rule, fact, second)] == ["rule", "knowledge", "rule"]
    assert {"Never deploy on a Friday", "Deploys take an hour"} <= set(texts(store, "deploy"))
    store.update(second, "test", text="Never deploy while on call at night", kind=None, status=None)
    store.forget(fact, "test")
    assert_index_is_the_file(store)


def test_tidying_a_large_file_moves_lines_and_changes_no_entry(store: MemoryStore) -> None:
    fill(store.path)
    store.refresh()
    rule = add(store, "Never deploy on a Friday", "rule")
    fact = add(store, "Deploys take an hour")
    changes = len(store.revisions.page(50, None))
    before = sorted(store.all(), key=lambda entry: entry.id)
    assert store.path.read_text("utf-8").count("## Rules") == 2
    assert store.tidy()
    content = store.path.read_text("utf-8")
    assert (content.count("## Rules"), content.count("## Discovered")) == (1, 1)
    assert "- The first rule.\n- Never deploy on a Friday" in content
    assert store.refresh() == 0
    assert sorted(store.all(), key=lambda entry: entry.id) == before
    assert len(store.revisions.page(50, None)) == changes
    assert not store.tidy()
    # What the index knows of places and sizes is right, and an undo finds its entry.
    store.undo(None, "test")
    assert store.get(fact) is None
    add(store, "A new last fact")
    store.forget(rule, "test")
    assert_index_is_the_file(store)


@pytest.fixture
def staying(tmp_path: Path) -> Iterator[MemoryStore]:
    """A store of a process that stays, such as a server's."""
    made = MemoryStore(tmp_path / "memory", "project", "Memory of x", stays=True)
    yield made
    made.close()


def test_an_entry_is_acknowledged_by_the_file_and_whoever_looks_next_waits_for_the_index(
    staying: MemoryStore,
) -> None:
    add(staying, "the first entry makes file and index")
    add(staying, "and this one opens what the thread needs")
    staying.refresh()
    other = MemoryStore(staying.folder, "project", "x")
    with contextlib.closing(sqlite3.connect(staying.index.database.path)) as busy:
        busy.execute("BEGIN IMMEDIATE")
        # Nobody can write the index now, and yet this returns.
        entry_id = add(staying, "deploys wait for the green light")
        assert entry_id in staying.path.read_text("utf-8")
        with ThreadPoolExecutor(2) as pool:
            seen = [pool.submit(texts, each, "green light") for each in (staying, other)]
            assert not any(each.done() for each in seen)
            busy.execute("ROLLBACK")
            assert [each.result() for each in seen] == [["deploys wait for the green light"]] * 2
    newest = staying.revisions.page(1, entry_id)
    assert [(each.actor, each.action) for each in newest] == [("test", "add")]


def test_a_failure_after_the_acknowledgement_is_not_lost(
    staying: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(staying, "the first entry makes file and index")
    staying.refresh()
    monkeypatch.delattr(type(staying.revisions), "record")
    entry_id = add(staying, "kept all the same")
    with pytest.raises(AttributeError, match="record"):
        staying.refresh()
    monkeypatch.undo()
    # The lock is free, and the next reader sees to what was left undone.
    assert staying.get(entry_id) is not None
    assert_index_is_the_file(staying)


def test_deleting_the_index_loses_nothing(store: MemoryStore) -> None:
    add(store, "kept in Markdown")
    for path in store.path.parent.glob("index.db*"):
        path.unlink()
    fresh = MemoryStore(store.path.parent, "project", "x")
    assert texts(fresh, "Markdown") == ["kept in Markdown"]


def test_a_folder_that_is_deleted_under_an_open_memory_is_made_anew(store: MemoryStore) -> None:
    add(store, "gone with the folder")
    shutil.rmtree(store.path.parent)
    add(store, "after")
    assert texts(store, "after folder") == ["after"]


def test_a_damaged_index_is_put_aside_and_made_again_with_a_notice(store: MemoryStore) -> None:
    add(store, "kept in Markdown")
    store.index.database.close()
    index = store.path.parent / "index.db"
    for suffix in ("-wal", "-shm"):
        Path(f"{index}{suffix}").unlink(missing_ok=True)
    index.write_bytes(b"no database at all, but long enough to be looked at" * 100)
    fresh = MemoryStore(store.path.parent, "project", "x")
    assert texts(fresh, "Markdown") == ["kept in Markdown"]
    (notice,) = fresh.index.database.take_notices()
    assert "put aside" in notice
    assert list(index.parent.glob("index.db.corrupt-*"))


@pytest.mark.parametrize("target", ["/dev/zero", "pipe", "folder"])
def test_what_is_no_plain_file_is_neither_read_nor_written(
    store: MemoryStore, tmp_path: Path, target: str
) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    store.path.parent.mkdir(parents=True)
    store.path.symlink_to(tmp_path / target)
    for call in (lambda: texts(store, "x"), lambda: add(store, "x"), store.content):
        with pytest.raises(WorldError, match="no plain file"):
            call()


def test_a_file_that_cannot_be_written_is_said_and_stays_whole(
    store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(store, "first")
    before = store.path.read_bytes()

    def full_disk(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(WorldError, match="No space left"):
        add(store, "second")
    monkeypatch.undo()
    assert store.path.read_bytes() == before
    assert [path.name for path in store.path.parent.iterdir() if path.name.startswith(".")] == []


def test_bytes_that_are_not_utf8_survive_every_change(store: MemoryStore) -> None:
    add(store, "x")
    store.path.write_bytes(b"## Rules\n\n- caf\xe9 \xff\n- plain\n")
    plain = next(entry for entry in store.all() if entry.text == "plain")
    store.update(plain.id, "test", text="changed", kind=None, status=None)
    assert b"- caf\xe9 \xff\n" in store.path.read_bytes()
    assert store.all()[0].text == "caf\\xe9 \\xff"
    assert_index_is_the_file(store)


_STEP = st.one_of(
    st.tuples(st.just("add"), st.sampled_from(["rule", "knowledge"]), st.text(max_size=40)),
    st.tuples(st.just("update"), st.integers(0, 20), st.text(max_size=40)),
    st.tuples(st.just("forget"), st.integers(0, 20), st.just("")),
    st.tuples(st.just("hand"), st.integers(0, 20), st.sampled_from(["by hand", "again", "- x"])),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(steps=st.lists(_STEP, max_size=12))
def test_any_sequence_of_changes_keeps_every_entry_and_no_other(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, object, str]]
) -> None:
    store = MemoryStore(tmp_path_factory.mktemp("memory"), "project", "x")
    kept: dict[str, str] = {}
    for action, where, text in steps:
        if action == "hand":
            content = store.path.read_text("utf-8") if store.path.exists() else ""
            store.path.write_text(f"{content}\n\nnote {where} {text}\n", "utf-8", newline="\n")
            kept = {entry.id: entry.text for entry in store.all()}
            continue
        ids = sorted(kept)
        try:
            if action == "add":
                entry = store.add(text, str(where), "unverified", "test", ())
                kept[entry.id] = entry.text
            elif ids and action == "update":
                entry = store.update(
                    ids[where % len(ids)], "test", text=text, kind=None, status=None
                )
                kept[entry.id] = entry.text
            elif ids:
                del kept[store.forget(ids[where % len(ids)], "test").id]
        except UserError:
            pass
        assert sorted(entry.text for entry in store.all()) == sorted(kept.values())
    assert store.counts()[0] == len(kept)
