"""The completions: what an argument of a template or prompt can be, while a person types it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from milepost_mcp import prompts, resources
from milepost_mcp.guard import object_of, printable
from milepost_mcp.limits import MAX_COMPLETIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from milepost.api import Workspace


class RequestError(Exception):
    """What was asked is not as it must be; the message says what is."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A template or a prompt, which of its arguments, and what was typed of it so far."""

    of: str
    argument: str
    value: str


def asked(params: Mapping[str, object]) -> Asked:
    """What a `completion/complete` asks for. Raises RequestError when it is not well formed, or
    there is no such template or prompt."""
    reference, argument = object_of(params.get("ref")), object_of(params.get("argument"))
    if reference is None or argument is None:
        raise RequestError("a completion needs ref and argument, each an object")
    is_prompt = reference.get("type") == "ref/prompt"
    of = reference.get("name" if is_prompt else "uri")
    name, value = argument.get("name"), argument.get("value")
    if not (isinstance(of, str) and isinstance(name, str) and isinstance(value, str)):
        raise RequestError("ref needs uri or name, and argument needs name and value, as strings")
    if of not in (prompts.names() if is_prompt else resources.TEMPLATES):
        raise RequestError(f"there is no template or prompt {printable(of)!r} to complete")
    return Asked(of, name, value)


def found(workspace: Workspace, what: Asked) -> dict[str, object]:
    """What the argument can be, as `completion/complete` answers it: what begins with the typed
    words before what only holds them."""
    known = _CHOICES.get((what.of, what.argument))
    values = [one for one in known(workspace) if what.value in one] if known else []
    values.sort(key=lambda one: not one.startswith(what.value))
    shown = values[:MAX_COMPLETIONS]
    return {"values": shown, "total": len(values), "hasMore": len(values) > len(shown)}


def _scopes(workspace: Workspace) -> list[str]:
    return [scope for scope, _ in workspace.memory.files_by_scope()]


def _points(workspace: Workspace) -> list[str]:
    return [str(point.id) for point in workspace.checkpoints.page(limit=MAX_COMPLETIONS + 1)]


def _goals(workspace: Workspace) -> list[str]:
    return [goal.id for goal in workspace.goals.page(MAX_COMPLETIONS + 1)]


_CHOICES: dict[tuple[str, str], Callable[[Workspace], list[str]]] = {
    (resources.MEMORY, "scope"): _scopes,
    (resources.CHECKPOINT, "id"): _points,
    (resources.GOAL, "id"): _goals,
}
