"""Changing one member of a JSON file that a person wrote, comments, commas and all.

Agents keep their settings as JSON, many with comments and trailing commas. Reading such a file and
writing it anew would throw the person's comments and layout away; so the text is only cut where the
member stands. What comes out is read again and compared before anyone writes it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import cast

# Deeper than any settings file; a recursion beyond it would end the program.
_MAX_DEPTH = 64

_BLANKS = " \t\r\n\ufeff"


class JsoncError(ValueError):
    """The text is no JSON, even with comments and trailing commas allowed."""


@dataclass(slots=True)
class _Member:
    key: str
    key_start: int
    value: _Value


@dataclass(slots=True)
class _Value:
    """Where a value stands; `data` is what it means."""

    start: int
    end: int
    data: object
    members: list[_Member] = field(default_factory=list["_Member"])


def parse(text: str) -> dict[str, object]:
    """What the text means; nothing at all means an empty object. Raises JsoncError."""
    return cast("dict[str, object]", _root(text).data) if text.strip(_BLANKS) else {}


def with_member(text: str, path: tuple[str, ...], value: object) -> str:
    """The text with `value` at `path`, whose objects are made when they are missing.

    Raises JsoncError when something else than an object is in the way, or a value is there.
    """
    if not text.strip(_BLANKS):
        text = "{}\n"
    holder = _root(text)
    for depth, key in enumerate(path):
        found = next((member for member in holder.members if member.key == key), None)
        if found is None:
            for above in reversed(path[depth + 1 :]):
                value = {above: value}
            return _with_new(text, holder, key, value)
        holder = found.value
        if not isinstance(holder.data, dict):
            break
    raise JsoncError(f"{'.'.join(path)} is taken")


def without_member(text: str, path: tuple[str, ...]) -> str:
    """The text without the member at `path`; as it is when there is none. Raises JsoncError."""
    holder = _root(text)
    for key in path[:-1]:
        inner = next((member.value for member in holder.members if member.key == key), None)
        if inner is None:
            return text
        holder = inner
    for position, member in enumerate(holder.members):
        if member.key == path[-1]:
            return _cut(text, holder, position)
    return text


def _with_new(text: str, holder: _Value, key: str, value: object) -> str:
    newline = "\r\n" if "\r\n" in text else "\n"
    outer = _indent_of_line(text, holder.start)
    unit = _unit(text)
    inner = outer + unit
    if holder.members:
        inner = _indent_of_line(text, holder.members[-1].key_start)
        if not _stands_alone(text, holder.members[-1].key_start):
            inner = outer + unit
    body = json.dumps({key: value}, indent=unit, ensure_ascii=False)
    lines = body.split("\n")[1:-1]
    member = newline.join(inner + line.removeprefix(unit) for line in lines)
    close = holder.end - 1
    before, after = text[:close].rstrip(_BLANKS), text[len(text[:close].rstrip(_BLANKS)) :]
    if holder.members:
        last = holder.members[-1].value.end
        if _comma_after(text, last) is None:
            before = before[:last] + "," + before[last:]
    if "\n" not in after[: close - len(text[:close].rstrip(_BLANKS))]:
        after = newline + outer + after.lstrip(" \t")
    return before + newline + member + after


def _cut(text: str, holder: _Value, position: int) -> str:
    member = holder.members[position]
    start = len(text[: member.key_start].rstrip(_BLANKS))
    end = member.value.end
    comma = _comma_after(text, end)
    if comma is not None:
        return text[:start] + text[comma + 1 :]
    rest = text[:start] + text[end:]
    if position == len(holder.members) - 1 and position > 0:
        earlier = _comma_after(text, holder.members[position - 1].value.end)
        if earlier is not None and earlier < start:
            rest = rest[:earlier] + rest[earlier + 1 :]
    return rest


def _comma_after(text: str, position: int) -> int | None:
    at = _skip(text, position)
    return at if text[at : at + 1] == "," else None


def _indent_of_line(text: str, position: int) -> str:
    line = text[text.rfind("\n", 0, position) + 1 : position]
    return line[: len(line) - len(line.lstrip(" \t"))]


def _stands_alone(text: str, position: int) -> bool:
    """Whether nothing but blanks is before `position` on its line."""
    return not text[text.rfind("\n", 0, position) + 1 : position].strip(_BLANKS)


def _unit(text: str) -> str:
    """The indentation of one level: that of the first indented line."""
    for line in text.split("\n"):
        blank = line[: len(line) - len(line.lstrip(" \t"))]
        if blank and line.strip(_BLANKS):
            return blank
    return "  "


def _root(text: str) -> _Value:
    value = _read(text, _skip(text, 0), 0)
    if _skip(text, value.end) != len(text):
        raise JsoncError(f"something follows the end, at character {value.end}")
    if not isinstance(value.data, dict):
        raise JsoncError("the file is no object")
    return value


def _read(text: str, start: int, depth: int) -> _Value:
    if depth > _MAX_DEPTH:
        raise JsoncError("it is nested too deeply")
    first = text[start : start + 1]
    if first == "{":
        return _read_object(text, start, depth)
    if first == "[":
        return _read_array(text, start, depth)
    return _read_scalar(text, start)


def _read_scalar(text: str, start: int) -> _Value:
    try:
        data, end = json.JSONDecoder().raw_decode(text, start)
    except ValueError as error:
        raise JsoncError(f"no value at character {start}") from error
    return _Value(start, end, data)


def _read_array(text: str, start: int, depth: int) -> _Value:
    items: list[object] = []
    at = _skip(text, start + 1)
    while text[at : at + 1] != "]":
        item = _read(text, at, depth + 1)
        items.append(item.data)
        at = _after_item(text, item.end, "]")
    return _Value(start, at + 1, items)


def _read_object(text: str, start: int, depth: int) -> _Value:
    found = _Value(start, start, {})
    data: dict[str, object] = {}
    at = _skip(text, start + 1)
    while text[at : at + 1] != "}":
        key = _read_scalar(text, at)
        colon = _skip(text, key.end)
        if not isinstance(key.data, str) or text[colon : colon + 1] != ":":
            raise JsoncError(f"no name and colon at character {at}")
        value = _read(text, _skip(text, colon + 1), depth + 1)
        found.members.append(_Member(key.data, at, value))
        data[key.data] = value.data
        at = _after_item(text, value.end, "}")
    found.end = at + 1
    found.data = data
    return found


def _after_item(text: str, position: int, close: str) -> int:
    at = _skip(text, position)
    if text[at : at + 1] == ",":
        return _skip(text, at + 1)
    if text[at : at + 1] != close:
        raise JsoncError(f"neither a comma nor {close} at character {at}")
    return at


def _skip(text: str, position: int) -> int:
    """Where blanks and comments end."""
    while position < len(text):
        if text[position] in _BLANKS:
            position += 1
        elif text.startswith("//", position):
            end = text.find("\n", position)
            position = len(text) if end < 0 else end
        elif text.startswith("/*", position):
            end = text.find("*/", position + 2)
            if end < 0:
                raise JsoncError("a comment has no end")
            position = end + 2
        else:
            break
    return position
