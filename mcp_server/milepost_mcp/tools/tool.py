"""What a tool is: a name, words for the model, parameters, and a function.

Parameters are flat (no `$ref`, no union, no null), because clients differ in how much JSON Schema
they pass on. The same declaration makes the schema and checks the arguments, so the two agree.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, cast

from milepost.api import UserError, fits_utf8
from milepost_mcp.reply import Reply as Reply  # noqa: PLC0414, TC001  (the tools take it here)

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Mapping

    from milepost.api import Workspace
    from milepost_mcp.peer import Peer
    from milepost_mcp.runs import Runs
    from milepost_mcp.session import Seen


@dataclass(frozen=True, slots=True)
class Call:
    """One call: the project, the checked arguments, what the client has seen of memory, the runs
    that go on, how to report and notice a cancel, whom to ask, and the commands that the user was
    asked about and refused."""

    workspace: Workspace
    arguments: Arguments
    seen: Seen
    runs: Runs
    stop: threading.Event
    progress: Callable[[int, int, str], None]  # position, how many, what is being done
    peer: Peer | None
    refused: set[str]


class Parameter(Protocol):
    """One argument of a tool."""

    @property
    def name(self) -> str:
        """Its name."""
        ...

    @property
    def required(self) -> bool:
        """Whether a call must have it."""
        ...

    def schema(self) -> dict[str, object]:
        """Its JSON Schema."""
        ...

    def problem(self, value: object) -> str | None:
        """What is wrong with `value`, after the words "must be"; None when nothing is."""
        ...


@dataclass(frozen=True, slots=True)
class Text:
    """A string; one of `choices` when there are any."""

    name: str
    words: str = ""
    required: bool = False
    choices: tuple[str, ...] = ()

    def schema(self) -> dict[str, object]:
        """Its JSON Schema."""
        enum = {"enum": list(self.choices)} if self.choices else {}
        return {"type": "string", **enum, **_described(self.words)}

    def problem(self, value: object) -> str | None:
        """What is wrong with `value`."""
        if not isinstance(value, str):
            return "a string"
        if self.choices and value not in self.choices:
            return f"one of {', '.join(self.choices)}"
        return _unsound(value)


@dataclass(frozen=True, slots=True)
class Texts:
    """A list of strings."""

    name: str
    words: str = ""
    required: bool = False

    def schema(self) -> dict[str, object]:
        """Its JSON Schema."""
        return {"type": "array", "items": {"type": "string"}, **_described(self.words)}

    def problem(self, value: object) -> str | None:
        """What is wrong with `value`."""
        items = cast("list[object]", value) if isinstance(value, list) else None
        if items is None or not all(isinstance(item, str) for item in items):
            return "a list of strings"
        return next((bad for item in items if (bad := _unsound(str(item)))), None)


@dataclass(frozen=True, slots=True)
class Number:
    """A whole number from `least` to `most`."""

    name: str
    words: str = ""
    required: bool = False
    least: int = 1
    most: int = 2**53 - 1

    def schema(self) -> dict[str, object]:
        """Its JSON Schema; the bounds are told when one is broken, not in every listing."""
        return {"type": "integer", **_described(self.words)}

    def problem(self, value: object) -> str | None:
        """What is wrong with `value`."""
        is_whole = isinstance(value, int) and not isinstance(value, bool)
        if not is_whole or not self.least <= cast("int", value) <= self.most:
            return f"a whole number from {self.least} to {self.most}"
        return None


@dataclass(frozen=True, slots=True)
class Flag:
    """A boolean."""

    name: str
    words: str = ""
    required: bool = False

    def schema(self) -> dict[str, object]:
        """Its JSON Schema."""
        return {"type": "boolean", **_described(self.words)}

    def problem(self, value: object) -> str | None:
        """What is wrong with `value`."""
        return None if isinstance(value, bool) else "true or false"


class Arguments:
    """The checked arguments of a call, by type."""

    def __init__(self, values: Mapping[str, object]) -> None:
        self._values = values

    def text(self, name: str) -> str | None:
        """A string, or None when it was not given."""
        return cast("str | None", self._values.get(name))

    def required_text(self, name: str) -> str:
        """A string that the check has made sure of."""
        return cast("str", self._values[name])

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of strings; empty when it was not given."""
        return tuple(cast("list[str]", self._values.get(name, [])))

    def number(self, name: str, default: int) -> int:
        """A whole number, or `default`."""
        return cast("int", self._values.get(name, default))

    def optional_number(self, name: str) -> int | None:
        """A whole number, or None when it was not given."""
        return cast("int | None", self._values.get(name))

    def flag(self, name: str) -> bool:
        """A boolean; false when it was not given."""
        return cast("bool", self._values.get(name, False))


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool. `is_slow` ones run beside the others, can be cancelled and report progress."""

    name: str
    title: str
    words: str
    run: Callable[[Call], Reply]
    parameters: tuple[Parameter, ...] = ()
    is_read_only: bool = False
    is_destructive: bool = False
    is_idempotent: bool = False
    is_open_world: bool = False
    is_slow: bool = False
    _by_name: dict[str, Parameter] = field(default_factory=dict[str, "Parameter"], init=False)

    def __post_init__(self) -> None:
        self._by_name.update((parameter.name, parameter) for parameter in self.parameters)

    def definition(self) -> dict[str, object]:
        """The tool as `tools/list` shows it."""
        schema: dict[str, object] = {
            "type": "object",
            "properties": {one.name: one.schema() for one in self.parameters},
            "additionalProperties": False,
        }
        required = [one.name for one in self.parameters if one.required]
        if required:
            schema["required"] = required
        return {
            "name": self.name,
            "title": self.title,
            "description": self.words,
            "inputSchema": schema,
            "annotations": self._annotations(),
        }

    def checked(self, arguments: object) -> Arguments:
        """`arguments` if they are what the tool takes.

        Raises UserError, naming the argument and what it must be.
        """
        if arguments is None:
            arguments = {}
        if not isinstance(arguments, dict):
            raise UserError(f"the arguments of {self.name} must be an object; {self._usage()}")
        given = cast("dict[str, Any]", arguments)
        for name, value in given.items():
            parameter = self._by_name.get(name)
            if parameter is None:
                shown = name.encode("utf-8", "backslashreplace").decode()[:60]
                raise UserError(f"{self.name} has no argument {shown!r}; {self._usage()}")
            problem = parameter.problem(value)
            if problem is not None:
                raise UserError(f"{name} must be {problem}; {self._usage()}")
        for parameter in self.parameters:
            if parameter.required and parameter.name not in given:
                raise UserError(f"{self.name} needs {parameter.name}; {self._usage()}")
        return Arguments(given)

    def _usage(self) -> str:
        names = (f"{one.name}{'' if one.required else '?'}" for one in self.parameters)
        return f"it takes {', '.join(names)}" if self.parameters else "it takes no arguments"

    def _annotations(self) -> dict[str, object]:
        hints: dict[str, object] = {
            "readOnlyHint": self.is_read_only,
            "openWorldHint": self.is_open_world,
        }
        if not self.is_read_only:
            hints["destructiveHint"] = self.is_destructive
            hints["idempotentHint"] = self.is_idempotent
        return hints


def _described(words: str) -> dict[str, object]:
    return {"description": words} if words else {}


def _unsound(text: str) -> str | None:
    """What is wrong with a string as text."""
    if not fits_utf8(text):
        return "whole characters; it holds half of a surrogate pair (an emoji cut in two?)"
    if "\0" in text:
        return "text without NUL"
    return None
