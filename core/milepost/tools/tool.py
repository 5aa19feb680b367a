"""What a tool is: a name, words for the model, a JSON Schema, and something that it does."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol, cast, runtime_checkable

from milepost.base.errors import UserError
from milepost.base.unicode import fits_utf8

if TYPE_CHECKING:
    import threading
    from collections.abc import Mapping

# `reads` changes nothing, `notes` changes only what Milepost keeps, `writes` changes files, `runs`
# may do anything.
Effect = Literal["reads", "notes", "writes", "runs"]


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a call, in words for the model; `paths` are the files that it changed."""

    text: str
    failed: bool = False
    paths: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Arguments:
    """The arguments of a call, already of the types that the tool declares."""

    values: Mapping[str, object] = field(default_factory=dict[str, object])

    def text(self, name: str, default: str = "") -> str:
        """A string."""
        return cast("str", self.values.get(name, default))

    def number(self, name: str, default: int) -> int:
        """A whole number."""
        return cast("int", self.values.get(name, default))

    def flag(self, name: str) -> bool:
        """A boolean, false unless given."""
        return cast("bool", self.values.get(name, False))

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of strings, empty unless given."""
        return tuple(cast("list[str]", self.values.get(name, [])))


class Tool(Protocol):
    """A tool. `subject` is what permissions look at: the path, or the command."""

    @property
    def name(self) -> str:
        """What the model calls it by."""
        ...

    @property
    def description(self) -> str:
        """What it does and when to use it, for the model."""
        ...

    @property
    def parameters(self) -> Mapping[str, object]:
        """The JSON Schema of its arguments, as `schema` makes it."""
        ...

    @property
    def effect(self) -> Effect:
        """What it may change."""
        ...

    def subject(self, arguments: Arguments) -> str:
        """What the call is about, for permissions and for the person who watches."""
        ...

    def run(self, arguments: Arguments, stop: threading.Event) -> Result:
        """Do it. Raises UserError for what the model can correct, WorldError when the outside
        fails, Stopped when `stop` was set; any of them becomes a failed result."""
        ...


@dataclass(frozen=True, slots=True)
class Planned:
    """What a call will make of a file: the marks of its content before (None: no file) and
    after."""

    before: str | None
    after: str


@runtime_checkable
class Repeatable(Protocol):
    """A tool that changes one file whole or not at all, so that a call which was cut short can be
    told from one that was not."""

    def planned(self, arguments: Arguments) -> Planned:
        """What the call would do now. Raises UserError as `run` does."""
        ...

    def mark(self, arguments: Arguments) -> str | None:
        """The mark of what the file holds now; None when there is no file."""
        ...

    def settle(self, arguments: Arguments, planned: Planned) -> None:
        """Take note that a call which was cut short did what it was to do."""
        ...


@runtime_checkable
class Traceable(Protocol):
    """A tool that adds to what Milepost keeps, so that what a call was to add can be looked for."""

    def trace(self, arguments: Arguments) -> str | None:
        """What `run` says when it has added this, if it is there; None when it is not, or when
        adding it again changes nothing. Raises MilepostError."""
        ...


@runtime_checkable
class Cautious(Protocol):
    """A tool whose calls may be riskier in one place than in another."""

    def caution(self) -> str:
        """Why a rule that allows many calls does not do here, as a clause; empty where it does.
        Raises WorldError when that cannot be told."""
        ...


def schema(required: Mapping[str, object], optional: Mapping[str, object]) -> dict[str, object]:
    """A JSON Schema of an object with these properties."""
    return {
        "type": "object",
        "properties": {**required, **optional},
        "required": list(required),
        "additionalProperties": False,
    }


def words(description: str) -> dict[str, object]:
    """A string."""
    return {"type": "string", "description": description}


def count(description: str) -> dict[str, object]:
    """A whole number from 1."""
    return {"type": "integer", "minimum": 1, "description": description}


def flag(description: str) -> dict[str, object]:
    """A boolean."""
    return {"type": "boolean", "description": description}


def several(description: str) -> dict[str, object]:
    """A list of strings."""
    return {"type": "array", "items": {"type": "string"}, "description": description}


def checked(tool: Tool, given: Mapping[str, object] | None) -> Arguments:
    """The arguments as the tool declares them. Raises UserError that names what is wrong and what
    the tool takes."""
    properties = cast("dict[str, dict[str, object]]", tool.parameters["properties"])
    required = cast("list[str]", tool.parameters["required"])
    takes = ", ".join(name if name in required else f"{name}?" for name in properties)
    usage = f"{tool.name} takes {takes or 'nothing'}"
    if given is None:
        raise UserError(f"the arguments are no JSON object (cut off?); {usage}")
    for name, value in given.items():
        if name not in properties:
            raise UserError(f"there is no argument {name[:60]!r}; {usage}")
        kind = properties[name]["type"]
        if not _is(kind, value):
            raise UserError(f"{name} must be {_KINDS[str(kind)]}; {usage}")
    missing = [name for name in required if name not in given]
    if missing:
        raise UserError(f"{', '.join(missing)} is missing; {usage}")
    return Arguments(given)


_KINDS = {
    "string": "text",
    "integer": "a whole number from 1",
    "boolean": "true or false",
    "array": "a list of texts",
}


def _is(kind: object, value: object) -> bool:
    match kind:
        case "string":
            return isinstance(value, str) and fits_utf8(value)
        case "integer":
            return isinstance(value, int) and not isinstance(value, bool) and value >= 1
        case "boolean":
            return isinstance(value, bool)
        case _:
            items = cast("list[object]", value) if isinstance(value, list) else [None]
            return all(isinstance(item, str) and fits_utf8(item) for item in items)
