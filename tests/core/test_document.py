"""Memory files are cut into blocks and put together again byte for byte."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from milepost.memory import document as documents

# Pieces that mean something to the parser, so that random files hit its corners.
PIECES = st.sampled_from(
    [
        "# T", "## Rules", "### deep", "- item", "* item", "1. one", "  more", "    code", "\tcode",
        "", " ", "```", "~~~py", "<!-- c", "-->", "<!-- milepost id=abcd1234ef status=stated -->",
        "- x <!-- milepost id=abcd1234ef at=2026 -->", "> quote", "| a | b |", "---", "===", "text",
        "lazy line", "\u2028", "\x0c", "é漢字", "\r", "-", "- ", "-\t tab",
    ]
)  # fmt: skip
FILES = st.one_of(
    st.binary(max_size=400),
    st.text(max_size=400).map(lambda text: text.encode("utf-8", "replace")),
    st.lists(PIECES, max_size=30).map(lambda lines: "\n".join(lines).encode()),
    st.lists(PIECES, max_size=30).map(lambda lines: "\r\n".join(lines).encode()),
)
TEXTS = (
    st.one_of(st.text(min_size=1, max_size=200), st.lists(PIECES, min_size=1).map("\n".join))
    .filter(lambda text: "\0" not in text and text.encode("utf-8", "ignore").decode() == text)
    .map(documents.normalized)
    .filter(bool)
)


@given(FILES)
def test_any_file_survives_parse_and_render_byte_for_byte(data: bytes) -> None:
    assert documents.parse(data).to_bytes() == data


@given(FILES)
def test_the_blocks_of_any_file_are_the_whole_file_without_gap_or_overlap(data: bytes) -> None:
    document = documents.parse(data)
    ends = [0, *(block.end for block in document.blocks)]
    assert ends[:-1] == [block.start for block in document.blocks]
    assert ends[-1] == len(document.text)


@given(FILES)
def test_no_two_entries_of_any_file_share_an_id(data: bytes) -> None:
    found = [entry.id for entry in documents.parse(data).entries]
    assert len(found) == len(set(found))


@given(FILES, TEXTS)
def test_an_added_entry_reads_back_and_the_others_keep_their_words(data: bytes, text: str) -> None:
    document = documents.parse(data)
    changed = documents.with_entry(
        document, "Rules", text, {"id": "newnewnew1", "status": "stated"}
    )
    added = changed.find("newnewnew1")
    assert added is not None
    assert added.text == text
    assert added.block.section == "Rules"
    others = [entry.text for entry in changed.entries if entry.id != "newnewnew1"]
    assert others == [entry.text for entry in document.entries]


@given(FILES, TEXTS)
def test_adding_and_removing_an_entry_only_ever_adds_lines(data: bytes, text: str) -> None:
    document = documents.parse(data)
    changed = documents.with_entry(document, "Rules", text, {"id": "newnewnew1"})
    added = changed.find("newnewnew1")
    assert added is not None
    rest = documents.without(changed, added)
    assert [entry.text for entry in rest.entries] == [entry.text for entry in document.entries]


@given(st.lists(TEXTS, min_size=1, max_size=8), st.data())
def test_a_changed_entry_leaves_every_other_byte_alone(
    texts: list[str], data: st.DataObject
) -> None:
    document = documents.parse_text("# T\n\nintro <!-- not ours -->\n\n## Rules\n")
    for number, text in enumerate(texts):
        document = documents.with_entry(document, "Rules", text, {"id": f"entry{number:05d}"})
    number = data.draw(st.integers(0, len(texts) - 1))
    entry = document.find(f"entry{number:05d}")
    assert entry is not None
    changed = documents.with_changed(document, entry, "other words", {"id": entry.id})
    assert changed.text.startswith(document.text[: entry.block.start])
    assert changed.text.endswith(document.text[entry.block.end :])
    found = changed.find(entry.id)
    assert found is not None
    assert found.text == "other words"


def check(source: str, expected: list[tuple[str, str]]) -> None:
    """`expected` are the sections and the words of the entries of `source`."""
    found = documents.parse_text(source).entries
    assert [(entry.block.section, entry.text) for entry in found] == expected


def test_list_items_and_paragraphs_are_entries_with_their_section() -> None:
    check(
        "# Memory\n\nintro\n\n## Rules\n\n- one\n- two\n  goes on\n\nA paragraph\nof two lines.\n",
        [("", "intro"), ("Rules", "one"), ("Rules", "two\ngoes on"),
         ("Rules", "A paragraph\nof two lines.")],
    )  # fmt: skip


def test_nested_items_and_indented_fences_belong_to_their_entry() -> None:
    check(
        "## Rules\n- one\n  - inner\n\n  ```\n  # no heading\n  ```\n- two\n",
        [("Rules", "one\n- inner\n\n```\n# no heading\n```"), ("Rules", "two")],
    )


def test_fences_comments_quotes_tables_and_front_matter_hold_no_entries() -> None:
    check(
        "---\ntitle: x\n---\n```\n- no\n# no\n```\n<!--\n- no\n-->\n> - no\n"
        "\n| a |\n\n    - no\n- yes\n",
        [("", "yes")],
    )


def test_a_setext_heading_begins_a_section() -> None:
    check("Rules\n-----\n\n- one\n", [("Rules", "one")])


def test_an_entry_without_metadata_has_the_same_id_each_time_and_after_a_move() -> None:
    first = documents.parse_text("## Rules\n- by hand\n").entries[0]
    moved = documents.parse_text("## Other\n\n- else\n- by hand\n").entries[1]
    assert first.id == moved.id


def test_a_copied_line_gets_an_id_of_its_own() -> None:
    line = "- x <!-- milepost id=abcd1234ef -->\n"
    found = documents.parse_text(line * 3).entries
    assert found[0].id == "abcd1234ef"
    assert len({entry.id for entry in found}) == 3


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_an_added_entry_takes_the_line_ending_of_the_file(newline: str) -> None:
    document = documents.parse_text(f"## Rules{newline}")
    changed = documents.with_entry(document, "Rules", "a\nb", {"id": "abcd1234ef"})
    assert changed.text.count("\n") == changed.text.count(newline)


def test_metadata_values_keep_blanks_newlines_and_angle_brackets() -> None:
    metadata = {"id": "abcd1234ef", "source": "mcp:a b --> <x>\n%"}
    document = documents.parse_text(documents.render_item("words", metadata))
    assert document.entries[0].metadata == {"source": metadata["source"]}
    assert document.entries[0].text == "words"


def test_an_entry_added_below_an_open_fence_is_not_swallowed_by_it() -> None:
    document = documents.parse_text("## Rules\n\n```\nnever closed\n")
    changed = documents.with_entry(document, "Rules", "kept", {"id": "abcd1234ef"})
    assert [entry.text for entry in changed.entries] == ["kept"]
    assert "never closed" in changed.text
