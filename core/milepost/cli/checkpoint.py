"""`milepost checkpoint`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from milepost.cli import options as shared
from milepost.cli.main import act
from milepost.cli.reply import FAILED, Reply, counted

if TYPE_CHECKING:
    import argparse

    from milepost.api import Change, Checkpoint, Restore, Workspace

_SIGNS = {"added": "+", "deleted": "-", "modified": "~", "mode": "m", "type": "t"}

# A screenful; whoever wants all of a long list asks for --json.
_SHOWN = 40


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the sub-commands."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    save = actions.add_parser("save", help="make a restore point of the files as they are")
    save.add_argument("label", nargs="*")
    listing = actions.add_parser("list", help="the restore points, newest first")
    listing.add_argument("--before", type=int, metavar="ID", help="those older than ID")
    shared.count(listing, 20)
    show = actions.add_parser("show", help="one restore point, with what it does not cover")
    show.add_argument("id", type=int)
    diff = actions.add_parser("diff", help="what changed from a point to another, or to now")
    diff.add_argument("id", type=int)
    diff.add_argument("to", type=int, nargs="?")
    diff.add_argument("--path", help="the changes inside this file")
    back = actions.add_parser("restore", help="bring files back; shows the plan first")
    back.add_argument("id", type=int)
    back.add_argument("paths", nargs="*", help="only these files and folders")
    back.add_argument("-y", "--yes", action="store_true", help="do it without asking")
    back.add_argument("--force", action="store_true", help="also what changed since the plan")
    actions.add_parser("undo", help="take the newest restore back; twice is redo")
    for action in actions.choices.values():
        shared.common(action)


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
    points = workspace.checkpoints.page(limit=options.n, before=options.before)
    lines = [_line(point) for point in points]
    return Reply("\n".join(lines) or "There is no restore point yet.", points)


def _show(workspace: Workspace, options: argparse.Namespace) -> Reply:
    point = workspace.checkpoints.get(options.id)
    lines = [_line(point), "", f"Not covered: {counted(point.not_covered_total, 'path')}"]
    lines += [f"  {item.path}  ({item.reason})" for item in point.not_covered[:_SHOWN]]
    return Reply("\n".join(lines), point)


def _diff(workspace: Workspace, options: argparse.Namespace) -> Reply:
    if options.path:
        patch = workspace.checkpoints.patch(options.id, options.to, options.path)
        return Reply(patch.rstrip("\n"), patch)
    diff = workspace.checkpoints.diff(options.id, options.to)
    return Reply(_changes(diff.changes) or "Nothing differs.", diff)


def _restore(workspace: Workspace, options: argparse.Namespace) -> Reply:
    preview = workspace.checkpoints.preview(options.id, paths=options.paths)
    if not preview.changes:
        return Reply(_report(preview), preview)
    if not options.yes:
        plan = _report(preview)
        if options.json or not sys.stdin.isatty():
            return Reply(f"{plan}\nNothing was changed; add --yes to do it.", preview)
        answer = input(f"{plan}\nGo back to {options.id}? [y/N] ")
        if answer.strip().lower() not in ("y", "yes"):
            return Reply("Nothing was changed.", preview)
    done = workspace.checkpoints.restore(
        options.id, paths=options.paths, plan=preview.plan, force=options.force
    )
    return Reply(_report(done), done, FAILED if done.refused else 0)


def _undo(workspace: Workspace, _options: argparse.Namespace) -> Reply:
    done = workspace.checkpoints.undo()
    return Reply(_report(done), done, FAILED if done.refused else 0)


def _line(point: Checkpoint) -> str:
    label = point.label or "(no label)"
    return f"{point.id:>5}  {point.created_at}  {point.files_changed:>5} changed  {label}"


def _report(restore: Restore) -> str:
    files = counted(len(restore.changes), "path")
    did = "went back" if restore.applied else "would go back"
    lines = [f"{files} {did} to restore point {restore.checkpoint_id}."]
    if restore.changes:
        lines.append(_changes(restore.changes))
    lines += [f"! {item.path}: left alone, {item.reason}" for item in restore.refused[:_SHOWN]]
    if restore.undo_id is not None and restore.changes:
        lines.append(f"`milepost checkpoint undo` takes it back (point {restore.undo_id}).")
    return "\n".join(lines)


def _changes(changes: tuple[Change, ...]) -> str:
    lines = [f"{_SIGNS[change.kind]} {change.path}" for change in changes[:_SHOWN]]
    if len(changes) > _SHOWN:
        lines.append(f"  ... and {len(changes) - _SHOWN} more")
    return "\n".join(lines)


_ACTIONS = {
    "save": _save,
    "list": _list,
    "show": _show,
    "diff": _diff,
    "restore": _restore,
    "undo": _undo,
}
