"""How a model is asked from the editor: with progress that can be stopped, about what is on screen.

An edit is made for one version of a document and refused when that has moved on. It reaches the
editor in one of three ways: as a proposal, decided on hunk by hunk, where the client knows those;
as the answer to `codeAction/resolve`, where the client resolves edits, and then it can show the
edit before it makes it; else as a plain edit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from lsprotocol import types

from milepost import api
from milepost_lsp import hunks, markdown
from milepost_lsp.actions.action import FIX_KIND, PLACE_KIND, Place, offer
from milepost_lsp.arguments import ArgumentError
from milepost_lsp.editor import path_of, read_file
from milepost_lsp.proposals import Edit
from milepost_lsp.protocol import assist
from milepost_lsp.text import Text, split_lines

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Sequence

    from milepost_lsp.actions.action import Call
    from milepost_lsp.protocol.places import Range

R = TypeVar("R")

# What an editor says beside an edit that it shows before making it.
_NOTE = types.ChangeAnnotation(
    "Proposed by a model", needs_confirmation=True, description="Look at it before you take it."
)


@dataclass(frozen=True, slots=True)
class Target:
    """A document as it was looked at: in its buffer (with a version), its file, or not there."""

    uri: str
    text: Text
    version: int | None
    is_new: bool = False


@dataclass(frozen=True, slots=True)
class Wanted:
    """An edit that a model is to make of `target`. `source` is the document that was asked in."""

    workspace: api.Workspace
    title: str
    request: str
    code: api.Code
    source: Target
    target: Target
    beside: str = ""


async def look(call: Call, uri: str) -> Target:
    """A document as it stands, its buffer before its file. Raises UserError when there is none."""
    text, version = call.editor.text(uri), call.editor.version(uri)
    if text is not None:
        return Target(uri, text, version)
    path = path_of(uri)
    source = await call.session.run(read_file, path) if path else None
    if source is None:
        raise ArgumentError(f"`uri` names {uri[:200]}, which cannot be read as text")
    return Target(uri, Text(source, call.editor.codec), None)


async def code_at(call: Call, target: Target, span: Range) -> tuple[api.Workspace, api.Code]:
    """The project of a document, and the lines of a range in it with the symbol they are about."""
    path = path_of(target.uri)
    home = await call.session.home(path) if path else None
    if home is None:
        raise api.UserError(f"no open project holds {target.uri}: name a file inside a project")
    lines = target.text.lines
    end = span.end.line + (span.end.character > 0 or span.end.line == span.start.line)
    symbol = api.enclosing_symbol(lines, span.start.line, home.path or "")
    if symbol is None:
        found = target.text.word_at(types.Position(span.start.line, span.start.character))
        symbol = found[0] if found else None
    return home.workspace, api.Code(
        target.text.source, span.start.line, end, path=home.path, symbol=symbol
    )


async def asking(
    call: Call, workspace: api.Workspace, title: str, ask: Callable[[threading.Event], R]
) -> R:
    """Runs a question off the loop; whoever cancels the request or its progress sets what it is
    given, which hangs up on the model. What the project has to say afterwards is said."""
    try:
        async with call.stoppable(title) as (stop, _):
            return await call.session.run_long(ask, stop)
    finally:
        for notice in workspace.notices():
            call.editor.say_once(notice)


def offer_edit(
    place: Place,
    title: str,
    command: str,
    argument: dict[str, Any],
    *,
    diagnostic: types.Diagnostic | None = None,
) -> types.CodeAction:
    """An action whose edit a model makes: found out when it is chosen, and tagged as such."""
    kind = PLACE_KIND if diagnostic is None else FIX_KIND
    made = offer(title, command, argument, kind=kind)
    made.diagnostics = [diagnostic] if diagnostic else None
    if place.tags_models:
        made.tags = [types.CodeActionTag.LlmGenerated]
    if place.resolves_edits:
        made.command = None
        made.data = {"command": command, "argument": argument, "version": place.version}
    return made


async def resolved(call: Call, wanted: Wanted) -> tuple[types.WorkspaceEdit, api.Rewrite]:
    """The edit for an action that was chosen, for the client to show and make."""
    rewrite = await _rewritten(call, wanted)
    edits = _edits(wanted.target.text, rewrite.text)
    target = wanted.target
    return call.editor.edit_of(
        target.uri, target.version, edits, creates=target.is_new, note=_NOTE
    ), rewrite


async def delivered(call: Call, wanted: Wanted) -> assist.Edited:
    """The edit as a proposal, or made at once."""
    rewrite = await _rewritten(call, wanted)
    target = wanted.target
    proposal = None
    if call.editor.knows("proposals") and not target.is_new:
        edit = Edit(target.uri, wanted.title, target.text.source, rewrite.text)
        proposal = call.proposals.add(edit)
    else:
        edits = _edits(target.text, rewrite.text)
        await call.editor.apply_edits(target.uri, target.version, edits, creates=target.is_new)
        call.editor.report(f"{wanted.title}: done. Look it through; your editor can undo it.")
    return assist.Edited(target.uri, proposal, proposal is None, rewrite.words, rewrite.effort)


async def _rewritten(call: Call, wanted: Wanted) -> api.Rewrite:
    if wanted.target.is_new and not call.editor.creates_files:
        raise api.UserError(
            f"make {wanted.target.uri} first: this editor lets no server make files"
        )
    help_with = wanted.workspace.assist()
    rewrite = await asking(
        call,
        wanted.workspace,
        wanted.title,
        lambda stop: help_with.rewrite(wanted.request, wanted.code, stop, beside=wanted.beside),
    )
    for seen in (wanted.source, wanted.target):
        if call.editor.version(seen.uri) != seen.version:
            raise api.UserError(
                "the document was changed while the model was at work, so its edit would be of "
                "another text; ask again"
            )
    return rewrite


def _edits(old: Text, new: str) -> Sequence[types.TextEdit]:
    """The smallest edits that make the new text of the old one."""
    lines = split_lines(new)
    return [
        types.TextEdit(
            types.Range(old.start_of_line(span.old_start), old.start_of_line(span.old_end)),
            "".join(lines[span.new_start : span.new_end]),
        )
        for span in hunks.differences(old.lines, lines)
    ]


def shown_answer(title: str, answer: api.Answer) -> str:
    """An answer for reading; without a model it says so."""
    parts = [f"# {markdown.inline(title)}"]
    if answer.effort is None:
        parts.append(
            "No model is configured (set MILEPOST_MODEL), so this is what memory knows of it."
        )
        if not answer.entries:
            parts.append("It knows nothing of it.")
    else:
        parts.append(answer.words)
        if answer.entries:
            parts.append("## What memory knew of it")
    if answer.entries:
        parts.append(markdown.entries(answer.entries))
    if answer.effort is not None:
        cost = "" if answer.effort.cost_usd is None else f", {answer.effort.cost_usd:.4f} USD"
        tokens = f"{answer.effort.input_tokens} + {answer.effort.output_tokens} tokens"
        parts.append(f"_{markdown.inline(answer.effort.model)}: {tokens}{cost}_")
    return "\n\n".join(parts) + "\n"
