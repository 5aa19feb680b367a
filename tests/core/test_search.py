"""A person's words find what they mean, whatever they are to SQLite."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from milepost import api
from milepost.search import alike, spelling, table
from milepost.search.ranking import FACTS, WORK
from milepost.search.terms import (
    literals,
    parts,
    parts_of_text,
    stems,
    terms,
    tokens,
    tokens_of_each,
)

_DAY_S = 86_400.0


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    """A searchable table of its own."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as opened:
        opened.executescript(table.SCHEMA + table.GONE_SCHEMA)
        yield opened


def fill(connection: sqlite3.Connection, *bodies: str) -> None:
    for body in bodies:
        table.put(connection, None, table.Text("", body))


def ask(connection: sqlite3.Connection, question: str) -> list[str]:
    """The bodies found, best first."""
    ranked = table.search(connection, question, FACTS, table.TermCounts())
    return [body_of(connection, rowid) for rowid, _ in ranked]


def body_of(connection: sqlite3.Connection, rowid: int) -> str:
    return connection.execute("SELECT body FROM doc WHERE rowid = ?", (rowid,)).fetchone()[0]


def check(question: str, *expected: str) -> None:
    assert terms(question) == expected


def test_a_question_is_freed_of_stop_words_and_punctuation() -> None:
    check("What is the staging port?", "staging", "port")
    check('NEAR("x" *) -y', "near", "x", "y")
    check("")
    check("?!")


def test_stop_words_alone_are_searched_as_they_are() -> None:
    check("who is it", "who", "is", "it")


def test_stems_are_those_of_the_index() -> None:
    assert (stems("retries"), stems("Réglages"), stems("max_size")) == (
        ("retri",), ("reglag",), ("max", "size")
    )  # fmt: skip


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("parseConfigFile", ("parse", "config", "file")),
        ("HTTPServerError", ("http", "server", "error")),
        ("max_retry_count", ("max", "retry", "count")),
        ("utf8", ("utf", "8")),
        ("simple", ()),
        ("缓存", ()),
        ("連接池上限", ("連接", "接池", "池上", "上限")),
        ("Redisのポート6381を", ("redis", "のポ", "ポー", "ート", "6381", "を")),
    ],
)
def test_compound_names_come_apart(word: str, expected: tuple[str, ...]) -> None:
    assert parts(word) == expected


@pytest.mark.parametrize(
    "question",
    [
        "which port does staging use",
        "PgBouncer",
        "pg_bouncer_pool_size",
        "retries",
        "ERR_TLS_4711",
        "infra/db/pool.toml",
        "--statement-timeout",
        "6432",
        "poolSize",
    ],
)
def test_an_entry_is_found_by_its_words_parts_paths_flags_and_codes(
    workspace: api.Workspace, question: str
) -> None:
    workspace.memory.add(
        "The staging database listens on port 6432 behind pgbouncer; poolSize is in "
        "infra/db/pool.toml, a retry with --statement-timeout=5s cures ERR_TLS_4711."
    )
    for number in range(30):
        workspace.memory.add(f"an unrelated note about something else, number {number}")
    found = workspace.memory.search(question, limit=1)
    assert "6432" in found.hits[0].entry.text


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(alphabet=st.characters(exclude_categories=()), max_size=60))
def test_no_question_is_an_error(workspace: api.Workspace, question: str) -> None:
    found = workspace.memory.search(question)
    assert found.hits == ()
    assert found.advice


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("连接池上限是多少", "数据库连接池的上限是二十个连接"),
        ("キャッシュの削除", "価格変更のときはキャッシュを削除する"),
        ("鍵", "この鍵は毎月交換する"),
        ("멱등성 키", "결제 모듈은 같은 멱등성 키를 사용해야 한다"),
        ("redis password", "Redisのpasswordは環境変数から読む"),
        ("6379", "ポート６３７９を使う"),
    ],
)
def test_languages_without_spaces_are_found_by_their_words(
    connection: sqlite3.Connection, question: str, expected: str
) -> None:
    fill(
        connection,
        "数据库连接池的上限是二十个连接",
        "価格変更のときはキャッシュを削除する",
        "この鍵は毎月交換する",
        "결제 모듈은 같은 멱등성 키를 사용해야 한다",
        "Redisのpasswordは環境変数から読む",
        "ポート６３７９を使う",
    )
    assert ask(connection, question)[0] == expected


def test_full_width_letters_are_the_same_letters() -> None:
    check("ＰＯＲＴ　６３７９", "port", "6379")  # noqa: RUF001  (they look alike, that is the point)
    assert parts_of_text("ＰＯＲＴ") == "port"  # noqa: RUF001
    assert parts_of_text("port") == ""


@pytest.mark.parametrize(
    "question",
    ["pgbuoncer", "pgbouncr", "pgbbouncer", "pgbounxer", "conections", "conection", "pgboun"],
)
def test_a_word_that_is_nowhere_is_read_as_one_that_it_nearly_is(
    connection: sqlite3.Connection, question: str
) -> None:
    fill(connection, "pgbouncer holds twenty connections", "the printer holds twenty labels")
    assert ask(connection, question) == ["pgbouncer holds twenty connections"]


def test_a_word_with_another_ending_is_found_by_its_beginning(
    connection: sqlite3.Connection,
) -> None:
    fill(connection, "authentication is by mutual TLS", "the printer holds twenty labels")
    assert ask(connection, "authentificate") == ["authentication is by mutual TLS"]


def test_a_word_that_is_there_is_not_second_guessed(connection: sqlite3.Connection) -> None:
    fill(connection, "the router restarts", "the routes change")
    assert ask(connection, "router") == ["the router restarts"]


def test_short_words_and_names_with_digits_are_not_guessed(connection: sqlite3.Connection) -> None:
    fill(connection, "the port is open", "E1207 is a stale price")
    assert ask(connection, "pore") == []
    assert ask(connection, "E1208") == []


def test_words_that_are_kept_for_guessing_are_kept_once(connection: sqlite3.Connection) -> None:
    spelling.learn(connection, "Retries retries MESSAGES")
    spelling.learn(connection, "retries")
    words = connection.execute("SELECT word FROM doc_word ORDER BY word").fetchall()
    assert [word for (word,) in words] == ["messag", "messages", "retri", "retries"]


def test_the_words_of_a_text_go_with_the_last_text_that_has_them(
    connection: sqlite3.Connection,
) -> None:
    fill(connection, "the password is correcthorse", "correcthorse is a horse", "horses retire")
    table.remove(connection, 1)
    assert ask(connection, "correcthors") == ["correcthorse is a horse"]
    table.remove(connection, 2)
    assert ask(connection, "correcthors") == []
    is_merged = table.merged(connection, 100, anew=True)
    while not is_merged:
        is_merged = table.merged(connection, 100, anew=False)
    table.forget(connection, table.noted(connection))
    assert table.noted(connection) == 0
    for kept in ("doc_word", "doc_tail"):
        rows = connection.execute(f"SELECT word FROM {kept}").fetchall()
        assert {word for (word,) in rows if "correct" in word or "password" in word} == set()
    assert ask(connection, "retier") == ["horses retire"]


def test_a_piece_of_a_word_finds_the_word(connection: sqlite3.Connection) -> None:
    fill(connection, "pgbouncer holds twenty connections", "at least twenty labels")
    assert ask(connection, "bouncer") == ["pgbouncer holds twenty connections"]
    assert ask(connection, "gboun") == ["pgbouncer holds twenty connections"]


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("why --no-verify?", ("--no-verify",)),
        ("is it (src/app/main.py), or `10.0.0.1:8080`.", ("src/app/main.py", "10.0.0.1:8080")),
        ("don't run it - ever, they're slow!", ()),
        ("SameSite=Lax samesite=lax", ("samesite=lax",)),
    ],
)
def test_what_is_written_with_signs_is_taken_as_it_is_written(
    question: str, expected: tuple[str, ...]
) -> None:
    assert literals(question) == expected


@pytest.mark.parametrize(
    ("question", "expected", "other"),
    [
        ("10.0.0.1:8080", "metrics on 10.0.0.1:8080", "the old metrics: 8080, 10.1.0.0"),
        ("--no-verify", "never use --no-verify here", "no one may verify, no one at all"),
        ("--no-verify", "never use --no-verify here", "curl with --no-verify-ssl here"),
        ("src/app/main.py", "start src/app/main.py", "app, main: py in src/main/app.py"),
        ("1.2.3", "the driver is at 1.2.3 now", "the driver is at 1.2.3.1"),
    ],
)
def test_a_row_that_says_it_as_it_is_written_comes_first(
    connection: sqlite3.Connection, question: str, expected: str, other: str
) -> None:
    fill(connection, other, expected, "and something else altogether")
    assert ask(connection, question) == [expected, other]


def test_a_few_titles_do_not_outweigh_the_texts(connection: sqlite3.Connection) -> None:
    table.put(connection, None, table.Text("src/app/main.py", "Wires the workers together."))
    fill(connection, *(f"note number {number} about the scanner" for number in range(20)))
    fill(connection, "ask before adding a package to the scanner app")
    assert ask(connection, "may I go on adding a package to the app")[0].startswith("ask before")


def test_a_term_is_found_as_soon_as_it_is_there(connection: sqlite3.Connection) -> None:
    counts = table.TermCounts()
    fill(connection, *(f"the queue number {number}" for number in range(30)))
    assert counts.of(connection, ("kafka",)) == {"kafka": 0}
    fill(connection, "kafka listens on 9094")
    assert counts.of(connection, ("kafka",)) == {"kafka": 1}


def test_a_word_of_nearly_every_row_finds_them_only_when_nothing_else_does(
    connection: sqlite3.Connection,
) -> None:
    connection.execute("BEGIN")
    filling = table.Filling(connection)
    for number in range(6_000):
        filling.put(table.Text("", f"service number {number}" + " zebra" * (number == 77)))
    filling.finish()
    connection.execute("COMMIT")
    assert ask(connection, "service zebra") == ["service number 77 zebra"]
    assert len(ask(connection, "service")) > 100
    assert len(ask(connection, "service qqqqxxxx")) > 100


def test_work_is_judged_by_its_age_at_the_moment_of_the_question(
    connection: sqlite3.Connection,
) -> None:
    for day in (0.0, 300.0):
        table.put(connection, None, table.Text("", "the pool was resized", day * _DAY_S))
    counts = table.TermCounts()
    for now in (301.0, 10_000.0):
        ranked = table.search(connection, "pool", WORK, counts, now=now * _DAY_S)
        assert [rowid for rowid, _ in ranked] == [2, 1]
    assert ranked[0][1] - ranked[1][1] < 0.01


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=80))
def test_any_text_can_be_put_and_asked_for_in_its_own_words(
    connection: sqlite3.Connection, text: str
) -> None:
    rowid = table.put(connection, None, table.Text("", text.replace("\0", " ")))
    table.search(connection, text, FACTS, table.TermCounts())
    table.remove(connection, rowid)
    assert connection.execute("SELECT count(*) FROM doc").fetchone() == (0,)


def test_rows_added_all_at_once_answer_as_those_added_one_by_one(
    connection: sqlite3.Connection,
) -> None:
    rng = random.Random(2)
    bodies = [" ".join(rng.choices(_SYLLABLES, k=8)) + f" part{n}Number" for n in range(300)]
    fill(connection, *bodies)
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as other:
        other.executescript(table.SCHEMA + table.GONE_SCHEMA)
        other.execute("BEGIN")
        filling = table.Filling(other)
        for body in bodies:
            filling.put(table.Text("", body))
        filling.finish()
        other.execute("COMMIT")
        table.put(other, None, table.Text("", "one more bergamotte"))
        table.put(connection, None, table.Text("", "one more bergamotte"))
        for kept in ("doc_word", "doc_tail", "doc_terms"):
            query = f"SELECT * FROM {kept} ORDER BY 1, 2"
            if kept == "doc_word":
                query = "SELECT * FROM doc_word ORDER BY 1"
            assert other.execute(query).fetchall() == connection.execute(query).fetchall()
        for question in ("bergamote", "part17", "number", bodies[7], rng.choice(_SYLLABLES)):
            assert ask(other, question) == ask(connection, question)


_SYLLABLES = [
    a + b + c for a in ("bar", "kel", "mino") for b in ("tas", "rol") for c in ("um", "ek")
]


def test_a_stemmer_that_was_given_a_vocabulary_is_as_good_as_new() -> None:
    assert len(tokens(" ".join(f"word{number}" for number in range(30_000)))) == 30_000
    assert tokens_of_each(["Horses were running", "", "foo_bar"]) == [
        ("hors", "were", "run"), (), ("foo", "bar"),
    ]  # fmt: skip


@given(st.lists(st.sampled_from(_SYLLABLES), min_size=1, max_size=12, unique=True), st.randoms())
def test_texts_of_the_same_words_share_all_their_keys_in_any_order(
    words: list[str], rng: random.Random
) -> None:
    shuffled = rng.sample(words, len(words))
    assert alike.keys(" ".join(words)) == alike.keys(f"The {' '.join(shuffled).upper()}!")


def test_texts_that_share_most_words_are_found_among_thousands(
    connection: sqlite3.Connection,
) -> None:
    connection.executescript(alike.SCHEMA)
    rng = random.Random(3)
    vocabulary = [f"w{number}" for number in range(3_000)]
    texts = [" ".join(rng.sample(vocabulary, 12)) for _ in range(2_000)]
    fill(connection, *texts)
    for rowid, text in enumerate(texts, start=1):
        alike.keep(connection, rowid, text)
    found = 0
    for rowid in range(1, 101):
        # Eleven of thirteen words in all are the same: 0.85.
        changed = [*texts[rowid - 1].split()[:11], "zirkon"]
        found += (rowid, texts[rowid - 1]) in alike.find(connection, " ".join(changed), 6)
    assert found >= 95
    for rowid, text in enumerate(texts, start=1):
        alike.drop(connection, rowid, text)
    assert connection.execute("SELECT count(*) FROM doc_alike").fetchone() == (0,)
