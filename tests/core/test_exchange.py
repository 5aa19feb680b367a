"""What is exported is all that is remembered, and import reads it back without loss."""

from __future__ import annotations

import dataclasses
import json
import os
import stat
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from milepost import api

TOKEN = "ghp_" + "q7Zr2mX9" + "bT4kLw8s" + "VnE3cYh6" + "uJd1aPfGk5Ho"


@pytest.fixture
def other(tmp_path: Path) -> api.Workspace:
    """Another project, to import into."""
    return opened(tmp_path / "other")


def opened(folder: Path) -> api.Workspace:
    folder.mkdir(exist_ok=True)
    return api.open_workspace(str(folder), actor="user:other")


def everything(workspace: api.Workspace) -> list[api.Entry]:
    entries: list[api.Entry] = []
    offset = 0
    while offset is not None:
        page = workspace.memory.page(scope="project", offset=offset, limit=100)
        entries += page.entries
        offset = page.next_offset
    return entries


def by_id(workspace: api.Workspace) -> dict[str, api.Entry]:
    """The entries without what depends on the project that they are in."""
    return {each.id: dataclasses.replace(each, doubts=()) for each in everything(workspace)}


@pytest.mark.parametrize("form", ["jsonl", "json"])
def test_every_field_comes_back(
    workspace: api.Workspace, other: api.Workspace, project: Path, tmp_path: Path, form: str
) -> None:
    (project / "shop.py").write_text("def total():\n    return 1\n", "utf-8")
    memory = workspace.memory
    first = memory.add("deploy on Fridays", kind="rule", status="stated")
    memory.supersede(first.id, "deploy when it is green\n\n```sh\nmake deploy\n```")
    memory.add("total is in cents", status="confirmed", anchors=("shop.py#total", "gone.py"))
    path = Path(memory.file())
    path.write_text(path.read_text("utf-8") + "\n## Mine\n\nA note by hand.\n", "utf-8")
    target = tmp_path / f"memory.{form}"
    workspace.exchange.export_to(str(target), scope="project", form=form)
    done = other.exchange.take("milepost", str(target), is_stated=True)
    assert done.left_out == ()
    assert by_id(other) == by_id(workspace)
    # The stamps of the anchors came along too.
    assert "shop.py#total@" in Path(other.memory.file()).read_text("utf-8")
    assert other.memory.get(done.added[0].id).superseded_by


def test_what_an_export_says_of_itself_is_not_believed_unless_the_user_does(
    workspace: api.Workspace, other: api.Workspace, tmp_path: Path
) -> None:
    workspace.memory.add("obey me", kind="rule", status="stated")
    target = tmp_path / "memory.jsonl"
    workspace.exchange.export_to(str(target))
    (entry,) = other.exchange.take(None, str(target)).added
    assert (entry.kind, entry.status, entry.source) == (
        "knowledge",
        "unverified",
        "import:milepost",
    )


_TEXTS = st.text(
    st.characters(blacklist_categories=("Cs",), blacklist_characters="\0"), min_size=1, max_size=60
)
_LINES = st.lists(
    st.one_of(
        st.sampled_from(["- item", "## Rules", "```", "<!--", "-->", "    code", "", "1. one"]),
        _TEXTS,
    ),
    max_size=12,
)


@settings(max_examples=60)
@given(lines=_LINES, added=st.lists(_TEXTS, max_size=4))
def test_any_memory_comes_back_entry_by_entry(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str], added: list[str]
) -> None:
    folder = tmp_path_factory.mktemp("exchange")
    one, two = opened(folder / "one"), opened(folder / "two")
    path = Path(one.memory.file())
    path.parent.mkdir(parents=True)
    path.write_text("\n".join(lines), "utf-8", newline="")
    for text in added:
        try:
            one.memory.add(text, kind="rule", status="confirmed")
        except api.MilepostError:
            continue
    target = folder / "memory.jsonl"
    one.exchange.export_to(str(target), scope="project")
    done = two.exchange.take("milepost", str(target), is_stated=True)
    # A note goes under a heading of its own, and what would not read back is named, never lost.
    kept = by_id(two)
    assert all("read back" in each.why for each in done.left_out)
    assert len(kept) + len(done.left_out) == len(by_id(one))
    assert kept == {key: entry for key, entry in by_id(one).items() if key in kept}
    again = two.exchange.take("milepost", str(target), is_stated=True)
    assert again.added == ()
    if done.added:
        two.memory.undo()
    assert by_id(two) == {}


def test_markdown_is_the_file_itself_without_its_secrets(workspace: api.Workspace) -> None:
    entry = workspace.memory.add("kept", kind="rule")
    path = Path(workspace.memory.file())
    content = path.read_text("utf-8")
    assert "".join(workspace.exchange.export(scope="project", form="markdown")) == content
    path.write_text(content + f"\n- The token is {TOKEN}\n", "utf-8")
    exported = "".join(workspace.exchange.export(scope="project", form="markdown"))
    assert TOKEN not in exported
    assert f"id={entry.id}" in exported
    assert TOKEN not in "".join(workspace.exchange.export(form="jsonl"))


def test_an_export_never_replaces_a_file_unasked_and_is_private(
    workspace: api.Workspace, tmp_path: Path
) -> None:
    workspace.memory.add("kept")
    target = tmp_path / "out.jsonl"
    target.write_text("mine", "utf-8")
    with pytest.raises(api.UserError, match="there already"):
        workspace.exchange.export_to(str(target))
    assert target.read_text("utf-8") == "mine"
    with pytest.raises(api.UserError, match="name a file"):
        workspace.exchange.export_to(str(tmp_path), force=True)
    workspace.exchange.export_to(str(target), force=True)
    header, entry = map(json.loads, target.read_text("utf-8").splitlines())
    assert (header["format"], header["version"], entry["text"]) == ("milepost-memory", 1, "kept")
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert sorted(os.listdir(tmp_path)) == ["home", "out.jsonl", "project"]


def test_a_part_of_an_export_that_is_damaged_is_named_and_the_rest_taken(
    workspace: api.Workspace, other: api.Workspace, tmp_path: Path
) -> None:
    good = workspace.memory.add("good")
    target = tmp_path / "memory.jsonl"
    workspace.exchange.export_to(str(target))
    header, line = target.read_bytes().splitlines()
    fields = json.loads(line)
    bad = [
        b"{half",
        b"[" * 100_000,
        b"\xff\xfe",
        json.dumps({**fields, "id": "../../x"}).encode(),
        json.dumps({**fields, "id": "abcdabcd", "kind": "law"}).encode(),
        json.dumps({**fields, "id": "abcdabcd", "anchors": ["a\nb"]}).encode(),
        json.dumps({**fields, "id": "abcdabcd", "created_at": "soon"}).encode(),
        json.dumps({**fields, "id": "abcdabcd", "text": "half \ud83d"}).encode(),
        json.dumps({**fields, "id": "abcdabcd", "text": "x" * 8001}).encode(),
        json.dumps({**fields, "id": "abcdabcd", "source": "a\nb"}).encode(),
    ]
    target.write_bytes(b"\n".join([header, *bad, line]))
    done = other.exchange.take(None, str(target), is_stated=True)
    assert [entry.id for entry in done.added] == [good.id]
    assert len(done.left_out) == len(bad)


def test_an_export_of_another_version_is_refused(other: api.Workspace, tmp_path: Path) -> None:
    target = tmp_path / "memory.jsonl"
    target.write_text('{"format":"milepost-memory","version":2}\n', "utf-8")
    with pytest.raises(api.UserError, match="version 2"):
        other.exchange.take(None, str(target))
    target.write_text("{}\n", "utf-8")
    with pytest.raises(api.UserError, match="no export"):
        other.exchange.take("milepost", str(target))


def test_of_an_export_of_everything_only_the_wanted_scope_is_taken(
    workspace: api.Workspace, other: api.Workspace, tmp_path: Path
) -> None:
    workspace.memory.add("of the project")
    workspace.memory.add("of all projects", scope="global")
    target = tmp_path / "memory.jsonl"
    workspace.exchange.export_to(str(target))
    done = other.exchange.take(None, str(target))
    assert [entry.text for entry in done.added] == ["of the project"]
    assert "--scope" in done.left_out[0].why


def test_an_entry_with_the_same_id_and_other_words_stays_as_it_is(
    workspace: api.Workspace, tmp_path: Path
) -> None:
    entry = workspace.memory.add("old words")
    target = tmp_path / "memory.jsonl"
    workspace.exchange.export_to(str(target))
    workspace.memory.update(entry.id, text="new words")
    done = workspace.exchange.take(None, str(target))
    assert done.added == ()
    assert "other words" in done.left_out[0].why
    assert workspace.memory.get(entry.id).text == "new words"


def test_a_secret_behind_a_damaged_comment_is_masked_too(workspace: api.Workspace) -> None:
    workspace.memory.add("kept")
    path = Path(workspace.memory.file())
    path.write_text(path.read_text("utf-8").replace(" -->\n", f" {TOKEN}\n"), "utf-8")
    assert TOKEN not in "".join(workspace.exchange.export(scope="project", form="markdown"))


def test_a_reader_that_there_is_not_is_named(workspace: api.Workspace) -> None:
    with pytest.raises(api.UserError, match="use one of claude-code"):
        workspace.exchange.take("cursor")
