"""A person's words find what they mean, whatever they are to SQLite."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from milepost import api
from milepost.search.terms import parts, stems, terms


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


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.text(alphabet=st.characters(exclude_categories=()), max_size=60))
def test_no_question_is_an_error(workspace: api.Workspace, question: str) -> None:
    found = workspace.memory.search(question)
    assert found.hits == ()
    assert found.advice
