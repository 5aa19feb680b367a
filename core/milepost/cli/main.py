"""`milepost COMMAND`: finds the command, runs it, prints what it answers.

A command's module is imported only when it is called, and the servers are found through the
entry-point group `milepost.commands`, so `milepost mcp` pays for nothing else.
"""

from __future__ import annotations

import argparse
import contextlib
import shlex
import sys
from importlib import import_module
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Protocol, cast

from milepost import __version__
from milepost.cli.reply import FAILED, USAGE
from milepost.cli.terminal import is_terminal, let_go, plain, put, tell

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from milepost.api import Workspace
    from milepost.cli.reply import Reply

# Each is a module of this package; the words are its line in the help.
_COMMANDS = {
    "memory": "search, add, show, list, change and forget what is remembered",
    "checkpoint": "save and list restore points, compare, go back, undo",
    "goal": "set goals and verify them on evidence",
    "run": "let a model work on the project until its goal is met",
    "session": "list, show, search, resume, stop, export and delete sessions of the worker",
    "usage": "the tokens and the cost of requests to models",
    "config": "show and check the settings",
    "history": "search what was done in the project",
    "data": "how much is kept of this project; copy, prune or wipe it",
    "doctor": "check this installation and this project",
}

_GROUP = "milepost.commands"

# As shells report a program that SIGINT ended.
_INTERRUPTED = 130


class Command(Protocol):
    """A module of this package that is a command."""

    def arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the command's arguments."""
        ...

    def run(self, options: argparse.Namespace) -> Reply:
        """Do it. Raises MilepostError."""
        ...


def main(argv: Sequence[str] | None = None) -> int:
    """Run `milepost` with `argv` (sys.argv when None) and return the exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError):
            # File names are bytes; one that the terminal cannot show must not end the program.
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    name = words[0] if words else "--help"
    try:
        if name in _COMMANDS:
            return _run(name, words[1:])
        guest = _guest(name)
        if guest is not None:
            return guest(words[1:])
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BrokenPipeError:
        # The reader went away (`| head`); there is nobody to tell.
        let_go()
        return FAILED
    return _front_page(name)


def open_workspace(options: argparse.Namespace) -> Workspace:
    """The project that the options mean."""
    from milepost import api  # noqa: PLC0415  (`milepost --help` needs none of it)

    return api.open_workspace(options.project, actor="user:terminal", is_brief=True)


def act(
    options: argparse.Namespace,
    actions: Mapping[str, Callable[[Workspace, argparse.Namespace], Reply]],
) -> Reply:
    """Do what the sub-command says, enter it into the history, and say aloud what the project has
    to say."""
    from milepost import api  # noqa: PLC0415  (as above)

    workspace = open_workspace(options)
    reply = actions[options.action](workspace, options)
    action = f"{options.command} {options.action}"
    with contextlib.suppress(api.MilepostError):
        workspace.history.record(action, options.line, reply.text)
    for notice in workspace.notices():
        tell(notice)
    return reply


def _run(name: str, words: list[str]) -> int:
    from milepost import api  # noqa: PLC0415  (as above)

    command = cast("Command", import_module(f"milepost.cli.{name}"))
    parser = argparse.ArgumentParser(prog=f"milepost {name}", description=_COMMANDS[name])
    command.arguments(parser)
    options = parser.parse_args(words)
    options.command = name
    options.line = shlex.join(["milepost", name, *words])
    try:
        reply = command.run(options)
        if not reply.has_printed:
            # A program that reads along gets every byte, as of a patch.
            text = plain(reply.text) if is_terminal(sys.stdout) else reply.text
            put(reply.as_json() if options.json else text)
    except api.MilepostError as error:
        tell(str(error))
        return FAILED
    return reply.code


def _guest(name: str) -> Callable[[list[str]], int] | None:
    if name.startswith("-"):
        return None
    for found in entry_points(group=_GROUP, name=name):
        return cast("Callable[[list[str]], int]", found.load())
    return None


def _front_page(name: str) -> int:
    if name in ("-V", "--version"):
        return _put(f"milepost {__version__}")
    guests = sorted({point.name for point in entry_points(group=_GROUP)})
    lines = [
        "usage: milepost COMMAND [...]   (milepost COMMAND --help says more)",
        "",
        *(f"  {command:<11} {line}" for command, line in _COMMANDS.items()),
        *(f"  {guest:<11} serve over {guest.upper()}" for guest in guests),
        "",
        "  --version   print the version",
    ]
    if name in ("-h", "--help", "help"):
        return _put("\n".join(lines))
    tell(f"there is no command {name!r}\n\n" + "\n".join(lines))
    return USAGE


def _put(text: str) -> int:
    from milepost import api  # noqa: PLC0415  (as above)

    try:
        put(text)
    except api.WorldError as error:
        tell(str(error))
        return FAILED
    return 0
