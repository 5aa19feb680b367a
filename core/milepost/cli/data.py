"""`milepost data`: what is kept of this project on disk."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from milepost import api
from milepost.cli import options as shared
from milepost.cli.main import open_workspace
from milepost.cli.reply import FAILED, Reply, counted
from milepost.cli.terminal import ask, is_terminal

if TYPE_CHECKING:
    import argparse

    from milepost.api import Workspace

_UNITS = ("B", "KiB", "MiB", "GiB")


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the sub-commands."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    actions.add_parser("du", help="which files there are, and how large they are")
    actions.add_parser("scan", help="look for secrets in what is kept; exit code 1 if there are")
    export = actions.add_parser("export", help="copy everything into a new .tar.gz")
    export.add_argument("file")
    prune = actions.add_parser("prune", help="forget old restore points, or old sessions' notes")
    prune.add_argument(
        "oldest", type=shared.whole(), nargs="?", help="the oldest restore point to keep"
    )
    prune.add_argument(
        "--sessions",
        type=shared.whole(),
        metavar="DAYS",
        help="delete notes that are older than this",
    )
    wipe = actions.add_parser("wipe", help="delete all that is kept of this project")
    wipe.add_argument("-y", "--yes", action="store_true", help="do it without asking")
    for action in actions.choices.values():
        shared.common(action)


def run(options: argparse.Namespace) -> Reply:
    """Do what the sub-command says."""
    return _ACTIONS[options.action](open_workspace(options), options)


def _du(workspace: Workspace, _options: argparse.Namespace) -> Reply:
    files = workspace.data.usage()
    lines = [f"{_size(file.size_bytes):>10}  {file.holds:<28} {file.path}" for file in files]
    lines.append(f"{_size(sum(file.size_bytes for file in files)):>10}  in all")
    return Reply("\n".join(lines), files)


def _scan(workspace: Workspace, _options: argparse.Namespace) -> Reply:
    scan = workspace.data.scan()
    lines = [f"{one.place}: a secret of kind {one.kind}" for one in scan.found]
    by = (
        "by Milepost's rules and Kingfisher's" if scan.has_second_opinion else "by Milepost's rules"
    )
    lines.append(f"{counted(len(scan.found), 'secret')} in {counted(scan.texts, 'text')}, {by}.")
    if scan.found:
        lines.append(
            "Take them out of MEMORY.md by hand; a secret that was kept should be changed."
        )
    return Reply("\n".join(lines), scan, FAILED if scan.found else 0)


def _export(workspace: Workspace, options: argparse.Namespace) -> Reply:
    file = workspace.data.export(options.file)
    return Reply(f"Wrote {file.path} ({_size(file.size_bytes)}).", file)


def _prune(workspace: Workspace, options: argparse.Namespace) -> Reply:
    if options.oldest is None and options.sessions is None:
        raise api.UserError("name the oldest restore point to keep, or give --sessions DAYS")
    did: list[str] = []
    points, sessions = 0, ()
    if options.oldest is not None:
        points = workspace.data.prune(options.oldest)
        did.append(f"Forgot {counted(points, 'restore point')}.")
    if options.sessions is not None:
        sessions = workspace.data.prune_sessions(options.sessions)
        did.append(f"Deleted the notes of {counted(len(sessions), 'session')}.")
    return Reply("\n".join(did), {"points": points, "sessions": sessions})


def _wipe(workspace: Workspace, options: argparse.Namespace) -> Reply:
    folder = workspace.project.data_dir
    what = f"the memory, goals, history and restore points of {workspace.project.root}"
    if not options.yes:
        if options.json or not is_terminal(sys.stdin):
            return Reply(f"This would delete {what}; add --yes to do it.", folder, FAILED)
        if ask(f"Delete {what}? Type wipe:") != "wipe":
            return Reply("Nothing was deleted.", folder, FAILED)
    workspace.data.wipe()
    return Reply(f"Deleted {what}.", folder)


def _size(size_bytes: float) -> str:
    for unit in _UNITS[:-1]:
        if size_bytes < 1024:
            return f"{size_bytes:.0f} {unit}"
        size_bytes /= 1024
    return f"{size_bytes:.1f} {_UNITS[-1]}"


_ACTIONS = {"du": _du, "scan": _scan, "export": _export, "prune": _prune, "wipe": _wipe}
