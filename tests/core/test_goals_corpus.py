"""Every case of the corpus gets its verdict from the real verifier, and for the right reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.goals_corpus.case import Case, play
from tests.goals_corpus.cases import CASES, HONEST


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_verdict_is_right_and_says_why(case: Case, tmp_path: Path) -> None:
    result = play(case, tmp_path / "work")
    assert result.verdict == case.wanted, result.words
    assert case.says in result.words


def test_the_corpus_is_large_and_mostly_of_work_that_is_not_done() -> None:
    assert len(CASES) >= 60
    assert len(HONEST) >= 20
    assert len({case.name for case in CASES}) == len(CASES)
