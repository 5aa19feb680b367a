"""`milepost session`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from milepost.cli import options as shared
from milepost.cli.main import act
from milepost.cli.reply import Reply

if TYPE_CHECKING:
    import argparse

    from milepost.api import Workspace


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the sub-commands."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    listing = actions.add_parser("list", help="the sessions, the newest first")
    shared.count(listing, 20)
    for name, words in (
        ("show", "what was said and done, word for word, as JSON lines"),
        ("delete", "delete a session with all that was said in it"),
    ):
        actions.add_parser(name, help=words).add_argument("id")
    for action in actions.choices.values():
        shared.common(action)


def run(options: argparse.Namespace) -> Reply:
    """Do what the sub-command says."""
    return act(options, _ACTIONS)


def _list(workspace: Workspace, options: argparse.Namespace) -> Reply:
    sessions = workspace.sessions().page(options.n)
    lines = [f"{one.id}  {one.updated_at}  {one.state:<7} {one.title}" for one in sessions]
    return Reply("\n".join(lines) or "There are no sessions yet.", sessions)


def _show(workspace: Workspace, options: argparse.Namespace) -> Reply:
    sessions = workspace.sessions()
    for line in sessions.export(options.id):
        print(line)
    return Reply("", sessions.get(options.id), has_printed=True)


def _delete(workspace: Workspace, options: argparse.Namespace) -> Reply:
    sessions = workspace.sessions()
    session = sessions.get(options.id)
    sessions.delete(options.id)
    return Reply(f"Deleted session {session.id}: {session.title}", session)


_ACTIONS = {"list": _list, "show": _show, "delete": _delete}
