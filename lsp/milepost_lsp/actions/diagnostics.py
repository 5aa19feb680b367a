"""The diagnostics that an action at a place may be about, and how they are put into words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from milepost_lsp import markdown

if TYPE_CHECKING:
    from lsprotocol import types

    from milepost_lsp.actions.action import Place
    from milepost_lsp.protocol import assist

# As many as a menu can hold beside everything else that is in it.
_MOST = 3

_SEVERITIES = {1: "error", 2: "warning", 3: "information", 4: "hint"}


def diagnostics_at(place: Place) -> list[types.Diagnostic]:
    """The first of those that the editor has for the place; Milepost's own are no code's."""
    if place.is_ours:
        return []
    return [each for each in place.diagnostics if each.source != "milepost"][:_MOST]


def named(diagnostic: types.Diagnostic) -> str:
    """How a title names it."""
    return f"“{markdown.short(str(diagnostic.message), 50)}”"


def argument(place: Place, diagnostic: types.Diagnostic) -> dict[str, Any]:
    """It, as a command's argument."""
    start, end = diagnostic.range.start, diagnostic.range.end
    return {
        "uri": place.uri,
        "range": {
            "start": {"line": start.line, "character": start.character},
            "end": {"line": end.line, "character": end.character},
        },
        "message": str(diagnostic.message)[:_MESSAGE_CHARS],
        "severity": int(diagnostic.severity) if diagnostic.severity else None,
        "source": diagnostic.source,
        # A text as well as a number may be told; a number below 0 only as a text.
        "code": None if diagnostic.code is None else str(diagnostic.code),
    }


# Type checkers write long ones; the model is shown the beginning.
_MESSAGE_CHARS = 4_000


def words(arguments: assist.DiagnosticArguments) -> str:
    """It, as part of a request to a model."""
    severity = _SEVERITIES.get(arguments.severity or 1, "error")
    by = f" of {arguments.source}" if arguments.source else ""
    code = f" ({arguments.code})" if arguments.code is not None else ""
    line = arguments.range.start.line + 1
    return f"the {severity}{by}{code} on line {line}: {arguments.message}"
