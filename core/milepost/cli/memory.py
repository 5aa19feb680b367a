"""`milepost memory`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from milepost.cli import options as shared
from milepost.cli.main import open_workspace, record
from milepost.cli.reply import Reply

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable

    from milepost.api import Entry, Workspace

_KINDS = ("context", "rule", "decision", "knowledge")
_SCOPES = ("project", "global")
_STATUSES = ("stated", "confirmed", "unverified")


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the sub-commands."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    search = actions.add_parser("search", help="find entries by plain words")
    search.add_argument("query", nargs="+")
    search.add_argument("--kind", choices=_KINDS)
    search.add_argument("--scope", choices=_SCOPES)
    search.add_argument("--superseded", action="store_true", help="also what was superseded")
    shared.count(search, 10)
    listing = actions.add_parser("list", help="all entries in file order")
    listing.add_argument("--kind", choices=_KINDS)
    listing.add_argument("--scope", choices=_SCOPES)
    listing.add_argument("--offset", type=int, default=0)
    shared.count(listing, 50)
    add = actions.add_parser("add", help="remember something that you state")
    add.add_argument("text", nargs="+")
    add.add_argument("--kind", choices=_KINDS, default="knowledge")
    add.add_argument("--scope", choices=_SCOPES, default="project")
    add.add_argument("--about", action="append", default=[], metavar="PATH[#SYMBOL]")
    show = actions.add_parser("show", help="one entry, with where it stands")
    show.add_argument("id")
    change = actions.add_parser("update", help="change an entry's text, kind or status")
    change.add_argument("id")
    change.add_argument("text", nargs="*")
    change.add_argument("--kind", choices=_KINDS)
    change.add_argument("--status", choices=_STATUSES)
    instead = actions.add_parser("supersede", help="put a new entry in the place of an old one")
    instead.add_argument("id")
    instead.add_argument("text", nargs="+")
    forget = actions.add_parser("forget", help="take an entry out")
    forget.add_argument("id")
    where = actions.add_parser("path", help="where the memory file is")
    where.add_argument("--scope", choices=_SCOPES, default="project")
    for action in (search, listing, add, show, change, instead, forget, where):
        shared.common(action)


def run(options: argparse.Namespace) -> Reply:
    """Do what the sub-command says."""
    workspace = open_workspace(options)
    reply = _ACTIONS[options.action](workspace, options)
    return record(workspace, options, reply)


def _search(workspace: Workspace, options: argparse.Namespace) -> Reply:
    found = workspace.memory.search(
        " ".join(options.query),
        kind=options.kind,
        scope=options.scope,
        limit=options.n,
        include_superseded=options.superseded,
    )
    text = _lines(hit.entry for hit in found.hits)
    return Reply(text or f"Nothing found: {found.advice}.", found)


def _list(workspace: Workspace, options: argparse.Namespace) -> Reply:
    page = workspace.memory.page(
        scope=options.scope, kind=options.kind, offset=options.offset, limit=options.n
    )
    text = _lines(page.entries) or "Nothing is remembered here yet."
    if page.next_offset is not None:
        text += f"\n({page.total} in all; go on with --offset {page.next_offset})"
    return Reply(text, page)


def _add(workspace: Workspace, options: argparse.Namespace) -> Reply:
    entry = workspace.memory.add(
        " ".join(options.text),
        kind=options.kind,
        scope=options.scope,
        status="stated",
        anchors=tuple(options.about),
    )
    return Reply(f"Remembered as {entry.id}.", entry)


def _show(workspace: Workspace, options: argparse.Namespace) -> Reply:
    entry = workspace.memory.get(options.id)
    place = workspace.memory.locate(options.id)
    lines = [
        entry.text,
        "",
        f"  id       {entry.id}",
        f"  kind     {entry.kind} ({entry.scope})",
        f"  status   {entry.status}",
        f"  source   {entry.source}",
        f"  since    {entry.created_at or 'unknown'}",
        f"  at       {place.path}:{place.line + 1}",
        *(f"  about    {anchor}" for anchor in entry.anchors),
    ]
    if entry.superseded_by:
        lines.append(f"  replaced by {entry.superseded_by}")
    return Reply("\n".join(lines), entry)


def _update(workspace: Workspace, options: argparse.Namespace) -> Reply:
    entry = workspace.memory.update(
        options.id,
        text=" ".join(options.text) or None,
        kind=options.kind,
        status=options.status,
    )
    return Reply(f"Changed {entry.id}.", entry)


def _supersede(workspace: Workspace, options: argparse.Namespace) -> Reply:
    entry = workspace.memory.supersede(options.id, " ".join(options.text))
    return Reply(f"{entry.id} now stands for {options.id}.", entry)


def _forget(workspace: Workspace, options: argparse.Namespace) -> Reply:
    entry = workspace.memory.forget(options.id)
    return Reply(f"Forgot {entry.id}: {_first_line(entry.text)}", entry)


def _path(workspace: Workspace, options: argparse.Namespace) -> Reply:
    path = workspace.memory.file(options.scope)
    return Reply(path, path)


def _lines(entries: Iterable[Entry]) -> str:
    return "\n".join(
        f"{entry.id}  {entry.kind:<9} {entry.status:<10}  {_first_line(entry.text)}"
        for entry in entries
    )


def _first_line(text: str) -> str:
    first, _, rest = text.partition("\n")
    return f"{first} ..." if rest else first


_ACTIONS = {
    "search": _search,
    "list": _list,
    "add": _add,
    "show": _show,
    "update": _update,
    "supersede": _supersede,
    "forget": _forget,
    "path": _path,
}
