"""checkpoint.md cut into sections and items, and who filled it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from milepost import api
from milepost.checkpoints import summary

TEXTS = st.lists(
    st.sampled_from(
        ["# Checkpoint", "## Dead ends", "## Mine ##", "## dead ends", "- one", "  two", "three",
         "1. four", "(nothing)", "🎉 é", "###", "##", ""]
    ),
    max_size=30,
).map("\n".join)  # fmt: skip


@given(TEXTS)
def test_sections_follow_each_other_and_hold_their_items(text: str):
    lines = text.split("\n")
    sections = list(summary.placed(text))
    ends = [section.end_line for section in sections]
    assert [section.line for section in sections[1:]] == ends[:-1]
    for section in sections:
        assert section.title in lines[section.line]
        at = section.line + 1
        for item in section.items:
            assert at <= item.line < item.end_line <= section.end_line
            assert not "".join(lines[at : item.line]).strip()
            own = [line.strip() for line in lines[item.line : item.end_line]]
            assert [words.strip() for words in item.text.split("\n")][1:] == own[1:]
            assert own[0].endswith(item.text.split("\n")[0])
            at = item.end_line
        rest = "".join(lines[at : section.end_line]).strip()
        assert rest in ("", "(nothing)")


@given(TEXTS)
def test_what_is_written_has_every_section_in_its_order(text: str):
    written = summary.render(summary.parse(text))
    keys = [section.key for section in summary.placed(written)]
    assert keys[: len(summary.TITLES)] == list(summary.TITLES)


@pytest.mark.parametrize(
    ("body", "items"),
    [
        ("- one\n- two\n  more\n\nthree\nfour", ["one", "two\nmore", "three", "four"]),
        ("(nothing)", []),
        ("1. one\n2) two", ["one", "two"]),
        (
            "- what the user said\nin two lines\n- next",
            ["what the user said\nin two lines", "next"],
        ),
    ],
)
def test_an_item_has_a_bullet_or_a_line_of_its_own(body: str, items: list[str]):
    (section,) = summary.placed(f"## Dead ends\r\n\r\n{body}\r\n")
    assert [item.text for item in section.items] == items


def test_only_the_file_of_a_session_is_a_summary(tmp_path: Path):
    root = tmp_path / "shop"
    root.mkdir()
    (root / "pyproject.toml").write_text("", "utf-8")
    workspace = api.open_workspace(str(root), actor="user:tests")
    session = Path(workspace.project.data_dir, "sessions", "s1")
    session.mkdir(parents=True)
    link = tmp_path / "linked"
    link.symlink_to(session, target_is_directory=True)
    found = workspace.summaries.session_of
    assert found(str(session / "checkpoint.md")) == "s1"
    assert found(str(link / "checkpoint.md")) == "s1"
    assert found(str(session / "notes.md")) is None
    assert found(str(root / "checkpoint.md")) is None
    assert found(str(session.parent / "checkpoint.md")) is None
    workspace.close()


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ("- one\n  more", "one\nmore"),
        ("  2) two", "two"),
        ("from 1 - 2 on", "from 1 - 2 on"),
        ("- from 1 - 2 on", "from 1 - 2 on"),
    ],
)
def test_an_item_loses_its_bullet_and_nothing_else(
    workspace: api.Workspace, lines: str, words: str
) -> None:
    assert workspace.summaries.words(lines) == words
