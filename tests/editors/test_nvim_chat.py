"""The chat of the Neovim plugin, with a model that plays a script, against the real server."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.core.chat.conversing import script
from tests.lsp.client import CHATTING
from tests.lsp.neovim import Neovim

Chat = Callable[..., Neovim]

_SHOWN = (
    "local chat = require('milepost.chat').current() "
    "return chat and vim.api.nvim_buf_get_lines(chat.window.shown, 0, -1, false) or {}"
)
_SHOP = (
    "return table.concat(vim.api.nvim_buf_get_lines(vim.fn.bufnr('shop.py'), 0, -1, false), '\\n')"
)
_RUNNING = "return require('milepost.chat').running()"


@pytest.fixture
def chatting(project: Path, tmp_path: Path, monkeypatch) -> Iterator[Chat]:
    """A Neovim whose model plays these turns."""
    started: list[Neovim] = []

    def start(*turns: dict[str, object]) -> Neovim:
        script = tmp_path / "script.jsonl"
        script.write_text("\n".join(map(json.dumps, turns)), encoding="utf-8")
        monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
        if turns:
            monkeypatch.setenv("MILEPOST_MODEL", f"scripted:{script}")
        started.append(Neovim(project, has_plugin=True))
        started[-1].open(project / "shop.py")
        return started[-1]

    yield start
    for editor in started:
        editor.close()


def shown(nvim: Neovim) -> str:
    return "\n".join(nvim.lua(_SHOWN))


def ask(nvim: Neovim, words: str) -> None:
    """Write in the chat and send, as a person does."""
    nvim.ex("Milepost chat")
    nvim.type(*words.split("\n"))
    nvim.write()


def test_an_answer_streams_in_and_the_focus_stays(chatting):
    nvim = chatting({"say": "It adds up the cents of an order, nothing more."})
    ask(nvim, "What does total do?")
    nvim.ex("wincmd t")
    window = nvim.lua("return vim.api.nvim_get_current_win()")
    nvim.wait("the answer", lambda: "nothing more." in shown(nvim))
    nvim.wait("the end", lambda: nvim.lua(_RUNNING) == 0)
    assert nvim.lua("return vim.api.nvim_get_current_win()") == window
    said = shown(nvim)
    assert said.startswith("## You\n\nWhat does total do?\n\n*Restore point #1*")
    assert "\n\n## Milepost\n\nIt adds up the cents of an order" in said


def test_it_scrolls_only_for_a_window_at_the_end(chatting):
    long = "\n".join(f"line {number}" for number in range(200))
    nvim = chatting({"say": long}, {"say": long})
    ask(nvim, "Count.")
    nvim.wait("the end", lambda: "line 199" in shown(nvim) and nvim.lua(_RUNNING) == 0)
    above = "local w = vim.fn.bufwinid(require('milepost.chat').current().window.shown) "
    cursor = f"{above} return vim.api.nvim_win_get_cursor(w)[1]"
    last = nvim.lua(f"{above} return vim.api.nvim_buf_line_count(vim.api.nvim_win_get_buf(w))")
    assert nvim.lua(cursor) == last
    ask(nvim, "Again.")
    nvim.lua(f"{above} vim.api.nvim_win_set_cursor(w, {{ 3, 0 }})")
    nvim.wait("the end", lambda: shown(nvim).count("line 199") == 2 and nvim.lua(_RUNNING) == 0)
    assert nvim.lua(cursor) == 3


def test_an_answer_is_stopped_and_what_was_said_stays(chatting):
    nvim = chatting(
        {"say": "Let me think.", "calls": [{"tool": "read", "arguments": {"path": "shop.py"}}]},
        {"hang": True},
    )
    ask(nvim, "Think.")
    nvim.wait("the beginning", lambda: "● `read` shop.py" in shown(nvim))
    nvim.ex("Milepost cancel")
    nvim.wait("the end", lambda: nvim.lua(_RUNNING) == 0)
    nvim.wait("the word", lambda: "Stopped: cancelled" in shown(nvim))
    assert "Let me think." in shown(nvim)


def test_selected_lines_go_along_with_the_question(chatting, other):
    nvim = chatting({"say": "Cents."})
    nvim.ex("2,3Milepost ask In what unit?")
    nvim.wait("the answer", lambda: "Cents." in shown(nvim))
    nvim.wait("the end", lambda: nvim.lua(_RUNNING) == 0)
    assert "In what unit?" in shown(nvim)


def test_an_edit_is_permitted_shown_as_a_diff_and_taken_back(chatting, project):
    nvim = chatting(
        {
            "say": "I mend it.",
            "calls": [
                {"tool": "read", "arguments": {"path": "shop.py"}},
                {
                    "tool": "edit",
                    "arguments": {"path": "shop.py", "old": "> 0", "new": ">= 0"},
                },
            ],
        },
        {"say": "Done."},
    )
    ask(nvim, "Ship free orders, too.")
    nvim.wait("the end", lambda: "Done." in shown(nvim) and nvim.lua(_RUNNING) == 0)
    assert "+    return total(order) >= 0" in shown(nvim)
    assert ">= 0" in (project / "shop.py").read_text(encoding="utf-8")
    nvim.ex("Milepost proposals")
    nvim.wait("both sides", lambda: nvim.lua("return #vim.api.nvim_tabpage_list_wins(0)") == 2)
    assert nvim.lua("return vim.wo.diff")
    nvim.ex("Milepost reject!")
    nvim.wait("the old line", lambda: ">= 0" not in nvim.lua(_SHOP))


def test_a_proposal_is_accepted_at_the_cursor_and_the_rest_rejected(chatting):
    def replacing(old: str, new: str) -> dict[str, object]:
        return {"tool": "replace", "arguments": {"old": old, "new": new}}

    nvim = chatting(
        {
            "calls": [
                replacing("# Amounts are integer cents.", '"""The cents of an order."""'),
                replacing("return total(order) > 0", "return total(order) > 0  # never free"),
            ]
        },
        {"say": "Documented."},
    )
    titles = nvim.code_actions((0, 5))
    (title,) = [each for each in titles if "documentation" in each]
    nvim.lua("answers = ...", [title])
    nvim.lua("vim.api.nvim_win_set_cursor(0, { 1, 5 }) vim.lsp.buf.code_action()")
    nvim.wait(
        "the proposal", lambda: nvim.lua("return require('milepost.proposals').waiting()") == 1
    )
    nvim.ex("Milepost proposals")
    nvim.wait("both sides", lambda: nvim.lua("return #vim.api.nvim_tabpage_list_wins(0)") == 2)
    nvim.lua("vim.api.nvim_win_set_cursor(0, { 2, 0 })")
    nvim.ex("Milepost accept")
    nvim.wait("the words", lambda: "The cents of an order." in nvim.lua(_SHOP))
    assert nvim.lua("return require('milepost.proposals').waiting()") == 1
    nvim.ex("Milepost reject!")
    nvim.wait("the end", lambda: nvim.lua("return require('milepost.proposals').waiting()") == 0)
    assert "never free" not in nvim.lua(_SHOP)


def test_what_needs_permission_is_asked_and_a_no_is_told(chatting, project):
    nvim = chatting(
        {"calls": [{"tool": "shell", "arguments": {"command": "rm -rf build"}}]},
        {"say": "Then I leave it."},
    )
    (project / "build").mkdir()
    nvim.lua("answers = ...", ["No"])
    ask(nvim, "Tidy up.")
    nvim.wait("the end", lambda: "Then I leave it." in shown(nvim))
    question = nvim.questions()[-1]
    assert "rm -rf build? Take care: it deletes folders" in question["prompt"]
    assert question["titles"][2].startswith("No  (It is not done.")
    assert (project / "build").is_dir()
    assert "✗ `shell` rm -rf build" in shown(nvim)


def test_a_chat_is_taken_up_again_from_the_list(chatting, project, tmp_path):
    nvim = chatting({"say": "I am the first answer."})
    ask(nvim, "Say something.")
    nvim.wait("the end", lambda: "first answer" in shown(nvim) and nvim.lua(_RUNNING) == 0)
    nvim.close()
    again = chatting({"say": "And I the second."})
    again.lua("answers = ...", ["Say something.", "Open"])
    again.ex("Milepost chat list")
    again.wait("what was said", lambda: "first answer" in shown(again))
    ask(again, "Go on.")
    again.wait("the answer", lambda: "And I the second." in shown(again))
    assert shown(again).count("## You") == 2


def test_a_turn_of_another_process_is_stopped_where_it_is_shown(
    chatting, connect, project, tmp_path
):
    other = connect(env={"MILEPOST_MODEL": script(tmp_path, {"hang": True})})
    other.initialize(project, capabilities=CHATTING)
    number = other.start("milepost/chat/prompt", {"prompt": [{"type": "text", "text": "Wait."}]})
    told = other.wait_for("milepost/chat/update", lambda p: p["turnId"])
    nvim = chatting()
    load = "require('milepost.chat').load(vim.lsp.get_clients({ name = 'milepost' })[1], ...)"
    nvim.lua(load, told["sessionId"])
    nvim.wait("the turn", lambda: nvim.lua(_RUNNING) == 1)
    nvim.ex("Milepost cancel")
    assert other.answer_to(number)["stopReason"] == "cancelled"
    nvim.wait("the end", lambda: nvim.lua(_RUNNING) == 0)


def test_without_a_model_memory_answers(chatting, other):
    other.memory.add("The till opens at nine.")
    nvim = chatting()
    ask(nvim, "When does the till open?")
    nvim.wait("the answer", lambda: "No model is configured" in shown(nvim))
    nvim.wait("the end", lambda: nvim.lua(_RUNNING) == 0)
    assert "The till opens at nine." in shown(nvim)


def test_an_empty_question_is_not_sent(chatting):
    nvim = chatting({"say": "no"})
    nvim.ex("Milepost chat")
    nvim.write()
    assert "write something first" in nvim.messages()[-1]
