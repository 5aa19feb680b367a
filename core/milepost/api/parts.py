"""The parts of a restore point, and one part's share of going back to it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from milepost.base.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Callable

    from milepost.api import point_views as views
    from milepost.checkpoints.beside import Beside
    from milepost.checkpoints.rows import Snapshot

FILES, MEMORY, CONVERSATION, TASKS, GOAL = "files", "memory", "conversation", "tasks", "goal"
PARTS = (FILES, MEMORY, CONVERSATION, TASKS, GOAL)


@dataclass(frozen=True, slots=True)
class Way:
    """Where to go: a point with what stood beside its files. `since` is what stood there when the
    caller last looked, None to take everything as it is now. With `only_agents` nothing is taken
    back that others did. An undo goes by the log of the restore that it takes back, `undone`."""

    point: Snapshot
    then: Beside | None
    since: Beside | None = None
    only_agents: bool = False
    undone: Snapshot | None = None


@dataclass(slots=True)
class Part:
    """One part of a plan. `apply` does it; what it returns is kept with the restore's own point."""

    name: str
    changes: list[views.PartChange] = field(default_factory=list["views.PartChange"])
    refused: list[views.Refusal] = field(default_factory=list["views.Refusal"])
    apply: Callable[[], object] = lambda: None


def parts_of(what: str) -> frozenset[str]:
    """The parts that a caller names. Raises UserError for what is none."""
    names = {name.strip() for name in what.split(",")}
    unknown = sorted(names - {*PARTS, "all"})
    if unknown:
        known = ", ".join(PARTS)
        raise UserError(f"{unknown[0]!r} is no part of a restore point; use {known}, or all")
    return frozenset(PARTS if "all" in names else names)


def parts_in(restore: Snapshot) -> frozenset[str]:
    """The parts that a restore brought back."""
    return frozenset({FILES, *kept_by(restore)})


def kept_by(restore: Snapshot) -> dict[str, Any]:
    """What a restore kept of its parts beside the files, for an undo."""
    return cast("dict[str, Any]", json.loads(restore.parts)) if restore.parts else {}
