"""What a user can set in the editor, in the section `milepost`.

What the server knows of the section is typed; other keys in it are a client's own, unless they look
like one of ours that was mistyped.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, Literal, cast

from milepost_lsp.arguments import ArgumentError, read_object
from milepost_lsp.convert import camel

if TYPE_CHECKING:
    from milepost_lsp.protocol import Json

SECTION = "milepost"

LogLevel = Literal["error", "warning", "info", "debug"]


@dataclass(frozen=True, slots=True)
class InspectionOptions:
    """What is shown of memory without being asked for: findings, lenses, and hints in code."""

    diagnostics: bool = True
    code_lenses: bool = True
    inlay_hints: bool = True


@dataclass(frozen=True, slots=True)
class LogOptions:
    """What goes to the client's log of this server."""

    level: LogLevel = "warning"


@dataclass(frozen=True, slots=True)
class Options:
    """The section."""

    inspection: InspectionOptions = field(default_factory=InspectionOptions)
    log: LogOptions = field(default_factory=LogOptions)


def read_options(value: Json) -> Options:
    """The section as a client gives it. Raises ArgumentError with the name of the wrong key."""
    if value is None:
        return Options()
    if not isinstance(value, dict):
        raise ArgumentError(f"`{SECTION}` must be an object")
    given = cast("dict[str, Any]", value)
    known = [camel(each.name) for each in fields(Options)]
    for name in given:
        alike = difflib.get_close_matches(name, known, n=1, cutoff=0.75)
        if name not in known and alike:
            raise ArgumentError(
                f"`{SECTION}.{name[:40]}` is not a setting; did you mean `{SECTION}.{alike[0]}`?"
            )
    ours = {name: _without_nulls(given[name]) for name in known if given.get(name) is not None}
    try:
        return read_object(Options, ours, f"{SECTION}.")
    except ArgumentError as error:
        words = str(error).replace("is not an argument", "is not a setting")
        raise ArgumentError(words) from error


def _without_nulls(value: Json) -> Json:
    """Clients write null for what is not set."""
    if not isinstance(value, dict):
        return value
    return {
        name: _without_nulls(each)
        for name, each in cast("dict[str, Any]", value).items()
        if each is not None
    }
