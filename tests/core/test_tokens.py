"""Tokens are estimated within a tenth, and a text is cut where a reader would cut it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from milepost.base.tokens import clip, count, estimate

_KINDS = json.loads((Path(__file__).parent / "token_texts.json").read_text("utf-8"))


@pytest.mark.parametrize("kind", sorted(_KINDS))
def test_the_estimate_is_within_a_tenth_of_o200k(kind: str) -> None:
    text, tokens = _KINDS[kind]["text"], _KINDS[kind]["o200k_tokens"]
    assert abs(estimate(text) - tokens) <= tokens / 10


def test_nothing_is_no_token_and_anything_is_at_least_one() -> None:
    assert estimate("") == 0
    assert estimate(" ") == 1


@settings(max_examples=200)
@given(st.text(max_size=300), st.integers(0, 60))
def test_what_is_clipped_fits_and_is_a_beginning(text: str, budget: int) -> None:
    short = clip(text, budget)
    assert count(short) <= budget or not text
    assert short == text or short == "" or text.startswith(short.removesuffix(" [...]"))


def test_it_is_cut_at_a_sentence_and_says_so() -> None:
    text = "The first sentence is here. The second sentence is here. The third one is longer yet."
    assert clip(text, 16) == "The first sentence is here. The second sentence is here. [...]"
    assert clip(text, 100) == text
    assert clip(text, 0) == ""
