"""Symbols of a memory file."""

from __future__ import annotations

from pathlib import Path

from tests.lsp.client import CAPABILITIES

MEMORY = """\
# Memory

## Rules

- Use uv.
  Never pip.

### Style

- Lines have 100 characters.

## Discovered knowledge

The 😀 port is 8080.
"""


def symbols(client, uri):
    return client.request("textDocument/documentSymbol", {"textDocument": {"uri": uri}})


def tree(found) -> list:
    return [(symbol["name"], tree(symbol["children"])) for symbol in found]


def test_headings_hold_their_entries_as_the_buffer_has_them(client, other):
    uri = client.open(Path(other.memory.file()), MEMORY, "markdown")
    assert tree(symbols(client, uri)) == [
        (
            "Memory",
            [
                (
                    "Rules",
                    [
                        ("Use uv.", []),
                        ("Style", [("Lines have 100 characters.", [])]),
                    ],
                ),
                ("Discovered knowledge", [("The 😀 port is 8080.", [])]),
            ],
        )
    ]


def test_ranges_cover_sections_and_stay_inside_each_other(client, other):
    uri = client.open(Path(other.memory.file()), MEMORY, "markdown")
    memory = symbols(client, uri)[0]
    rules, knowledge = memory["children"]
    assert (rules["range"]["start"]["line"], rules["range"]["end"]["line"]) == (2, 10)
    entry = knowledge["children"][0]
    assert entry["range"] == {
        "start": {"line": 13, "character": 0},
        "end": {"line": 13, "character": 20},
    }
    for outer in (memory, rules, knowledge):
        for inner in [outer["selectionRange"], *[child["range"] for child in outer["children"]]]:
            assert key(outer["range"]["start"]) <= key(inner["start"])
            assert key(inner["end"]) <= key(outer["range"]["end"])


def test_a_client_without_trees_gets_a_flat_list(connect, project, other):
    client = connect()
    client.initialize(project, capabilities={**CAPABILITIES, "textDocument": {}})
    uri = client.open(Path(other.memory.file()), MEMORY, "markdown")
    flat = symbols(client, uri)
    assert [(each["name"], each.get("containerName")) for each in flat][:3] == [
        ("Memory", None),
        ("Rules", "Memory"),
        ("Use uv.", "Rules"),
    ]


def test_other_documents_have_none(client, project):
    (project / "MEMORY.md").write_text(MEMORY, encoding="utf-8")
    assert symbols(client, client.open(project / "MEMORY.md", language="markdown")) is None
    assert symbols(client, client.open(project / "shop.py")) is None


def test_an_empty_memory_file_has_no_symbols(client, other):
    assert symbols(client, client.open(Path(other.memory.file()), "", "markdown")) == []


def key(position) -> tuple[int, int]:
    return position["line"], position["character"]
