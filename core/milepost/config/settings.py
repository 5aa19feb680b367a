"""The settings: what there is to set, what holds now, and where each value comes from.

Two files may say something: `config.toml` in the data folder, which is the user's own, and
`.milepost/config.toml` in the project, which may come from a stranger. What is nearer to the person
who types comes first: environment, project, user, default. A project's file cannot make anything
less safe: some keys it may not set at all, and others it may only tighten.

A file is read and checked only where there is one, because checking loads pydantic.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, fields
from functools import cache
from typing import TYPE_CHECKING, get_args

from milepost.base.errors import UserError, WorldError
from milepost.base.files import confined
from milepost.config import paths
from milepost.config.tables import (
    ADD,
    LOWER,
    NOT,
    SWITCH_OFF,
    Calls,
    Location,
    Network,
    SandboxMethod,
    Settings,
    Vectors,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from milepost.config.tables import MemorySettings, WorkerSettings

FOLDER = ".milepost"
FILE = "config.toml"

# A settings file is a page; a larger one is something else by mistake or on purpose.
_MAX_FILE_BYTES = 64 * 1024

# As many as there are steps worth telling apart in one window.
MOST_NUMBERS = 9

# A larger number is no setting; and Python refuses to read one of thousands of digits.
_MAX_DIGITS = 18

Value = str | int | tuple[str, ...] | tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Key:
    """A key that can be set: its whole name, its default, and what may set it."""

    name: str
    default: Value
    words: str
    env: str
    project: str
    allowed: str
    choices: tuple[str, ...]
    least: int
    most: int

    def admits(self, number: int) -> bool:
        """Whether a number may be set: within the bounds, or the default, which may say "none"."""
        return number == self.default or self.least <= number <= self.most

    @property
    def lists_numbers(self) -> bool:
        """Whether the value is a list of numbers; a list of texts has no bounds."""
        return isinstance(self.default, tuple) and self.most > 0


@dataclass(frozen=True, slots=True)
class Effective:
    """A key's value that holds, and where it comes from: default, or the name of a variable or a
    file."""

    key: Key
    value: Value
    origin: str


@cache
def all_keys() -> tuple[Key, ...]:
    """All keys, in the order of the documentation."""
    return tuple(_keys())


def files(root: Path) -> tuple[Path, Path]:
    """The user's own settings file and the project's; either may not exist."""
    return paths.home() / FILE, root / FOLDER / FILE


def load(root: Path) -> Settings:
    """The settings that hold in a project. Raises UserError for a file or a variable that is wrong:
    one sentence with the place, what is wrong, and what is allowed."""
    return _made({one.key.name: one.value for one in effective(root) if one.origin != "default"})


def effective(root: Path) -> tuple[Effective, ...]:
    """Every key with its value and where that comes from. Raises UserError, as `load` does."""
    own, theirs = files(root)
    by_user = _read(own, confined_to=None)
    by_project = _read(theirs, confined_to=root)
    found: list[Effective] = []
    for key in all_keys():
        value, origin = by_user.get(key.name, key.default), str(own)
        if key.name not in by_user:
            origin = "default"
        if key.name in by_project:
            asked = by_project[key.name]
            _check_project(key, asked, value, theirs, own)
            if key.project == ADD:
                asked = _added(value, asked)
            value, origin = asked, str(theirs)
        given = os.environ.get(key.env)
        if given:
            value, origin = _from_environment(key, given), key.env
        found.append(Effective(key, value, origin))
    return tuple(found)


def users_worker() -> WorkerSettings:
    """The table `[worker]` as it holds in every project, since none may set it. Raises UserError
    when the user's file or a variable is wrong."""
    values = _read(paths.home() / FILE, confined_to=None)
    for key in all_keys():
        given = os.environ.get(key.env)
        if given and key.name.startswith("worker."):
            values[key.name] = _from_environment(key, given)
    return _made(values).worker


def vectors(root: Path) -> str:
    """`search.vectors` as it holds in a project."""
    return load(root).search.vectors


def _keys() -> Iterator[Key]:
    for table in fields(Settings):
        made: MemorySettings = getattr(Settings(), table.name)
        for one in fields(made):
            data: Mapping[str, str | int] = one.metadata
            default: Value = getattr(made, one.name)
            choices = tuple(_CHOICES.get(f"{table.name}.{one.name}", ()))
            least, most = int(data.get("least", 0)), int(data.get("most", 0))
            yield Key(
                name=f"{table.name}.{one.name}",
                default=default,
                words=str(data["words"]),
                env=str(data["env"]),
                project=str(data["project"]),
                allowed=_allowed(default, choices, least, most),
                choices=choices,
                least=least,
                most=most,
            )


_CHOICES: dict[str, tuple[str, ...]] = {
    "memory.location": get_args(Location),
    "search.vectors": get_args(Vectors),
    "worker.calls": get_args(Calls),
    "sandbox.method": get_args(SandboxMethod),
    "sandbox.network": get_args(Network),
}


def _allowed(default: Value, choices: tuple[str, ...], least: int, most: int) -> str:
    if choices:
        return " or ".join(f'"{choice}"' for choice in choices)
    if isinstance(default, int):
        otherwise = "" if least <= default <= most else f"{default} or "
        return f"{otherwise}a whole number from {least} to {most}"
    if most:
        return f"1 to {MOST_NUMBERS} whole numbers from {least} to {most}"
    return "a text" if isinstance(default, str) else "a list of texts"


def _read(path: Path, confined_to: Path | None) -> dict[str, Value]:
    """What a settings file sets, by whole names; nothing where there is none."""
    try:
        status = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise _unreadable(path, error) from error
    if confined_to is not None:
        confined(path, confined_to)
    if status.st_size > _MAX_FILE_BYTES:
        raise UserError(
            f"{path} is larger than {_MAX_FILE_BYTES // 1024} KiB; it is no settings file"
        )
    try:
        text = path.read_text("utf-8")
    except UnicodeDecodeError:
        raise UserError(f"{path} is not UTF-8; save it as UTF-8") from None
    except OSError as error:
        raise _unreadable(path, error) from error
    from milepost.config.validation import validated  # noqa: PLC0415  (only where there is a file)

    return validated(path, text)


def _unreadable(path: Path, error: OSError) -> WorldError:
    return WorldError(f"cannot read {path} ({error.strerror}); check its owner and mode")


def _check_project(key: Key, value: Value, otherwise: Value, theirs: Path, own: Path) -> None:
    """Raise where a project's file would make something less safe."""
    is_lower = isinstance(value, int) and isinstance(otherwise, int) and value <= otherwise
    is_barred = {NOT: True, LOWER: not is_lower, SWITCH_OFF: value not in ("off", otherwise)}
    if is_barred.get(key.project, False):
        raise UserError(f"{theirs}: a project {key.project}: {key.name}; set it in {own}")


def _from_environment(key: Key, given: str) -> Value:
    parts = tuple(part.strip() for part in given.split(",") if part.strip())
    if key.lists_numbers:
        numbers = tuple(map(_number, parts))
        if 1 <= len(numbers) <= MOST_NUMBERS and all(map(key.admits, numbers)):
            return numbers
    elif isinstance(key.default, tuple):
        return parts
    elif isinstance(key.default, int):
        if key.admits(_number(given)):
            return _number(given)
    elif not key.choices or given in key.choices:
        return given
    raise UserError(f"{key.env} is {given[:80]!r}, and {key.name} must be {key.allowed}")


def _number(given: str) -> int:
    """The number that a text says; -1, which no key admits, when it says none."""
    is_number = given.isascii() and given.isdigit() and len(given) <= _MAX_DIGITS
    return int(given) if is_number else -1


def _added(value: Value, asked: Value) -> Value:
    """The texts that hold, and those that a project adds."""
    both = (*value, *asked) if isinstance(value, tuple) and isinstance(asked, tuple) else ()
    return tuple(dict.fromkeys(map(str, both)))


def _made(values: Mapping[str, Value]) -> Settings:
    """The settings with these values in place of defaults."""
    tables: dict[str, dict[str, Value]] = {}
    for name, value in values.items():
        table, _, key = name.partition(".")
        tables.setdefault(table, {})[key] = value
    # The values were checked by the types that are made of them here.
    made: dict[str, object] = {
        table.name: type(getattr(Settings(), table.name))(**tables.get(table.name, {}))
        for table in fields(Settings)
    }
    return Settings(**made)  # type: ignore[arg-type]
