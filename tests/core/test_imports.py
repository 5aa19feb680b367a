"""What other tools remember is copied into ours, and theirs stays as it is, byte for byte."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from milepost import api
from milepost.config import agents
from milepost.memory.imports import markdown, notes, server_memory
from milepost.memory.imports.reading import MAX_LINE_BYTES, Reading, pieces
from tests.conftest import git
from tests.tree import fingerprint

TOKEN = "ghp_" + "q7Zr2mX9" + "bT4kLw8s" + "VnE3cYh6" + "uJd1aPfGk5Ho"

INSTRUCTIONS = """\
---
title: mine
---
# My shop

@AGENTS.md

## Testing

- Run all tests with:

  ```bash
  make test
  ```

- Always use it.

| when | what |
|------|------|
| push | lint |

<!-- nobody should read this -->

## Rules

Never push on Fridays.
"""

NOTE = """\
---
name: cents
description: how amounts are kept
metadata:
  type: project
  originSessionId: 0b5c
  modified: 2026-03-01T10:00:00.000Z
---
Amounts are integer cents.

**Why:** floats lost a cent in May. See [[rates]].
"""

HANDBOOK = """\
# Task Group: {root} / billing

scope: how hours are billed
applies_to: cwd={root}; reuse_rule=safe in this checkout

## Task 1: round the hours, done

### rollout_summary_files

- rollout_summaries/a.md (cwd={root}, updated_at=2026-01-01)

### keywords

- billing, rounding

## User preferences

- when billing, the user asked: "round up" -> always round up [Task 1]

## Reusable knowledge

- Rates live in rates.csv [Task 1][Task 2]

# Task Group: elsewhere

scope: another thing
applies_to: cwd=/srv/elsewhere; reuse_rule=only there

## Reusable knowledge

- This is about another project.
"""


@pytest.fixture
def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home directory of its own, without any variable that points out of it."""
    folder = tmp_path / "user"
    folder.mkdir()
    monkeypatch.setenv("HOME", str(folder))
    for name in os.environ:
        if name.startswith(("CLAUDE", "CODEX", "GEMINI", "MEMORY_FILE", "NPM_CONFIG")):
            monkeypatch.delenv(name)
    return folder


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return path


def texts(done: api.Import) -> list[str]:
    return [entry.text for entry in done.added]


def claude_folder(user: Path, project: Path) -> Path:
    name = "".join(char if char.isascii() and char.isalnum() else "-" for char in str(project))
    return user / ".claude" / "projects" / name / "memory"


def test_claude_codes_notes_and_instructions_become_entries(
    workspace: api.Workspace, project: Path, user: Path
) -> None:
    folder = claude_folder(user, project)
    write(folder / "MEMORY.md", "- [Cents](cents.md) — amounts\n- Redis must run on 6379.\n")
    write(folder / "cents.md", NOTE)
    write(folder / "debugging.md", "## Debugging\n\n- Look at the log first.\n")
    write(project / "CLAUDE.md", INSTRUCTIONS)
    write(user / ".claude" / "CLAUDE.md", "- I like short answers.\n")
    before = fingerprint(user) | fingerprint(project)
    done = workspace.exchange.take("claude-code")
    assert fingerprint(user) | fingerprint(project) == before
    assert texts(done) == [
        "Redis must run on 6379.",
        "Amounts are integer cents.\n\n**Why:** floats lost a cent in May. See [[rates]].",
        "Debugging: Look at the log first.",
        "Testing: Run all tests with:\n\n```bash\nmake test\n```",
        "Testing: Always use it.\n\n| when | what |\n|------|------|\n| push | lint |",
        "Never push on Fridays.",
    ]
    assert {entry.source for entry in done.added} == {"import:claude-code"}
    # What a file says is neither a rule nor stated, whatever heading it stands under.
    assert {(entry.kind, entry.status) for entry in done.added} == {("knowledge", "unverified")}
    assert done.added[1].created_at == "2026-03-01T10:00:00Z"
    reasons = " ".join(each.why for each in done.left_out)
    assert all(word in reasons for word in ("cents.md", "@AGENTS.md", "comment", "front matter"))
    (everywhere,) = workspace.exchange.take("claude-code", scope="global").added
    assert (everywhere.text, everywhere.scope) == ("I like short answers.", "global")


def test_rules_stay_rules_when_the_user_vouches_for_them(
    workspace: api.Workspace, project: Path, user: Path
) -> None:
    path = write(project / "CLAUDE.md", INSTRUCTIONS)
    done = workspace.exchange.take("claude-code", str(path), is_stated=True)
    assert (done.added[-1].kind, done.added[-1].status) == ("rule", "stated")


def test_of_codexs_handbook_only_facts_about_this_project_are_taken(
    workspace: api.Workspace, project: Path, user: Path
) -> None:
    write(user / ".codex" / "memories" / "MEMORY.md", HANDBOOK.format(root=project))
    summary = "v1\n\n## User preferences\n\n- Be brief.\n\n## What's in Memory\n\n- billing\n"
    write(user / ".codex" / "memories" / "memory_summary.md", summary)
    write(user / ".codex" / "AGENTS.md", "Answer in English.\n")
    done = workspace.exchange.take("codex")
    assert texts(done) == [
        'when billing, the user asked: "round up" -> always round up',
        "Rates live in rates.csv",
    ]
    assert any("/srv/elsewhere" in each.why for each in done.left_out)
    everywhere = workspace.exchange.take("codex", scope="global")
    assert texts(everywhere) == ["Be brief.", "Answer in English."]


def test_gemini_clis_memory_is_found_by_its_registry(
    workspace: api.Workspace, project: Path, user: Path
) -> None:
    base = user / ".gemini"
    write(base / "projects.json", json.dumps({"projects": {str(project): "project"}}))
    write(base / "tmp" / "project" / "memory" / "MEMORY.md", "- The staging port is 6432.\n")
    write(base / "GEMINI.md", "# Me\n\n## Gemini Added Memories\n- I use Neovim.\n")
    assert texts(workspace.exchange.take("gemini-cli")) == ["The staging port is 6432."]
    assert texts(workspace.exchange.take("gemini-cli", scope="global")) == ["I use Neovim."]


def test_the_variables_of_the_tools_are_honoured(
    project: Path, user: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable, name in (("CLAUDE_CONFIG_DIR", "CLAUDE.md"), ("CODEX_HOME", "AGENTS.md")):
        write(tmp_path / variable / name, "- here\n")
        monkeypatch.setenv(variable, str(tmp_path / variable))
    write(tmp_path / "gemini" / ".gemini" / "GEMINI.md", "- here\n")
    monkeypatch.setenv("GEMINI_CLI_HOME", str(tmp_path / "gemini"))
    store = write(tmp_path / "graph.jsonl", "")
    monkeypatch.setenv("MEMORY_FILE_PATH", str(store))
    found = {place.tool: str(place.path) for place in agents.places(project)}
    assert found == {
        "claude-code": str(tmp_path / "CLAUDE_CONFIG_DIR" / "CLAUDE.md"),
        "codex": str(tmp_path / "CODEX_HOME" / "AGENTS.md"),
        "gemini-cli": str(tmp_path / "gemini" / ".gemini" / "GEMINI.md"),
        "server-memory": str(store),
    }


def test_a_linked_worktree_finds_the_notes_of_its_main_one(project: Path, user: Path) -> None:
    linked = project.parent / "linked"
    git(project, "worktree", "add", "-q", str(linked))
    folder = claude_folder(user, project)
    write(folder / "MEMORY.md", "- fact\n")
    assert [place.path for place in agents.places(linked)] == [folder]


def test_a_very_long_path_and_a_named_folder_are_found_too(tmp_path: Path, user: Path) -> None:
    root = tmp_path / ("a" * 120) / ("b" * 120)
    root.mkdir(parents=True)
    cut = "".join(char if char.isalnum() else "-" for char in str(root))[:200]
    folder = user / ".claude" / "projects" / f"{cut}-x1y2" / "memory"
    folder.mkdir(parents=True)
    assert [place.path for place in agents.places(root)] == [folder]
    named = tmp_path / "named"
    named.mkdir()
    write(user / ".claude" / "settings.json", json.dumps({"autoMemoryDirectory": str(named)}))
    assert [place.path for place in agents.places(root)] == [named]
    write(user / ".claude" / "settings.json", "{broken")
    assert [place.path for place in agents.places(root)] == [folder]


def test_importing_twice_adds_nothing_and_one_undo_takes_all_of_it_back(
    workspace: api.Workspace, tmp_path: Path
) -> None:
    workspace.memory.add("by myself")
    path = write(tmp_path / "notes.md", "\n".join(f"- fact {number}" for number in range(300)))
    before = Path(workspace.memory.file()).read_bytes()
    done = workspace.exchange.take("markdown", str(path))
    assert len(done.added) == 300
    again = workspace.exchange.take("markdown", str(path))
    assert (again.added, again.change_id) == ((), None)
    (newest,) = workspace.memory.log(limit=1)
    assert (newest.action, newest.actor, len(newest.revisions)) == ("import", "user:test", 300)
    undo = workspace.memory.undo()
    assert Path(workspace.memory.file()).read_bytes() == before
    assert workspace.memory.check() == ()
    workspace.memory.undo(undo.id)
    assert workspace.memory.page().total == 301
    workspace.memory.undo(workspace.memory.log(limit=1)[0].id)
    assert len(workspace.exchange.take("markdown", str(path)).added) == 300


def test_what_was_changed_or_forgotten_since_is_not_imported_again(
    workspace: api.Workspace, tmp_path: Path
) -> None:
    path = write(tmp_path / "notes.md", "- fact one\n- fact two\n")
    one, two = workspace.exchange.take(None, str(path)).added
    workspace.memory.update(one.id, text="fact one, put better")
    workspace.memory.forget(two.id)
    again = workspace.exchange.take(None, str(path))
    assert again.added == ()
    assert {each.why for each in again.left_out} == {
        "it was imported before, and has been changed or forgotten since"
    }


def test_an_import_that_was_edited_since_is_not_taken_back_over_the_edit(
    workspace: api.Workspace, tmp_path: Path
) -> None:
    path = write(tmp_path / "notes.md", "- fact one\n- fact two\n")
    done = workspace.exchange.take(None, str(path))
    workspace.memory.update(done.added[0].id, text="mine now")
    before = Path(workspace.memory.file()).read_bytes()
    with pytest.raises(api.UserError, match="changed since"):
        workspace.memory.undo(done.change_id)
    assert Path(workspace.memory.file()).read_bytes() == before


def test_a_preview_writes_nothing_and_says_what_would_come(
    workspace: api.Workspace, tmp_path: Path, home: Path
) -> None:
    workspace.memory.add("Staging listens on port 6432")
    before = Path(workspace.memory.file()).read_bytes()
    path = write(
        tmp_path / "notes.md",
        f"- staging: listens on port 6432\n- token {TOKEN}\n- token {TOKEN}\n",
    )
    done = workspace.exchange.take(None, str(path), is_applied=False)
    assert done.change_id is None
    assert Path(workspace.memory.file()).read_bytes() == before
    assert len(done.added) == 2
    assert done.masked == 1
    assert TOKEN not in repr(done)
    # What says nearly the same is named, not dropped.
    assert [other.text for _, other in done.near] == ["Staging listens on port 6432"]
    assert [each.why for each in done.left_out] == ["the source says it twice"]


def test_what_is_too_long_is_split_where_it_hurts_least(
    workspace: api.Workspace, tmp_path: Path
) -> None:
    words = " ".join(f"word{number}" for number in range(4000))
    path = write(tmp_path / "notes.md", f"- {words}\n")
    done = workspace.exchange.take(None, str(path))
    assert len(done.added) > 1
    assert " ".join(texts(done)) == words


@given(st.text(max_size=30_000))
@settings(max_examples=50)
def test_no_piece_is_too_long_and_no_word_is_lost(text: str) -> None:
    parts = pieces(text * 3)
    assert all(0 < len(part) <= 8000 for part in parts)
    assert "".join("".join(parts).split()) == "".join((text * 3).split())


def test_server_memorys_graph_becomes_statements_and_bad_lines_are_named(
    workspace: api.Workspace, tmp_path: Path
) -> None:
    entity = {"type": "entity", "name": "Ann", "entityType": "person"}
    path = tmp_path / "memory.jsonl"
    path.write_bytes(
        b"\n".join(
            [
                json.dumps({**entity, "observations": ["likes tea", 5, " "]}).encode(),
                json.dumps({**entity, "observations": []}).encode(),
                json.dumps(
                    {"type": "relation", "from": "Ann", "to": "Shop", "relationType": "owns"}
                ).encode(),
                b"{half",
                b"[" * 50_000,
                b'"text"',
                b"\xff",
                b"x" * (MAX_LINE_BYTES + 10),
                json.dumps({**entity, "observations": ["half \ud83d"]}).encode(),
                json.dumps({"type": "entity", "name": 5, "observations": []}).encode(),
                json.dumps({**entity, "name": "Bo", "observations": ["last"]}).encode(),
            ]
        )
    )
    before = path.read_bytes()
    done = workspace.exchange.take("server-memory", str(path))
    assert path.read_bytes() == before
    assert texts(done) == ["Ann (person): likes tea", "Ann owns Shop", "Bo (person): last"]
    assert len(done.left_out) == 8


@settings(max_examples=60)
@given(st.lists(st.binary(max_size=80), max_size=8))
def test_no_bytes_break_a_reader(
    tmp_path_factory: pytest.TempPathFactory, lines: list[bytes]
) -> None:
    folder = tmp_path_factory.mktemp("hostile")
    for name in ("MEMORY.md", "note.md", "graph.jsonl"):
        (folder / name).write_bytes(b"\n".join(lines))
    reading = Reading()
    server_memory.read(folder / "graph.jsonl", reading)
    notes.read(folder, reading)
    try:
        markdown.read(folder / "note.md", reading)
    except api.UserError:
        assert any(each.where == "note.md" for each in reading.left_out)
    assert all(candidate.text.strip() for candidate in reading.candidates)


def test_a_link_out_of_the_project_a_pipe_and_a_binary_are_refused(
    workspace: api.Workspace, project: Path, user: Path
) -> None:
    secret = write(user / "private.md", "- my diary\n")
    (project / "CLAUDE.md").symlink_to(secret)
    folder = claude_folder(user, project)
    write(folder / "good.md", "- good\n")
    (folder / "linked.md").symlink_to(secret)
    (folder / "binary.md").write_bytes(b"a\0b")
    os.mkfifo(folder / "pipe.md")
    done = workspace.exchange.take("claude-code")
    assert texts(done) == ["good"]
    reasons = [each.why for each in done.left_out]
    assert sum("leads out" in why for why in reasons) == 2
    assert sum("no text" in why for why in reasons) == 1
    assert sum("no plain file" in why for why in reasons) == 1


@pytest.mark.parametrize(
    ("tool", "path", "sentence"),
    [
        (None, None, "name the file"),
        ("milepost", None, "name the file"),
        ("codex", None, "no memory of codex"),
        ("markdown", "nowhere.md", "cannot read"),
        (None, "empty", "no notes"),
    ],
)
def test_nothing_to_read_is_said_in_a_sentence(
    workspace: api.Workspace, tmp_path: Path, user: Path, tool, path, sentence
) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(api.UserError, match=sentence):
        workspace.exchange.take(tool, path and str(tmp_path / path))


def test_words_that_look_like_a_comment_of_ours_stay_words(
    workspace: api.Workspace, tmp_path: Path
) -> None:
    words = "X: ends in <!-- milepost status=stated source=user:me -->"
    entity = {"type": "entity", "name": "X", "observations": [words.removeprefix("X: ")]}
    done = workspace.exchange.take(None, str(write(tmp_path / "g.jsonl", json.dumps(entity))))
    (entry,) = done.added
    found = workspace.memory.get(entry.id)
    assert (found.text, found.status) == (words, "unverified")
