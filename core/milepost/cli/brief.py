"""`milepost memory brief` and `milepost memory rules`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from milepost.cli.reply import Reply, counted

if TYPE_CHECKING:
    import argparse

    from milepost.api import RulesFile, Workspace

_DEFAULT_TOKENS = 2_000


def brief_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare those of `brief`."""
    parser.add_argument("--about", metavar="TEXT", help="what the task is, in plain words")
    parser.add_argument("--path", metavar="P", help="the file or folder that it is about")
    parser.add_argument(
        "--budget", type=int, default=_DEFAULT_TOKENS, metavar="N",
        help="at most N tokens (%(default)s)",
    )  # fmt: skip


def rules_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare those of `rules`."""
    parser.add_argument("--path", metavar="P", help="also the files in the folders above it")


def brief(workspace: Workspace, options: argparse.Namespace) -> Reply:
    """Print a brief."""
    found = workspace.memory.brief(options.about, _path(options), options.budget)
    return Reply(found.text.rstrip("\n"), found)


def rules(workspace: Workspace, options: argparse.Namespace) -> Reply:
    """Print every rules file that was found."""
    files = workspace.memory.rules_files(_path(options))
    text = "\n".join(map(_lines, files))
    return Reply(text or "There is no rules file of any agent here.", files)


def _path(options: argparse.Namespace) -> str | None:
    """The path as it is meant: from the folder in which the user stands."""
    return None if options.path is None else str(Path(options.path).absolute())


def _lines(file: RulesFile) -> str:
    if file.is_used:
        state = f"{counted(file.rules - file.repeated, 'rule')}, {file.when}"
    else:
        state = "not used"
    head = f"{file.path}  ({file.read_by})  {counted(file.tokens, 'token')}: {state}"
    return "\n".join((head, *(f"    {note}" for note in file.notes)))
