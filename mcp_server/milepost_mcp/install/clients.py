"""Where each agent and editor keeps its MCP servers, and in what form.

Source: the configuration pages of each of them, as of late 2026.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable

NAME = "milepost"


@dataclass(frozen=True, slots=True)
class Client:
    """A client: `key` is the path to our member in its file, `entry` makes the member from the
    command that starts this server. `project_file` is relative to a project's root."""

    name: str
    title: str
    format: Literal["json", "toml"]
    user_file: Callable[[], Path]
    project_file: str | None
    key: tuple[str, ...]
    entry: Callable[[list[str]], dict[str, object]]


def _plain(command: list[str]) -> dict[str, object]:
    return {"command": command[0], "args": command[1:]}


def _stdio(command: list[str]) -> dict[str, object]:
    return {"type": "stdio", **_plain(command)}


def _local(command: list[str]) -> dict[str, object]:
    return {"type": "local", "command": command, "enabled": True}


def _custom(command: list[str]) -> dict[str, object]:
    return {"source": "custom", **_plain(command), "env": {}}


def _home() -> Path:
    return Path.home()


def _config_home() -> Path:
    named = os.environ.get("XDG_CONFIG_HOME")
    return Path(named) if named and os.path.isabs(named) else _home() / ".config"  # noqa: PTH117


def _code_user() -> Path:
    if sys.platform == "darwin":
        return _home() / "Library" / "Application Support" / "Code" / "User"
    if sys.platform == "win32":
        return Path(os.environ.get("APPDATA", _home())) / "Code" / "User"
    return _config_home() / "Code" / "User"


def _opencode() -> Path:
    folder = _config_home() / "opencode"
    with_comments = folder / "opencode.jsonc"
    return with_comments if with_comments.exists() else folder / "opencode.json"


def _zed() -> Path:
    if sys.platform == "win32":
        return Path(os.environ.get("APPDATA", _home())) / "Zed" / "settings.json"
    return _config_home() / "zed" / "settings.json"


def _codex() -> Path:
    named = os.environ.get("CODEX_HOME")
    return (Path(named) if named else _home() / ".codex") / "config.toml"


def _claude_code() -> Path:
    named = os.environ.get("CLAUDE_CONFIG_DIR")
    return (Path(named) if named else _home()) / ".claude.json"


_ALL = (
    Client(
        "claude-code", "Claude Code", "json", _claude_code, ".mcp.json",
        ("mcpServers", NAME), _stdio,
    ),
    Client(
        "codex", "Codex", "toml", _codex, ".codex/config.toml", ("mcp_servers", NAME), _plain
    ),
    Client(
        "cursor", "Cursor", "json", lambda: _home() / ".cursor" / "mcp.json",
        ".cursor/mcp.json", ("mcpServers", NAME), _plain,
    ),
    Client(
        "gemini-cli", "Gemini CLI", "json", lambda: _home() / ".gemini" / "settings.json",
        ".gemini/settings.json", ("mcpServers", NAME), _plain,
    ),
    Client("opencode", "OpenCode", "json", _opencode, "opencode.json", ("mcp", NAME), _local),
    Client(
        "vscode", "VS Code", "json", lambda: _code_user() / "mcp.json", ".vscode/mcp.json",
        ("servers", NAME), _stdio,
    ),
    Client(
        "zed", "Zed", "json", _zed, ".zed/settings.json", ("context_servers", NAME), _custom
    ),
)  # fmt: skip

CLIENTS = {client.name: client for client in _ALL}
