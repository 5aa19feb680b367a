"""A type that is built when it is used is the type that would have been built at import."""

from __future__ import annotations

import json
import subprocess
import sys

# Prints what tells attrs classes apart: their fields, and what some messages become and come from.
_PORTRAIT = """
import json, re, sys
if sys.argv[1] == "lazy":
    from milepost_lsp import lazy_types
    lazy_types.load()
import attrs
from lsprotocol import converters, types
converter = converters.get_converter()
messages = {
    "InitializeParams": {"processId": 1, "rootUri": None, "capabilities": {"workspace": {
        "applyEdit": True, "workspaceEdit": {"documentChanges": True}}, "textDocument": {
        "hover": {"contentFormat": ["markdown"]}}}},
    "CodeAction": {"title": "x", "kind": "refactor", "edit": {"documentChanges": [
        {"textDocument": {"uri": "file:///a", "version": 1}, "edits": [
            {"range": {"start": {"line": 0, "character": 0}, "end": {"line": 0, "character": 1}},
             "newText": "y"}]}]}},
    "Hover": {"contents": {"kind": "markdown", "value": "x"}},
    "DidChangeTextDocumentParams": {"textDocument": {"uri": "file:///a", "version": 2},
        "contentChanges": [{"text": "whole"}]},
}
portrait = {}
for name, message in messages.items():
    value = converter.structure(message, getattr(types, name))
    portrait[name + " message"] = [repr(value), converter.unstructure(value, getattr(types, name))]
for name, value in sorted(types.ALL_TYPES_MAP.items()):
    if isinstance(value, type) and attrs.has(value):
        portrait[name] = [
            [field.name, repr(field.type), repr(field.default),
             re.sub(" at 0x[0-9a-f]+", "", repr(field.validator))]
            for field in attrs.fields(value)
        ] + [value.__doc__, value.__module__]
position = types.Position(1, 2)
portrait["behaviour"] = [
    position == types.Position(1, 2), position < types.Position(2, 0), repr(position),
    isinstance(position, types.Position), repr(attrs.evolve(position, line=3)),
]
print(json.dumps(portrait))
"""

_BUILT = """
from milepost_lsp import lazy_types
lazy_types.load()
from lsprotocol import types
def built():
    return sum(
        isinstance(value, type) and isinstance(value.__dict__.get("__attrs_attrs__"), tuple)
        for value in types.ALL_TYPES_MAP.values()
    )
before = built()
types.Position(0, 0)
print(before, built())
"""


def python(code: str, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True
    )
    return done.stdout


def test_every_type_is_what_it_would_have_been() -> None:
    eager, lazy = (json.loads(python(_PORTRAIT, how)) for how in ("eager", "lazy"))
    assert len(eager) > 500
    assert lazy == eager


def test_nothing_is_built_before_it_is_used() -> None:
    assert python(_BUILT).split() == ["0", "1"]


def test_types_that_are_there_already_are_left_alone() -> None:
    code = "from lsprotocol import types; from milepost_lsp import lazy_types; lazy_types.load(); "
    assert python(code + "print(types.Position(1, 2).line)") == "1\n"
