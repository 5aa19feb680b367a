"""The chat as a Markdown document, in a real Neovim without a plugin, and what it is made of."""

from __future__ import annotations

from pathlib import Path

import pytest

from milepost import api
from milepost_lsp.chat.script import Script, line_of_question, question_in
from tests.core.chat.conversing import calling, say, script
from tests.lsp.neovim import Neovim


@pytest.fixture
def editing(project: Path, tmp_path: Path, monkeypatch):
    """Starts Neovim with a model."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    running: list[Neovim] = []

    def start(model: str) -> Neovim:
        monkeypatch.setenv("MILEPOST_MODEL", model)
        running.append(Neovim(project))
        return running[-1]

    yield start
    for editor in running:
        editor.close()


def open_chat(editor: Neovim, project: Path) -> None:
    """As a person does it: the menu of code actions, in any file."""
    editor.open(project / "shop.py")
    editor.lua("answers = ...", ["Milepost: open a chat"])
    editor.lua("vim.lsp.buf.code_action()")
    editor.wait("the chat", lambda: editor.name().endswith("chat.md"))
    editor.wait(
        "the server to attach", lambda: editor.lua("return #vim.lsp.get_clients({bufnr=0}) == 1")
    )


def send(editor: Neovim, *lines: str) -> None:
    """Writes below what is there, and chooses the action that sends it."""
    editor.lua("vim.api.nvim_buf_set_lines(0, -1, -1, false, ...)", list(lines))
    editor.lua("answers = ...", ["Milepost: send to Milepost"])
    editor.lua("vim.lsp.buf.code_action()")


def test_a_question_is_answered_in_the_document(editing, project, tmp_path, other):
    other.memory.add("Amounts are integer cents.", kind="rule")
    model = script(
        tmp_path,
        calling("read", "I look.", path="shop.py"),
        calling("edit", path="shop.py", old="> 0", new=">= 1"),
        {"say": "They are cents.\n" + "All is well. " * 30},
    )
    editor = editing(model)
    open_chat(editor, project)
    assert "A chat with Milepost" in editor.text()
    send(editor, "How are amounts kept?", "And why?")
    editor.wait("the end", lambda: editor.text().count("## You") == 2)
    text = editor.text()
    asked, answered = text.split("## Milepost")
    assert asked.endswith("How are amounts kept?\nAnd why?\n\n")
    assert "> Restore point #1" in answered
    assert "> Remembered: Amounts are integer cents. (" in answered
    assert "I look.\n\n> Read shop.py\n\n" in answered
    assert "> Edit shop.py (restore point #" in answered
    assert "They are cents.\nAll is well. " in answered
    assert answered.rstrip().endswith("## You")
    assert ">= 1" in (project / "shop.py").read_text(encoding="utf-8")
    # The words of both are in the session, which any other editor can load.
    (session,) = other.chat().sessions().sessions
    assert session.id in editor.name()
    # It goes on where it stands, and a second time the document is written from the session.
    send(editor, "Again?")
    editor.wait("the end", lambda: editor.text().count("## You") == 3)
    events = other.chat().load(session.id).events
    assert [e.update.text for e in events if isinstance(e.update, api.UserChunk)] == [
        "How are amounts kept?\nAnd why?", "Again?",
    ]  # fmt: skip
    # Neovim shows no labels of our edits, and nothing of the chat in its message line.
    assert not [said for said in editor.messages() if "Workspace edit" in said]


def test_an_answer_is_stopped_by_the_menu_and_kept(editing, project, tmp_path):
    editor = editing(script(tmp_path, calling("shell", "I run it.", command="ls")))
    open_chat(editor, project)
    # Neovim asks for permission where it asks for everything; nobody answers here.
    editor.lua(
        "local choose = vim.ui.select "
        "vim.ui.select = function(items, options, done) "
        "  if options.kind == 'codeaction' then return choose(items, options, done) end "
        "  _G.is_asked = true "
        "end"
    )
    send(editor, "Run it.")
    editor.wait("the question", lambda: editor.lua("return _G.is_asked == true"))
    editor.lua("answers = ...", ["Milepost: stop the answer"])
    editor.lua("vim.lsp.buf.code_action()")
    editor.wait("the end", lambda: editor.text().count("## You") == 2)
    assert "I run it." in editor.text()
    assert "> It was stopped." in editor.text()


def test_the_lens_sends_the_last_question_and_nothing_else(client, other, project):
    first, _ = say(other, "One?", script(project.parent, {"say": "## You\n\nNot a question."}))
    opened = client.command(
        "milepost.chat.open", {"sessionId": first.session, "uri": project.as_uri()}
    )
    path = Path(opened["uri"].removeprefix("file://"))
    text = path.read_text(encoding="utf-8")
    assert "One?" in text
    client.open(path, text, language="markdown")
    lenses = client.request("textDocument/codeLens", {"textDocument": {"uri": opened["uri"]}})
    (lens,) = lenses
    assert lens["command"]["title"] == "Send to Milepost"
    assert lens["range"]["start"]["line"] == text.rstrip().count("\n")


def test_the_question_is_what_stands_below_the_last_you():
    assert question_in("## You\n\nWhat?\n") == "What?"
    assert question_in("## You\r\n\r\nWhat?\r\n") == "What?"
    assert question_in("## You\n\nA\n\n## Milepost\n\nB\n\n## You\n\nC\n\n# D\n") == "C\n\n# D"
    assert question_in("## You\n\nA\n\n## Milepost\n\nB\n") is None
    assert question_in("nothing") is None
    assert line_of_question("# x\n\n## You\n\nA") == 2


def test_each_kind_of_update_has_its_words(tmp_path):
    page = Script(tmp_path)
    assert page.piece(api.AgentChunk("So ")) == "So "
    shown = api.CallShown("c", "Run make", "execute", "pending", "shell", "make")
    assert page.piece(shown) == ""
    ended = api.CallUpdate("c", "failed", "It ended with exit code 2.\nmore")
    assert page.piece(ended) == "\n\n> Run make: failed, It ended with exit code 2.\n\n"
    assert page.piece(api.GoalJudged(None, "not_met", "2 fail")) == "> Goal: not_met, 2 fail\n\n"
    assert page.piece(api.TurnEnded("cancelled", "x", api.TurnUsage())) == "> It was stopped.\n\n"
    assert page.piece(api.TurnEnded("end_turn", "x", api.TurnUsage())) == ""
    plan = api.Plan(
        (api.PlanEntry("T1", "Mend", "completed"), api.PlanEntry("T2", "Test", "pending"))
    )
    assert page.piece(plan) == "> - [x] T1 Mend\n> - [ ] T2 Test\n\n"
