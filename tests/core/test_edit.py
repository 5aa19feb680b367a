"""Memory in the user's own editor: a script, a failing one, none, and one on a real terminal."""

from __future__ import annotations

import json
import os
import pty
import select
import subprocess
import sys
import time
from pathlib import Path

import pytest

from milepost import api

# An editor as a person uses one: it gets a file, and leaves another text in it.
EDITOR = """\
import sys
from pathlib import Path
path = Path(sys.argv[-1])
text = path.read_text("utf-8")
{body}
"""


@pytest.fixture
def editor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Sets EDITOR to a script with this body."""

    def script(body: str, variable: str = "EDITOR") -> None:
        path = tmp_path / f"{variable.lower()}.py"
        path.write_text(EDITOR.format(body=body), "utf-8")
        monkeypatch.setenv(variable, f"'{sys.executable}' '{path}'")

    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.delenv("EDITOR", raising=False)
    return script


def edit(project: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "milepost", "memory", "edit", *words],
        cwd=project, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def copies(workspace: api.Workspace) -> list[Path]:
    return sorted(Path(workspace.project.data_dir, "edits").glob("*"))


def test_an_entrys_words_are_changed_in_the_editor(workspace, project, editor) -> None:
    entry = workspace.memory.add("deploy on Fridays\n\n- and Mondays", kind="rule")
    editor('path.write_text(text.replace("Fridays", "Tuesdays"), "utf-8")')
    done = edit(project, entry.id)
    assert done.returncode == 0, done.stderr
    changed = workspace.memory.get(entry.id)
    assert changed.text == "deploy on Tuesdays\n\n- and Mondays"
    # They are the words of the person who typed them now.
    assert (changed.status, changed.source) == ("stated", "user:terminal")
    assert copies(workspace) == []


def test_visual_comes_before_editor(workspace, project, editor) -> None:
    entry = workspace.memory.add("one")
    editor("raise SystemExit(1)")
    editor('path.write_text("two", "utf-8")', "VISUAL")
    assert edit(project, entry.id).returncode == 0
    assert workspace.memory.get(entry.id).text == "two"


@pytest.mark.parametrize(
    ("body", "code", "words"),
    [
        ("raise SystemExit(3)", 1, "exit code 3; nothing was changed"),
        ('path.write_text("other", "utf-8")\nraise SystemExit(1)', 1, "nothing was changed"),
        ('path.write_text(text + "\\n\\n", "utf-8")', 0, "nothing was changed"),
        ('path.write_text(" \\n", "utf-8")', 1, "forget"),
        ('path.write_bytes(b"\\xff")', 1, "UTF-8"),
        ("path.unlink()", 1, "nothing was changed"),
        ('path.write_text("x" * 9000, "utf-8")', 1, "Your text is kept in"),
    ],
)
def test_an_editor_that_fails_or_changes_nothing_changes_nothing(
    workspace, project, editor, body: str, code: int, words: str
) -> None:
    entry = workspace.memory.add("one")
    before = Path(workspace.memory.file()).read_bytes()
    editor(body)
    done = edit(project, entry.id)
    assert done.returncode == code
    assert words in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert Path(workspace.memory.file()).read_bytes() == before


def test_without_an_editor_there_is_one_sentence(workspace, project, editor, monkeypatch) -> None:
    entry = workspace.memory.add("one")
    for value in (None, "", "'unclosed"):
        if value is not None:
            monkeypatch.setenv("EDITOR", value)
        done = edit(project, entry.id)
        assert done.returncode == 1
        assert done.stderr.startswith("milepost: ")
        assert done.stderr.count("\n") == 1
    monkeypatch.setenv("EDITOR", "/nonexistent/editor")
    assert "cannot be started" in edit(project, entry.id).stdout
    assert edit(project).returncode == 1


def test_when_someone_else_changed_the_entry_both_texts_are_shown_and_none_is_lost(
    workspace, project, editor
) -> None:
    entry = workspace.memory.add("the port is 1")
    editor(
        "import subprocess\n"
        'subprocess.run([sys.executable, "-m", "milepost", "memory", "update", '
        f'"{entry.id}", "the port is 2"], check=True, capture_output=True)\n'
        'path.write_text("the port is 3", "utf-8")'
    )
    done = edit(project, entry.id)
    assert done.returncode == 1
    assert "the port is 2" in done.stdout
    assert "the port is 3" in done.stdout
    assert workspace.memory.get(entry.id).text == "the port is 2"
    (copy,) = copies(workspace)
    assert copy.read_text("utf-8") == "the port is 3"
    assert str(copy) in done.stdout
    assert copy.stat().st_mode & 0o077 == 0


def test_the_whole_file_is_edited_in_place_and_the_changes_are_told(
    workspace, project, editor
) -> None:
    kept, changed, gone = (workspace.memory.add(text) for text in ("kept", "old", "gone soon"))
    editor(
        'text = text.replace("- old", "- new") + "- added\\n"\n'
        f'lines = [line for line in text.splitlines(True) if "{gone.id}" not in line]\n'
        'path.write_text("".join(lines), "utf-8")'
    )
    done = edit(project)
    assert done.returncode == 0, done.stderr
    assert "3 entries: 1 added, 1 changed, 1 gone." in done.stdout
    assert f"- {gone.id}  gone soon" in done.stdout
    assert workspace.memory.get(changed.id).text == "new"
    assert workspace.memory.get(kept.id).text == "kept"
    workspace.memory.undo()
    assert {entry.text for entry in workspace.memory.page().entries} == {"kept", "old", "gone soon"}


def test_a_memory_file_that_is_not_there_yet_is_made_for_the_editor(
    workspace, project, editor
) -> None:
    editor('path.write_text(text.replace("## Rules\\n", "## Rules\\n\\n- first\\n"), "utf-8")')
    assert "1 added" in edit(project).stdout
    assert workspace.memory.page().entries[0].kind == "rule"
    editor("pass")
    assert "No entry was changed" in edit(project, "--scope", "global").stdout


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (" -->", " --", "damaged"),
        ("<!-- milepost ", "<- milepost ", "damaged"),
        ("id={id}", "id=OOPS!", "is no id"),
    ],
)
def test_a_damaged_comment_is_told(workspace, project, editor, old, new, words) -> None:
    entry = workspace.memory.add("kept")
    old = old.format(id=entry.id)
    editor(
        f'head, body = text.rsplit("- kept", 1)\n'
        f'path.write_text(head + "- kept" + body.replace("{old}", "{new}"), "utf-8")'
    )
    done = edit(project)
    assert done.returncode == 1
    assert words in done.stdout


def test_a_comment_that_was_copied_is_told(workspace, project, editor) -> None:
    entry = workspace.memory.add("kept")
    editor('path.write_text(text + text.splitlines(True)[-1], "utf-8")')
    assert f"the id {entry.id} stands above already" in edit(project).stdout


def test_a_comment_that_was_deleted_is_told(workspace, project, editor) -> None:
    entry = workspace.memory.add("kept")
    editor('path.write_text(text.split(" <!-- milepost", 1)[0] + "\\n", "utf-8")')
    done = edit(project)
    assert f"{entry.id} lost the comment behind it" in done.stdout


def test_json_tells_a_program_what_changed(workspace, project, editor) -> None:
    workspace.memory.add("kept")
    editor('path.write_text(text + "- added\\n", "utf-8")')
    (change,) = json.loads(edit(project, "--json").stdout)
    assert change["revisions"][0]["after"]["text"] == "added"


def test_the_editor_has_the_terminal(workspace, project, editor) -> None:
    entry = workspace.memory.add("one")
    editor(
        "assert sys.stdin.isatty() and sys.stdout.isatty()\n"
        'path.write_text(input("new words? "), "utf-8")'
    )
    master, slave = pty.openpty()
    child = subprocess.Popen(
        [sys.executable, "-m", "milepost", "memory", "edit", entry.id],
        cwd=project, stdin=slave, stdout=slave, stderr=slave,
    )  # fmt: skip
    os.close(slave)
    try:
        read_until(master, "new words? ")
        os.write(master, b"typed by hand\n")
        read_until(master, "Changed")
        assert child.wait(30) == 0
    finally:
        child.kill()
        child.wait()
        os.close(master)
    assert workspace.memory.get(entry.id).text == "typed by hand"


def read_until(master: int, words: str) -> str:
    seen = b""
    deadline = time.monotonic() + 30
    while words.encode() not in seen:
        ready, _, _ = select.select([master], [], [], deadline - time.monotonic())
        assert ready, f"no {words!r} in {seen!r}"
        seen += os.read(master, 4096)
    return seen.decode("utf-8", "replace")
