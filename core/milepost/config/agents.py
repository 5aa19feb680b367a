"""Where other agents keep their memory on this machine, for importing it.

Claude Code 2.1: `CLAUDE_CONFIG_DIR` or ~/.claude; its own notes lie under `projects/` in a folder
whose name is the project's path with everything but letters and digits as `-`, unless its settings
name another folder. Codex: `CODEX_HOME` or ~/.codex. Gemini CLI 0.61: ~/.gemini, below
`GEMINI_CLI_HOME` if that is set; a registry gives each project a short name. server-memory:
`MEMORY_FILE_PATH`, or beside the package, which npx keeps in its cache.
Source: the packages on npm, and the repository openai/codex.
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

if TYPE_CHECKING:
    from collections.abc import Iterator

Shape = Literal["markdown", "notes", "codex-handbook", "codex-summary", "server-memory"]

# Claude Code cuts a longer folder name and adds a hash to it.
_MAX_NAME_CHARS = 200

# A settings file that is larger is none.
_MAX_SETTINGS_BYTES = 1024 * 1024

_NPX = "_npx/*/node_modules/@modelcontextprotocol/server-memory/dist/memory.json*"


@dataclass(frozen=True, slots=True)
class Place:
    """A store of another tool: `scope` says whether it holds for one project or for all (None: it
    does not know), `inside` is the folder that its files must not lead out of."""

    tool: str
    path: Path
    shape: Shape
    scope: Literal["project", "global"] | None
    inside: Path | None = None


def places(root: Path) -> tuple[Place, ...]:
    """The stores that are there, for the project at `root` and for all projects."""
    found = (*_claude_code(root), *_codex(), *_gemini_cli(root), *_server_memory())
    return tuple(place for place in found if _is_there(place))


def _claude_code(root: Path) -> Iterator[Place]:
    tool = "claude-code"
    base = _folder("CLAUDE_CONFIG_DIR", ".claude")
    for folder in _claude_notes(base, root):
        yield Place(tool, folder, "notes", "project", folder)
    for name in ("CLAUDE.md", ".claude/CLAUDE.md", "CLAUDE.local.md"):
        yield Place(tool, root / name, "markdown", "project", root)
    yield Place(tool, base / "CLAUDE.md", "markdown", "global")


def _claude_notes(base: Path, root: Path) -> Iterator[Path]:
    settings = _json_object(base / "settings.json").get("autoMemoryDirectory")
    named = os.environ.get("CLAUDE_COWORK_MEMORY_PATH_OVERRIDE") or settings
    if isinstance(named, str) and named:
        yield Path(named).expanduser()
        return
    projects = Path(os.environ.get("CLAUDE_CODE_REMOTE_MEMORY_DIR") or base) / "projects"
    for folder in dict.fromkeys((_main_worktree(root), root)):
        # Outside of the basic plane a character counts twice there.
        name = "".join(_dashed(char) for char in str(folder))
        if len(name) <= _MAX_NAME_CHARS:
            yield projects / name / "memory"
        elif projects.is_dir():
            yield from sorted(projects.glob(f"{name[:_MAX_NAME_CHARS]}-*/memory"))


def _dashed(char: str) -> str:
    if re.fullmatch(r"[a-zA-Z0-9]", char):
        return char
    return "--" if ord(char) > 0xFFFF else "-"


def _main_worktree(root: Path) -> Path:
    """The main worktree of a linked one: `gitdir: MAIN/.git/worktrees/NAME` in its `.git`."""
    pointer = root / ".git"
    try:
        text = pointer.read_text("utf-8")[:4096] if pointer.is_file() else ""
    except (OSError, ValueError):
        return root
    target = Path(os.path.normpath(root / text.removeprefix("gitdir:").strip()))
    is_linked = text.startswith("gitdir:") and target.parent.name == "worktrees"
    return target.parents[2] if is_linked else root


def _codex() -> Iterator[Place]:
    base = _folder("CODEX_HOME", ".codex")
    yield Place("codex", base / "memories" / "MEMORY.md", "codex-handbook", "project")
    yield Place("codex", base / "memories" / "memory_summary.md", "codex-summary", "global")
    yield Place("codex", base / "AGENTS.md", "markdown", "global")
    yield Place("codex", base / "AGENTS.override.md", "markdown", "global")


def _gemini_cli(root: Path) -> Iterator[Place]:
    tool = "gemini-cli"
    base = Path(os.environ.get("GEMINI_CLI_HOME") or Path.home()) / ".gemini"
    names: Any = _json_object(base / "projects.json").get("projects")
    name = cast("dict[str, Any]", names).get(str(root)) if isinstance(names, dict) else None
    if isinstance(name, str) and re.fullmatch(r"[a-z0-9-]+", name):
        folder = base / "tmp" / name / "memory"
        yield Place(tool, folder, "notes", "project", folder)
    yield Place(tool, root / "GEMINI.md", "markdown", "project", root)
    yield Place(tool, base / "GEMINI.md", "markdown", "global")


def _server_memory() -> Iterator[Place]:
    named = os.environ.get("MEMORY_FILE_PATH")
    if named:
        yield Place("server-memory", Path(named).expanduser(), "server-memory", None)
    cache = Path(os.environ.get("NPM_CONFIG_CACHE") or Path.home() / ".npm")
    for path in sorted(cache.glob(_NPX)):
        yield Place("server-memory", path, "server-memory", None)


def _folder(variable: str, name: str) -> Path:
    return Path(os.environ.get(variable) or Path.home() / name).expanduser()


def _json_object(path: Path) -> dict[str, Any]:
    """A tool's settings; empty when they are missing, or no JSON object."""
    try:
        if path.stat().st_size > _MAX_SETTINGS_BYTES:
            return {}
        value: Any = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _is_there(place: Place) -> bool:
    try:
        return place.path.is_dir() if place.shape == "notes" else place.path.is_file()
    except OSError:
        return False
