"""Contents come back as they were stored, packed alone or against others, or not at all."""

from __future__ import annotations

import hashlib
import os
import random
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from milepost import api
from milepost.checkpoints.blobs import MAX_CHAIN, Blobs, contents_of, repack
from milepost.checkpoints.content import Packed, pack, pack_against, unpack
from milepost.checkpoints.rows import Request
from milepost.checkpoints.store import SnapshotStore
from milepost.checkpoints.taking import Known

_TEXTS = st.lists(
    st.one_of(st.binary(max_size=300), st.integers(0, 9).map(lambda n: b"value %d\n" % n * 200)),
    min_size=1,
    max_size=5,
)


@given(_TEXTS)
def test_a_chain_of_any_contents_is_unpacked_to_the_last(texts: list[bytes]) -> None:
    chain = [Packed(*pack(texts[0]), len(texts[0]))]
    for base, data in pairwise(texts):
        chain.append(Packed(*pack_against(data, base), len(data)))
    assert unpack(chain, hashlib.sha256(texts[-1]).digest()) == texts[-1]


@given(_TEXTS, st.data())
def test_a_chain_that_was_damaged_anywhere_is_refused_or_still_right(
    texts: list[bytes], data: st.DataObject
) -> None:
    chain = [Packed(*pack(texts[0]), len(texts[0]))]
    for base, text in pairwise(texts):
        chain.append(Packed(*pack_against(text, base), len(text)))
    link = data.draw(st.integers(0, len(chain) - 1))
    damaged = data.draw(st.binary(max_size=300))
    chain[link] = chain[link]._replace(data=damaged)
    assert unpack(chain, hashlib.sha256(texts[-1]).digest()) in (None, texts[-1])


@pytest.fixture
def store(project: Path, tmp_path: Path) -> Iterator[SnapshotStore]:
    opened = SnapshotStore(project, tmp_path / "data")
    yield opened
    opened.close()


def take(store: SnapshotStore) -> int:
    with store.exclusive():
        return store.take(Request("user:test")).id


def test_many_contents_come_in_the_order_in_which_they_are_wanted(
    project: Path, store: SnapshotStore
) -> None:
    body = random.Random(1).randbytes(2_000).hex().encode()
    texts = [body + b"%d\n" % number for number in range(MAX_CHAIN * 2)]
    for text in texts:
        (project / "f").write_bytes(text)
        newest = take(store)
    with store.exclusive(), store.database.writing() as connection:
        assert sum(repack(connection, each) for each in range(1, newest + 1)) > 0
    with store.database.reading() as connection:
        hashes = [hashlib.sha256(text).digest() for text in texts]
        ids = Blobs(connection).find(hashes)
        wanted = [ids[each] for each in (*reversed(hashes), *hashes[:3])]
        found = list(contents_of(connection, wanted))
        assert [each and each.blob for each in found] == wanted
        assert [each and each.data for each in found] == [*reversed(texts), *texts[:3]]


@pytest.mark.parametrize("seed", range(4))
def test_contents_that_wander_between_paths_and_come_back_are_right_at_every_point(
    project: Path, store: SnapshotStore, seed: int
) -> None:
    chance = random.Random(seed)
    body = chance.randbytes(2_000).hex().encode()
    texts = [body + b"%d\n" % number for number in range(4)]
    names = [b"a", b"b", b"c"]
    now: dict[bytes, bytes] = {}
    points: dict[int, dict[bytes, bytes]] = {}
    for _ in range(40):
        name = chance.choice(names)
        now[name] = chance.choice(texts)
        (project / os.fsdecode(name)).write_bytes(now[name])
        points[take(store)] = now.copy()
        with store.exclusive(), store.database.writing() as connection:
            repack(connection, chance.choice([*points]))
    with store.database.reading() as connection:
        (leaning,) = connection.execute("SELECT count(base) FROM blob").fetchone()
    assert leaning > 0
    for point, expected in points.items():
        blobs = {name: store.state_at(point, name).blob for name in names}
        found = {name: store.content(blob) for name, blob in blobs.items() if blob is not None}
        assert found == expected


def test_a_content_that_is_damaged_or_missing_is_none_among_the_others(
    project: Path, store: SnapshotStore
) -> None:
    for name in ("a", "b"):
        (project / name).write_text(name * 2_000)
    newest = take(store)
    first, second = (store.state_at(newest, name).blob or 0 for name in (b"a", b"b"))
    with store.database.writing() as connection:
        connection.execute("UPDATE blob SET data = x'00' WHERE id = ?", (first,))
    found = list(store.contents([first, second, 10**6]))
    assert [each and each.data for each in found] == [None, b"b" * 2_000, None]
    for blob in (first, 10**6):
        with pytest.raises(api.WorldError, match="damaged"):
            store.content(blob)


def test_what_somebody_wrote_at_the_moment_of_a_restore_is_in_the_next_point(
    project: Path, store: SnapshotStore
) -> None:
    path = project / "f"
    path.write_bytes(b"restored")
    first = take(store)
    # A restore has written `restored`, and before it could look, somebody else this.
    path.write_bytes(b"another's")
    written = {b"f": (os.lstat(path), hashlib.sha256(b"restored").digest())}
    for watched in (False, True):
        if watched:
            store.watch()
        with store.exclusive():
            known = Known(store.database.identity(), written=written)
            after = store.take(Request("user:test"), known=known)
        assert after.id == take(store) - 1
        now = store.state_at(after.id + 1, b"f").blob
        assert now is not None
        assert store.content(now) == b"another's"
        assert store.between(first, after.id + 1)[b"f"][1].blob == now


def test_what_a_caller_knew_of_a_store_that_was_replaced_is_not_believed(
    project: Path, store: SnapshotStore, tmp_path: Path
) -> None:
    (project / "f").write_bytes(b"text")
    take(store)
    known = Known(
        store.database.identity(), store.rows([b"f"]), {hashlib.sha256(b"text").digest(): 999}
    )
    store.database.path.rename(tmp_path / "aside")  # with its inode, which would be used again
    with store.exclusive():
        again = store.take(Request("user:test"), known=known)
    state = store.state_at(again.id, b"f")
    assert state.blob is not None
    assert store.content(state.blob) == b"text"


def test_nothing_is_touched_before_what_was_there_survives_a_power_cut(
    project: Path, workspace: api.Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace.watch()
    path = project / "f"
    path.write_bytes(b"then")
    first = workspace.checkpoints.save()
    path.write_bytes(b"now")
    database = workspace.checkpoints._store.database
    sync, found = database.barrier, list[bytes]()

    def fail() -> None:
        found.append(path.read_bytes())
        raise api.WorldError("the disk is gone")

    monkeypatch.setattr(database, "barrier", fail)
    with pytest.raises(api.WorldError, match="the disk is gone"):
        workspace.checkpoints.restore(first.id)
    monkeypatch.setattr(database, "barrier", sync)
    assert set(found) == {b"now"}
    assert path.read_bytes() == b"now"
    assert workspace.checkpoints.restore(first.id).changes[0].path == "f"
    assert path.read_bytes() == b"then"
