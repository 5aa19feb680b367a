"""`milepost memory export` and `milepost memory import`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from milepost.cli import places
from milepost.cli.reply import Reply, counted, first_line

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from milepost.api import Import, ImportPlace, Workspace

_FORMATS = ("markdown", "json", "jsonl")
_KINDS = ("context", "rule", "decision", "knowledge")
_TOOLS = ("claude-code", "codex", "gemini-cli", "server-memory", "milepost", "markdown")

# A screenful of each list; --json has all of it.
_SHOWN = 20


def arguments(add: Callable[..., argparse.ArgumentParser]) -> None:
    """Declare the sub-commands."""
    export = add("export", help="write the memory out, for import or for reading")
    places.arguments(export, "only this memory (else the project's, the worktree's, the global)")
    export.add_argument(
        "--format", choices=_FORMATS, help="jsonl, which import reads back (the default), json, "
        "or markdown, the file itself",
    )  # fmt: skip
    export.add_argument("-o", "--output", metavar="FILE", help="a new file (else stdout)")
    export.add_argument("--force", action="store_true", help="write over a file that is there")
    take = add(
        "import",
        help="copy what another tool remembers; alone it lists what is there",
        description="Copy what another tool remembers into this memory. The source is only read. "
        "Without PATH and --from it lists the stores that were found on this machine.",
    )
    take.add_argument("path", nargs="?", metavar="PATH", help="a file, or a folder of notes")
    take.add_argument("--from", dest="tool", choices=_TOOLS, help="which tool's memory it is")
    places.arguments(take)
    take.add_argument("--kind", choices=_KINDS, help="take all of it as this kind")
    take.add_argument(
        "--stated", action="store_true", help="you vouch for it: rules stay rules, and it counts "
        "as stated by you (else all is unverified knowledge)",
    )  # fmt: skip
    take.add_argument("--dry-run", action="store_true", help="only show what would be added")


def _export(workspace: Workspace, options: argparse.Namespace) -> Reply:
    form = options.format or ("json" if options.json and not options.output else "jsonl")
    exchange, scope = workspace.exchange, places.label(workspace, options)
    if options.output:
        file = exchange.export_to(options.output, scope=scope, form=form, force=options.force)
        return Reply(f"Wrote {file.path} ({file.size_bytes} bytes).", file)
    for piece in exchange.export(scope=scope, form=form):
        # Bytes, because a terminal's encoding must not change what is exported.
        sys.stdout.buffer.write(piece.encode("utf-8"))
    sys.stdout.buffer.flush()
    return Reply(f"Exported as {form}.", None, has_printed=True)


def _import(workspace: Workspace, options: argparse.Namespace) -> Reply:
    if options.path is None and options.tool is None:
        found = workspace.exchange.found()
        return Reply(_found(found), found)
    done = workspace.exchange.take(
        options.tool,
        options.path,
        scope=places.label(workspace, options) or "project",
        kind=options.kind,
        is_stated=options.stated,
        is_applied=not options.dry_run,
    )
    return Reply(_report(done, is_preview=options.dry_run), done)


def _found(found: tuple[ImportPlace, ...]) -> str:
    if not found:
        return "No memory of another tool was found here; name a file, and --from."
    lines = ["Found on this machine; each command only reads it, and --dry-run shows first:", ""]
    commands: dict[str, list[str]] = {}
    for place in found:
        scope = places.flags(place.scope or "project")
        commands.setdefault(f"milepost memory import --from {place.tool}{scope}", []).append(
            place.path
        )
    for command, paths in commands.items():
        lines += [f"  {command}", *(f"      {path}" for path in paths)]
    return "\n".join(lines)


def _report(done: Import, *, is_preview: bool) -> str:
    count = counted(len(done.added), "entry")
    scope = "" if done.scope == "project" else f" to {done.scope} memory"
    did = f"would be added{scope}" if is_preview else f"added{scope}"
    lines = [f"{count} {did}, {len(done.left_out)} left out, {done.masked} with a secret masked."]
    if is_preview:
        lines += [f"  + {first_line(entry.text)}" for entry in done.added[:_SHOWN]]
        lines += _more(len(done.added))
    lines += [f"  - {each.where}: {each.why}" for each in done.left_out[:_SHOWN]]
    lines += _more(len(done.left_out))
    by_id = {entry.id: entry for entry in done.added}
    if done.near:
        lines.append("These say nearly the same; forget or supersede what is too much:")
    for entry_id, other in done.near[:_SHOWN]:
        mine = first_line(by_id[entry_id].text)
        lines.append(f"  {mine}\n    {other.id}: {first_line(other.text)}")
    lines += _more(len(done.near))
    if done.change_id is not None:
        undo = f"milepost memory undo {done.change_id}{places.flags(done.scope)}"
        lines.append(f"`{undo}` takes all of it back.")
    return "\n".join(lines)


def _more(count: int) -> list[str]:
    return [f"  ... and {count - _SHOWN} more (--json names all)"] if count > _SHOWN else []


ACTIONS = {"export": _export, "import": _import}
