"""What the words of a checkpoint.md name."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from milepost_lsp.features.mentions import mentioned_at, mentions


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("- my file.py (changed 2x)", ["file my file.py !"]),
        ('- read {"path": "src/d\\u00e9j\\u00e0.py", "line": 3}', ["file src/déjà.py !"]),
        ('- read {"path": "/home/me/out.txt"}', ["file /home/me/out.txt"]),
        ("see @file:src/a.py.", ["file src/a.py. !"]),
        ("`src/a.py:12` and `a.py#total`", ["file src/a.py:12 !", "file a.py"]),
        ("src/a.py:12:4 or a.py, a.py:3", ["file src/a.py:12 !", "file a.py", "file a.py:3"]),
        ("`order.total` of `src/*.py`", ["file order.total"]),
        ("`/etc/hosts.conf`, ../x/a.py:3, https://example.org/a.html", [
            "file /etc/hosts.conf", "file ../x/a.py:3",
        ]),
        ("T1.2 [open] after restore point 7 and point #8, item 9", [
            "task T1.2", "point 7", "point 8", "item 9",
        ]),
        ("entry 7k3q9x2mab, not 7k3q9x2mabc, abcdefghij or 2026-11-22", ["id 7k3q9x2mab"]),
        # One id in fifty has no digit in it.
        ("kptkdyzbyz", ["id kptkdyzbyz"]),
        ("nothing", []),
    ],
)  # fmt: skip
def test_what_is_named_is_found_with_its_place(line: str, named: list[str]):
    found = mentions([line])
    told = [
        f"{each.kind} {each.name}{'' if each.at is None else f':{each.at}'}{' !' * each.is_sure}"
        for each in found
    ]
    assert told == named
    for each in found:
        assert mentioned_at([line], 0, each.start) == each
        assert "\\" in line or line[each.start : each.end] == each.name


@given(st.lists(st.text(st.sampled_from('`"{}:/.#@T1 aé🎉\\-(x)'), max_size=60), max_size=4))
def test_whatever_stands_there_no_two_take_one_place(lines: list[str]):
    found = mentions(lines)
    for one in found:
        assert 0 <= one.start < one.end <= len(lines[one.line])
        for other in found:
            apart = one.line != other.line or one.end <= other.start or other.end <= one.start
            assert one is other or apart
