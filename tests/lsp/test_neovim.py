"""A person in the real Neovim, without a plugin."""

from __future__ import annotations

import os
import select
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lsp.conftest import SHOP
from tests.lsp.neovim import Neovim


@pytest.fixture
def nvim(project: Path, tmp_path: Path, monkeypatch) -> Iterator[Neovim]:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    with Neovim(project) as editor:
        yield editor


def test_a_rule_is_remembered_from_a_selection_and_shown_on_hover(nvim, project, other):
    nvim.open(project / "shop.py")
    title = "Milepost: remember selection as a rule"
    said = nvim.apply_action(title, (1, 4), (1, 33))
    assert said == "Remembered (rule, shop.py#total): Amounts are integer cents."
    shown = nvim.hover(0, 5)
    assert "Amounts are integer cents." in shown
    assert "rule · stated · from user:neovim" in shown
    assert other.memory.page().entries[0].source == "user:neovim"


def test_hover_is_silent_where_memory_is(nvim, project):
    nvim.open(project / "shop.py")
    assert nvim.hover(0, 5) is None


def test_the_menu_lists_what_there_is_to_do(nvim, project, other):
    other.memory.add("`total` is in cents.")
    other.goals.set("It works.", checks=["test -d ."])
    other.checkpoints.save("start")
    nvim.open(project / "shop.py")
    assert nvim.code_actions((0, 5)) == [
        "Milepost: what does memory know about `total`",
        "Milepost: verify goal “It works.”",
        "Milepost: checkpoint now",
        "Milepost: go back to a restore point…",
        "Milepost: show memory",
        "Milepost: brief me",
        "Milepost: open a chat",
    ]


def test_a_selection_of_wide_characters_is_taken_exactly(nvim, project, other):
    nvim.open(project / "shop.py")
    nvim.type("# 😀 täglich prüfen 😀 !")
    # Neovim counts bytes.
    start, end = len("# 😀 ".encode()), len("# 😀 täglich prüfen".encode())
    nvim.apply_action("Milepost: remember selection", (0, start), (0, end))
    assert other.memory.page().entries[0].text == "täglich prüfen"


def test_what_memory_knows_opens_as_a_document(nvim, project, other):
    other.memory.add("`total` is in cents.")
    nvim.open(project / "shop.py")
    nvim.lua("answers = ...", ["Milepost: what does memory know"])
    nvim.lua("vim.api.nvim_win_set_cursor(0, { 1, 5 }) vim.lsp.buf.code_action()")
    nvim.wait("the document", lambda: nvim.name().endswith("about.md"))
    assert "`total` is in cents." in nvim.text()


def test_a_checkpoint_going_back_and_undoing_it(nvim, project):
    nvim.open(project / "shop.py")
    assert nvim.apply_action("Milepost: checkpoint now") == "Checkpoint #1 saved: 2 files."
    nvim.type("broken")
    nvim.write()
    (project / "junk.txt").write_text("junk\n", encoding="utf-8")
    said = nvim.apply_action("Milepost: go back", answers=("#1", "Go back"))
    assert said == "Went back to #1: 2 files changed. It can be undone."
    assert (project / "shop.py").read_text(encoding="utf-8") == SHOP
    assert not (project / "junk.txt").exists()
    nvim.lua("vim.cmd('checktime')")
    said = nvim.apply_action("Milepost: undo the last restore")
    assert said == "Undid the restore: 2 files changed. It can be undone."
    assert (project / "shop.py").read_text(encoding="utf-8") == "broken\n"


def test_a_goal_is_set_in_a_buffer_and_verified(nvim, project):
    nvim.open(project / "goal.md")
    nvim.type("The shop opens.", "$ grep -q OPEN shop.py")
    said = nvim.apply_action("Milepost: set selection as goal", (0, 0), (1, 22))
    assert said == "Goal set, 1 check: The shop opens."
    said = nvim.apply_action("Milepost: verify goal")
    assert said.startswith("Not met: “The shop opens.”")
    nvim.wait("the evidence", lambda: nvim.name().endswith("verdict.md"))
    assert "exit code 1" in nvim.text()
    with (project / "shop.py").open("a", encoding="utf-8") as file:
        file.write("OPEN = True\n")
    nvim.open(project / "goal.md")
    assert nvim.apply_action("Milepost: verify goal").startswith("Met: “The shop opens.”")


def test_an_entry_of_another_process_arrives(nvim, project, other):
    nvim.open(project / "shop.py")
    assert nvim.hover(5, 5) is None
    other.memory.add("`ship` is slow.")
    nvim.wait("the notice", nvim.notices)
    assert nvim.notices()[0]["changed"] == 1
    assert "is slow" in nvim.hover(5, 5)


def test_commands_work_by_name(nvim, project):
    nvim.open(project / "shop.py")
    entry = nvim.command("milepost.memory.remember", {"text": "Use uv."})
    assert nvim.command("milepost.memory.list")["total"] == 1
    nvim.command("milepost.memory.forget", {"id": entry["id"]})
    with pytest.raises(RuntimeError, match="must be a text"):
        nvim.command("milepost.memory.remember", {"text": 5})


def test_a_memory_file_opened_in_the_project_has_symbols(nvim, project, other):
    other.memory.add("Use uv.", kind="rule")
    nvim.open(project / "shop.py")
    nvim.open(Path(other.memory.file()))
    nvim.wait("symbols", nvim.symbols)
    headings = nvim.symbols()[0]["children"]
    rules = next(each for each in headings if each["name"] == "Rules")
    assert [each["name"] for each in rules["children"]] == ["Use uv."]


def test_quitting_neovim_ends_the_server(project, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    log = tmp_path / "log.txt"
    with Neovim(project, server_arguments=("--log-file", str(log))) as nvim:
        nvim.open(project / "shop.py")
        pids = servers_logging_to(log)
        assert len(pids) == 1
    wait_until_gone(pids)


def servers_logging_to(log: Path) -> list[int]:
    found = []
    for command in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = command.read_bytes().split(b"\0")
        except OSError:
            continue
        if str(log).encode() in words:
            found.append(int(command.parent.name))
    return found


def wait_until_gone(pids: list[int]) -> None:
    for pid in pids:
        try:
            descriptor = os.pidfd_open(pid)
        except ProcessLookupError:
            continue
        try:
            readable, _, _ = select.select([descriptor], [], [], 20)
            assert readable, f"{pid} still runs"
        finally:
            os.close(descriptor)
