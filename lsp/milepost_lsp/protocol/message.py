"""What a message of ours is: a method, who sends it, and the shapes of what goes and comes back."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Generic, Literal, TypeVar, get_args, get_origin, get_type_hints

P = TypeVar("P")
R = TypeVar("R")

Sender = Literal["client", "server"]
# What a client must have announced (see `announcing.py`) to be sent a message.
Needs = Literal["chat", "permissions", "proposals", "memory"]


@dataclass(frozen=True, slots=True)
class Request(Generic[P, R]):
    """A message that is answered. `summary` is a sentence for docs/protocol.md."""

    method: str
    params: type[P]
    result: type[R]
    summary: str
    sender: Sender = "client"
    needs: Needs | None = None


@dataclass(frozen=True, slots=True)
class Notification(Generic[P]):
    """A message that is not answered."""

    method: str
    params: type[P]
    summary: str
    sender: Sender = "server"
    needs: Needs | None = None


@dataclass(frozen=True, slots=True)
class Nothing:
    """An empty object, where there is nothing to say."""


def tag(shape: type[Any]) -> tuple[str, str] | None:
    """The field that tells a shape from the others of its union, and what stands there."""
    hints = get_type_hints(shape)
    for field in fields(shape):
        hint = hints[field.name]
        if get_origin(hint) is Literal and len(get_args(hint)) == 1:
            return field.name, get_args(hint)[0]
    return None
