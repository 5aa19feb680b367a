"""Every range that goes over the wire, in each unit in which clients count characters, on documents
with astral characters, combining marks and CRLF."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lsprotocol import types
from pygls.workspace import PositionCodec

from milepost_lsp.documents import Documents
from tests.core.model_server import ModelServer, openai_reply
from tests.lsp.client import CHATTING, EDITING, Client, at, edited, span, width
from tests.lsp.test_inspection import FULL, diagnosed, hints, last

UNITS = ("utf-8", "utf-16", "utf-32")

# In decomposed form, so that a mark is a character of its own; and one of two code units.
ODD = "de\u0301ja\u0308 🎉𐍈"

CODE = f"""\
s = "{ODD}"; größe = 1\r
class Ü:\r
    x = "🎉"; y = lambda: größe  # TODO: {ODD} weigh it\r
\r
    def mäß(self):\r
        return "{ODD}" > 0\r
"""


@pytest.fixture(params=UNITS)
def editor(request, connect, project) -> Client:
    client = connect()
    parts = {**FULL["workspace"], **EDITING["workspace"]}
    known = {**FULL, "workspace": parts, "general": {"positionEncodings": [request.param]}}
    told = client.initialize(project, capabilities=known)
    assert told["positionEncoding"] == request.param
    return client


def place(client: Client, text: str, part: str, whole: str | None = None) -> dict[str, Any]:
    """The range of `part`, which stands once in the text, on one line; looked for in `whole`."""
    start = text.index(whole or part) + (whole or part).index(part)
    line = text.count("\n", 0, start)
    before = text[text.rfind("\n", 0, start) + 1 : start]
    first = width(before, client.unit)
    return span((line, first), (line, first + width(part, client.unit)))


def asked(client: Client, method: str, uri: str) -> Any:
    return client.request(f"textDocument/{method}", {"textDocument": {"uri": uri}})


def write(path: Path, text: str) -> str:
    path.write_bytes(text.encode())
    return text


def test_what_is_shown_of_a_memory_file(editor, project, other):
    write(project / "日本.py", CODE)
    entry = other.memory.add("x", anchors=("日本.py#Ü",))
    other.memory.add("Half done.", task="T1")
    comment = other.memory.file()
    stamped = next(
        line for line in Path(comment).read_text("utf-8").splitlines() if entry.id in line
    )
    head = f"- {ODD}: see `日本.py#Ü` and @file:日本.py for @task:T1"
    one = f"{head} {stamped[stamped.index('<!--') :]}"
    token = "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"
    two = f"- 🎉 the token is {token} e\u0301"
    text = f"# Memory 🎉\r\n\r\n## Rules 𐍈\r\n\r\n{one}\r\n{two}\r\n  and 🎉 more\r\n"
    write(Path(comment), text)
    uri = editor.open(Path(comment), text, "markdown")

    (top,) = asked(editor, "documentSymbol", uri)
    (section,) = top["children"]
    assert top["selectionRange"] == place(editor, text, "# Memory 🎉")
    assert section["selectionRange"] == place(editor, text, "## Rules 𐍈")
    first, second = section["children"]
    assert first["range"] == place(editor, text, one)
    end = width("  and 🎉 more", editor.unit)
    assert second["range"] == span((5, 0), (6, end))
    assert section["range"]["end"] == top["range"]["end"] == {"line": 6, "character": end}

    folds = [(f["startLine"], f["endLine"]) for f in asked(editor, "foldingRange", uri)]
    assert sorted(folds) == [(0, 6), (2, 6), (5, 6)]

    links = [link["range"] for link in asked(editor, "documentLink", uri)]
    anchor = one[one.index("anchors=") + len("anchors=") : one.rindex(" -->")].split(
        " ", maxsplit=1
    )[0]
    assert links == [
        place(editor, text, anchor),
        place(editor, text, "日本.py", "日本.py#Ü`"),
        place(editor, text, "日本.py", "日本.py for"),
        place(editor, text, "T1"),
    ]

    inside = place(editor, text, "日本.py", "日本.py for")["start"]
    found = editor.request("textDocument/hover", {"textDocument": {"uri": uri}, "position": inside})
    assert found["range"] == place(editor, text, one)

    editor.wait_until(lambda: "secret" in diagnosed(editor, uri), "the secret")
    (secret,) = [each for each in last(editor, uri) if each["code"] == "secret"]
    assert secret["range"] == second["range"]

    for each in asked(editor, "codeLens", uri):
        assert each["range"]["start"]["character"] == each["range"]["end"]["character"] == 0

    named = place(editor, text, "%C3%9C")
    where = {"textDocument": {"uri": uri}, "position": named["end"]}
    assert editor.request("textDocument/prepareRename", where)["range"] == named
    edit = editor.request("textDocument/rename", {**where, "newName": "Ö"})
    (change,) = edit["documentChanges"]
    assert edited(text, change["edits"], editor.unit) == text.replace("#%C3%9C@", "#%C3%96@")

    titles = editor.titles(uri, (5, 3))
    assert "Milepost: forget this entry" in titles


def test_what_is_completed_takes_the_place_of_what_was_typed(editor, project, other):
    write(project / "日本 𐍈.txt", "")
    write(project / "e\u0301𐍈.py", "")
    text = f"# M\r\n\r\n- {ODD} @file:e\u0301𐍈 🎉\r\n"
    uri = editor.open(Path(other.memory.file()), text, "markdown")
    typed = place(editor, text, "e\u0301𐍈", "e\u0301𐍈 🎉")
    end = typed["end"]
    found = editor.request("textDocument/completion", at(uri, end["line"], end["character"]))
    (item,) = found["items"]
    assert item["textEdit"]["range"] == typed
    assert edited(text, [item["textEdit"]], editor.unit) == text.replace("𐍈 🎉", "𐍈.py 🎉")


def test_what_is_shown_in_code_and_taken_from_it(editor, project, other):
    path = project / "日本.py"
    write(path, CODE)
    entry = other.memory.add("`größe` is in cm.", anchors=("日本.py#Ü.mäß",))
    uri = editor.open(path)
    # The test's own reader turns CRLF into LF.
    editor.type(uri, CODE)
    word = place(editor, CODE, "größe", "größe  #")
    params = {"textDocument": {"uri": uri}, "position": word["end"]}
    assert editor.request("textDocument/hover", params)["range"] == word

    editor.wait_until(lambda: hints(editor, uri) == ["1 memory"], "a hint")
    whole = {"textDocument": {"uri": uri}, "range": span((0, 0), (99, 0))}
    (hint,) = editor.request("textDocument/inlayHint", whole)
    assert hint["position"] == place(editor, CODE, "    def mäß(self):")["end"]

    changed = CODE.replace("> 0", "> 1")
    write(path, changed)
    editor.type(uri, changed)
    editor.notify("textDocument/didSave", {"textDocument": {"uri": uri}})
    editor.wait_until(lambda: diagnosed(editor, uri) == ["suspect"], "the entry in doubt")
    assert last(editor, uri)[0]["range"] == place(editor, CODE, "mäß")
    where = place(editor, CODE, "mäß")
    menu = editor.titles(uri, tuple(where["start"].values()))
    assert "Milepost: confirm “`größe` is in cm.”" in menu
    assert entry.id in str(editor.actions(uri, tuple(where["start"].values())))

    taken = place(editor, CODE, f"{ODD} weigh it")
    kept = editor.command("milepost.memory.remember", {"uri": uri, "range": taken})
    assert kept["text"] == f"{ODD} weigh it"
    assert kept["anchors"] == ["日本.py#Ü"]
    lines = {"start": place(editor, CODE, "Ü", "Ü:")["start"], "end": word["end"]}
    kept = editor.command("milepost.memory.remember", {"uri": uri, "range": lines})
    assert kept["text"] == 'Ü:\n    x = "🎉"; y = lambda: größe'
    todo = [a for a in editor.actions(uri, (2, 0)) if "TODO" in a["title"]]
    goal = editor.apply(todo[0])
    assert f"{ODD} weigh it" in goal["condition"]


def test_what_is_typed_lands_where_it_was_typed(editor, project, other):
    path = project / "日本.py"
    write(path, CODE)
    other.memory.add("`größer` is in cm.")
    uri = editor.open(path)
    editor.type(uri, CODE)
    changes = [
        {"range": span(*2 * (tuple(place(editor, CODE, "größe", "größe = 1")["end"].values()),)),
         "text": "r"},
        {"range": place(editor, CODE, "🎉", "🎉\";"), "text": "e\u0301𐍈\r\n"},
    ]  # fmt: skip
    document = {"uri": uri, "version": 3}
    editor.notify("textDocument/didChange", {"textDocument": document, "contentChanges": changes})
    after = CODE.replace("größe = 1", "größer = 1").replace('x = "🎉"', 'x = "e\u0301𐍈\r\n"')
    word = place(editor, after, "größer")
    params = {"textDocument": {"uri": uri}, "position": word["start"]}
    assert editor.request("textDocument/hover", params)["range"] == word
    kept = editor.command("milepost.memory.remember", {"uri": uri, "range": span((0, 0), (99, 0))})
    assert kept["text"] == after.replace("\r\n", "\n").strip()


@pytest.mark.parametrize("unit", UNITS)
def test_a_models_edits_and_proposals_land_where_they_belong(connect, project, unit):
    path = project / "日本.py"
    write(path, CODE)
    wrong = {"message": "Wrong sign", "severity": 1, "source": "ty"}
    better = openai_reply("Mended.", calls=(("replace", {"old": "> 0", "new": ">= 0 or 🎉"}),))
    with ModelServer([better, better]) as model:
        for announced in (None, {"proposals": True}):
            client = connect(env={"MILEPOST_MODEL": "openai:m", "OPENAI_BASE_URL": model.url})
            known = {
                **EDITING,
                "general": {"positionEncodings": [unit]},
                "experimental": {"milepost": announced},
            }
            client.initialize(project, capabilities=known)
            uri = client.open(path)
            client.type(uri, CODE)
            where = place(client, CODE, "> 0")
            start = tuple(where["start"].values())
            action = client.actions(
                uri, start, diagnostics=[{**wrong, "range": where}], only=["quickfix"]
            )[0]
            client.choose(action)
            if announced:
                shown = client.wait_for("milepost/proposal/didChange")["proposal"]
                client.request("milepost/proposal/accept", {"proposalId": shown["id"]})
            assert client.documents[uri] == CODE.replace("> 0", ">= 0 or 🎉")


@pytest.mark.parametrize("unit", UNITS)
def test_a_chat_reads_what_is_attached_and_writes_where_its_page_ends(connect, project, unit):
    path = project / "日本.py"
    write(path, CODE)
    with ModelServer([openai_reply(f"I see {ODD}."), openai_reply("On.")]) as model:
        client = connect(env={"MILEPOST_MODEL": "openai:m", "OPENAI_BASE_URL": model.url})
        known = {**CHATTING, "general": {"positionEncodings": [unit]}}
        client.initialize(project, capabilities={**known, "workspace": EDITING["workspace"]})
        uri = client.open(path)
        client.type(uri, CODE)
        block = {"type": "file", "uri": uri, "range": place(client, CODE, "größe", "größe  #")}
        prompt = [{"type": "text", "text": f"{ODD}?"}, block]
        session = client.request("milepost/chat/prompt", {"prompt": prompt})["sessionId"]
        sent = model.asked[0].body["messages"][-1]["content"]
        assert 'x = "🎉"; y = lambda: größe' in sent
        assert "def mäß" not in sent
        page = client.command("milepost.chat.open", {"sessionId": session, "uri": uri})["uri"]
        # The question is the last line, and has no line end.
        text = Path(page.removeprefix("file://")).read_text("utf-8") + f"{ODD} again?"
        client.open(Path(page.removeprefix("file://")), text, "markdown")
        client.command("milepost.chat.send", {"uri": page})
        client.wait_until(lambda: client.documents[page].count("## You") == 3, "the answer")
    assert client.documents[page].startswith(text)
    assert "On." in client.documents[page]


CHARACTERS = st.sampled_from(["a", "é", "e\u0301", "🎉", "𐍈", "\n", "\r\n", "\u2028", "\x0c"])
TEXTS = st.lists(CHARACTERS, max_size=12).map("".join)


@pytest.mark.parametrize("unit", UNITS)
@settings(max_examples=60)
@given(text=TEXTS, new=TEXTS, data=st.data())
def test_any_change_that_a_client_tells_makes_the_same_text_here(unit, text, new, data):
    """The document itself, because a server for each example would take minutes."""
    documents = Documents(None, position_encoding=types.PositionEncodingKind(unit))
    documents.put_text_document(types.TextDocumentItem("file:///a", "x", 1, text))
    starts = [0, *(i + 1 for i, char in enumerate(text) if char == "\n")]
    places = sorted(data.draw(st.lists(st.integers(0, len(text)), min_size=2, max_size=2)))
    # No client puts a place between the two halves of a line end.
    first, until = (each - (text[each - 1 : each + 1] == "\r\n") for each in places)

    def position(offset: int) -> types.Position:
        line = sum(start <= offset for start in starts) - 1
        return types.Position(line, width(text[starts[line] : offset], unit))

    span = types.Range(position(first), position(until))
    change = types.TextDocumentContentChangePartial(range=span, text=new)
    documents.update_text_document(
        types.VersionedTextDocumentIdentifier(version=2, uri="file:///a"), change
    )
    assert documents.get_text_document("file:///a").source == text[:first] + new + text[until:]
    assert isinstance(documents.position_codec, PositionCodec)
