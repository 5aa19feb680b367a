"""A change made in the neighbourhood of an entry is the change made in the whole file, or none."""

from __future__ import annotations

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from milepost.base.ids import new_id
from milepost.memory import document as documents
from milepost.memory import repeated
from milepost.memory.document import EntryBlock
from milepost.memory.draft import Draft, Known
from milepost.memory.layout import NOT_FIRST, layout_of, size_of
from tests.core.test_document import PIECES, TEXTS

_SECTIONS = ("Rules", "Knowledge")
_OWN = st.integers(0, 9_999).map("- x <!-- milepost id=own{:04d} at=1 -->".format)
_SPECIAL = st.sampled_from(
    [
        "## Rules", "## Knowledge", "## Other", "", "", "---", "...", "<div>", "</div>", "  more",
        "```", "    code", "\tcode", "<!--", "-->", "lazy", "- a\n\n  b", "1. one", "===",
        "> quote", "\u2028", "<<<<<<< ours", "||||||| base", "=======", ">>>>>>> theirs",
    ]
)  # fmt: skip


@st.composite
def files(draw: st.DrawFn) -> bytes:
    newline = draw(st.sampled_from(["\n", "\n", "\n", "\r\n"]))
    # Of random lines most files are a riddle; these here are mostly lists of entries.
    lines = draw(st.sampled_from([st.one_of(PIECES, _OWN), st.one_of(_OWN, _OWN, _SPECIAL)]))
    text = newline.join(draw(st.lists(lines, max_size=25))) + draw(st.sampled_from([newline, ""]))
    broken = draw(st.sampled_from([b"", b"", b"\xff\n", b"caf\xe9 \xf0\x9f\n- "]))
    return broken + text.encode() if draw(st.booleans()) else text.encode() + broken


_CHANGES = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.sampled_from(_SECTIONS), TEXTS),
        st.tuples(st.just("change"), st.integers(0, 60), TEXTS),
        st.tuples(st.just("remove"), st.integers(0, 60), st.just("")),
    ),
    min_size=1,
    max_size=5,
)


def draft_of(data: bytes) -> Draft:
    """A draft that knows what an index knows that is level with `data`."""
    document = documents.parse(data)
    sizes = {entry.id: size_of(document, entry) for entry in document.entries}
    known = {
        entry.id: Known(sizes[entry.id], entry.block.section)
        for entry in document.entries
        if sizes[entry.id]
    }
    layout = None if NOT_FIRST in sizes.values() else layout_of(document, _SECTIONS)
    return Draft(data, _SECTIONS, layout, known.get)


def _lines(data: bytes, entry: EntryBlock) -> tuple[int, int]:
    document = documents.parse(data)
    last = document.line_of(max(entry.block.start, entry.block.end - 1))
    return document.line_of(entry.block.start), last + 1


def whole_of(data: bytes) -> Draft:
    return Draft(data, _SECTIONS, None, lambda _: None)


@settings(max_examples=400)
@given(files(), _CHANGES)
def test_any_changes_of_any_file_are_those_of_the_whole_and_the_layout_moves_along(
    data: bytes, changes: list[tuple[str, object, str]]
) -> None:
    draft, local = draft_of(data), 0
    for action, where, text in changes:
        before = draft.to_bytes()
        whole = whole_of(before)
        ids = [entry.id for entry in documents.parse(before).entries]
        if action == "add":
            metadata = {"id": new_id(), "source": "x"}
            outcomes = [each.add(str(where), text, metadata) for each in (draft, whole)]
            assert outcomes[0] == outcomes[1]
        elif ids and action == "change":
            entry_id = ids[int(str(where)) % len(ids)]
            found, expected = draft.find(entry_id), whole.find(entry_id)
            assert found is not None
            assert expected is not None
            assert (found.text, found.metadata) == (expected.text, expected.metadata)
            assert found.block.section == expected.block.section
            lines = draft.lines_of(entry_id)
            assert lines in (None, _lines(before, expected))
            outcomes = [each.change(entry_id, text, {"id": entry_id}) for each in (draft, whole)]
            assert outcomes[0] == outcomes[1]
        elif ids:
            entry_id = ids[int(str(where)) % len(ids)]
            draft.remove(entry_id)
            whole.remove(entry_id)
        assert draft.to_bytes() == whole.to_bytes()
        now = documents.parse(draft.to_bytes())
        layout = draft.layout()
        expected_layout = layout_of(now, _SECTIONS)
        # A place may be unknown; one that is known is right.
        assert layout.places.items() <= expected_layout.places.items()
        assert layout.newline == expected_layout.newline
        for entry in now.entries:
            if entry.id not in ids:
                assert draft.sizes([entry.id]) == {entry.id: size_of(now, entry)}
        local += not draft.is_whole()
    event(f"{local} of {len(changes)} without the whole")


@settings(max_examples=200)
@given(
    files(),
    st.sampled_from(_SECTIONS),
    st.lists(st.one_of(PIECES, _OWN).map(str.encode), max_size=4),
    TEXTS,
)
def test_an_append_to_any_file_is_what_a_change_of_the_whole_would_write(
    data: bytes, section: str, last: list[bytes], text: str
) -> None:
    newline = b"\r\n" if b"\r\n" in data else b"\n"
    data += newline.join([b"", b"## " + section.encode(), b"", *last]) + newline
    layout = layout_of(documents.parse(data), _SECTIONS)
    place = layout.places.get(section)
    if place is None or place.end != len(data):
        return  # swallowed by an open fence, or under another heading of that name
    end = Draft(data[place.start :], _SECTIONS, layout, lambda _: None, begins=place.start)
    metadata = {"id": new_id()}
    appended = end.add_here(section, text, metadata)
    event("appended" if appended else "needs the whole")
    if not appended:
        assert end.to_bytes() == data[place.start :]
        return
    whole = whole_of(data)
    assert whole.add(section, text, metadata)
    assert data[: place.start] + end.to_bytes() == whole.to_bytes()
    assert end.to_bytes().startswith(data[place.start :])
    assert end.layout() == whole.layout()
    assert end.sizes([metadata["id"]]) == whole.sizes([metadata["id"]])


@settings(max_examples=200)
@given(
    files(),
    st.sampled_from(_SECTIONS),
    st.lists(st.tuples(st.sampled_from(_SECTIONS), TEXTS), min_size=1, max_size=6),
)
def test_entries_at_the_end_under_repeated_headings_are_those_of_their_sections(
    data: bytes, last: str, added: list[tuple[str, str]]
) -> None:
    newline = b"\r\n" if b"\r\n" in data else b"\n"
    data += newline.join([b"", b"## " + last.encode(), b"", b"- z <!-- milepost id=zzzz -->", b""])
    draft = draft_of(data)
    before = documents.parse(data)
    expected = [(entry.id, entry.block.section, entry.text) for entry in before.entries]
    repeats = 0
    for number, (section, text) in enumerate(added):
        layout = draft.layout()
        at_end = layout.last()
        if at_end is None or at_end.end != len(draft.to_bytes()):
            event("the end is swallowed by an open fence")
            continue
        is_there = at_end == layout.places.get(section)
        add = draft.add_here if is_there else draft.add_again
        if draft.is_whole() or not add(section, text, {"id": f"new{number:07d}"}):
            event("needs the whole")
            continue
        repeats += not is_there
        expected.append((f"new{number:07d}", section, text))
        now = documents.parse(draft.to_bytes())
        assert draft.to_bytes().startswith(data)
        assert draft.layout() == layout_of(now, _SECTIONS)
        assert [(e.id, e.block.section, e.text) for e in now.entries] == expected
        entry = now.entries[-1]
        assert draft.sizes([entry.id]) == {entry.id: size_of(now, entry)}
    tidy = repeated.gathered(documents.parse(draft.to_bytes()))
    event(f"{repeats} repeated, {'tidied' if tidy else 'left'}")
    if tidy is None:
        return
    assert repeats
    assert repeated.MARK not in tidy.text
    assert sorted((e.id, e.block.section, e.text) for e in tidy.entries) == sorted(expected)
    headings = [block.title for block in tidy.blocks if block.kind == "heading"]
    assert headings == [block.title for block in before.blocks if block.kind == "heading"]


def test_repeated_headings_are_brought_together_and_what_a_person_wrote_stays() -> None:
    by_hand = b"## Rules\n\n- a rule by hand\n\nprose\n\n## Own\n\n- own\n"
    draft = draft_of(_PLAIN)
    assert draft.add_again("Rules", "four\n\n- deep", {"id": "four0"})
    assert draft.add_here("Rules", "five", {"id": "five0"})
    assert draft.add_again("Knowledge", "six", {"id": "six00"})
    tidy = repeated.gathered(documents.parse(draft.to_bytes() + by_hand))
    assert tidy is not None
    assert (
        tidy.to_bytes()
        == _PLAIN.replace(
            b"<!-- milepost id=half0 -->\n",
            b"<!-- milepost id=half0 -->\n- four\n\n  - deep\n  <!-- milepost id=four0 -->\n"
            b"- five <!-- milepost id=five0 -->\n",
        )
        + b"- six <!-- milepost id=six00 -->\n\n"
        + by_hand
    )
    assert repeated.gathered(tidy) is None


_PLAIN = b"""# T

## Rules

- one <!-- milepost id=one00 -->
- two <!-- milepost id=two00 -->
  goes on
- two and a half
  more <!-- milepost id=half0 -->

## Knowledge

- three <!-- milepost id=three -->
"""


@pytest.mark.parametrize("newline", [b"\n", b"\r\n"])
def test_the_usual_changes_need_no_look_at_the_whole(newline: bytes) -> None:
    draft = draft_of(_PLAIN.replace(b"\n", newline))
    assert draft.add("Rules", "four\n\n- deep", {"id": "four0"})
    assert draft.change("one00", "one\nand a half", {"id": "one00"})
    assert draft.change("four0", "four again", {"id": "four0"})
    draft.remove("half0")
    draft.remove("one00")
    assert draft.add("Knowledge", "five", {"id": "five0"})
    draft.remove("three")
    assert draft.add("Rules", "six", {"id": "six00"})
    assert not draft.is_whole()
    found = documents.parse(draft.to_bytes()).entries
    assert [(entry.block.section, entry.id) for entry in found if entry.origin == "comment"] == [
        ("Rules", "four0"), ("Rules", "six00"), ("Knowledge", "five0")
    ]  # fmt: skip


def test_an_id_that_a_text_speaks_of_too_is_looked_for_in_the_whole() -> None:
    draft = draft_of(_PLAIN + b"- see id=one00 above <!-- milepost id=four0 -->\n")
    assert draft.change("one00", "changed", {"id": "one00"})
    assert draft.is_whole()
    assert b"- changed <!-- milepost id=one00 -->\n- two" in draft.to_bytes()


def test_what_would_run_into_what_follows_is_left_to_the_whole() -> None:
    draft = draft_of(b"## Rules\n\n- z\n\npara <!-- milepost id=aaaaa -->\n\n    code\n\n- b\n")
    draft.remove("aaaaa")
    assert draft.is_whole()
