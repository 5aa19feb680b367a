"""The memory commands, called from outside with JSON."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.lsp.client import CAPABILITIES, ServerError, span

REMEMBER = "milepost.memory.remember"


def test_a_text_is_remembered_as_stated_by_the_user_of_this_editor(client, other):
    entry = client.command(REMEMBER, {"text": "Use uv.", "kind": "rule", "anchors": ["uv.lock"]})
    assert entry["source"] == "user:test-editor"
    assert (entry["status"], entry["kind"], entry["anchors"]) == ("stated", "rule", ["uv.lock"])
    assert other.memory.get(entry["id"]).text == "Use uv."
    assert client.messages() == ["Remembered (rule, uv.lock): Use uv."]


def test_a_selection_is_read_from_the_unsaved_buffer_and_anchored_to_its_function(client, project):
    text = "class Till:\n    def pay(self):\n        # Never round.\n        return 1\n"
    uri = client.open(project / "shop.py", text)
    entry = client.command(REMEMBER, {"uri": uri, "range": span((2, 0), (3, 0))})
    assert entry["text"] == "Never round."
    assert entry["anchors"] == ["shop.py#Till.pay"]


def test_a_selection_in_no_function_is_anchored_to_the_file(client, project):
    (project / "src").mkdir()
    uri = client.open(project / "src" / "a b.txt", "Tests run on Fridays.\n", "plaintext")
    entry = client.command(REMEMBER, {"uri": uri, "range": span((0, 0), (0, 21))})
    assert entry["anchors"] == ["src/a b.txt"]


def test_a_file_that_is_not_open_can_be_selected_from(client, project):
    uri = (project / "shop.py").as_uri()
    entry = client.command(REMEMBER, {"uri": uri, "range": span((1, 6), (1, 31))})
    assert entry["text"] == "Amounts are integer cents"


def test_code_keeps_its_lines(client, project):
    uri = client.open(project / "shop.py")
    entry = client.command(REMEMBER, {"uri": uri, "range": span((5, 0), (6, 30))})
    assert entry["text"] == "def ship(order):\n    return total(order) > 0"
    assert entry["anchors"] == ["shop.py#ship"]


def test_what_holds_everywhere_goes_to_global_memory_without_an_anchor(client, project, other):
    uri = client.open(project / "shop.py")
    entry = client.command(
        REMEMBER, {"uri": uri, "range": span((1, 6), (1, 13)), "scope": "global"}
    )
    assert (entry["scope"], entry["anchors"]) == ("global", [])


def test_what_holds_in_this_worktree_or_for_a_task_stays_there(client, project, other):
    uri = client.open(project / "shop.py")
    selected = {"uri": uri, "range": span((1, 6), (1, 13))}
    entry = client.command(REMEMBER, {**selected, "scope": "worktree"})
    assert (entry["scope"], entry["anchors"]) == ("worktree", ["shop.py#total"])
    assert "in this worktree" in client.messages()[-1]
    client.command(REMEMBER, {"text": "The schema is done.", "task": "T1.2"})
    page = client.command("milepost.memory.list", {"scope": "task", "task": "T1.2"})
    assert [each["text"] for each in page["entries"]] == ["The schema is done."]
    with pytest.raises(ServerError) as error:
        client.command(REMEMBER, {"text": "x", "task": "../x"})
    assert "not a task's id" in error.value.message


def test_about_answers_with_the_entries_and_shows_them(client, project, other):
    other.memory.add("`total` is in cents.")
    known = client.command("milepost.memory.about", {"symbol": "total"})
    assert known["symbol"] == "total"
    assert [entry["text"] for entry in known["entries"]] == ["`total` is in cents."]
    shown = client.wait_for("window/showDocument")["uri"]
    view = Path(shown.removeprefix("file://"))
    assert view.is_relative_to(other.project.data_dir)
    assert "`total` is in cents." in view.read_text(encoding="utf-8")


def test_about_says_so_when_it_knows_nothing(client):
    known = client.command("milepost.memory.about", {"symbol": "nowhere"})
    assert known["entries"] == []
    assert client.messages() == ["Memory knows nothing about nowhere."]


def test_a_client_that_cannot_show_documents_is_told_where_the_text_is(connect, project, other):
    other.memory.add("`total` is in cents.")
    client = connect()
    client.initialize(project, capabilities={})
    client.command("milepost.memory.about", {"symbol": "total"})
    assert client.messages()[-1].endswith("about.md")


def test_a_client_that_shows_results_itself_is_left_in_peace(connect, project, other):
    other.memory.add("`total` is in cents.")
    client = connect()
    quiet = {**CAPABILITIES, "experimental": {"milepost": {"quiet": True}}}
    client.initialize(project, capabilities=quiet)
    assert client.command("milepost.memory.about", {"symbol": "total"})["entries"]
    client.command(REMEMBER, {"text": "Use uv."})
    assert client.messages() == []
    assert client.got("window/showDocument") == []


def test_list_answers_page_by_page(client, other):
    for number in range(3):
        other.memory.add(f"Fact {number}.")
    first = client.command("milepost.memory.list", {"limit": 2})
    assert (first["total"], first["nextOffset"], len(first["entries"])) == (3, 2, 2)
    rest = client.command("milepost.memory.list", {"limit": 2, "offset": 2})
    assert (rest["nextOffset"], len(rest["entries"])) == (None, 1)


def test_forget_takes_an_entry_out_of_the_file(client, other):
    entry = other.memory.add("The old port is 8080.")
    assert client.command("milepost.memory.forget", {"id": entry.id})["text"] == entry.text
    assert "8080" not in Path(other.memory.file()).read_text(encoding="utf-8")
    with pytest.raises(ServerError) as error:
        client.command("milepost.memory.forget", {"id": entry.id})
    assert error.value.code == -32803


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "give either `text`, or `uri` and `range`"),
        ([{"text": "a"}, {"text": "b"}], "takes one JSON object as its argument, not 2"),
        (["a"], "the argument must be one JSON object"),
        ([None], "the argument must be one JSON object"),
        ([{"text": 5}], "`text` must be a text"),
        ([{"text": "a", "kind": "opinion"}], "`kind` must be one of context, rule,"),
        ([{"text": "a", "anchors": "x.py"}], "`anchors` must be a list"),
        ([{"text": "a", "anchors": [1]}], "`anchors[0]` must be a text"),
        ([{"text": "a", "txet": "b"}], "`txet` is not an argument; there are `text`,"),
        ([{"text": "half \ud83d"}], "`text` has a lone surrogate"),
        ([{"text": "a\0b"}], "`text` has a NUL"),
        ([{"text": "x" * 100_001}], "`text` is longer than 100,000 characters"),
        ([{"uri": "file:///x", "range": {}}], "`range.start` is missing"),
        (
            [{"uri": "file:///x", "range": span((-1, 0), (0, 0))}],
            "`range.start.line` must be a whole number, 0 or more",
        ),
        (
            [{"uri": "file:///x", "range": span((True, 0), (0, 0))}],
            "`range.start.line` must be a whole number, 0 or more",
        ),
    ],
)
def test_malformed_arguments_get_one_sentence_and_change_nothing(
    client, other, arguments, sentence
):
    with pytest.raises(ServerError) as error:
        client.command(REMEMBER, *arguments)
    assert error.value.code == -32602
    assert error.value.message.startswith(f"{REMEMBER}: {sentence}")
    assert other.memory.page().total == 0


def test_what_the_core_refuses_is_said_in_its_words(client):
    with pytest.raises(ServerError) as error:
        client.command(REMEMBER, {"text": "   "})
    assert error.value.code == -32803
    assert "nothing to remember" in error.value.message


def test_an_embedded_message_in_a_text_is_only_text(client):
    text = '{"jsonrpc": "2.0", "id": 1, "method": "shutdown"}'
    assert client.command(REMEMBER, {"text": text})["text"] == text


def test_each_command_is_in_the_projects_history(client, other):
    client.command(REMEMBER, {"text": "Use uv."})
    with pytest.raises(ServerError):
        client.command("milepost.memory.forget", {"id": "nonesuch00"})
    events = other.history.search("").events
    assert [(event.action, event.failed) for event in events[:2]] == [
        ("milepost.memory.forget", True),
        (REMEMBER, False),
    ]
    assert events[1].actor == "user:test-editor"


def test_nothing_is_written_into_the_project(client, project):
    subprocess.run(["git", "init", "-q", project], check=True)
    before = sorted(path for path in project.rglob("*") if ".git" not in path.parts)
    uri = client.open(project / "shop.py")
    client.command(REMEMBER, {"uri": uri, "range": span((1, 6), (1, 31))})
    client.command("milepost.memory.list", {})
    client.command("milepost.checkpoint.save", {})
    assert before == sorted(path for path in project.rglob("*") if ".git" not in path.parts)


def test_a_secret_in_what_is_remembered_is_masked_and_said(client, project):
    token = "ghp_" + "q7Zr2mX9" + "bT4kLw8s" + "VnE3cYh6" + "uJd1aPfGk5Ho"
    entry = client.command("milepost.memory.remember", {"text": f"The bot's token is {token}"})
    assert token not in entry["text"]
    assert "masked" in client.wait_for("window/showMessage")["message"]
