"""The tables of the settings: every key with its type, its default, and what is said of it.

What a file or a variable may do to them is told in `settings`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

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
