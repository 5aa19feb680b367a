"""The contract as TypeScript: a file for each module of shapes, a map for each kind of message."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, TypeAlias

from milepost_lsp.generate.shapes import Basic, Contract, Either, Kind, ListOf, Named, Words
from milepost_lsp.protocol import CHAT_VERSION, PROTOCOL_VERSION
from milepost_lsp.protocol.message import Request

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from milepost_lsp.generate.shapes import Shape
    from milepost_lsp.protocol.message import Sender

# What belongs to no module of shapes: kinds with names of their own, and what is sent.
_ALIASES = "aliases"
_MESSAGES = "messages"

_HEAD = """\
// Milepost's messages in the Language Server Protocol; docs/protocol.md describes them.
// Written by `python -m milepost_lsp.generate` from lsp/milepost_lsp/protocol: change it there.
"""


def types(contract: Contract) -> dict[str, str]:
    """The files, by their names within the folder of the first: that one gives out the others."""
    rooms: dict[str, list[Shape]] = {}
    for name in sorted(contract.shapes):
        shape = contract.shapes[name]
        rooms.setdefault(shape.room, []).append(shape)
    places = {shape.name: room for room, shapes in rooms.items() for shape in shapes}
    places |= dict.fromkeys(contract.aliases, _ALIASES)
    return {
        "protocol.ts": _front([_ALIASES, _MESSAGES, *rooms]),
        f"protocol/{_ALIASES}.ts": _file(_ALIASES, _aliases(contract), places),
        f"protocol/{_MESSAGES}.ts": _file(_MESSAGES, _messages(contract), places),
        **{
            f"protocol/{room}.ts": _file(room, _interfaces(shapes), places)
            for room, shapes in rooms.items()
        },
    }


def kind(given: Kind) -> str:
    """A kind, as TypeScript writes it; the tables of the page use it too."""
    match given:
        case Basic(name):
            written = "number" if name == "integer" else name
        case Words(words):
            written = " | ".join(f'"{word}"' for word in words)
        case ListOf((item,)):
            inner = kind(item)
            written = f"({inner})[]" if " | " in inner else f"{inner}[]"
        case ListOf(items):
            written = f"[{', '.join(kind(each) for each in items)}]"
        case Either(options):
            written = " | ".join(kind(each) for each in options)
        case Named(name):
            written = name
    return written


_Written: TypeAlias = "tuple[list[str], set[str]]"


def _front(names: list[str]) -> str:
    given = (f'export type * from "./protocol/{name}.ts";' for name in sorted(names))
    numbers = [
        f"export const PROTOCOL_VERSION = {PROTOCOL_VERSION};",
        f"export const CHAT_VERSION = {CHAT_VERSION};\n",
    ]
    return "\n".join([_HEAD, *given, "", *numbers])


def _file(name: str, written: _Written, places: dict[str, str]) -> str:
    """A file that holds what is written, and imports what that names."""
    parts, named = written
    wanted: dict[str, list[str]] = {}
    for each in sorted(named):
        if places[each] != name:
            wanted.setdefault(places[each], []).append(each)
    imports = [
        f'import type {{ {", ".join(wanted[room])} }} from "./{room}.ts";'
        for room in sorted(wanted)
    ]
    return "\n".join([_HEAD, *imports, *([""] if imports else []), *parts])


def _aliases(contract: Contract) -> _Written:
    kinds = {name: contract.aliases[name] for name in sorted(contract.aliases)}
    parts = [f"export type {name} = {kind(each)};\n" for name, each in kinds.items()]
    return parts, set(_named(kinds.values()))


def _interfaces(shapes: list[Shape]) -> _Written:
    kinds = (field.kind for shape in shapes for field in shape.fields)
    return list(map(_interface, shapes)), set(_named(kinds))


def _messages(contract: Contract) -> _Written:
    parts = [
        _map("ClientRequests", _requests(contract, "client")),
        _map("ServerRequests", _requests(contract, "server")),
        _map("ClientNotifications", _notifications(contract, "client")),
        _map("ServerNotifications", _notifications(contract, "server")),
        _map("Commands", _commands(contract)),
    ]
    return parts, set(_named((*contract.sent.values(), *contract.answered.values())))


def _named(kinds: Iterable[Kind]) -> Iterator[str]:
    """The names of the shapes and aliases that kinds are made of."""
    for each in kinds:
        match each:
            case Named(name):
                yield name
            case ListOf(inner) | Either(inner):
                yield from _named(inner)
            case _:
                pass


def _interface(shape: Shape) -> str:
    fields = [
        f"  {field.name}{'?' if field.is_optional else ''}: {kind(field.kind)};"
        for field in shape.fields
    ]
    doc = textwrap.wrap(shape.doc, 95, break_long_words=False)
    comment = "\n".join(["/**", *(f" * {line}" for line in doc), " */"])
    if not fields:
        return f"{comment}\nexport type {shape.name} = Record<string, never>;\n"
    return "\n".join([comment, f"export interface {shape.name} {{", *fields, "}", ""])


def _map(name: str, rows: dict[str, str]) -> str:
    return "\n".join(
        [f"export interface {name} {{", *(f'  "{key}": {row};' for key, row in rows.items()), "}\n"]
    )


def _requests(contract: Contract, sender: Sender) -> dict[str, str]:
    return {
        each.method: _both(contract, each.method, "params")
        for subject in contract.subjects
        for each in subject.messages
        if isinstance(each, Request) and each.sender == sender
    }


def _notifications(contract: Contract, sender: Sender) -> dict[str, str]:
    return {
        each.method: kind(contract.sent[each.method])
        for subject in contract.subjects
        for each in subject.messages
        if not isinstance(each, Request) and each.sender == sender
    }


def _commands(contract: Contract) -> dict[str, str]:
    return {each.name: _both(contract, each.name, "argument") for each in contract.commands}


def _both(contract: Contract, name: str, goes: str) -> str:
    there, back = kind(contract.sent[name]), kind(contract.answered[name])
    return f"{{ {goes}: {there}; result: {back} }}"
