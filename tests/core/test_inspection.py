"""What an editor is told of a memory file's text."""

from __future__ import annotations

import pytest


def kinds(workspace, text: str, *wanted: str) -> list[tuple[str, int, int | None]]:
    found = workspace.inspection.findings(text, "project")
    return [
        (each.kind, each.line, each.other_line)
        for each in found
        if not wanted or each.kind in wanted
    ]


def test_each_entry_is_placed_with_its_anchors(workspace, project):
    (project / "a b.py").write_text("def f():\n    return 1\n", encoding="utf-8")
    workspace.memory.add("Two\nlines.", anchors=("a b.py#f", "README.md"))
    with open(workspace.memory.file(), encoding="utf-8") as file:
        text = file.read()
    (entry,) = workspace.inspection.entries(text)
    lines = text.split("\n")
    assert lines[entry.line].endswith("Two")
    assert entry.end_line == entry.line + 3
    (first, line, start, end), (second, *_) = entry.anchors
    assert (first, second) == ("a b.py#f", "README.md")
    assert lines[line][start:end].startswith("a%20b.py#f@")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("The port is 6432.", "The port is 7000."),
        ("Always use uv for installs.", "Never use uv for installs."),
        ("Tests run in parallel on CI.", "Tests do not run in parallel on CI."),
        ("`timeout` defaults to 30.", "`timeout` defaults to 60"),
        ("Our database is `Postgres`.", "Our database is SQLite."),
    ],
)
def test_two_that_cannot_both_hold_are_told(workspace, one, other):
    text = f"## Rules\n\n- {one}\n- {other}\n"
    assert kinds(workspace, text) == [("contradiction", 2, 3), ("contradiction", 3, 2)]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("The port of the shop is 6432.", "The port of the mail server is 7000."),
        ("The shop is slow.", "The shop is open."),
        ("Step 1 moves orders to the archive.", "Step 2 moves orders to the archive."),
        ("Use uv for installs.", "Never use npm for installs."),
        ("Chapter 3 is done.", "Chapter 4 is not done."),
        ("Not everything is tested.", "Everything else is documented."),
    ],
)
def test_two_facts_about_like_things_are_left_alone(workspace, one, other):
    assert kinds(workspace, f"## Rules\n\n- {one}\n- {other}\n") == []


def test_what_an_agent_only_inferred_contradicts_nothing_by_its_value(workspace):
    text = "- The port is 6432.\n- The port is 7000. <!-- milepost id=abc status=unverified -->\n"
    assert kinds(workspace, text) == []


def test_near_duplicates_are_told_of_each_other(workspace):
    text = (
        "- Tests of the shop run with pytest -q in the root folder.\n"
        "- Something else entirely.\n"
        "- Tests of the shop run with `pytest -q` in the root folder!\n"
    )
    assert kinds(workspace, text) == [("duplicate", 0, 2), ("duplicate", 2, 0)]


def test_what_was_superseded_is_out_of_the_question(workspace):
    text = (
        "- The port is 6432. <!-- milepost id=old status=stated superseded-by=new -->\n"
        "- The port is 7000.\n"
    )
    assert kinds(workspace, text) == []


def test_a_secret_that_a_person_wrote_is_told_without_it(workspace):
    secret = "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"[:36]
    found = workspace.inspection.findings(f"- The token is {secret}\n", "project")
    assert [each.kind for each in found] == ["secret"]
    assert secret not in found[0].message


def test_changed_code_makes_its_entry_suspect_until_it_is_confirmed(workspace, project):
    code = project / "shop.py"
    code.write_text("def total():\n    return 1\n", encoding="utf-8")
    entry = workspace.memory.add("Totals are exact.", anchors=("shop.py#total",))
    assert workspace.inspection.about_file("shop.py")[0].doubts == ()
    code.write_text("def total():\n    return 2\n", encoding="utf-8")
    (found,) = workspace.inspection.findings(read(workspace), "project")
    assert (found.entry_id, found.kind) == (entry.id, "suspect")
    assert workspace.inspection.about_file("shop.py")[0].doubts == (found.message,)
    workspace.memory.update(entry.id, status="confirmed")
    assert kinds(workspace, read(workspace)) == []
    assert workspace.inspection.anchored_files(most=10) == (str(code),)


def test_uses_are_counted_by_searches_and_briefs_and_survive_a_restart(workspace):
    port = workspace.memory.add("The port is 6432.")
    rule = workspace.memory.add("Tests run with pytest.", kind="rule")
    assert workspace.inspection.uses("project") == {}
    workspace.memory.search("port")
    workspace.memory.search("port")
    workspace.memory.search("port", is_use=False)
    workspace.memory.brief()
    assert workspace.inspection.uses("project") == {port.id: 3, rule.id: 1}
    workspace.close()
    assert workspace.inspection.uses("project") == {port.id: 3, rule.id: 1}


def test_a_large_memory_is_looked_at_in_a_moment(workspace):
    text = "".join(
        f"- The module m{number} keeps part {number * 7} of the orders in table t{number}.\n"
        for number in range(2_000)
    )
    assert workspace.inspection.findings(text, "project") == ()


def read(workspace) -> str:
    with open(workspace.memory.file(), encoding="utf-8", newline="") as file:
        return file.read()
