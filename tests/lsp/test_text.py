"""Lines and positions as LSP counts them, in every encoding."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lsprotocol import types
from pygls.workspace import PositionCodec

from milepost.api import enclosing_symbol
from milepost_lsp.text import Text, split_lines
from tests.lsp.client import CAPABILITIES, span

ENCODINGS = {"utf-8": "utf-8", "utf-16": "utf-16-le", "utf-32": "utf-32-le"}
UNIT_BYTES = {"utf-8": 1, "utf-16": 2, "utf-32": 4}


def units(encoding: str, text: str) -> int:
    return len(text.encode(ENCODINGS[encoding])) // UNIT_BYTES[encoding]


@pytest.mark.parametrize("encoding", ENCODINGS)
@given(
    before=st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), max_size=8),
    inside=st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), max_size=8),
    after=st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), max_size=8),
    end=st.sampled_from(["\n", "\r\n", "\r", ""]),
)
def test_a_range_in_the_clients_units_is_the_text_it_covers(encoding, before, inside, after, end):
    text = Text(f"first{end or ' '}{before}{inside}{after}{end}", PositionCodec(encoding))
    shift = 0 if end else units(encoding, "first ")
    line = 1 if end else 0
    start = shift + units(encoding, before)
    stop = start + units(encoding, inside)
    assert text.slice(range_of(line, start, line, stop)) == inside


@given(st.text(st.sampled_from("a\r\n\x0b\x0c\x1c\x85\u2028é"), max_size=12))
def test_lines_put_together_are_the_text_and_end_where_lsp_ends_them(source):
    lines = split_lines(source)
    assert "".join(lines) == source
    for line in lines:
        body = line.removesuffix("\n").removesuffix("\r")
        assert "\n" not in body
        assert "\r" not in body.rstrip("\r")


def test_what_lies_beyond_a_line_or_the_text_is_its_end():
    text = Text("ab\ncd", PositionCodec("utf-16"))
    assert text.slice(range_of(0, 0, 0, 99)) == "ab"
    assert text.slice(range_of(1, 0, 1, 99)) == "cd"
    assert text.slice(range_of(0, 0, 99, 0)) == "ab\ncd"
    assert text.slice(range_of(5, 0, 9, 0)) == ""
    assert text.slice(range_of(1, 1, 0, 0)) == ""


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_each_encoding_works_from_end_to_end(connect, project, other, encoding):
    client = connect()
    general = {"general": {"positionEncodings": [encoding]}}
    capabilities = client.initialize(project, capabilities={**CAPABILITIES, **general})
    assert capabilities["positionEncoding"] == encoding
    other.memory.add("`größe` is in cm.")
    before, word = "s = '😀é'; ", "größe"
    uri = client.open(project / "shop.py", f"{before}{word} = 1\n")
    start = units(encoding, before)
    stop = start + units(encoding, word)
    params = {"textDocument": {"uri": uri}, "position": {"line": 0, "character": start + 1}}
    found = client.request("textDocument/hover", params)
    assert found["range"] == span((0, start), (0, stop))
    entry = client.command(
        "milepost.memory.remember", {"uri": uri, "range": span((0, start), (0, stop))}
    )
    assert entry["text"] == word


def test_edits_after_a_form_feed_land_where_the_client_made_them(client, project, other):
    other.memory.add("`total` is in cents.")
    uri = client.open(project / "shop.py", "x = 1\n\x0c\ndef sum(a):\n    pass\n")
    change = {"range": span((2, 4), (2, 7)), "text": "total"}
    client.notify(
        "textDocument/didChange",
        {"textDocument": {"uri": uri, "version": 2}, "contentChanges": [change]},
    )
    assert client.hover(uri, 2, 5)
    entry = client.command("milepost.memory.remember", {"uri": uri, "range": span((2, 0), (3, 8))})
    assert entry["text"] == "def total(a):\n    pass"


@pytest.mark.parametrize(
    ("source", "line", "symbol"),
    [
        ("def pay(a):\n    return 1", 1, "pay"),
        ("def pay(a):\n    return 1", 0, "pay"),
        ("class Till:\n    def pay(self):\n        return 1\n    rate = 2", 3, "Till"),
        ("def one():\n    pass\n\nrate = 2", 3, None),
        ("async def pay(a):\n    if a:\n        return 1", 2, "pay"),
        ("export default async function pay(a) {\n  return 1\n}", 1, "pay"),
        ("func (t *Till) Pay() int {\n\treturn 1\n}", 1, "Pay"),
        ("pub(crate) fn pay() -> i32 {\n    1\n}", 1, "pay"),
        ("impl Till {\n    pub fn pay(&self) {}\n}", 1, "pay"),
        ("public static class Till {\n  int rate = 1;\n}", 1, "Till"),
        ("  def self.pay\n    1", 1, "pay"),
        ("interface Till {\n  rate: number\n}", 1, "Till"),
        ("define = 1\nclassic = 2", 1, None),
        ("", 0, None),
    ],
)
def test_the_definition_around_a_line_is_found(source, line, symbol):
    assert enclosing_symbol(source.splitlines(), line) == symbol


def range_of(line: int, character: int, last: int, stop: int) -> types.Range:
    return types.Range(types.Position(line, character), types.Position(last, stop))
