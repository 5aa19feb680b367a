"""Go back to a restore point: asks which, shows what it would change, asks whether, restores.

What the preview showed is what happens: a file that changes between the question and the answer is
left alone. The restore itself can be undone (`undo.py`).

An example, which is also this file's test:

    ‸x = 1

    point     before
    write     shop.py: x = 2
    offered   Milepost: go back to a restore point…
    answered  #1 before
    answered  Go back
    said      Went back to #1 “before”: 1 file changed. It can be undone.
"""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

from lsprotocol import types

from milepost import api
from milepost_lsp import markdown
from milepost_lsp.actions.action import PROJECT_KIND, Action, Call, Place, offer
from milepost_lsp.protocol import commands

# More would not fit a menu; an older point is reached with its id.
POINTS_OFFERED = 10
# A question names a few files; the rest is a number.
FILES_NAMED = 3


def offers(place: Place) -> list[types.CodeAction]:
    """One, in the menu that the user opened, when there is a point to go back to."""
    if not place.is_invoked or not place.workspace.checkpoints.page(limit=1):
        return []
    title = "go back to a restore point…"
    return [offer(title, commands.GO_BACK, {"uri": place.uri}, kind=PROJECT_KIND)]


async def run(call: Call, arguments: commands.GoBackArguments) -> api.Restore | None:
    """Answers with the restore, applied or previewed; null when the user chose no point."""
    workspace = await call.workspace(arguments.uri)
    point = await _point(call, workspace, arguments.id)
    if point is None:
        return None
    preview = await call.session.run_long(
        workspace.checkpoints.preview, point.id, paths=arguments.paths, what=arguments.what
    )
    if arguments.apply is False:
        return preview
    if arguments.apply is None:
        if not preview.changes and not preview.beside:
            call.editor.report(f"Nothing differs from #{point.id}{_label(point)}.")
            return preview
        if not await _is_confirmed(call, workspace, point, preview):
            return preview
    done = await call.session.run_long(
        workspace.checkpoints.restore,
        point.id,
        paths=arguments.paths,
        plan=preview.plan,
        force=arguments.force,
        what=arguments.what,
    )
    call.session.restored.add(workspace.project.root)
    report_restore(call, f"Went back to #{point.id}{_label(point)}", done)
    return done


def report_restore(call: Call, what: str, done: api.Restore) -> None:
    """Says what a restore did, and what it left alone."""
    message = f"{what}: {_counts(done)} changed."
    if done.undo_id is not None:
        message += " It can be undone."
    kind = types.MessageType.Info
    if done.refused:
        first = done.refused[0]
        message += f" Left alone: {len(done.refused)}, first {first.path} ({first.reason})."
        kind = types.MessageType.Warning
    call.editor.report(message, kind)


async def _point(
    call: Call, workspace: api.Workspace, point_id: int | None
) -> api.Checkpoint | None:
    if point_id is not None:
        return await call.session.run(workspace.checkpoints.get, point_id)
    points = await call.session.run(workspace.checkpoints.page, limit=POINTS_OFFERED)
    if not points:
        raise api.UserError("there is no restore point yet: save one with “checkpoint now”")
    titles = {_title(point): point for point in points}
    chosen = await call.editor.ask("Go back to which restore point?", tuple(titles))
    return titles[chosen] if chosen else None


async def _is_confirmed(
    call: Call, workspace: api.Workspace, point: api.Checkpoint, preview: api.Restore
) -> bool:
    root = workspace.project.root
    buffers = call.editor.buffers()
    unsaved = await call.session.run(_unsaved, root, buffers, preview.changes)
    question = f"Go back to #{point.id}{_label(point)}? {_summary(preview)}"
    if unsaved:
        question += f" Open in the editor with another text: {_names(unsaved)}."
    if preview.refused:
        question += f" Left alone: {_names([each.path for each in preview.refused])}."
    return await call.editor.ask(question, ("Go back", "Cancel")) == "Go back"


def _title(point: api.Checkpoint) -> str:
    label = f" {markdown.short(point.label, 40)}" if point.label else ""
    changed = markdown.count(point.files_changed, "file")
    time = point.created_at.replace("T", " ").removesuffix("Z")
    return f"#{point.id}{label} · {time} UTC · {changed} changed"


def _label(point: api.Checkpoint) -> str:
    return f" “{markdown.short(point.label, 40)}”" if point.label else ""


def _summary(preview: api.Restore) -> str:
    """`3 files: changes a.py, b.py; brings back c.py.`"""
    verbs = {"added": "brings back", "deleted": "removes"}
    named: dict[str, list[str]] = {}
    for change in preview.changes:
        named.setdefault(verbs.get(change.kind, "changes"), []).append(change.path)
    parts = "; ".join(f"{verb} {_names(paths)}" for verb, paths in named.items())
    summary = f"{markdown.count(len(preview.changes), 'file')}: {parts}." if parts else ""
    if preview.beside:
        also = _names([f"{change.part} ({change.what})" for change in preview.beside])
        summary += f"{' ' if summary else ''}Also {also}."
    return summary


def _counts(done: api.Restore) -> str:
    """`2 files, memory (3), goal (1)`."""
    files = [markdown.count(len(done.changes), "file")] if done.changes or not done.beside else []
    counts = Counter(change.part for change in done.beside)
    return ", ".join([*files, *(f"{part} ({number})" for part, number in counts.items())])


def _names(paths: list[str]) -> str:
    more = len(paths) - FILES_NAMED
    names = ", ".join(paths[:FILES_NAMED])
    return f"{names} and {more} more" if more > 0 else names


def _unsaved(root: str, buffers: dict[str, str], changes: tuple[api.Change, ...]) -> list[str]:
    """The files about to change whose buffers hold what the disk does not."""
    differing: list[str] = []
    for change in changes:
        path = os.path.realpath(Path(root) / change.path)
        if path not in buffers:
            continue
        try:
            with Path(path).open(encoding="utf-8", newline="") as file:
                same = file.read() == buffers[path]
        except (OSError, ValueError):
            same = True
        if not same:
            differing.append(change.path)
    return differing


ACTION = Action(commands.GO_BACK, commands.GoBackArguments, run, offers)
