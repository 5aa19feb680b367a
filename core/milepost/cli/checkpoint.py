"""`milepost checkpoint`."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from milepost.api import MilepostError, UserError, plain_name
from milepost.cli import options as shared
from milepost.cli.main import act
from milepost.cli.reply import FAILED, Reply, counted
from milepost.cli.terminal import agrees, is_terminal, tell
from milepost.cli.wrap import run_between

if TYPE_CHECKING:
    from milepost.api import Action, Change, Checkpoint, PartChange, Restore, Workspace

    Actions = argparse._SubParsersAction[argparse.ArgumentParser]  # pyright: ignore[reportPrivateUsage]

_SIGNS = {"added": "+", "deleted": "-", "modified": "~", "mode": "m", "type": "t"}

# A screenful; whoever wants all of a long list asks for --json.
_SHOWN = 40


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the sub-commands."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    save = actions.add_parser("save", help="make a restore point of the files as they are")
    save.add_argument("label", nargs="*")
    listing = actions.add_parser("list", help="the restore points, newest first")
    listing.add_argument("--before", type=shared.whole(), metavar="ID", help="those older than ID")
    listing.add_argument(
        "--all", action="store_true", help="also those made by looking at a diff, preview or goal"
    )
    shared.count(listing, 20)
    show = actions.add_parser("show", help="one restore point, with what it does not cover")
    _point(show)
    diff = actions.add_parser("diff", help="what changed from a point to another, or to now")
    _point(diff)
    diff.add_argument("to", nargs="?", metavar="POINT")
    diff.add_argument("--path", help="the changes inside this file")
    _going_back(actions.add_parser("preview", help="what a restore would do"))
    back = actions.add_parser("restore", help="bring files back; shows the plan first")
    _going_back(back)
    back.add_argument("-y", "--yes", action="store_true", help="do it without asking")
    back.add_argument("--force", action="store_true", help="also what changed since the plan")
    actions.add_parser("undo", help="take the newest restore back; twice is redo")
    actions.add_parser("redo", help="do again the restore that was undone")
    _marking(actions)
    _around(actions)
    for action in actions.choices.values():
        shared.common(action)


def _point(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("point", metavar="POINT", help="its number or its name")


def _going_back(parser: argparse.ArgumentParser) -> None:
    _point(parser)
    parser.add_argument("paths", nargs="*", help="only these files and folders")
    parser.add_argument(
        "--agents", action="store_true", help="only what agents are known to have changed"
    )
    parser.add_argument(
        "--what",
        default="files",
        metavar="PARTS",
        help="files (unless said otherwise), memory, conversation, tasks, goal, or all; "
        "several with commas between",
    )


def _marking(actions: Actions) -> None:
    pin = actions.add_parser("pin", help="keep a point for good")
    _point(pin)
    pin.add_argument("--off", action="store_true", help="keep it no longer")
    name = actions.add_parser("name", help="give a point a name; it is kept for good then")
    _point(name)
    name.add_argument("name", nargs="?", default="", help="none: take the name away")
    prune = actions.add_parser("prune", help="forget old points, but for pinned and named ones")
    prune.add_argument("--days", type=shared.amount, help="those older than so many days")
    prune.add_argument("--keep", type=shared.whole(), metavar="N", help="all but the newest N")
    prune.add_argument("--mib", type=shared.amount, help="the oldest, until the rest takes so much")
    actions.add_parser("du", help="how many points there are, and what they take")


def _around(actions: Actions) -> None:
    wrap = actions.add_parser(
        "wrap", help="run a command between two points: wrap [OPTIONS] -- COMMAND ..."
    )
    begin = actions.add_parser("begin", help="a point before an action; prints the action's number")
    for parser in (wrap, begin):
        parser.add_argument("--agent", metavar="NAME", help="the agent that acts, if it is one")
        parser.add_argument("--label", default="")
    wrap.add_argument("words", nargs=argparse.REMAINDER, metavar="COMMAND")
    end = actions.add_parser("end", help="the point after an action, and what it changed")
    end.add_argument("id", type=shared.whole(), help="what begin printed")
    end.add_argument("--label", default="")


def run(options: argparse.Namespace) -> Reply:
    """Do what the sub-command says."""
    return act(options, _ACTIONS)


def _save(workspace: Workspace, options: argparse.Namespace) -> Reply:
    point = workspace.checkpoints.save(" ".join(options.label))
    text = f"Restore point {point.id}: {counted(point.files_total, 'file')}"
    text += f", {counted(point.files_changed, 'path')} changed"
    if point.not_covered_total:
        left_out = counted(point.not_covered_total, "path")
        text += f", {left_out} not covered (see `milepost checkpoint show {point.id}`)"
    return Reply(f"{text}.", point)


def _list(workspace: Workspace, options: argparse.Namespace) -> Reply:
    points = workspace.checkpoints.page(
        limit=options.n, before=options.before, has_looked=options.all
    )
    lines = [_line(point) for point in points]
    return Reply("\n".join(lines) or "There is no restore point yet.", points)


def _show(workspace: Workspace, options: argparse.Namespace) -> Reply:
    point = workspace.checkpoints.find(options.point)
    lines = [_line(point), "", f"Not covered: {counted(point.not_covered_total, 'path')}"]
    lines += [f"  {item.path}  ({item.reason})" for item in point.not_covered[:_SHOWN]]
    return Reply("\n".join(lines), point)


def _diff(workspace: Workspace, options: argparse.Namespace) -> Reply:
    start = workspace.checkpoints.find(options.point).id
    end = None if options.to is None else workspace.checkpoints.find(options.to).id
    if options.path:
        patch = workspace.checkpoints.patch(start, end, options.path)
        return Reply(patch.rstrip("\n"), patch)
    diff = workspace.checkpoints.diff(start, end)
    return Reply(_changes(diff.changes) or "Nothing differs.", diff)


def _preview(workspace: Workspace, options: argparse.Namespace) -> Reply:
    preview = _planned(workspace, options)
    return Reply(_report(preview), preview)


def _planned(workspace: Workspace, options: argparse.Namespace) -> Restore:
    point = workspace.checkpoints.find(options.point).id
    return workspace.checkpoints.preview(
        point, paths=options.paths, only_by_agents=options.agents, what=options.what
    )


def _restore(workspace: Workspace, options: argparse.Namespace) -> Reply:
    preview = _planned(workspace, options)
    if not preview.changes and not preview.beside:
        return Reply(_report(preview), preview)
    if not options.yes:
        plan = _report(preview)
        if options.json or not is_terminal(sys.stdin):
            return Reply(f"{plan}\nNothing was changed; add --yes to do it.", preview)
        if not agrees(f"{plan}\nGo back to {preview.checkpoint_id}?"):
            return Reply("Nothing was changed.", preview)
    done = workspace.checkpoints.restore(
        preview.checkpoint_id,
        paths=options.paths,
        plan=preview.plan,
        force=options.force,
        only_by_agents=options.agents,
        what=options.what,
    )
    return Reply(_report(done), done, FAILED if done.refused else 0)


def _undo(workspace: Workspace, _options: argparse.Namespace) -> Reply:
    done = workspace.checkpoints.undo()
    return Reply(_report(done), done, FAILED if done.refused else 0)


def _redo(workspace: Workspace, _options: argparse.Namespace) -> Reply:
    done = workspace.checkpoints.redo()
    return Reply(_report(done), done, FAILED if done.refused else 0)


def _pin(workspace: Workspace, options: argparse.Namespace) -> Reply:
    point = workspace.checkpoints.find(options.point)
    point = workspace.checkpoints.pin(point.id, pinned=not options.off)
    kept = "is kept for good" if point.pinned else "is kept no longer than others"
    return Reply(f"Restore point {point.id} {kept}.", point)


def _name(workspace: Workspace, options: argparse.Namespace) -> Reply:
    point = workspace.checkpoints.find(options.point)
    point = workspace.checkpoints.name(point.id, options.name)
    named = f"is named {point.name}" if point.name else "has no name"
    return Reply(f"Restore point {point.id} {named}.", point)


def _prune(workspace: Workspace, options: argparse.Namespace) -> Reply:
    gone = workspace.checkpoints.prune(
        age_s=None if options.days is None else options.days * 86_400,
        count=options.keep,
        max_bytes=None if options.mib is None else round(options.mib * 1024**2),
    )
    return Reply(f"Forgot {counted(gone, 'restore point')}.", gone)


def _du(workspace: Workspace, _options: argparse.Namespace) -> Reply:
    size = workspace.checkpoints.size()
    text = f"{counted(size.points, 'restore point')}, {counted(size.contents, 'content')}: "
    text += f"{size.content_bytes:,} bytes, packed {size.packed_bytes:,}"
    return Reply(f"{text}; {size.disk_bytes:,} on the disk.", size)


def _wrap(workspace: Workspace, options: argparse.Namespace) -> Reply:
    words = options.words[1:] if options.words[:1] == ["--"] else options.words
    if not words:
        raise UserError("give the command to run: milepost checkpoint wrap -- COMMAND ...")
    action = _begun(workspace, options)
    code = run_between(words)
    try:
        diff = workspace.checkpoints.finish(action.id, options.label)
    except MilepostError as error:
        # The command's own outcome must reach whoever asked for it.
        reply = Reply(f"there is no point after it: {error}", None, code, has_printed=True)
    else:
        span = f"points {diff.from_id} to {diff.to_id}"
        text = f"{counted(len(diff.changes), 'path')} changed ({span})"
        if diff.changes:
            text += f"\n{_changes(diff.changes)}"
        reply = Reply(text, diff, code, has_printed=True)
    # Its stdout is the command's.
    if options.json:
        print(reply.as_json(), file=sys.stderr)
    else:
        tell(reply.text)
    return reply


def _begin(workspace: Workspace, options: argparse.Namespace) -> Reply:
    action = _begun(workspace, options)
    return Reply(str(action.id), action)


def _begun(workspace: Workspace, options: argparse.Namespace) -> Action:
    name = None if options.agent is None else plain_name(options.agent) or "unknown"
    actor = f"agent:{name}" if name else None
    return workspace.checkpoints.begin(options.label, actor=actor)


def _end(workspace: Workspace, options: argparse.Namespace) -> Reply:
    diff = workspace.checkpoints.finish(options.id, options.label)
    return Reply(_changes(diff.changes) or "Nothing changed.", diff)


def _line(point: Checkpoint) -> str:
    label = point.label or "(no label)"
    if point.name:
        label = f"[{point.name}] {label}"
    if point.pinned:
        label = f"{label} (pinned)"
    return f"{point.id:>5}  {point.created_at}  {point.files_changed:>5} changed  {label}"


def _report(restore: Restore) -> str:
    files = counted(len(restore.changes), "path")
    did = "went back" if restore.applied else "would go back"
    lines = [f"{files} {did} to restore point {restore.checkpoint_id}."]
    if restore.changes:
        lines.append(_changes(restore.changes))
    lines += [f"{_SIGNS[change.kind]} {_part_words(change)}" for change in restore.beside[:_SHOWN]]
    if len(restore.beside) > _SHOWN:
        lines.append(f"  ... and {len(restore.beside) - _SHOWN} more")
    lines += [f"! {item.path}: left alone, {item.reason}" for item in restore.refused[:_SHOWN]]
    if restore.undo_id is not None and (restore.changes or restore.beside):
        lines.append(f"`milepost checkpoint undo` takes it back (point {restore.undo_id}).")
    return "\n".join(lines)


def _changes(changes: tuple[Change, ...]) -> str:
    lines = [f"{_SIGNS[change.kind]} {change.path}{_by(change)}" for change in changes[:_SHOWN]]
    if len(changes) > _SHOWN:
        lines.append(f"  ... and {len(changes) - _SHOWN} more")
    return "\n".join(lines)


def _part_words(change: PartChange) -> str:
    by = f"  ({change.by})" if change.by else ""
    return f"{change.part}: {change.what}{by}"


def _by(change: Change) -> str:
    return "" if change.by == "unknown" else f"  ({change.by})"


_ACTIONS = {
    "save": _save,
    "list": _list,
    "show": _show,
    "diff": _diff,
    "preview": _preview,
    "restore": _restore,
    "undo": _undo,
    "redo": _redo,
    "pin": _pin,
    "name": _name,
    "prune": _prune,
    "du": _du,
    "wrap": _wrap,
    "begin": _begin,
    "end": _end,
}
