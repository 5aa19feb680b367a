"""Where the agents of this machine keep what their user told them for all projects."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class UserFolder:
    """A folder, and how people write it, such as `~/.claude`."""

    path: Path
    shown: str


def user_folders() -> dict[str, UserFolder]:
    """The folder of each agent, by a short name; none of them need exist.

    The variables that move a folder are those which the agents themselves read.
    """
    home = Path.home()
    config = _folder("XDG_CONFIG_HOME", home / ".config")
    folders = {
        "claude": _folder("CLAUDE_CONFIG_DIR", home / ".claude"),
        "codex": _folder("CODEX_HOME", home / ".codex"),
        "gemini": home / ".gemini",
        "opencode": config / "opencode",
        "goose": config / "goose",
        "copilot": home / ".copilot",
        "windsurf": home / ".codeium" / "windsurf" / "memories",
        "roo": home / ".roo",
    }
    return {name: UserFolder(folder, _shown(folder, home)) for name, folder in folders.items()}


def _shown(folder: Path, home: Path) -> str:
    inside = folder.is_relative_to(home)
    return f"~/{folder.relative_to(home).as_posix()}" if inside else str(folder)


def _folder(variable: str, otherwise: Path) -> Path:
    value = os.environ.get(variable)
    return Path(value).expanduser().absolute() if value else otherwise
