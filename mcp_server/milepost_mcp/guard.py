"""What comes in from a client, made safe to look at: one line of bytes to one JSON object."""

from __future__ import annotations

import json
from typing import cast


class ParseError(Exception):
    """The line is no JSON; the message says why."""


def decoded(line: bytes) -> object:
    """The JSON value of a line. Raises ParseError.

    Half a surrogate pair comes through as such, so that its call can be answered and not dropped.
    """
    try:
        return _DECODER.decode(line.decode("utf-8"))
    except UnicodeDecodeError:
        raise ParseError("the message is not UTF-8") from None
    except RecursionError:
        raise ParseError("the message is nested too deeply") from None
    except ValueError as error:
        raise ParseError(f"the message is not JSON ({error})") from None


def encoded(message: object) -> bytes:
    """A message as one line; half a surrogate pair, which UTF-8 cannot hold, stays escaped."""
    try:
        return _ENCODER.encode(message).encode("utf-8") + b"\n"
    except UnicodeEncodeError:
        return json.dumps(message, separators=(",", ":")).encode("ascii") + b"\n"


def object_of(value: object) -> dict[str, object] | None:
    """`value` if it is a JSON object."""
    return cast("dict[str, object]", value) if isinstance(value, dict) else None


def is_id(value: object) -> bool:
    """Whether `value` may be a JSON-RPC id: a string or a whole number."""
    return isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool))


def printable(text: str, limit: int = 60) -> str:
    """Text of a client's for use in a sentence of ours."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")[:limit]


def _refuse_constant(name: str) -> object:
    raise ValueError(f"{name} is no JSON")


# Made once: each call of `json.loads` or `json.dumps` with options makes another.
_DECODER = json.JSONDecoder(parse_constant=_refuse_constant)
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
