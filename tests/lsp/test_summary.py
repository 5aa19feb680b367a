"""checkpoint.md in an editor: over the real wire, on a file that a worker and its writer wrote."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from milepost import api
from tests.core.model_server import Act, Connection, ModelServer, openai_reply
from tests.lsp.client import CAPABILITIES, CHATTING, Client, at
from tests.lsp.test_inspection import FULL, WIDTHS, covered, diagnosed, last, lenses, line_of

TOLD = {
    "next_action": "Run the tests.",
    "constraints": "- Amounts are integer cents, see `shop.py:3`.\n- Never round.",
    "current_work": "T1 is half done.",
    "knowledge": "The port is 6432.\nOrders come from src/orders.py:12, which is gone.",
    "errors": "- A cart without lines\n  fails: `total` wants one.",
    "dead_ends": "Decimal is too slow.",
    "decisions": "No ORM.",
}


@pytest.fixture
def summary(other: api.Workspace, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What a worker left behind who read, planned and edited, and whose writer was asked once."""
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    home = Path(other.project.data_dir).parents[1]
    settings = "[worker]\nwindow_tokens = 16384\ncheckpoints_at = [5]\n"
    (home / "config.toml").write_text(settings, encoding="utf-8")
    workspace = api.open_workspace(other.project.root, actor="user:tests")
    with ModelServer(acts(Path(workspace.project.data_dir))) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        outcome = workspace.worker().run(
            "Ship 🎉 orders faster.", model="openai:m", tell=lambda _: None
        )
    workspace.close()
    assert outcome.state == "met", outcome.reason
    return Path(workspace.project.data_dir, "sessions", outcome.session, "checkpoint.md")


def acts(folder: Path) -> Iterator[Act]:
    """The worker's replies, and the writer's, who is the one that asks for a form."""
    calls = (
        ("task_add", {"title": "Ship it"}),
        ("read", {"path": "shop.py"}),
        ("edit", {"path": "shop.py", "old": "> 0", "new": ">= 1"}),
        ("note", {"text": "Ask about refunds."}),
    )
    replies = iter([openai_reply(calls=calls), openai_reply("Done.")])

    async def act(connection: Connection) -> None:
        if "response_format" in connection.asked.body:
            await openai_reply(json.dumps(TOLD))(connection)
            return
        reply = next(replies)
        is_last = any(m["role"] == "tool" for m in connection.asked.body["messages"])
        deadline = time.monotonic() + 20
        while is_last and not written(folder) and time.monotonic() < deadline:  # noqa: ASYNC110  (another process writes it)
            await asyncio.sleep(0.02)
        await reply(connection)

    while True:
        yield act


def written(folder: Path) -> bool:
    return any("6432" in p.read_text("utf-8") for p in folder.glob("sessions/*/checkpoint.md"))


@pytest.fixture
def editor(connect, project) -> Client:
    client = connect()
    client.initialize(project, capabilities=FULL)
    return client


def asked(client: Client, method: str, uri: str):
    return client.request(f"textDocument/{method}", {"textDocument": {"uri": uri}})


def test_sections_and_items_are_an_outline_and_fold(editor, summary):
    uri = editor.open(summary, language="markdown")
    (top,) = asked(editor, "documentSymbol", uri)
    assert top["name"] == "Checkpoint"
    names = {each["name"]: [c["name"] for c in each["children"]] for each in top["children"]}
    assert list(names)[:3] == ["Active intent", "Next action", "Constraints and directives"]
    assert names["Active intent"] == ["Ship 🎉 orders faster."]
    assert names["Constraints and directives"] == [
        "Amounts are integer cents, see `shop.py:3`.", "Never round.",
    ]  # fmt: skip
    assert names["Discovered knowledge"] == TOLD["knowledge"].split("\n")
    folds = {(f["startLine"], f["endLine"]) for f in asked(editor, "foldingRange", uri)}
    errors = line_of(uri, "## Errors and fixes")
    assert (errors, errors + 3) in folds
    assert (errors + 2, errors + 3) in folds  # the item of two lines


def test_links_lead_to_files_their_lines_tasks_points_and_the_transcript(
    editor, project, other, summary
):
    entry = other.memory.add("Refunds are monthly.")
    goal = other.goals.set("It ships.")
    point = other.checkpoints.save("before")
    other.memory.add("Half done.", task="T1")
    text = summary.read_text("utf-8").replace(
        "No ORM.", f"See {entry.id}, {goal.id}, restore point {point.id}, point 9999, item 1."
    )
    uri = editor.open(summary, text, "markdown")
    found = {}
    for link in asked(editor, "documentLink", uri):
        line = text.split("\n")[link["range"]["start"]["line"]]
        raw = line.encode("utf-16-le")
        start, end = (2 * link["range"][side]["character"] for side in ("start", "end"))
        found.setdefault(raw[start:end].decode("utf-16-le"), set()).add(link["target"])
    code, memory = (project / "shop.py").as_uri(), Path(other.memory.file()).as_uri()
    ours = f"milepost://{other.project.id}"
    session = f"{ours}/sessions/{summary.parent.name}"
    assert found == {
        "# Checkpoint": {session},
        "shop.py": {code, f"{code}#L3"},
        "T1": {Path(other.memory.file(task="T1")).as_uri()},
        entry.id: {f"{memory}#L{other.memory.locate(entry.id).line + 1}"},
        goal.id: {f"{ours}/goals/{goal.id}"},
        str(point.id): {f"{ours}/checkpoints/{point.id}"},
        "1": {session},
    }  # fmt: skip
    document = editor.request("workspace/textDocumentContent", {"uri": session})
    assert "Ship 🎉 orders faster." in document["text"]


def test_a_client_that_opens_no_documents_of_ours_gets_no_links_to_them(connect, project, summary):
    client = connect()
    client.initialize(project, capabilities=CAPABILITIES)
    targets = [link["target"] for link in asked(client, "documentLink", client.open(summary))]
    assert targets
    assert all(target.startswith("file:") for target in targets)


def test_a_hover_says_who_filled_a_section_and_what_they_had_seen(editor, other, summary):
    uri = editor.open(summary, language="markdown")

    def hovered(part: str, column: int = 2) -> str:
        return editor.hover(uri, line_of(uri, part), column)

    seen = [i for i in other.sessions().items(summary.parent.name) if i.kind == "result"][-1].number
    told = hovered("The port is 6432")
    assert "**Discovered knowledge**" in told
    assert "Filled by the writer, a model of its own, today" in told
    assert f"up to item {seen}, and the session went on after that" in told
    assert "Filled by code, from what was said, done and seen; written today" in hovered("## Task")
    assert "Task T1, open" in hovered("T1 [open]", 0)
    assert "Ship it" in hovered("T1 [open]", 0)


def test_a_hover_on_an_id_says_what_it_stands_for(editor, other, summary):
    entry = other.memory.add("Refunds are monthly.")
    goal = other.goals.set("It ships.")
    point = other.checkpoints.save("before the move")
    words = {
        entry.id: "Refunds are monthly.", goal.id: "It ships.",
        f"restore point {point.id}": "before the move", "item 1": "Ship 🎉 orders faster.",
    }  # fmt: skip
    text = "# Checkpoint\n\n## Open notes\n\n" + "\n".join(f"- {each}" for each in words)
    uri = editor.open(summary, text, "markdown")
    for line, (name, told) in enumerate(words.items(), 4):
        assert told in editor.hover(uri, line, 2 + len(name)), name
    assert "Filled by code" in editor.hover(uri, 2, 4)


def test_what_no_writer_filled_says_so(editor, other, summary):
    folder = summary.parent.with_name("aaaaaaaa")
    folder.mkdir()
    (folder / "checkpoint.md").write_text("## Dead ends\n\n## Mine\n", "utf-8")
    uri = editor.open(folder / "checkpoint.md", language="markdown")
    assert "none has been asked yet" in editor.hover(uri, 0, 4)
    assert "a heading of your own" in editor.hover(uri, 2, 4)


def test_an_item_is_remembered_by_its_lens_with_the_session_as_its_source(editor, other, summary):
    uri = editor.open(summary, language="markdown")
    found = asked(editor, "codeLens", uri)
    titles = [each["command"]["title"] for each in found]
    assert titles.count("remember as a rule") == 2
    assert titles.count("remember this") == 5  # knowledge, errors, dead ends, notes
    line = line_of(uri, "Amounts are integer cents")
    (lens,) = [each for each in found if each["range"]["start"]["line"] == line]
    editor.command(lens["command"]["command"], *lens["command"]["arguments"])
    (entry,) = [e for e in other.memory.page().entries if "integer cents" in e.text]
    assert entry.text == "Amounts are integer cents, see `shop.py:3`."
    assert (entry.kind, entry.status) == ("rule", "confirmed")
    assert entry.source == f"checkpoint:{summary.parent.name}"
    # What is remembered is offered no more, and the client is told to ask anew.
    editor.wait_until(lambda: lenses(editor, uri).count("remember as a rule") == 1, "one lens less")
    assert editor.got("workspace/codeLens/refresh")


def test_the_menu_remembers_the_item_under_the_cursor(editor, other, summary):
    uri = editor.open(summary, language="markdown")
    line = line_of(uri, "A cart without lines")
    title = "Milepost: remember this item as knowledge"
    (action,) = [each for each in editor.actions(uri, (line + 1, 3)) if each["title"] == title]
    editor.apply(action)
    (entry,) = [
        e for e in other.memory.page().entries if e.kind == "knowledge" and e.scope == "project"
    ]
    assert entry.text == "A cart without lines\nfails: `total` wants one."
    heading = editor.titles(uri, (line_of(uri, "## Active intent"), 3), invoked=False)
    assert heading == []


def test_the_session_goes_on_in_a_chat(editor, connect, project, summary):
    uri = editor.open(summary, language="markdown")
    (lens,) = [
        each for each in asked(editor, "codeLens", uri)
        if each["command"]["title"] == "go on with this session"
    ]  # fmt: skip
    page = editor.command(lens["command"]["command"], *lens["command"]["arguments"])
    assert page["sessionId"] == summary.parent.name
    assert "Ship 🎉 orders faster." in Path(page["uri"].removeprefix("file://")).read_text("utf-8")
    chatting = connect()
    chatting.initialize(project, capabilities=CHATTING)
    chatting.open(summary, language="markdown")
    assert "go on with this session" not in lenses(chatting, uri)


def test_what_is_odd_is_a_diagnostic(editor, project, summary):
    uri = editor.open(summary, language="markdown")
    editor.wait_until(lambda: diagnosed(editor, uri) == ["gone"], "the file that is gone")
    (gone,) = last(editor, uri)
    assert covered(uri, gone["range"]) == "src/orders.py"
    assert gone["severity"] == 3
    token = "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"
    text = summary.read_text("utf-8").replace("## Dead ends", "## Dead end")
    text = text.replace("No ORM.", f"The token is {token}.") + "\n## Next action\n\nAgain.\n"
    editor.type(uri, text)
    wanted = ["gone", "missing", "repeated", "secret", "unknown"]
    editor.wait_until(lambda: sorted(diagnosed(editor, uri)) == wanted, "what is odd")
    (missing,) = [each for each in last(editor, uri) if each["code"] == "missing"]
    assert missing["message"] == "“Dead ends” is missing; the next write brings it back"
    (project / "src").mkdir()
    (project / "src" / "orders.py").write_text("", "utf-8")
    editor.type(uri, summary.read_text("utf-8"))
    editor.wait_until(lambda: diagnosed(editor, uri) == [], "nothing odd")


def test_completion_knows_sections_files_tasks_and_memory(editor, other, summary):
    other.memory.add("The port is 6432.")
    for typed, wanted in (
        ("## Dead", "Dead ends"), ("- @file:sh", "shop.py"), ("- @task:", "T1"),
        ("- @memory port", "The port is 6432."),
    ):  # fmt: skip
        uri = editor.open(summary, typed, "markdown")
        found = editor.request("textDocument/completion", at(uri, 0, len(typed)))
        assert wanted in [item["label"] for item in found["items"]]
    uri = editor.open(summary, "- x <!-- milepost id=a status=", "markdown")
    assert editor.request("textDocument/completion", at(uri, 0, 30)) is None


@pytest.mark.parametrize("unit", list(WIDTHS))
def test_ranges_are_in_the_clients_units(connect, project, summary, unit):
    client = connect()
    client.initialize(project, capabilities={**FULL, "general": {"positionEncodings": [unit]}})
    (project / "é🎉.py").write_text("", "utf-8")
    line = "- 日本🎉é́: `é🎉.py:7` and `no/🎉.py`"
    text = f"# Checkpoint 🎉\r\n\r\n## Discovered knowledge\r\n\r\n{line}\r\n"
    uri = client.open(summary, text, "markdown")
    width = WIDTHS[unit]

    def place(words: str) -> dict[str, dict[str, int]]:
        start = width(line[: line.index(words)])
        ends = start, start + width(words)
        return {
            side: {"line": 4, "character": c}
            for side, c in zip(("start", "end"), ends, strict=True)
        }

    title, link = (each["range"] for each in asked(client, "documentLink", uri))
    assert title["end"] == {"line": 0, "character": width("# Checkpoint 🎉")}
    assert link == place("é🎉.py")
    hover = client.request("textDocument/hover", at(uri, 4, width(line)))
    assert hover["range"] == place(line)
    (top,) = asked(client, "documentSymbol", uri)
    assert top["children"][0]["children"][0]["range"] == place(line)
    (lens,) = [e for e in asked(client, "codeLens", uri) if "remember" in e["command"]["title"]]
    assert lens["command"]["arguments"][0]["range"] == place(line)
    client.wait_until(lambda: "gone" in diagnosed(client, uri), "a diagnostic")
    (gone,) = [each for each in last(client, uri) if each["code"] == "gone"]
    assert gone["range"] == place("no/🎉.py")
