"""What an editor shows of memory files, and of code that memory knows: over the real wire, in every
unit in which clients count characters."""

from __future__ import annotations

import json
import time
from pathlib import Path
from urllib.parse import unquote

import pytest

from tests.lsp.client import CAPABILITIES, ServerError, at
from tests.lsp.test_project_did_change import STATUS

PUBLISHED = "textDocument/publishDiagnostics"

# What an editor has besides.
FULL = {
    **CAPABILITIES,
    "experimental": {"milepost": {"memory": True}},
    "workspace": {
        "workspaceEdit": {"documentChanges": True},
        "codeLens": {"refreshSupport": True},
        "inlayHint": {"refreshSupport": True},
    },
    "textDocument": {
        **CAPABILITIES["textDocument"],
        "publishDiagnostics": {"relatedInformation": True},
    },
}

WIDTHS = {"utf-8": lambda s: len(s.encode()), "utf-16": lambda s: len(s.encode("utf-16-le")) // 2,
          "utf-32": len}  # fmt: skip


@pytest.fixture
def editor(connect, project):
    client = connect()
    client.initialize(project, capabilities=FULL)
    return client


# Diagnostics


def test_a_save_that_makes_an_entry_suspect_shows_within_a_second_and_a_confirmation_ends_it(
    editor, project, other
):
    entry = other.memory.add("`total` is exact.", anchors=("shop.py#total",))
    memory = editor.open(Path(other.memory.file()), language="markdown")
    code = editor.open(project / "shop.py")
    editor.wait_until(lambda: hints(editor, code) == ["1 memory"], "a hint in the code")
    change(project)
    began = time.monotonic()
    editor.notify("textDocument/didSave", {"textDocument": {"uri": code}})
    editor.wait_until(lambda: diagnosed(editor, memory) == ["suspect"], "a diagnostic")
    editor.wait_until(lambda: diagnosed(editor, code) == ["suspect"], "a hint on the symbol")
    assert time.monotonic() - began < 3.0  # a second, on a machine that has nothing else to do
    (told,) = last(editor, code)
    assert told["severity"] == 4
    assert told["range"] == {
        "start": {"line": 0, "character": 4},
        "end": {"line": 0, "character": 9},
    }
    assert hints(editor, code) == ["1 memory, 1 suspect"]
    editor.command("milepost.memory.confirm", {"id": entry.id})
    editor.wait_until(lambda: diagnosed(editor, memory) == [], "an end of it")
    editor.wait_until(lambda: diagnosed(editor, code) == [], "an end of it in the code")


@pytest.mark.parametrize("end", ["milepost.memory.edit", "milepost.memory.forget"])
def test_an_edit_and_a_forgetting_end_it_too(editor, project, other, end):
    entry = other.memory.add("`total` is exact.", anchors=("shop.py#total",))
    change(project)
    memory = editor.open(Path(other.memory.file()), language="markdown")
    editor.wait_until(lambda: diagnosed(editor, memory) == ["suspect"], "a diagnostic")
    argument = {"id": entry.id, **({"text": "It rounds."} if end.endswith("edit") else {})}
    editor.command(end, argument)
    editor.wait_until(lambda: diagnosed(editor, memory) == [], "an end of it")


def test_code_that_another_process_writes_makes_its_entry_suspect(editor, project, other):
    other.memory.add("`total` is exact.", anchors=("shop.py#total",))
    memory = editor.open(Path(other.memory.file()), language="markdown")
    editor.wait_until(lambda: lenses(editor, memory) == [], "nothing to say")
    editor.command("milepost.status", {})
    other.goals.set("A sign that the watch is on.")
    editor.wait_for(STATUS)
    change(project)
    editor.wait_until(lambda: diagnosed(editor, memory) == ["suspect"], "a diagnostic")


def test_what_is_typed_is_looked_at_before_it_is_saved(editor, other):
    other.memory.add("Something.")
    path = Path(other.memory.file())
    text = "## Rules\n\n- The port is 6432.\n- The port is 7000.\n"
    uri = editor.open(path, text, "markdown")
    editor.wait_until(
        lambda: diagnosed(editor, uri) == ["contradiction", "contradiction"], "diagnostics"
    )
    first, _ = last(editor, uri)
    assert first["relatedInformation"][0]["location"]["range"]["start"]["line"] == 3
    assert "The port is 7000" in first["message"]
    replace(editor, uri, text.replace("7000", "6432 for the shop's database"))
    editor.wait_until(lambda: diagnosed(editor, uri) == [], "an end of it")
    editor.notify("textDocument/didClose", {"textDocument": {"uri": uri}})
    assert path.read_text(encoding="utf-8") != text


def test_diagnostics_go_when_the_document_is_closed(editor, other):
    path = Path(other.memory.file())
    uri = editor.open(
        path, "- Always use uv for installs.\n- Never use uv for installs.\n", "markdown"
    )
    editor.wait_until(lambda: len(diagnosed(editor, uri)) == 2, "diagnostics")
    editor.notify("textDocument/didClose", {"textDocument": {"uri": uri}})
    editor.wait_until(lambda: diagnosed(editor, uri) == [], "an end of it")


# Lenses and hovers


def test_lenses_say_how_often_an_entry_was_used_and_offer_what_helps(editor, project, other):
    entry = other.memory.add("`total` is exact.", anchors=("shop.py#total",))
    other.memory.add("Never said.")
    for _ in range(3):
        other.memory.search("exact total")
    other.close()  # which enters the counts
    change(project)
    uri = editor.open(Path(other.memory.file()), language="markdown")
    assert lenses(editor, uri) == [
        "used 3 times", "stale: shop.py#total has changed since", "confirm", "forget",
    ]  # fmt: skip
    assert "used 3 times" in editor.hover(uri, line_of(uri, "exact"), 5)
    found = editor.request("textDocument/codeLens", {"textDocument": {"uri": uri}})
    editor.command(found[2]["command"]["command"], *found[2]["command"]["arguments"])
    assert other.memory.get(entry.id).status == "confirmed"


def test_a_memory_with_nothing_to_say_has_no_lens(editor, other):
    other.memory.add("Use uv.")
    assert lenses(editor, editor.open(Path(other.memory.file()), language="markdown")) == []


# Folding, links, symbols


def test_sections_and_long_entries_fold(editor, other):
    text = "# Memory\n\n## Rules\n\n- One\n  two\n\n- Three\n\n## Project context\n\nA\nB\n\n"
    uri = editor.open(Path(other.memory.file()), text, "markdown")
    folded = editor.request("textDocument/foldingRange", {"textDocument": {"uri": uri}})
    assert sorted((each["startLine"], each["endLine"]) for each in folded) == [
        (0, 12), (2, 7), (4, 5), (9, 12), (11, 12),
    ]  # fmt: skip


def test_links_lead_to_code_entries_and_tasks(editor, project, other):
    other.memory.add("Use `shop.py#ship` now. 🎉 See @task:T1.", anchors=("shop.py#total",))
    old = other.memory.add("Old.")
    new = other.memory.supersede(old.id, "New.")
    other.memory.add("Half done.", task="T1")
    uri = editor.open(Path(other.memory.file()), language="markdown")
    targets = {}
    for link in editor.request("textDocument/documentLink", {"textDocument": {"uri": uri}}):
        target = editor.request("documentLink/resolve", link)["target"]
        targets[covered(uri, link["range"])] = target
    code = (project / "shop.py").as_uri()
    stamped = next(each for each in targets if each.startswith("shop.py#total@"))
    assert targets == {
        stamped: f"{code}#L1",
        "shop.py": f"{code}#L6",
        "T1": Path(other.memory.file(task="T1")).as_uri(),
        f"superseded-by={new.id}": f"{uri}#L{line_of(uri, 'New.') + 1}",
    }


def test_workspace_symbols_search_memory(editor, other):
    other.memory.add("The port is 6432.")
    other.memory.add("Tests run with pytest.", kind="rule")
    (found,) = editor.request("workspace/symbol", {"query": "which port"})
    assert found["name"] == "The port is 6432."
    uri = found["location"]["uri"]
    assert found["location"]["range"]["start"]["line"] == line_of(uri, "6432")
    assert editor.request("workspace/symbol", {"query": ""}) is None
    assert other.inspection.uses("project") == {}


# Completion


@pytest.mark.parametrize(
    ("typed", "wanted"),
    [
        ("- See @", ["@memory", "@file:", "@task:"]),
        ("- See @fi", ["@memory", "@file:", "@task:"]),
        ("- See @file:sh", ["shop.py"]),
        ("- 日本 🎉 @file:py", ["pyproject.toml", "shop.py"]),
        ("- Do @task:", ["T1"]),
        ("- Say @memory port", ["The port is 6432."]),
        ("## Arch", ["Project context", "Rules", "Architecture decisions", "Discovered knowledge"]),
        ("- x <!-- milepost id=a status=", ["stated", "confirmed", "unverified"]),
        ("- x <!-- milepost id=a anchors=README%0Ash", ["shop.py"]),
        ("- nothing", None),
        ("- mail@example.org", None),
    ],
)
def test_completion_knows_what_can_stand_there(editor, other, typed, wanted):
    other.memory.add("The port is 6432.")
    add_task(other, "Ship it")
    uri = editor.open(Path(other.memory.file()), f"# M\n\n{typed}", "markdown")
    column = WIDTHS["utf-16"](typed)
    found = editor.request("textDocument/completion", at(uri, 2, column))
    assert wanted == (found and [item["label"] for item in found["items"]])
    if wanted:
        edit = found["items"][0]["textEdit"]
        assert edit["range"]["end"]["character"] == column


# Renaming


def test_a_renamed_file_is_renamed_in_every_memory_and_only_there(editor, project, other):
    other.memory.add("日本 🎉 `shop.py` is slow.", anchors=("shop.py#total", "shop.py"))
    other.memory.add("Other.", anchors=("pyproject.toml",))
    note = other.memory.add("Left.", anchors=("shop.py#ship",), task="T1")
    uri = editor.open(Path(other.memory.file()), language="markdown")
    line = line_of(uri, "shop.py#total@")
    column = text_of(uri).split("\n")[line].index("shop.py#total@")
    where = at(uri, line, column + 2 + 1)  # the emoji counts twice in UTF-16
    assert editor.request("textDocument/prepareRename", where)["placeholder"] == "shop.py"
    edit = editor.request("textDocument/rename", {**where, "newName": "src/my shop.py"})
    apply(edit)
    text = text_of(uri)
    assert "anchors=src/my%20shop.py#total@" in text
    assert "%0Asrc/my%20shop.py@" in text
    assert "`shop.py` is slow" in text
    assert "pyproject.toml@" in text
    assert other.memory.get(note.id).anchors == ("src/my shop.py#ship",)
    versions = {
        each["textDocument"]["uri"]: each["textDocument"]["version"]
        for each in edit["documentChanges"]
    }
    assert versions == {uri: 1, Path(other.memory.file(task="T1")).as_uri(): None}


def test_a_renamed_symbol_is_renamed_alone(editor, other):
    other.memory.add("One.", anchors=("shop.py#total", "shop.py#ship"))
    uri = editor.open(Path(other.memory.file()), language="markdown")
    line = line_of(uri, "#total@")
    column = text_of(uri).split("\n")[line].index("total@") + 1
    apply(editor.request("textDocument/rename", {**at(uri, line, column), "newName": "Cart.sum"}))
    text = text_of(uri)
    assert "shop.py#Cart.sum@" in text
    assert "shop.py#ship@" in text


@pytest.mark.parametrize(
    ("part", "name", "words"),
    [
        ("## Rules", "x", "headings of a memory file are fixed"),
        ("Use uv", "x", "only the code that an entry is about"),
        ("shop.py@", "../x.py", "is not a path inside the project"),
        ("shop.py@", "/etc/x", "is not a path inside the project"),
        ("shop.py@", "a\nb", "is not a path inside the project"),
        ("shop.py@", "", "is not a path inside the project"),
    ],
)
def test_what_cannot_be_renamed_is_refused_with_a_sentence(editor, other, part, name, words):
    other.memory.add("Use uv.", anchors=("shop.py",))
    uri = editor.open(Path(other.memory.file()), language="markdown")
    line = line_of(uri, part)
    column = text_of(uri).split("\n")[line].index(part)
    with pytest.raises(ServerError) as error:
        editor.request("textDocument/rename", {**at(uri, line, column), "newName": name})
    assert words in error.value.message
    assert error.value.code == -32803


# Units


@pytest.mark.parametrize("unit", list(WIDTHS))
def test_ranges_are_in_the_clients_units(connect, project, other, unit):
    (project / "日本.py").write_text(
        '"""é"""\nclass Ü:\n    x = "🎉"; total = lambda: 1\n', encoding="utf-8"
    )
    words = "日本🎉é says `日本.py` is fine, see @file:日本.py"
    other.memory.add(words, anchors=("日本.py#Ü",))
    client = connect()
    full = {**FULL, "general": {"positionEncodings": [unit]}}
    assert client.initialize(project, capabilities=full)["positionEncoding"] == unit
    width = WIDTHS[unit]
    uri = client.open(Path(other.memory.file()), language="markdown")
    line = line_of(uri, "日本🎉é")
    text = text_of(uri).split("\n")[line]
    links = client.request("textDocument/documentLink", {"textDocument": {"uri": uri}})
    spans = {
        (each["range"]["start"]["character"], each["range"]["end"]["character"])
        for each in links
        if each["range"]["start"]["line"] == line
    }
    wanted = [text.index("`日本.py`") + 1, text.index("@file:") + len("@file:")]
    for start in wanted:
        assert (width(text[:start]), width(text[: start + len("日本.py")])) in spans
    comment = text.index("anchors=") + len("anchors=")
    anchor = at(uri, line, width(text[:comment]) + 1)
    prepared = client.request("textDocument/prepareRename", anchor)
    assert prepared["range"]["start"]["character"] == width(text[:comment])
    assert prepared["range"]["end"]["character"] == width(text[: text.index("#%C3%9C")])
    symbols = client.request("textDocument/documentSymbol", {"textDocument": {"uri": uri}})
    flat = [child for top in symbols for each in top["children"] for child in each["children"]]
    assert flat[0]["range"]["end"]["character"] == width(text)
    typed = "- 🎉日 @file:日"
    replace(client, uri, typed)
    found = client.request("textDocument/completion", at(uri, 0, width(typed)))
    assert found["items"][0]["textEdit"]["range"]["start"]["character"] == width(typed[:-1])
    code = client.open(project / "日本.py")
    client.wait_until(lambda: hints(client, code) == ["1 memory"], "a hint")
    (project / "日本.py").write_text('class Ü:\n    x = "🎉"\n', encoding="utf-8")
    replace(client, code, 'class Ü:\n    x = "🎉"\n')
    client.notify("textDocument/didSave", {"textDocument": {"uri": code}})
    client.wait_until(lambda: diagnosed(client, code) == ["suspect"], "a diagnostic")
    (told,) = last(client, code)
    assert told["range"]["end"]["character"] == width("class Ü")
    assert "日本🎉é" in client.hover(code, 0, width("class Ü"))


def change(project: Path) -> None:
    text = (project / "shop.py").read_text(encoding="utf-8")
    (project / "shop.py").write_text(
        text.replace("sum(order.cents)", "round(sum(order.cents))"), encoding="utf-8"
    )


def last(client, uri: str) -> list[dict]:
    """The diagnostics that a client shows for a document."""
    found = [m["params"] for m in client.got(PUBLISHED) if m["params"]["uri"] == uri]
    return found[-1]["diagnostics"] if found else []


def diagnosed(client, uri: str) -> list[str]:
    return [each["code"] for each in last(client, uri)]


def lenses(client, uri: str) -> list[str]:
    found = client.request("textDocument/codeLens", {"textDocument": {"uri": uri}})
    return [each["command"]["title"] for each in found]


def hints(client, uri: str) -> list[str]:
    whole = {"start": {"line": 0, "character": 0}, "end": {"line": 999, "character": 0}}
    found = client.request("textDocument/inlayHint", {"textDocument": {"uri": uri}, "range": whole})
    return [each["label"] for each in found]


def replace(client, uri: str, text: str) -> None:
    """The user types: the whole text is another one."""
    params = {"textDocument": {"uri": uri, "version": 2}, "contentChanges": [{"text": text}]}
    client.notify("textDocument/didChange", params)


def text_of(uri: str) -> str:
    return Path(unquote(uri.removeprefix("file://"))).read_text(encoding="utf-8")


def line_of(uri: str, part: str) -> int:
    return next(n for n, line in enumerate(text_of(uri).split("\n")) if part in line)


def covered(uri: str, span: dict) -> str:
    """The text of a range on one line, counted in UTF-16."""
    line = text_of(uri).split("\n")[span["start"]["line"]].encode("utf-16-le")
    return line[2 * span["start"]["character"] : 2 * span["end"]["character"]].decode("utf-16-le")


def apply(edit: dict) -> None:
    """What an editor does with a WorkspaceEdit whose files it has as they are on the disk."""
    for change_ in edit["documentChanges"]:
        uri = change_["textDocument"]["uri"]
        lines = text_of(uri).split("\n")
        for each in sorted(
            change_["edits"], key=lambda e: (e["range"]["start"]["line"],
                                             e["range"]["start"]["character"]), reverse=True,
        ):  # fmt: skip
            span = each["range"]
            raw = lines[span["start"]["line"]].encode("utf-16-le")
            first, until = 2 * span["start"]["character"], 2 * span["end"]["character"]
            new = each["newText"].encode("utf-16-le")
            lines[span["start"]["line"]] = (raw[:first] + new + raw[until:]).decode("utf-16-le")
        Path(uri.removeprefix("file://")).write_text("\n".join(lines), encoding="utf-8")


def add_task(other, title: str) -> None:
    """A worker's plan has a task."""
    script = Path(other.project.root).parent / "script.json"
    call = {"tool": "task_add", "arguments": {"title": title}}
    lines = [{"say": "Planning.", "calls": [call]}, {"say": "Done."}]
    script.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    other.worker().run("Plan.", model=f"scripted:{script}", tell=lambda event: None)
