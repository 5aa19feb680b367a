"""The core's plain views as the JSON of the wire, in camelCase."""

from __future__ import annotations

import re
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from lsprotocol import types

    from milepost_lsp.protocol import Json


def to_json(value: Json) -> Json:
    """A view, or views in tuples, lists and dictionaries, as JSON."""
    if is_dataclass(value) and not isinstance(value, type):
        return {camel(field.name): to_json(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, (tuple, list)):
        return [to_json(each) for each in cast("list[Any]", value)]
    if isinstance(value, dict):
        return {key: to_json(each) for key, each in cast("dict[str, Any]", value).items()}
    return value


def camel(name: str) -> str:
    """`created_at` as `createdAt`, and `from_` as `from`, which is a word of Python's own."""
    return re.sub(r"_([a-z])", lambda match: match[1].upper(), name.rstrip("_"))


def range_json(span: types.Range) -> dict[str, dict[str, int]]:
    """A range as a command's argument."""
    return {
        "start": {"line": span.start.line, "character": span.start.character},
        "end": {"line": span.end.line, "character": span.end.character},
    }
