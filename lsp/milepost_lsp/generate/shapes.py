"""The contract as the generators see it: every shape once, and which way it travels.

A shape that clients send may leave out what has a default, and nothing may be added to it; one
that the server sends is always whole, and may get fields later.
"""

from __future__ import annotations

import inspect
import re
from dataclasses import MISSING, dataclass, fields, is_dataclass
from types import NoneType, UnionType
from typing import Any, Literal, TypeAlias, Union, get_args, get_origin, get_type_hints

from milepost_lsp.convert import camel, to_json
from milepost_lsp.protocol.catalogue import (
    ALIASES,
    ANNOUNCEMENTS,
    COMMANDS,
    SUBJECTS,
    Command,
    Subject,
)
from milepost_lsp.protocol.message import Request, tag


@dataclass(frozen=True, slots=True)
class Basic:
    """string, integer, number, boolean or null."""

    name: str


@dataclass(frozen=True, slots=True)
class Words:
    """One of some words."""

    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list; with `items` of more than one, a tuple of just those."""

    items: tuple[Kind, ...]


@dataclass(frozen=True, slots=True)
class Either:
    """One of several kinds."""

    options: tuple[Kind, ...]


@dataclass(frozen=True, slots=True)
class Named:
    """A shape or an alias, by its name."""

    name: str


Kind: TypeAlias = Basic | Words | ListOf | Either | Named


@dataclass(frozen=True, slots=True)
class Field:
    """A field; `default` is JSON, and counts when `is_optional`."""

    name: str
    kind: Kind
    is_optional: bool
    default: Any


@dataclass(frozen=True, slots=True)
class Shape:
    """An object. `is_sent` by clients: then it holds these fields and no others. `room` names the
    module in which it is written down."""

    name: str
    room: str
    doc: str
    fields: tuple[Field, ...]
    is_sent: bool


@dataclass(frozen=True, slots=True)
class Contract:
    """Everything there is to write down."""

    shapes: dict[str, Shape]
    aliases: dict[str, Kind]
    # A message's or a command's name to the kinds of what goes there and comes back.
    sent: dict[str, Kind]
    answered: dict[str, Kind]
    subjects: tuple[Subject, ...] = SUBJECTS
    commands: tuple[Command, ...] = COMMANDS
    # The two in `initialize`: the client's and the server's.
    announcements: tuple[Kind, ...] = ()


def contract() -> Contract:
    """Reads the catalogue."""
    reader = _Reader()
    sent: dict[str, Kind] = {}
    answered: dict[str, Kind] = {}
    ours, theirs = ANNOUNCEMENTS
    announcements = (reader.kind(ours, is_sent=True), reader.kind(theirs, is_sent=False))
    for message in (each for subject in SUBJECTS for each in subject.messages):
        by_client = message.sender == "client"
        sent[message.method] = reader.kind(message.params, is_sent=by_client)
        if isinstance(message, Request):
            answered[message.method] = reader.kind(message.result, is_sent=not by_client)
    for command in COMMANDS:
        sent[command.name] = reader.kind(command.arguments, is_sent=True)
        answered[command.name] = reader.kind(command.result, is_sent=False)
    return Contract(reader.shapes, reader.aliases, sent, answered, announcements=announcements)


class _Reader:
    def __init__(self) -> None:
        self.shapes: dict[str, Shape] = {}
        self.aliases: dict[str, Kind] = {}
        self._types: dict[str, type[Any]] = {}

    def kind(self, hint: Any, *, is_sent: bool) -> Kind:  # noqa: ANN401
        """A type as a kind; the shapes that it names are kept."""
        if is_dataclass(hint) and isinstance(hint, type):
            return self._named(hint, is_sent=is_sent)
        for name, meant in ALIASES.items():
            if hint == meant:
                self.aliases[name] = self._plain(hint, is_sent=is_sent)
                return Named(name)
        return self._plain(hint, is_sent=is_sent)

    def _plain(self, hint: Any, *, is_sent: bool) -> Kind:  # noqa: ANN401
        origin, inner = get_origin(hint), get_args(hint)
        if origin is Literal:
            return Words(inner)
        if origin in (Union, UnionType):
            return Either(tuple(self.kind(each, is_sent=is_sent) for each in inner))
        if origin is tuple:
            items = inner[:1] if inner[-1] is Ellipsis else inner
            return ListOf(tuple(self.kind(each, is_sent=is_sent) for each in items))
        return Basic(_BASIC[hint])

    def _named(self, shape: type[Any], *, is_sent: bool) -> Named:
        name = shape.__name__
        if self._types.setdefault(name, shape) is not shape:
            raise TypeError(f"two shapes are called {name}")
        known, room = self.shapes.get(name), _room(shape)
        if known is None or (is_sent and not known.is_sent):
            # Kept before its fields are read, for shapes that hold each other.
            self.shapes[name] = Shape(name, room, _doc(shape), (), is_sent)
            read = tuple(self._fields(shape, is_sent=is_sent))
            if known is not None and any(field.is_optional for field in read):
                # Whole when the server sends it, and not when a client does: that is two shapes.
                raise TypeError(f"{name} goes both ways and has defaults")
            self.shapes[name] = Shape(name, room, _doc(shape), read, is_sent)
        return Named(name)

    def _fields(self, shape: type[Any], *, is_sent: bool) -> list[Field]:
        hints = get_type_hints(shape)
        told = tag(shape)
        return [
            Field(
                camel(field.name),
                self.kind(hints[field.name], is_sent=is_sent),
                is_optional=is_sent
                and field.default is not MISSING
                and (told is None or told[0] != field.name),
                default=None if field.default is MISSING else to_json(field.default),
            )
            for field in fields(shape)
        ]


def _room(shape: type[Any]) -> str:
    """The module of a shape within its package, such as `commands` or `chat_views`."""
    parts = shape.__module__.split(".")
    return "_".join(parts[2:])


def _doc(shape: type[Any]) -> str:
    """The docstring on one line, with the names of fields as they are on the wire."""
    names = {field.name for field in fields(shape)}
    return re.sub(
        r"`(\w+)`",
        lambda match: f"`{camel(match[1])}`" if match[1] in names else match[0],
        " ".join((inspect.getdoc(shape) or "").split()),
    )


_BASIC: dict[Any, str] = {
    str: "string",
    int: "integer",
    float: "number",
    bool: "boolean",
    NoneType: "null",
}
