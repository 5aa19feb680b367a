"""The contract as TypeScript: an interface for each shape, and a map of each kind of message."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from milepost_lsp.generate.shapes import Basic, Contract, Either, Kind, ListOf, Named, Words
from milepost_lsp.protocol import CHAT_VERSION, PROTOCOL_VERSION
from milepost_lsp.protocol.message import Request

if TYPE_CHECKING:
    from milepost_lsp.generate.shapes import Shape
    from milepost_lsp.protocol.message import Sender

_HEAD = """\
// Milepost's messages in the Language Server Protocol; docs/protocol.md describes them.
// Written by `python -m milepost_lsp.generate` from lsp/milepost_lsp/protocol: change it there.
"""


def types(contract: Contract) -> str:
    """The file."""
    parts = [
        _HEAD,
        f"export const PROTOCOL_VERSION = {PROTOCOL_VERSION};",
        f"export const CHAT_VERSION = {CHAT_VERSION};\n",
        *(
            f"export type {name} = {kind(contract.aliases[name])};\n"
            for name in sorted(contract.aliases)
        ),
        *(_interface(contract.shapes[name]) for name in sorted(contract.shapes)),
        _map("ClientRequests", _requests(contract, "client")),
        _map("ServerRequests", _requests(contract, "server")),
        _map("ClientNotifications", _notifications(contract, "client")),
        _map("ServerNotifications", _notifications(contract, "server")),
        _map("Commands", _commands(contract)),
    ]
    return "\n".join(parts)


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
