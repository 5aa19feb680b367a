"""The Neovim plugin, used as a person uses it, against the real server."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lsp.conftest import SHOP
from tests.lsp.neovim import PLUGIN, Neovim, executable


@pytest.fixture
def nvim(project: Path, tmp_path: Path, monkeypatch) -> Iterator[Neovim]:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    with Neovim(project, has_plugin=True) as editor:
        yield editor


def test_remembering_by_words_and_by_lines(nvim, project, other):
    nvim.open(project / "shop.py")
    nvim.ex("Milepost remember Use uv, not pip.")
    nvim.wait("the entry", lambda: other.memory.page().total == 1)
    nvim.ex("2Milepost remember")
    nvim.wait("the other entry", lambda: other.memory.page().total == 2)
    texts = {entry.text: entry.anchors for entry in other.memory.page().entries}
    assert texts["Use uv, not pip."] == ()
    assert texts["Amounts are integer cents."] == ("shop.py#total",)


def test_an_entry_is_found_edited_and_the_edit_undone(nvim, project, other):
    other.memory.add("The till opens at nine.")
    other.memory.add("Use uv.", kind="rule")
    nvim.open(project / "shop.py")
    nvim.lua("answers = ...", ["The till", "Edit"])
    nvim.ex("Milepost memory when does the till open")
    nvim.wait("the entry's window", lambda: nvim.name().startswith("milepost-entry://"))
    nvim.type("The till opens at ten.")
    nvim.write()
    nvim.wait("the change", lambda: "ten" in texts(other))
    nvim.wait("the answer", lambda: nvim.lua("return vim.bo.modified") is False)
    nvim.ex("Milepost memory-undo")
    nvim.wait("the undo", lambda: "nine" in texts(other))


def test_an_entry_is_forgotten_from_the_picker(nvim, project, other):
    other.memory.add("Old news.")
    nvim.open(project / "shop.py")
    nvim.lua("answers = ...", ["Old news.", "Forget"])
    nvim.ex("Milepost memory")
    nvim.wait("it to go", lambda: other.memory.page().total == 0)


def test_a_restore_from_the_picker_and_its_undo(nvim, project, other):
    nvim.open(project / "shop.py")
    nvim.ex("Milepost checkpoint before the mess")
    nvim.wait("the point", lambda: len(other.checkpoints.page()) == 1)
    nvim.type("broken")
    nvim.lua("answers = ...", ["#1", "Go back"])
    nvim.ex("Milepost checkpoints")
    nvim.wait("a warning", lambda: any("save or discard" in said for said in nvim.messages()))
    nvim.write()
    nvim.lua("answers = ...", ["#1", "Go back", "Go back"])
    nvim.ex("Milepost checkpoints")
    nvim.wait("the file as it was", lambda: nvim.text() == SHOP.rstrip("\n"))
    assert "before the mess" in nvim.questions()[-3]["titles"][0]
    assert nvim.questions()[-1]["prompt"] == "Going back to #1 changes 1 file."
    nvim.ex("Milepost undo")
    nvim.wait("the undo", lambda: nvim.text() == "broken")
    nvim.ex("Milepost redo")
    nvim.wait("the redo", lambda: nvim.text() == SHOP.rstrip("\n"))


def test_what_changed_since_a_point_opens_as_a_diff(nvim, project):
    nvim.open(project / "shop.py")
    nvim.command("milepost.checkpoint.save", {"label": "start"})
    nvim.type("broken")
    nvim.write()
    nvim.lua("answers = ...", ["#", "Show what changed"])
    nvim.ex("Milepost checkpoints")
    nvim.wait("the diff", lambda: "+broken" in nvim.text())
    assert nvim.lua("return { vim.bo.filetype, vim.bo.modifiable }") == ["diff", False]


def test_a_goal_is_set_verified_and_abandoned(nvim, project, other):
    nvim.open(project / "shop.py")
    nvim.type("The shop opens.", "$ grep -q OPEN shop.py")
    nvim.ex("1,2Milepost goal set")
    nvim.wait("the goal", lambda: len(other.goals.page()) == 1)
    assert other.goals.page()[0].condition == "The shop opens."
    nvim.ex("Milepost goal verify")
    nvim.wait("the verdict", lambda: any(said.startswith("Not met") for said in nvim.messages()))
    nvim.lua("answers = ...", ["The shop opens.", "Abandon"])
    nvim.ex("Milepost goal")
    nvim.wait("its end", lambda: other.goals.page()[0].state == "abandoned")


def test_checks_are_offered_for_the_words_of_a_goal(nvim, project, other):
    nvim.open(project / "shop.py")
    nvim.lua("answers = ...", ["All 2 of them"])
    nvim.ex("Milepost goal set README.md exists and git is clean")
    nvim.wait("the goal", lambda: len(other.goals.page()) == 1)
    (goal,) = other.goals.page()
    assert [check.command for check in goal.checks] == ["file: README.md", "git: clean"]
    assert goal.condition == "README.md exists and git is clean"


def test_what_an_agent_wants_to_run_is_shown_and_allowed_from_the_picker(nvim, project, other):
    goal = other.goals.set("It works.", checks=["test -d ."])
    nvim.open(project / "shop.py")
    nvim.lua("answers = ...", ["It works.", "Allow its commands from now on: test -d ."])
    nvim.ex("Milepost goal")
    nvim.wait("the permission", lambda: other.goals.get(goal.id).not_allowed == ())
    assert other.goals.verify(goal.id).verdict == "met"


def test_changes_of_what_judges_a_goal_are_shown_and_accepted(nvim, project, other):
    (project / "check.sh").write_text("test -d . && exit 0\n", encoding="utf-8")
    nvim.open(project / "shop.py")
    nvim.type("It works.", "$ sh check.sh")
    nvim.ex("1,2Milepost goal set")
    nvim.wait("the goal", lambda: len(other.goals.page()) == 1)
    (project / "check.sh").write_text("exit 0\n", encoding="utf-8")
    nvim.ex("Milepost goal verify")
    nvim.wait("the verdict", lambda: other.goals.page()[0].verdict == "unverifiable")
    nvim.lua("answers = ...", ["It works.", "Accept changes of what judges it", "check.sh"])
    nvim.ex("Milepost goal")
    nvim.wait("the sign", lambda: all(sign.is_accepted for sign in other.goals.signs()))
    nvim.ex("Milepost goal verify")
    nvim.wait("the verdict", lambda: other.goals.page()[0].verdict == "met")


def test_a_budget_is_set_and_what_is_no_number_is_refused(nvim, project, other):
    goal = other.goals.set("It works.", checks=["file: shop.py"])
    nvim.open(project / "shop.py")
    nvim.lua("answers = ...", ["It works.", "Set its budget", "3", "1.5"])
    nvim.ex("Milepost goal")
    nvim.wait("the budget", lambda: other.goals.get(goal.id).max_verifications == 3)
    assert other.goals.get(goal.id).max_seconds == 1.5
    nvim.lua("answers = ...", ["It works.", "Set its budget", "0.5"])
    nvim.ex("Milepost goal")
    nvim.wait("the sentence", lambda: any("whole number above 0" in m for m in nvim.messages()))
    nvim.lua("answers = ...", ["It works.", "Set its budget", "", ""])
    nvim.ex("Milepost goal")
    nvim.wait("no limit", lambda: other.goals.get(goal.id).max_verifications is None)


def test_the_statusline_follows_what_others_do(nvim, project, other):
    nvim.open(project / "shop.py")
    line = "return require('milepost').statusline()"
    goal = other.goals.set("It works.", checks=["file: shop.py"])
    nvim.wait("the goal", lambda: "goal active" in nvim.lua(line))
    point = other.checkpoints.save("start")
    nvim.wait("the point", lambda: f"#{point.id}" in nvim.lua(line))
    other.goals.verify(goal.id)
    nvim.wait("the verdict", lambda: "goal active" not in nvim.lua(line))


def test_health_is_green(nvim, project):
    nvim.open(project / "shop.py")
    nvim.ex("checkhealth milepost")
    nvim.wait("the report", lambda: "restore points can be made" in nvim.text())
    assert "ERROR" not in nvim.text()
    assert "WARNING" not in nvim.text()


def test_the_server_is_started_anew_for_the_same_buffers(nvim, project):
    nvim.open(project / "shop.py")
    client = "return (vim.lsp.get_clients({ bufnr = 0, name = 'milepost' })[1] or {}).id"
    before = nvim.lua(client)
    nvim.ex("Milepost restart")
    nvim.wait("another client", lambda: nvim.lua(client) not in {None, before})
    nvim.open(project / "shop.py")
    assert nvim.hover(0, 5) is None


def test_the_log_opens_and_cannot_be_changed(nvim, project):
    nvim.open(project / "shop.py")
    nvim.ex("Milepost log")
    assert nvim.name().endswith("lsp.log")
    assert nvim.lua("return vim.bo.modifiable") is False


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("Milepost dance", "there is no :Milepost dance"),
        ("Milepost chat dance", "chat takes new or list"),
        ("Milepost goal dance", "goal takes set or verify"),
        ("Milepost accept", "open a proposal first"),
        ("Milepost cancel", "no answer is coming"),
    ],
)
def test_a_wrong_word_is_named(nvim, project, line, sentence):
    nvim.open(project / "shop.py")
    nvim.ex(line)
    assert sentence in nvim.messages()[-1]


def test_without_a_server_a_sentence_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    with Neovim(tmp_path, has_plugin=True) as nvim:
        for word in ("memory", "checkpoints", "goal", "chat", "proposals", "remember x", "undo"):
            nvim.ex(f"Milepost {word}")
            assert "open a file of a project, or see :checkhealth milepost" in nvim.messages()[-1]


def test_wrong_settings_are_named_and_change_nothing(nvim):
    for given, sentence in [
        ("{ widht = 3 }", 'there is no setting "widht"'),
        ("{ width = '3' }", 'width must be a number, not "3"'),
        ("{ position = 'above' }", "position must be one of below, left, right, tab"),
    ]:
        said = nvim.lua(f"return select(2, pcall(require('milepost').setup, {given}))")
        assert sentence in said
    assert nvim.lua("return require('milepost.settings').get().width") == 0.4


def test_every_word_is_completed(nvim):
    words = nvim.lua("return vim.fn.getcompletion('Milepost ', 'cmdline')")
    assert {"chat", "ask", "memory", "checkpoints", "goal", "remember", "restart", "log"} <= set(
        words
    )
    assert nvim.lua("return vim.fn.getcompletion('Milepost goal ', 'cmdline')") == [
        "set ",
        "verify",
    ]


def test_the_plugin_maps_no_key_of_the_users(nvim):
    mapped = nvim.lua(
        "local found = {} for _, mode in ipairs({ 'n', 'x', 'i', 'o' }) do "
        "for _, map in ipairs(vim.api.nvim_get_keymap(mode)) do "
        "if (map.desc or ''):match('^Milepost') then table.insert(found, map.lhs) end end end "
        "return found"
    )
    assert mapped
    assert all(key.startswith("<Plug>(milepost-") for key in mapped)


def test_nothing_is_loaded_before_it_is_used(nvim):
    loaded = "return vim.tbl_filter(function(n) return vim.startswith(n, 'milepost') end, "
    assert nvim.lua(f"{loaded} vim.tbl_keys(package.loaded))") == []


def test_the_help_is_that_of_the_comments(tmp_path):
    script = PLUGIN / "scripts" / "help.lua"
    done = subprocess.run(
        [executable(), "--clean", "-l", str(script), "--check"],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_the_help_has_no_tag_twice(nvim, tmp_path):
    doc = tmp_path / "doc"
    doc.mkdir()
    (doc / "milepost.txt").write_bytes((PLUGIN / "doc" / "milepost.txt").read_bytes())
    nvim.ex(f"helptags {doc}")
    assert "milepost-chat" in (doc / "tags").read_text(encoding="utf-8")


def texts(workspace) -> str:
    return "\n".join(entry.text for entry in workspace.memory.page().entries)
