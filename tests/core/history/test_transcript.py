"""Sessions, word for word."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from milepost.base.errors import UserError
from milepost.history.transcript import Transcripts


@pytest.fixture
def transcripts(tmp_path: Path) -> Transcripts:
    made = Transcripts(tmp_path)
    yield made
    made.database.close()


def _fill(transcripts: Transcripts, title: str = "Fix it") -> str:
    session = transcripts.create(title, "user:test").id
    transcripts.append(session, "user", {"text": "Fix the parser"}, words="Fix the parser")
    transcripts.append(session, "call", {"tool": "read"}, words="read src/parser.py")
    transcripts.append(session, "result", {"text": "x" * 50_000})
    transcripts.append(session, "assistant", {"text": "It was the lexer"}, words="It was the lexer")
    return session


def test_items_come_back_as_they_went_in_and_long_ones_take_little_room(
    transcripts: Transcripts, tmp_path: Path
) -> None:
    session = _fill(transcripts)
    items = transcripts.items(session)
    assert [item.kind for item in items] == ["user", "call", "result", "assistant"]
    assert items[2].data == {"text": "x" * 50_000}
    stored = transcripts.database.path.read_bytes()
    assert b"x" * 1_000 not in stored
    assert transcripts.items(session, after=items[1].number, limit=1) == [items[2]]


def test_what_was_said_is_found_and_shown_with_what_stands_around_it(
    transcripts: Transcripts,
) -> None:
    first, second = _fill(transcripts), _fill(transcripts, "Another")
    hits = transcripts.search("lexer", 10)
    assert {item.session for _, item in hits} == {first, second}
    ((_, hit),) = [
        pair for pair in transcripts.search("lexer", 10, session_id=second)
        if pair[1].kind == "assistant"
    ]  # fmt: skip
    around = transcripts.around(hit.number, before=2, after=2)
    assert [item.kind for item in around] == ["call", "result", "assistant"]
    assert {item.session for item in around} == {second}
    assert transcripts.search("xxxxx", 10) == []


def test_sessions_are_listed_renamed_forked_exported_and_deleted(transcripts: Transcripts) -> None:
    first, second = _fill(transcripts), _fill(transcripts, "Another\nline")
    assert [session.id for session in transcripts.page(10)] == [second, first]
    assert transcripts.get(second).title == "Another line"
    assert transcripts.rename(first, "New").title == "New"
    items = transcripts.items(first)
    fork = transcripts.fork(first, "user:other", until=items[1].number)
    assert fork.forked_from == first
    assert [item.data for item in transcripts.items(fork.id)] == [i.data for i in items[:2]]
    lines = [json.loads(line) for line in transcripts.export(first)]
    assert lines[0]["session"]["title"] == "New"
    assert [line["data"] for line in lines[1:]] == [item.data for item in items]
    transcripts.delete(first)
    assert transcripts.items(first) == []
    assert {item.session for _, item in transcripts.search("lexer", 10)} == {second}
    for lost in (first, "nope", "\ud800", ""):
        with pytest.raises(UserError, match="no session"):
            transcripts.get(lost)


def test_an_id_is_taken_once_and_must_be_one(transcripts: Transcripts) -> None:
    session = transcripts.create("x", "a").id
    with pytest.raises(UserError, match="already"):
        transcripts.create("x", "a", session_id=session)
    with pytest.raises(UserError, match="letters and digits"):
        transcripts.create("x", "a", session_id="../../x")


def test_a_killed_process_loses_nothing_that_it_was_told_is_kept(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path;"
        "from milepost.history.transcript import Transcripts;"
        "t = Transcripts(Path(sys.argv[1])); s = t.create('x', 'a').id; print(s, flush=True)\n"
        "while True: print(t.append(s, 'k', {'n': 1}, words='some words'), flush=True)"
    )
    for rounds in range(3):
        child = subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True
        )
        assert child.stdout is not None
        session = child.stdout.readline().strip()
        told = [int(child.stdout.readline()) for _ in range(20 + 10 * rounds)]
        os.kill(child.pid, signal.SIGKILL)
        told += [int(line) for line in child.stdout.read().split("\n")[:-1]]
        child.wait(30)
        child.stdout.close()
        transcripts = Transcripts(tmp_path)
        kept = [item.number for item in transcripts.items(session)]
        assert set(told) <= set(kept)
        transcripts.database.close()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Transcripts:
    made = Transcripts(tmp_path_factory.mktemp("shared"))
    yield made
    made.database.close()


@settings(max_examples=40)
@given(
    st.lists(
        st.tuples(
            st.text(max_size=5),
            st.dictionaries(
                st.text(max_size=5), st.none() | st.text(max_size=3_000) | st.integers(), max_size=3
            ),
            st.text(st.characters(), max_size=50),
        ),
        max_size=8,
    )
)
def test_anything_json_can_hold_is_kept_in_order(
    shared: Transcripts,
    given_items: list[tuple[str, dict[str, object], str]],
) -> None:
    session = shared.create("x", "a").id
    for kind, data, words in given_items:
        shared.append(session, kind, data, words=words)
    assert [item.data for item in shared.items(session)] == [d for _, d, _ in given_items]
