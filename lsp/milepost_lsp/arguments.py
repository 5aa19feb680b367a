"""JSON from the client read into its dataclass, or refused in one sentence.

cattrs would do it too, but it takes "5" for 5 and any text for true, and its errors are trees.
A command changes files: what is not exactly right must change nothing.
"""

from __future__ import annotations

import functools
import types
from dataclasses import MISSING, fields, is_dataclass
from typing import (
    TYPE_CHECKING,
    Any,
    Literal,
    TypeVar,
    Union,
    cast,
    get_args,
    get_origin,
    get_type_hints,
)

from milepost.api import fits_utf8
from milepost_lsp.convert import camel
from milepost_lsp.protocol.message import tag

if TYPE_CHECKING:
    from collections.abc import Sequence

    from milepost_lsp.protocol import Json

T = TypeVar("T")

# A selection or a condition; a longer text is a document, and the editor's loop would feel it.
MAX_TEXT_CHARS = 100_000


class ArgumentError(Exception):
    """The arguments of a command or a message are not what its documentation asks for."""


def read_arguments(shape: type[T], raw: Sequence[Any] | None) -> T:
    """Reads `arguments` of workspace/executeCommand: nothing, or one JSON object."""
    given = list(raw or [{}])
    if len(given) > 1:
        raise ArgumentError(f"takes one JSON object as its argument, not {len(given)}")
    if not isinstance(given[0], dict):
        raise ArgumentError("the argument must be one JSON object")
    return read_object(shape, cast("dict[str, Any]", given[0]), "")


def read_message(shape: type[T], raw: Json) -> T:
    """Reads `params` of a message of ours, or the client's answer to one: nothing, or an object."""
    if raw is not None and not isinstance(raw, dict):
        raise ArgumentError("it must be one JSON object")
    return read_object(shape, cast("dict[str, Any]", raw or {}), "")


def read_object(shape: type[T], value: dict[str, Any], where: str) -> T:
    """Reads an object; `where` goes before the names in what is said of them."""
    hints = _hints(shape)
    known = {camel(field.name): field for field in fields(cast("Any", shape))}
    for name in value:
        if name not in known:
            names = ", ".join(f"`{each}`" for each in known)
            raise ArgumentError(f"`{where}{name[:40]}` is not an argument; there are {names}")
    read: dict[str, Any] = {}
    for name, field in known.items():
        if name in value:
            read[field.name] = _read(hints[field.name], value[name], where + name)
        elif field.default is MISSING and field.default_factory is MISSING:
            raise ArgumentError(f"`{where}{name}` is missing")
    return shape(**read)


@functools.cache
def _hints(shape: type[Any]) -> dict[str, Any]:
    return get_type_hints(shape)


def _read(kind: Json, value: Json, where: str) -> Json:
    origin = get_origin(kind)
    if origin in (Union, types.UnionType):
        return _read_either(get_args(kind), value, where)
    if origin is Literal:
        choices = get_args(kind)
        if value not in choices:
            raise ArgumentError(f"`{where}` must be one of {', '.join(choices)}")
        return value
    if origin is tuple:
        if not isinstance(value, list):
            raise ArgumentError(f"`{where}` must be a list")
        item = get_args(kind)[0]
        items = cast("list[Any]", value)
        return tuple(_read(item, each, f"{where}[{i}]") for i, each in enumerate(items))
    if is_dataclass(kind):
        if not isinstance(value, dict):
            raise ArgumentError(f"`{where}` must be an object")
        return read_object(cast("type[Any]", kind), cast("dict[str, Any]", value), where + ".")
    return _READERS[kind](value, where)


def _read_either(options: tuple[Any, ...], value: Json, where: str) -> Json:
    if value is None and type(None) in options:
        return None
    shapes = [option for option in options if option is not type(None)]
    if len(shapes) == 1:
        return _read(shapes[0], value, where)
    if int in shapes and str in shapes:
        return _read(str if isinstance(value, str) else int, value, where)
    return _read(_told_by_tag(shapes, value, where), value, where)


def _told_by_tag(shapes: Sequence[type[Any]], value: Json, where: str) -> type[Any]:
    """The shape of several whose tag the object carries."""
    if not isinstance(value, dict):
        raise ArgumentError(f"`{where}` must be an object")
    tags = {told: shape for shape in shapes if (told := tag(shape))}
    name = camel(next(iter(tags))[0])
    given = cast("dict[str, Any]", value).get(name)
    for (_, word), shape in tags.items():
        if word == given:
            return shape
    words = ", ".join(word for _, word in tags)
    raise ArgumentError(f"`{where}.{name}` must be one of {words}")


def _read_text(value: Json, where: str) -> str:
    if not isinstance(value, str):
        raise ArgumentError(f"`{where}` must be a text")
    if len(value) > MAX_TEXT_CHARS:
        raise ArgumentError(f"`{where}` is longer than {MAX_TEXT_CHARS:,} characters")
    if not fits_utf8(value):
        # JSON can spell half of a surrogate pair; UTF-8, and so every file, cannot.
        raise ArgumentError(f"`{where}` has a lone surrogate, which no file can hold")
    if "\0" in value:
        raise ArgumentError(f"`{where}` has a NUL character, which no text file can hold")
    return value


def _read_bool(value: Json, where: str) -> bool:
    if not isinstance(value, bool):
        raise ArgumentError(f"`{where}` must be true or false")
    return value


def _read_int(value: Json, where: str) -> int:
    # 2**31 is LSP's own bound on integers, and keeps a number within SQLite's.
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**31:
        raise ArgumentError(f"`{where}` must be a whole number, 0 or more")
    return value


def _read_float(value: Json, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < 2**31:
        raise ArgumentError(f"`{where}` must be a number above 0")
    return float(value)


_READERS: dict[Any, Any] = {
    str: _read_text,
    bool: _read_bool,
    int: _read_int,
    float: _read_float,
}
