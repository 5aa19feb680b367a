"""The contract as JSON Schema (draft 2020-12): a definition for each shape."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from milepost_lsp.generate.shapes import Basic, Contract, Either, Kind, ListOf, Named, Words
from milepost_lsp.protocol.message import Request

if TYPE_CHECKING:
    from milepost_lsp.generate.shapes import Field, Shape


def schema(contract: Contract) -> dict[str, Any]:
    """The schema; what is sent under which method stands in `messages` and `commands`."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Milepost's messages in the Language Server Protocol",
        "$comment": "Written by python -m milepost_lsp.generate from lsp/milepost_lsp/protocol.",
        "announcements": dict(
            zip(("client", "server"), map(_kind, contract.announcements), strict=True)
        ),
        "messages": {
            message.method: {
                "sender": message.sender,
                "params": _kind(contract.sent[message.method]),
                **(
                    {"result": _kind(contract.answered[message.method])}
                    if isinstance(message, Request)
                    else {}
                ),
            }
            for subject in contract.subjects
            for message in subject.messages
        },
        "commands": {
            command.name: {
                "argument": _kind(contract.sent[command.name]),
                "result": _kind(contract.answered[command.name]),
            }
            for command in contract.commands
        },
        "$defs": {
            **{name: _kind(contract.aliases[name]) for name in sorted(contract.aliases)},
            **{name: _shape(contract.shapes[name]) for name in sorted(contract.shapes)},
        },
    }


def _shape(shape: Shape) -> dict[str, Any]:
    made: dict[str, Any] = {
        "type": "object",
        "description": shape.doc,
        "properties": {field.name: _field(field) for field in shape.fields},
        "required": [field.name for field in shape.fields if not field.is_optional],
    }
    if shape.is_sent:
        made["additionalProperties"] = False
    return made


def _field(field: Field) -> dict[str, Any]:
    if field.is_optional and field.default is not None:
        return {**_kind(field.kind), "default": field.default}
    return _kind(field.kind)


def _kind(kind: Kind) -> dict[str, Any]:
    match kind:
        case Basic(name):
            return {"type": name}
        case Words(words):
            return {"const": words[0]} if len(words) == 1 else {"enum": list(words)}
        case ListOf((item,)):
            return {"type": "array", "items": _kind(item)}
        case ListOf(items):
            return {"type": "array", "prefixItems": [_kind(each) for each in items], "items": False}
        case Either(options):
            return {"anyOf": [_kind(each) for each in options]}
        case Named(name):
            return {"$ref": f"#/$defs/{name}"}
