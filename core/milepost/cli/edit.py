"""`milepost memory edit`: one entry, or the whole file, in the user's own editor."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from milepost.cli import places
from milepost.cli.reply import FAILED, Reply, counted, first_line

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from milepost.api import Entry, MemoryChange, Workspace

# Editors of the terminal that go to a line when it is given as `+N` before the file.
_TAKES_LINE = {
    "vi", "vim", "nvim", "view", "nano", "pico", "emacs", "emacsclient", "micro", "kak", "joe",
    "jed", "mg", "ne",
}  # fmt: skip

# How many changes of the log are looked at for those made while the editor was open.
_LOOKED_AT = 50


def arguments(add: Callable[..., argparse.ArgumentParser]) -> None:
    """Declare the sub-command."""
    edit = add("edit", help="an entry, or the whole file, in VISUAL or EDITOR")
    edit.add_argument("id", nargs="?", help="the entry (else the whole file)")
    places.arguments(edit, "which file; else the project's")


def _edit(workspace: Workspace, options: argparse.Namespace) -> Reply:
    if options.id:
        return _edit_entry(workspace, workspace.memory.get(options.id))
    return _edit_file(workspace, places.label(workspace, options) or "project")


def _edit_entry(workspace: Workspace, entry: Entry) -> Reply:
    """Edit a copy of the words. Whatever goes wrong after the editor, the copy stays."""
    from milepost import api  # noqa: PLC0415  (`milepost --help` needs none of it)

    command = workspace.exchange.editor()
    copy = Path(workspace.exchange.kept_copy(entry))
    if problem := _opened(command, copy):
        copy.unlink(missing_ok=True)
        return Reply(f"{problem}; nothing was changed.", entry, FAILED)
    try:
        text = copy.read_text("utf-8").strip()
    except (OSError, ValueError) as error:
        message = f"{copy} cannot be read back as UTF-8 text ({error})"
        raise api.UserError(f"{message}; nothing was changed") from error
    if text == entry.text.strip():
        copy.unlink()
        return Reply("The text is as it was; nothing was changed.", entry)
    if not text:
        copy.unlink()
        message = f"`milepost memory forget {entry.id}` takes the entry out"
        return Reply(f"The text is empty; nothing was changed. {message}.", entry, FAILED)
    try:
        changed = workspace.memory.update(entry.id, text=text, version=entry.version)
    except api.ConflictError as error:
        return Reply(_conflict(entry, text, error.now, copy), entry, FAILED)
    except api.MilepostError as error:
        raise api.UserError(f"{error}\nYour text is kept in {copy}") from error
    copy.unlink()
    masked = f" A secret in it was masked ({', '.join(changed.masked)})." if changed.masked else ""
    return Reply(f"Changed {changed.id}.{masked}", changed)


def _edit_file(workspace: Workspace, scope: str) -> Reply:
    """Edit the real file in place, and say afterwards what that changed."""
    memory = workspace.memory
    command = workspace.exchange.editor()
    path = Path(workspace.exchange.file_to_edit(scope))
    newest = memory.log(scope=scope, limit=1)
    before = newest[0].id if newest else 0
    total = memory.page(scope=scope, limit=1).total
    last = memory.page(scope=scope, offset=max(0, total - 1), limit=1).entries
    line = memory.locate(last[0].id).end_line if last else 1
    problem = _opened(command, path, line=line)
    done = [
        change
        for change in memory.log(scope=scope, limit=_LOOKED_AT)
        if change.id > before and change.action == "edit"
    ]
    damage = workspace.exchange.damage(scope)
    lines = [_counts(done), *_changes(done), *_lost(done), *damage]
    if problem:
        lines.insert(0, f"{problem}; what it had saved stays.")
    return Reply("\n".join(lines), tuple(done), FAILED if problem or damage else 0)


def _opened(command: tuple[str, ...], path: Path, *, line: int | None = None) -> str | None:
    """Run the editor on the terminal until the user is done; what went wrong, if anything did.
    There is no time limit: a person is thinking."""
    takes_line = line is not None and Path(command[0]).name in _TAKES_LINE
    place = [f"+{line}"] if takes_line else []
    try:
        code = subprocess.call([*command, *place, str(path)])
    except OSError as error:
        return f"The editor {command[0]} cannot be started ({error.strerror})"
    return f"The editor ended with exit code {code}" if code else None


def _conflict(entry: Entry, mine: str, theirs: str, copy: Path) -> str:
    return (
        f"Entry {entry.id} was changed by someone else while you edited it, so it was left as it "
        f"is.\n\nIt now reads:\n\n{theirs}\n\nYou wrote:\n\n{mine}\n\n"
        f"Your text is kept in {copy}; edit the entry again to put the two together."
    )


def _counts(done: list[MemoryChange]) -> str:
    steps = [revision for change in done for revision in change.revisions]
    if not steps:
        return "No entry was changed."
    added = sum(step.before is None for step in steps)
    gone = sum(step.after is None for step in steps)
    words = f"{added} added, {len(steps) - added - gone} changed, {gone} gone."
    return f"{counted(len(steps), 'entry')}: {words}"


def _changes(done: list[MemoryChange]) -> list[str]:
    lines: list[str] = []
    for change in done:
        for revision in change.revisions:
            if revision.before:
                lines.append(f"  - {revision.before.id}  {first_line(revision.before.text)}")
            if revision.after:
                lines.append(f"  + {revision.after.id}  {first_line(revision.after.text)}")
        lines.append(f"  `milepost memory undo {change.id}` takes this back.")
    return lines


def _lost(done: list[MemoryChange]) -> list[str]:
    """A warning for each entry that came back with the same words and another id."""
    steps = [revision for change in done for revision in change.revisions]
    came = {step.after.text: step.after.id for step in steps if step.before is None and step.after}
    gone = [step.before for step in steps if step.after is None and step.before]
    return [
        f"! {entry.id} lost the comment behind it and is now {came[entry.text]}; its source and "
        "status went with it."
        for entry in gone
        if entry.text in came
    ]


ACTIONS = {"edit": _edit}
