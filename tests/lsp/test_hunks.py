"""Differences line by line, and finding lines again in a text that moved on."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from milepost_lsp import hunks
from milepost_lsp.hunks import Span, differences, place

LINES = st.lists(st.sampled_from(["a\n", "b\n", "\n", "c", "}\n"]), max_size=12)


@given(LINES, LINES)
def test_differences_taken_over_one_by_one_make_the_new_text(old, new):
    text = list(old)
    for span in reversed(differences(old, new)):
        text[span.old_start : span.old_end] = new[span.new_start : span.new_end]
    assert text == new


@given(LINES, LINES)
def test_what_is_between_differences_is_the_same(old, new):
    spans = differences(old, new)
    ends = [(0, 0), *((span.old_end, span.new_end) for span in spans)]
    starts = [*((span.old_start, span.new_start) for span in spans), (len(old), len(new))]
    for (old_end, new_end), (old_start, new_start) in zip(ends, starts, strict=True):
        assert old[old_end:old_start] == new[new_end:new_start]
    for span in spans:
        assert span.old_end > span.old_start or span.new_end > span.new_start


def test_two_changes_with_a_line_between_them_are_two():
    old, new = ["a", "b", "c", "d"], ["A", "b", "C", "d"]
    assert differences(old, new) == (Span(0, 1, 0, 1), Span(2, 3, 2, 3))


def test_texts_too_long_to_compare_differ_in_one_place_between_what_they_share():
    many = hunks.MAX_LINES + 10
    old = ["head", *(f"old {i}" if i % 2 else "same" for i in range(many)), "tail"]
    new = ["head", *(f"new {i}" if i % 2 else "same" for i in range(many)), "tail"]
    # The first of the many is the same too, and so is whatever stands before the tail.
    spans = differences(old, new)
    assert len(spans) == 1
    assert old[: spans[0].old_start] == new[: spans[0].new_start] == ["head", "same"]


EXPECTED = ["one", "two", "three", "four"]


@pytest.mark.parametrize(
    ("now", "start", "end", "line"),
    [
        (EXPECTED, 1, 2, 1),
        (["zero", *EXPECTED], 1, 2, 2),
        (["one", "new", "two", "three", "four"], 1, 2, 2),
        (["one", "TWO", "three", "four"], 1, 2, None),
        (["one", "three", "four"], 1, 2, None),
        (["one", "two", "new", "three", "four"], 1, 3, None),
        (["new", "two", "new", "three", "four"], 1, 2, None),
        ([], 1, 2, None),
        # Between two lines, both of them must be there.
        (EXPECTED, 1, 1, 1),
        (["zero", *EXPECTED], 1, 1, 2),
        (["one", "new", "two", "three", "four"], 1, 1, None),
        (["ONE", "two", "three", "four"], 1, 1, None),
        (["one", "TWO", "three", "four"], 1, 1, None),
        # At the beginning and at the end it is the text's own edge that must be there.
        (EXPECTED, 0, 0, 0),
        (["zero", *EXPECTED], 0, 0, None),
        (["one", "two", "THREE", "four"], 0, 0, 0),
        (EXPECTED, 4, 4, 4),
        ([*EXPECTED, "five"], 4, 4, None),
        (["zero", *EXPECTED], 4, 4, 5),
        (["zero", *EXPECTED], 0, 4, 1),
    ],
)
def test_lines_are_found_again_unless_something_changed_there(now, start, end, line):
    assert place(EXPECTED, now, start, end) == line


def test_an_empty_text_has_a_place_in_an_empty_text():
    assert place([], [], 0, 0) == 0
    assert place([], ["x"], 0, 0) is None
