"""`milepost mcp install` and `uninstall`: with a diff, consent and a backup."""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from milepost.api import MilepostError, UserError
from milepost_mcp.install import change as changes
from milepost_mcp.install.clients import CLIENTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from milepost_mcp.install.change import Change


def main(action: str, argv: Sequence[str]) -> int:
    """Install into a client or uninstall from it. Exit codes: 0 done or nothing to do, 1 failed or
    not agreed to."""
    options = _parser(action).parse_args(argv)
    client = CLIENTS[options.client]
    try:
        path = _file(options.client, options.project)
        if action == "install":
            command = ["milepost", "mcp"] if options.project else _command()
            change = changes.to_install(client, path, command)
        else:
            change = changes.to_uninstall(client, path)
        return _carry_out(change, action, client.title, options)
    except MilepostError as error:
        print(f"milepost: {error}", file=sys.stderr)
        return 1


def _parser(action: str) -> argparse.ArgumentParser:
    words = {
        "install": "Add this server to a client's configuration.",
        "uninstall": "Take this server out of a client's configuration again.",
    }
    parser = argparse.ArgumentParser(prog=f"milepost mcp {action}", description=words[action])
    parser.add_argument("client", choices=sorted(CLIENTS), help="the agent or editor")
    parser.add_argument(
        "--project",
        nargs="?",
        const=".",
        metavar="DIR",
        help="in this project's own configuration, which a team may share (else the user's)",
    )
    parser.add_argument("--yes", action="store_true", help="do it without asking")
    parser.add_argument("--dry-run", action="store_true", help="only show what would change")
    return parser


def _file(client: str, project: str | None) -> Path:
    if project is None:
        return CLIENTS[client].user_file()
    root = Path(project).resolve()
    if not root.is_dir():
        raise UserError(f"there is no folder {root}; name the project's")
    relative = CLIENTS[client].project_file
    if relative is None:
        raise UserError(f"{CLIENTS[client].title} reads no file of a project; leave --project out")
    return root / relative


def _command() -> list[str]:
    """What starts this very server: agents do not look where a shell does."""
    script = Path(sys.executable).with_name("milepost")
    if script.is_file():
        return [str(script), "mcp"]
    found = shutil.which("milepost")
    return [found, "mcp"] if found else [sys.executable, "-m", "milepost", "mcp"]


def _carry_out(change: Change, action: str, title: str, options: argparse.Namespace) -> int:
    if change.is_nothing:
        state = "has this server already" if action == "install" else "does not have this server"
        print(f"{title} {state} ({change.path}); nothing was changed.")
        return 0
    print(change.diff(), end="")
    if options.dry_run:
        return 0
    if not options.yes and not _agreed(change, action):
        print("Nothing was changed.")
        return 1
    changes.apply(change, is_install=action == "install")
    if action == "install":
        kept = f" What was there is in {change.backup}." if change.backup else ""
        print(f"Installed in {change.path}.{kept} Restart {title}, or reload its MCP servers.")
    else:
        print(f"Taken out of {change.path}.")
    return 0


def _agreed(change: Change, action: str) -> bool:
    if sys.stdin is None or not sys.stdin.isatty():
        again = f"milepost mcp {action} ... --yes"
        print(f"milepost: nobody is here to agree; run `{again}` to do this.", file=sys.stderr)
        return False
    print(f"Change {change.path} like this? [y/N] ", end="", flush=True)
    return sys.stdin.readline().strip().lower() in {"y", "yes"}
