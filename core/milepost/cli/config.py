"""`milepost config`: what can be set, what holds now, and where that comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from milepost import api
from milepost.cli import options as shared
from milepost.cli.reply import Reply, counted

if TYPE_CHECKING:
    import argparse


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the sub-commands."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    actions.add_parser("show", help="every setting, its value, and where that comes from")
    actions.add_parser("check", help="whether the settings files are right")
    actions.add_parser("path", help="where the settings files are: your own, and the project's")
    for action in actions.choices.values():
        shared.common(action)


def run(options: argparse.Namespace) -> Reply:
    """Do what the sub-command says. No project is opened, for a wrong file would forbid it."""
    return _ACTIONS[options.action](options)


def _show(options: argparse.Namespace) -> Reply:
    found = api.settings_in_force(options.project)
    width = max(len(f"{one.name} = {one.value}") for one in found)
    lines = [f"{f'{one.name} = {one.value}':<{width}}  ({one.origin})" for one in found]
    return Reply("\n".join(lines), found)


def _check(options: argparse.Namespace) -> Reply:
    changed = [one for one in api.settings_in_force(options.project) if one.origin != "default"]
    return Reply(f"The settings are right; {counted(len(changed), 'value')} set.", changed)


def _path(options: argparse.Namespace) -> Reply:
    paths = api.settings_files(options.project)
    return Reply("\n".join(paths), paths)


_ACTIONS = {"show": _show, "check": _check, "path": _path}
