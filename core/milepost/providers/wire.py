"""Looking into JSON from a server that may hold anything: what is not of the form asked for is as
good as absent."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Mapping


def object_of(data: Mapping[str, object], key: str) -> Mapping[str, object]:
    """The object under `key`, or an empty one."""
    value = data.get(key)
    return cast("dict[str, object]", value) if isinstance(value, dict) else {}


def items(data: Mapping[str, object], key: str) -> list[Mapping[str, object]]:
    """The objects in the array under `key`."""
    value = data.get(key)
    found = cast("list[object]", value) if isinstance(value, list) else []
    return [cast("dict[str, object]", item) for item in found if isinstance(item, dict)]


def text_of(data: Mapping[str, object], key: str) -> str:
    """The text under `key`, or an empty one. Half surrogate pairs, which JSON can smuggle in and
    nothing can store, become question marks."""
    value = data.get(key)
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else ""


def number(data: Mapping[str, object], key: str) -> int:
    """The count under `key`, or 0."""
    value = data.get(key)
    return value if isinstance(value, int) and value > 0 else 0
