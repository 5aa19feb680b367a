"""A settings file's contents, checked by pydantic, and one sentence for what is wrong in it."""

from __future__ import annotations

import difflib
import re
import tomllib
from dataclasses import fields
from functools import cache
from typing import TYPE_CHECKING, Any, cast, get_type_hints

from pydantic import BaseModel, ConfigDict, ValidationError, create_model

from milepost.base.errors import UserError
from milepost.config.settings import MOST_NUMBERS, Key, Value, all_keys
from milepost.config.tables import Settings

if TYPE_CHECKING:
    from pathlib import Path

# A name that is shorter stands inside half of all words.
_LEAST_NAME_CHARS = 3

# What a file may list; each is looked for in every text.
_MOST_ITEMS = 100


def validated(path: Path, text: str) -> dict[str, Value]:
    """What `text`, read from `path`, sets, by whole names.

    Raises UserError: where, what is wrong, and what is allowed.
    """
    try:
        given = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UserError(f"{path} is not TOML: {error}; correct that line") from None
    except RecursionError:
        raise UserError(f"{path} is nested too deeply; settings are tables of keys") from None
    plain = _with_tuples(given)
    try:
        _model(Settings).model_validate(plain)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        names = [str(part) for part in first["loc"]]
        raise UserError(_words(path, text, names, first["input"])) from None
    known = {key.name: key for key in all_keys()}
    values: dict[str, Value] = {
        f"{table}.{name}": value
        for table, content in cast("dict[str, dict[str, Value]]", plain).items()
        for name, value in content.items()
    }
    for name, value in values.items():
        _check_bounds(path, text, known[name], value)
    return values


@cache
def _model(table: type) -> type[BaseModel]:
    """The model that has the fields of a dataclass, so that each key is declared once.

    Unknown keys are mistakes, and nothing is guessed: "8" is no number.
    """
    hints = get_type_hints(table)
    inner: dict[str, Any] = {
        one.name: (_model(hints[one.name]) if one.name in _TABLES else hints[one.name], None)
        for one in fields(table)
    }
    return create_model(table.__name__, __config__=_STRICT, **inner)


_STRICT = ConfigDict(extra="forbid", strict=True)
_TABLES = {one.name for one in fields(Settings)}


def _with_tuples(given: object) -> object:
    if isinstance(given, dict):
        content = cast("dict[str, object]", given)
        return {name: _with_tuples(value) for name, value in content.items()}
    return tuple(cast("list[object]", given)) if isinstance(given, list) else given


def _words(path: Path, text: str, names: list[str], value: object) -> str:
    at = ".".join(names[:2])
    place = f"{path}{_line(text, names[:2])}"
    known = {key.name: key for key in all_keys()}
    if at in known:
        return f"{place}: {at} is {_shown(value)}, and must be {known[at].allowed}"
    if at in {name.partition(".")[0] for name in known}:
        return f"{place}: {at} is {_shown(value)}, and must be a table, such as [{at}]"
    near = difflib.get_close_matches(at, known, n=1, cutoff=0.0)
    return f"{place}: there is no setting {_shown(at)}; the nearest is {near[0]}"


def _check_bounds(path: Path, text: str, key: Key, value: Value) -> None:
    problem = ""
    if isinstance(value, int) and not key.admits(value):
        problem = f"is {value}, and must be {key.allowed}"
    elif key.lists_numbers and isinstance(value, tuple):
        if not (1 <= len(value) <= MOST_NUMBERS and all(key.admits(int(each)) for each in value)):
            problem = f"is {_shown(list(value))}, and must be {key.allowed}"
    elif isinstance(value, tuple) and len(value) > _MOST_ITEMS:
        problem = f"lists {len(value)} texts, and may list {_MOST_ITEMS}"
    elif isinstance(value, tuple) and any(len(str(item)) < _LEAST_NAME_CHARS for item in value):
        problem = f"has a text of fewer than {_LEAST_NAME_CHARS} characters; make it longer"
    if problem:
        raise UserError(f"{path}{_line(text, key.name.split('.'))}: {key.name} {problem}")


def _line(text: str, names: list[str]) -> str:
    """Where a key stands, as words; nothing when it is written in a way that is not looked for."""
    table = ""
    for number, line in enumerate(text.splitlines(), 1):
        header = re.match(r"\s*\[\s*([\w.-]+)\s*\]", line)
        if header:
            table = header[1]
            if names == [table]:
                return f", line {number}"
        key = re.match(r"\s*([\w.-]+)\s*=", line)
        if key and (table.split(".") if table else []) + key[1].split(".") in (names, names[:1]):
            return f", line {number}"
    return ""


def _shown(value: object) -> str:
    return repr(value)[:80]
