"""`milepost memory`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from milepost.cli import brief, edit, exchange, places
from milepost.cli import options as shared
from milepost.cli.main import act
from milepost.cli.reply import FAILED, Reply, counted, first_line

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterable

    from milepost.api import Entry, Hit, MemoryChange, Workspace

_KINDS = ("context", "rule", "decision", "knowledge")
# The actions that take --scope, --session and --task.
_SCOPED = ("search", "list", "add", "update", "log", "undo", "path")
# An import may have added a thousand entries; whoever wants all of them asks for --json.
_SHOWN = 10
_STATUSES = ("stated", "confirmed", "unverified")


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the sub-commands."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    _finding(actions.add_parser)
    _changing(actions.add_parser)
    _looking_back(actions.add_parser)
    exchange.arguments(actions.add_parser)
    edit.arguments(actions.add_parser)
    for name, action in actions.choices.items():
        if name in _SCOPED:
            places.arguments(action)
        shared.common(action)


def run(options: argparse.Namespace) -> Reply:
    """Do what the sub-command says."""
    return act(options, _ACTIONS)


def _finding(named: Callable[..., argparse.ArgumentParser]) -> None:
    search = named("search", help="find entries by plain words")
    search.add_argument("query", nargs="+")
    search.add_argument("--kind", choices=_KINDS)
    search.add_argument(
        "--elsewhere", action="store_true", help="also other worktrees, sessions and tasks"
    )
    search.add_argument("--superseded", action="store_true", help="also what was superseded")
    search.add_argument(
        "--budget",
        type=shared.whole(1),
        metavar="N",
        help="whole entries, of at most N tokens together",
    )
    shared.count(search, 10)
    listing = named("list", help="all entries in file order")
    listing.add_argument("--kind", choices=_KINDS)
    listing.add_argument(
        "--offset", type=shared.whole(), default=0, metavar="N", help="leave out the first N"
    )
    shared.count(listing, 50)


def _changing(named: Callable[..., argparse.ArgumentParser]) -> None:
    add = named("add", help="remember something that you state")
    add.add_argument("text", nargs="+")
    add.add_argument("--kind", choices=_KINDS, default="knowledge")
    add.add_argument("--about", action="append", default=[], metavar="PATH[#SYMBOL]")
    show = named("show", help="one entry, with where it stands")
    show.add_argument("id")
    change = named("update", help="change an entry, or move it to another scope")
    change.add_argument("id")
    change.add_argument("text", nargs="*")
    change.add_argument("--kind", choices=_KINDS)
    change.add_argument("--status", choices=_STATUSES)
    instead = named("supersede", help="put a new entry in the place of an old one")
    instead.add_argument("id")
    instead.add_argument("text", nargs="+")
    forget = named("forget", help="take an entry out")
    forget.add_argument("id")
    confirm = named("confirm", help="say that an entry is true")
    confirm.add_argument("id")


def _looking_back(named: Callable[..., argparse.ArgumentParser]) -> None:
    log = named("log", help="what changed in memory, newest first")
    log.add_argument("id", nargs="?", help="only changes of this entry")
    shared.count(log, 20)
    undo = named("undo", help="take a change of memory back, the newest by default")
    undo.add_argument("change", type=shared.whole(), nargs="?", help="its number in the log")
    about = named("brief", help="what is worth knowing at the beginning of a task")
    brief.brief_arguments(about)
    files = named("rules", help="which rules files of agents are read, which are not")
    brief.rules_arguments(files)
    check = named("check", help="compare the files with their indexes and the code")
    check.add_argument("--follow", action="store_true", help="rewrite anchors of code that moved")
    named("tidy", help="bring headings together that saves repeated at the end of a large file")
    named("path", help="where the memory file is")
    move = named("move", help="move the project's memory to the repository, or back")
    move.add_argument("--to", choices=("user", "repo"), required=True)


def _search(workspace: Workspace, options: argparse.Namespace) -> Reply:
    found = workspace.memory.search(
        " ".join(options.query),
        kind=options.kind,
        limit=options.n,
        include_superseded=options.superseded,
        budget_tokens=options.budget,
        elsewhere=options.elsewhere,
        is_use=True,
        **places.named(options),
    )
    is_whole = options.budget is not None
    text = "\n".join(_hit_lines(hit, is_whole=is_whole) for hit in found.hits)
    if found.left_out:
        text += f"\n({found.left_out} more found; give a larger --budget, or `show` one by its id)"
    text = text.strip() or f"Nothing found: {found.advice}."
    return Reply("\n".join((text, *found.warnings)), found)


def _list(workspace: Workspace, options: argparse.Namespace) -> Reply:
    page = workspace.memory.page(
        kind=options.kind, offset=options.offset, limit=options.n, **places.named(options)
    )
    total = f"That is behind the last of {counted(page.total, 'entry')}."
    nothing = total if page.total else "Nothing is remembered here yet."
    text = _lines(page.entries) or nothing
    if page.next_offset is not None:
        text += f"\n({page.total} in all; go on with --offset {page.next_offset})"
    return Reply(text, page)


def _add(workspace: Workspace, options: argparse.Namespace) -> Reply:
    entry, similar = workspace.memory.add_compared(
        " ".join(options.text),
        kind=options.kind,
        status="stated",
        anchors=tuple(options.about),
        **places.named(options),
    )
    text = f"Remembered as {entry.id}.{_masked(entry)}"
    if similar:
        text += (
            f" These say nearly the same; forget or supersede what is too much:\n{_lines(similar)}"
        )
    return Reply(text, entry)


def _show(workspace: Workspace, options: argparse.Namespace) -> Reply:
    entry = workspace.memory.get(options.id)
    place = workspace.memory.locate(options.id)
    lines = [
        entry.text,
        "",
        f"  id       {entry.id}",
        f"  kind     {entry.kind} ({places.of(entry)})",
        f"  status   {entry.status}",
        f"  source   {entry.source}",
        f"  since    {entry.created_at or 'unknown'}{f' ({entry.age})' if entry.age else ''}",
        f"  at       {place.path}:{place.line + 1}",
        *(f"  about    {anchor}" for anchor in entry.anchors),
        *(f"  moved    {moved}" for moved in entry.moved),
        *(f"  SUSPECT  {doubt}; confirm, update or forget it" for doubt in entry.doubts),
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
        **places.named(options),
    )
    did = f"Changed {entry.id}.{_masked(entry)}"
    if options.scope or options.session or options.task:
        renamed = "" if entry.id == options.id else f", where its id is {entry.id}"
        did = f"Moved {options.id} to {places.of(entry)}{renamed}.{_masked(entry)}"
    return Reply(did, entry)


def _supersede(workspace: Workspace, options: argparse.Namespace) -> Reply:
    entry = workspace.memory.supersede(options.id, " ".join(options.text))
    return Reply(f"{entry.id} now stands for {options.id}.{_masked(entry)}", entry)


def _forget(workspace: Workspace, options: argparse.Namespace) -> Reply:
    entry = workspace.memory.forget(options.id)
    return Reply(f"Forgot {entry.id}: {first_line(entry.text)}", entry)


def _confirm(workspace: Workspace, options: argparse.Namespace) -> Reply:
    entry = workspace.memory.update(options.id, status="confirmed")
    return Reply(f"Confirmed {entry.id}.", entry)


def _log(workspace: Workspace, options: argparse.Namespace) -> Reply:
    changes = workspace.memory.log(entry_id=options.id, limit=options.n, **places.named(options))
    nothing = f"No change of {options.id} is known." if options.id else "Nothing was changed yet."
    return Reply("\n".join(map(_change_lines, changes)) or nothing, changes)


def _undo(workspace: Workspace, options: argparse.Namespace) -> Reply:
    change = workspace.memory.undo(options.change, **places.named(options))
    return Reply(f"Took back change {change.undoes}.\n{_change_lines(change)}", change)


def _tidy(workspace: Workspace, _options: argparse.Namespace) -> Reply:
    files = workspace.memory.tidy()
    lines = [f"Every heading of {file} stands there once again." for file in files]
    return Reply("\n".join(lines) or "No heading was repeated by Milepost.", files)


def _check(workspace: Workspace, options: argparse.Namespace) -> Reply:
    differences = workspace.memory.check()
    lines = [*differences] or ["Every entry is in the index, and nothing else."]
    if options.follow:
        change = workspace.memory.follow()
        if change is not None:
            count = counted(len(change.revisions), "entry")
            lines.append(f"Followed moved code in {count}; undo takes it back.")
    found = workspace.memory.suspects()
    for entry in found:
        lines.append(f"{entry.id}  {first_line(entry.text)}")
        lines.extend(f"  SUSPECT  {doubt}" for doubt in entry.doubts)
        lines.extend(f"  moved    {moved}" for moved in entry.moved)
    if any(entry.doubts for entry in found):
        lines.append("For a suspect entry: milepost memory confirm|update|forget ID")
    if any(entry.moved for entry in found):
        lines.append("To rewrite anchors of code that moved: milepost memory check --follow")
    data = {"differences": differences, "entries": found}
    return Reply("\n".join(lines), data, FAILED if differences else 0)


def _path(workspace: Workspace, options: argparse.Namespace) -> Reply:
    path = workspace.memory.file(**places.named(options))
    return Reply(path, path)


def _move(workspace: Workspace, options: argparse.Namespace) -> Reply:
    done = workspace.memory.relocate(options.to)
    lines = [f"The memory is {done.path} now; {done.settings} says so."]
    present = f", {done.present} were there already" if done.present else ""
    lines.append(f"Moved: {done.moved}{present}.")
    if done.backup:
        lines.append(f"What it was is kept in {done.backup}.")
    if options.to == "repo":
        lines.append("Commit both files to share them. Restart servers that have the project open.")
    else:
        lines.append("The file in the repository stays; delete it if nobody needs it.")
    return Reply("\n".join(lines), done)


def _lines(entries: Iterable[Entry]) -> str:
    return "\n".join(
        f"{entry.id}  {entry.kind:<9} {'suspect' if entry.doubts else entry.status:<10}  "
        f"{'' if entry.scope == 'project' else f'[{places.of(entry)}] '}{first_line(entry.text)}"
        for entry in entries
    )


def _hit_lines(hit: Hit, *, is_whole: bool) -> str:
    """A result: with a budget its words, else its first line."""
    entry = hit.entry
    facts = [entry.kind, "suspect" if entry.doubts else entry.status, places.of(entry)]
    facts += [entry.age] if entry.age else [entry.source]
    head = f"{entry.id}  {hit.score:.2f}  {', '.join(facts)}"
    words = entry.text if is_whole else first_line(entry.text)
    return "\n".join((head, *(f"    {line}" for line in words.split("\n"))))


def _change_lines(change: MemoryChange) -> str:
    undone = f", taken back by {change.undone_by}" if change.undone_by else ""
    undoes = f" of {change.undoes}" if change.undoes else ""
    lines = [f"{change.id:>5}  {change.at}  {change.action}{undoes} by {change.actor}{undone}"]
    for revision in change.revisions[:_SHOWN]:
        if revision.before:
            lines.append(f"       - {revision.before.id}  {first_line(revision.before.text)}")
        if revision.after:
            lines.append(f"       + {revision.after.id}  {first_line(revision.after.text)}")
    if len(change.revisions) > _SHOWN:
        lines.append(f"       ... and {len(change.revisions) - _SHOWN} more")
    return "\n".join(lines)


def _masked(entry: Entry) -> str:
    kinds = ", ".join(entry.masked)
    return f" A secret in it was masked ({kinds})." if kinds else ""


_ACTIONS = {
    "search": _search,
    "list": _list,
    "add": _add,
    "show": _show,
    "update": _update,
    "supersede": _supersede,
    "forget": _forget,
    "confirm": _confirm,
    "log": _log,
    "undo": _undo,
    "brief": brief.brief,
    "rules": brief.rules,
    "check": _check,
    "tidy": _tidy,
    "path": _path,
    "move": _move,
    **exchange.ACTIONS,
    **edit.ACTIONS,
}
