"""--scope, --session and --task: which memory a command means."""

from __future__ import annotations

from typing import TYPE_CHECKING

from milepost import api

if TYPE_CHECKING:
    import argparse

SCOPES = ("project", "worktree", "session", "task", "global")


def arguments(
    action: argparse.ArgumentParser, words: str = "which memory; else the project's"
) -> None:
    """Declare the three."""
    action.add_argument("--scope", choices=SCOPES, help=words)
    action.add_argument("--session", metavar="NAME", help="the notes of this session")
    action.add_argument("--task", metavar="ID", help="the progress of this task, such as T1.2")


def named(options: argparse.Namespace) -> dict[str, str | None]:
    """The memory that is meant, as arguments for the core."""
    if options.scope == "session" and options.session is None:
        # Every command here is a session of its own, so there is none that could be meant.
        raise api.UserError("name the session with --session")
    return {"scope": options.scope, "session": options.session, "task": options.task}


def label(workspace: api.Workspace, options: argparse.Namespace) -> str | None:
    """The memory that is meant in one word or two, such as `task T1`; None when none is named.

    Raises UserError when what is named cannot be.
    """
    place = named(options)
    return workspace.memory.label(**place) if any(place.values()) else None


def flags(label: str) -> str:
    """What a command needs to mean the memory with this label; empty for the project's."""
    scope, _, within = label.partition(" ")
    if scope in ("session", "task"):
        return f" --{scope} {within}"
    return "" if scope == "project" else f" --scope {scope}"


def of(entry: api.Entry) -> str:
    """The memory that an entry is in."""
    return f"{entry.scope} {entry.within}".strip()
