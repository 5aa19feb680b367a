"""`milepost session`."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from milepost.api import UserError
from milepost.cli import options as shared
from milepost.cli import run as working
from milepost.cli.main import act
from milepost.cli.reply import Reply
from milepost.cli.terminal import put

if TYPE_CHECKING:
    import argparse

    from milepost.api import SessionItem, Workspace


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the sub-commands."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    shared.count(actions.add_parser("list", help="the sessions, the newest first"), 20)
    show = actions.add_parser("show", help="what was said and done, to read")
    show.add_argument(
        "--after", type=shared.whole(), default=0, metavar="ITEM", help="only behind this item"
    )
    shared.count(show, 200)
    resume = actions.add_parser("resume", help="go on with a session, as `run --resume` does")
    search = actions.add_parser("search", help="find what was said or done in the sessions")
    search.add_argument("query", nargs="+", help="plain words")
    search.add_argument("--session", metavar="ID", help="in this session only")
    shared.count(search, 10)
    around = actions.add_parser("around", help="what stands before and after an item")
    around.add_argument("item", type=shared.whole(), help="the item's number, as search shows it")
    shared.count(around, 5)
    export = actions.add_parser("export", help="word for word, as JSON lines")
    delete = actions.add_parser("delete", help="delete a session with all that was said in it")
    stop = actions.add_parser("stop", help="end what runs in a session, in whichever process")
    for action in (show, resume, export, delete, stop):
        action.add_argument("id")
    working.arguments_of_work(resume)
    for action in actions.choices.values():
        shared.common(action)


def run(options: argparse.Namespace) -> Reply:
    """Do what the sub-command says."""
    if options.action == "resume":
        options.resume, options.mode = options.id, None
        return working.run(options)
    return act(options, _ACTIONS)


def _list(workspace: Workspace, options: argparse.Namespace) -> Reply:
    sessions = workspace.sessions().page(options.n)
    lines = [f"{one.id}  {one.updated_at}  {one.state:<7} {one.title}" for one in sessions]
    return Reply("\n".join(lines) or "There are no sessions yet.", sessions)


def _show(workspace: Workspace, options: argparse.Namespace) -> Reply:
    sessions = workspace.sessions()
    session = sessions.get(options.id)
    items = sessions.items(options.id, after=options.after, limit=options.n)
    lines = [f"{session.title} ({session.id}, {session.state}, {session.created_at})"]
    lines += [_block(item) for item in items if item.kind in _SAID]
    if len(items) == options.n:
        lines.append(f"There may be more: --after {items[-1].number}")
    return Reply("\n\n".join(lines), items)


def _search(workspace: Workspace, options: argparse.Namespace) -> Reply:
    query = " ".join(options.query)
    found = workspace.sessions().search(query, limit=options.n, session_id=options.session)
    lines = [
        f"{item.number:>6}  {item.session}  {item.at}  {item.kind:<9} "
        f"{' '.join(item.text.split())[:_LINE_CHARS]}"
        for item in found
    ]
    return Reply("\n".join(lines) or "Nothing was said or done about that; try other words.", found)


def _around(workspace: Workspace, options: argparse.Namespace) -> Reply:
    found = workspace.sessions().around(options.item, size=options.n)
    return Reply("\n\n".join(map(_block, found)), found)


def _export(workspace: Workspace, options: argparse.Namespace) -> Reply:
    sessions = workspace.sessions()
    for line in sessions.export(options.id):
        put(line)
    return Reply("", sessions.get(options.id), has_printed=True)


def _stop(workspace: Workspace, options: argparse.Namespace) -> Reply:
    chat = workspace.chat()
    session = chat.session(options.id)
    if not chat.stop(session.id):
        raise UserError(f"nothing runs in session {session.id}; `session list` shows what does")
    deadline = time.monotonic() + _STOP_S
    while (now := chat.session(session.id)).state == "running":
        if time.monotonic() > deadline:
            return Reply(f"Session {session.id} was told to stop, and has not ended yet.", now)
        time.sleep(0.05)
    return Reply(f"Stopped session {session.id}: {session.title}", now)


def _delete(workspace: Workspace, options: argparse.Namespace) -> Reply:
    sessions = workspace.sessions()
    session = sessions.get(options.id)
    sessions.delete(options.id)
    return Reply(f"Deleted session {session.id}: {session.title}", session)


def _block(item: SessionItem) -> str:
    who = _SAID.get(item.kind, item.kind)
    text = item.text.strip()
    if item.kind == "result" and len(text) > _RESULT_CHARS:
        text = f"{text[:_RESULT_CHARS]}... (`session around {item.number} --json` shows the whole)"
    return f"[{item.number}] {item.at} {who}{' (failed)' if item.failed else ''}\n{text}"


# What a person reads of a session, and who speaks.
_SAID = {
    "user": "you", "assistant": "worker", "result": "result", "nudge": "milepost", "phase": "phase",
    "phase_ended": "phase ended",
}  # fmt: skip
_RESULT_CHARS = 1_000
_LINE_CHARS = 100
# Children are killed and the last words written down within a second or two.
_STOP_S = 10.0

_ACTIONS = {
    "list": _list, "show": _show, "search": _search, "around": _around, "export": _export,
    "delete": _delete, "stop": _stop,
}  # fmt: skip
