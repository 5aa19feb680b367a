"""What of a message is a direction, and how the state of the work makes room for it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from milepost.agent.directions import directions, is_lasting
from milepost.agent.state import UserWords, checkpoint_text, notes_text, user_words
from milepost.base import tokens
from milepost.checkpoints.summary import Summary, render

_LOG = "".join(
    f"[00:{n:02}] FAILED tests/test_x.py::test_{n} - must never be 3\n" for n in range(60)
)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Hello. Never touch vendor/. Thanks!", ("Never touch vendor/.",)),
        (f"See:\n{_LOG}\nDo not add a dependency.", ("Do not add a dependency.",)),
        ("Rules:\n- keep Python 3.11\n2) use uv", ("keep Python 3.11", "use uv")),
        ("```\nyou must not see this\n```\nok", ()),
        ("    must_be_code()\nBe quick.", ()),
        ("不要改动测试。谢谢。", ("不要改动测试。",)),
        ("Es muss schnell sein. Danke.", ("Es muss schnell sein.",)),
        ("only " * 200, ()),
    ],
)
def test_sentences_that_direct_are_told_from_the_rest(text: str, found: tuple[str, ...]) -> None:
    assert directions(text) == found


@given(st.text())
def test_a_direction_is_a_short_line_of_the_text(text: str) -> None:
    for found in directions(text):
        assert "\n" not in found
        assert tokens.count(found) <= 80
        assert "".join(found.split()) in "".join(text.split())


@given(st.lists(st.text(max_size=400), max_size=12), st.integers(0, 400))
def test_what_the_user_said_never_takes_more_than_its_room(said: list[str], budget: int) -> None:
    words = [UserWords(number, text) for number, text in enumerate(said, 1)]
    shown = user_words(words, budget)
    # The line that says how many are missing is the only one that is not paid for.
    assert tokens.count(shown) <= budget + 20


def test_a_limit_set_above_a_pasted_log_outlives_the_log() -> None:
    said = [
        UserWords(1, "Move the index, and keep the signature of open()."),
        UserWords(7, f"This is what CI said:\n{_LOG}\nNever edit legacy/ by hand."),
        *(UserWords(number, "How far are you? Go on, please.") for number in range(9, 60)),
        UserWords(61, _LOG),
    ]
    shown = user_words(said, 300)
    assert "- Move the index, and keep the signature of open()." in shown
    assert "- (from item 7 of the history) Never edit legacy/ by hand." in shown
    assert "more in the history)" in shown
    assert shown.index("item 7") < shown.index("item 61")


def test_a_request_that_does_not_fit_is_shown_as_far_as_it_can_be() -> None:
    shown = user_words([UserWords(1, "Build the parser. " + "It reads lines. " * 400)], 200)
    assert shown.startswith("- (item 1 of the history) Build the parser. It reads lines.")
    assert 80 < tokens.count(shown) <= 200


def test_notes_that_hold_for_long_are_kept_before_those_that_tell_a_position() -> None:
    lines = ["- dead end: ATTACH fails, because the file is locked"]
    lines += [f"- part {n} is moved" for n in range(80)]
    shown = notes_text("\n".join(lines), 120)
    assert lines[0] in shown
    assert lines[-1] in shown
    assert lines[5] not in shown
    assert "some notes are left out" in shown
    assert tokens.count(shown) <= 120
    assert is_lasting("- never run the tests in parallel")
    assert notes_text("- one\n- two", 120) == "- one\n- two"


def test_no_section_of_a_checkpoint_crowds_the_others_out() -> None:
    told = Summary(
        {
            "intent": "the user's words " * 300,
            "next_action": "Mend the parser.",
            "constraints": "- Python 3.11\n" * 300,
            "dead_ends": "- regex",
            "notes": "- a note",
        },
        other="## Mine\n\nA word of the user's.",
    )
    shown = checkpoint_text(render(told), 300)
    assert shown.startswith("Next action:\nMend the parser.")
    assert "Dead ends:\n- regex" in shown
    assert "A word of the user's." in shown
    assert "the user's words" not in shown
    assert "a note" not in shown
    assert tokens.count(shown) <= 310
    assert checkpoint_text("", 300) == ""
