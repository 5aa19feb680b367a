"""The settings: what there is to set, what holds now, and where each value comes from.

Two files may say something: `config.toml` in the data folder, which is the user's own, and
`.milepost/config.toml` in the project, which may come from a stranger. What is nearer to the person
who types comes first: environment, project, user, default. A project's file cannot make anything
less safe: some keys it may not set at all, and others it may only tighten.

A file is read and checked only where there is one, because checking loads pydantic.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field, fields
from functools import cache
from typing import TYPE_CHECKING, Literal, get_args

from milepost.base.errors import UserError, WorldError
from milepost.base.files import confined
from milepost.config import paths

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

FOLDER = ".milepost"
FILE = "config.toml"

# A settings file is a page; a larger one is something else by mistake or on purpose.
_MAX_FILE_BYTES = 64 * 1024

# As many as there are steps worth telling apart in one window.
MOST_NUMBERS = 9

# A larger number is no setting; and Python refuses to read one of thousands of digits.
_MAX_DIGITS = 18

# Unless the user sets another: a file beyond this is data, a build product or a download; eight of
# them would outweigh all else that a snapshot keeps.
MAX_FILE_BYTES = 8 * 1024 * 1024

Location = Literal["user", "repo"]
SandboxMethod = Literal["auto", "off", "bubblewrap", "landlock", "seatbelt"]
Network = Literal["on", "off"]
Calls = Literal["native", "json"]
Vectors = Literal["auto", "off", "static", "semantic"]


def _key(words: str, *, env: str, project: str = "may set it") -> dict[str, str]:
    """What a reader of the documentation is told of a key, and what a project's file may do."""
    return {"words": words, "env": env, "project": project}


# What a project's file may do with a key.
NOT = "may not set it"
LOWER = "may only lower it"
SWITCH_OFF = "may only switch it off"
ADD = "may only add to it"


@dataclass(frozen=True, slots=True)
class MemorySettings:
    """The table `[memory]`."""

    location: Location = field(
        default="user",
        metadata=_key(
            "where the project's MEMORY.md is: in your data folder, or in `.milepost/` of the "
            "repository, for a team that commits it",
            env="MILEPOST_MEMORY_LOCATION",
        ),
    )


@dataclass(frozen=True, slots=True)
class SearchSettings:
    """The table `[search]`."""

    vectors: Vectors = field(
        default="auto",
        metadata=_key(
            "whether a model of meanings helps to order what a search found",
            env="MILEPOST_VECTORS",
            project=NOT,
        ),
    )


@dataclass(frozen=True, slots=True)
class CheckpointSettings:
    """The table `[checkpoints]`."""

    max_file_bytes: int = field(
        default=MAX_FILE_BYTES,
        metadata={
            **_key(
                "files that are larger are not covered by restore points",
                env="MILEPOST_CHECKPOINTS_MAX_FILE_BYTES",
                project=LOWER,
            ),
            # A snapshot holds a file in memory while it packs it.
            "least": 1024,
            "most": 256 * 1024 * 1024,
        },
    )


@dataclass(frozen=True, slots=True)
class RedactionSettings:
    """The table `[redaction]`."""

    extra_names: tuple[str, ...] = field(
        default=(),
        metadata=_key(
            "names whose values are secrets here, such as `pin`; at least 3 characters each",
            env="MILEPOST_REDACTION_EXTRA_NAMES",
            project=ADD,
        ),
    )
    allow: tuple[str, ...] = field(
        default=(),
        metadata=_key(
            "texts that look like secrets and are none; they are not masked",
            env="MILEPOST_REDACTION_ALLOW",
            project=NOT,
        ),
    )


@dataclass(frozen=True, slots=True)
class WorkerSettings:
    """The table `[worker]`."""

    model: str = field(
        default="",
        metadata=_key(
            "the model that works and chats when none is named, as KIND:NAME",
            env="MILEPOST_MODEL",
            project=NOT,
        ),
    )
    calls: Calls = field(
        default="native",
        metadata=_key(
            "how it calls tools: as its server offers it, or in JSON of a given form, for a model "
            "or a server that has no tool calls",
            env="MILEPOST_WORKER_CALLS",
            project=NOT,
        ),
    )
    window_tokens: int = field(
        default=0,
        metadata={
            **_key(
                "how many tokens that model takes, conversation and reply together; 0: what is "
                "known of it, or else 32768",
                env="MILEPOST_WORKER_WINDOW_TOKENS",
                project=NOT,
            ),
            # Below it, rules, goal and a file do not fit side by side; nothing takes more yet.
            "least": 4096,
            "most": 16 * 1024 * 1024,
        },
    )
    output_tokens: int = field(
        default=0,
        metadata={
            **_key(
                "how many tokens it writes at once; 0: what is known of it, or else 4096",
                env="MILEPOST_WORKER_OUTPUT_TOKENS",
                project=NOT,
            ),
            # A call of a tool with a few lines of a file.
            "least": 256,
            "most": 1024 * 1024,
        },
    )
    checkpoints_at: tuple[int, ...] = field(
        default=(20, 45, 70),
        metadata={
            **_key(
                "how full the worker's window is, in percent, when its checkpoint is written",
                env="MILEPOST_WORKER_CHECKPOINTS_AT",
                project=NOT,
            ),
            # The state of the work alone fills some percent; at 80 the window is filled anew.
            "least": 5,
            "most": 79,
        },
    )


@dataclass(frozen=True, slots=True)
class JudgeSettings:
    """The table `[judge]`."""

    model: str = field(
        default="",
        metadata=_key(
            "the model that judges what no check decides, as KIND:NAME; without one nobody does, "
            "or the model that an agent's client offers",
            env="MILEPOST_JUDGE",
            project=NOT,
        ),
    )


@dataclass(frozen=True, slots=True)
class SandboxSettings:
    """The table `[sandbox]`."""

    method: SandboxMethod = field(
        default="auto",
        metadata=_key(
            "what holds the commands of checks and of workers: the best that works here, nothing, "
            "or this very method",
            env="MILEPOST_SANDBOX",
            project=NOT,
        ),
    )
    network: Network = field(
        default="on",
        metadata=_key(
            "whether these commands may use the network",
            env="MILEPOST_SANDBOX_NETWORK",
            project=SWITCH_OFF,
        ),
    )
    write: tuple[str, ...] = field(
        default=(),
        metadata=_key(
            "folders in which they may write besides the project, temporary folders and the caches "
            "of common tools",
            env="MILEPOST_SANDBOX_WRITE",
            project=NOT,
        ),
    )
    read: tuple[str, ...] = field(
        default=(),
        metadata=_key(
            "folders and files with secrets that they may read all the same, such as `~/.gnupg`",
            env="MILEPOST_SANDBOX_READ",
            project=NOT,
        ),
    )
    hide: tuple[str, ...] = field(
        default=(),
        metadata=_key(
            "folders and files that they may not read, besides those known to hold secrets",
            env="MILEPOST_SANDBOX_HIDE",
            project=ADD,
        ),
    )


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that can be set."""

    memory: MemorySettings = field(default_factory=MemorySettings)
    search: SearchSettings = field(default_factory=SearchSettings)
    checkpoints: CheckpointSettings = field(default_factory=CheckpointSettings)
    redaction: RedactionSettings = field(default_factory=RedactionSettings)
    sandbox: SandboxSettings = field(default_factory=SandboxSettings)
    worker: WorkerSettings = field(default_factory=WorkerSettings)
    judge: JudgeSettings = field(default_factory=JudgeSettings)


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
