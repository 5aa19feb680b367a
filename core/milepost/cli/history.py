"""`milepost history`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from milepost.cli import options as shared
from milepost.cli.main import open_workspace
from milepost.cli.reply import Reply

if TYPE_CHECKING:
    import argparse

_LINE_CHARS = 100


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("query", nargs="*", help="plain words; without any, the newest actions")
    shared.count(parser, 10)
    shared.common(parser)


def run(options: argparse.Namespace) -> Reply:
    """Search. Looking at the history is not entered into it."""
    found = open_workspace(options).history.search(" ".join(options.query), limit=options.n)
    lines = [
        f"{event.id:>5}  {event.at}  {event.actor:<14} {'FAILED ' if event.failed else ''}"
        f"{event.action}  {event.request}"[:_LINE_CHARS]
        for event in found.events
    ]
    return Reply("\n".join(lines) or f"Nothing found: {found.advice}.", found)
