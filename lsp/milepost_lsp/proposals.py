"""Proposals: edits that a person accepts or rejects hunk by hunk, kept as long as the server runs.

A proposal knows its document before and after, and what was decided on each hunk; from that it
knows what the document should hold now. What it holds in truth, in the editor's buffer or else in
the file, is compared with that when something is decided: a hunk that moved is written where it
went, and one whose lines were changed by somebody is refused. Everything is written by the editor,
through `workspace/applyEdit` against the version that was looked at, so undo works there and
nothing unsaved is lost.

Everything here runs on the loop's thread.
"""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from lsprotocol import types

from milepost import api
from milepost_lsp import hunks
from milepost_lsp.arguments import ArgumentError
from milepost_lsp.editor import path_of, read_file
from milepost_lsp.protocol import proposals as wire
from milepost_lsp.text import Text, split_lines

if TYPE_CHECKING:
    from collections.abc import Sequence

    from milepost_lsp.editor import Editor
    from milepost_lsp.session import Session

log = logging.getLogger(__name__)

# More than a person decides on before they lose count; the oldest goes first.
MAX_KEPT = 100
# Both texts of a proposal travel to the client with every decision.
MAX_TEXT_CHARS = 1_000_000
# All texts together; a few large files are as heavy as many small ones.
MAX_CHARS = 20_000_000

Decision = Literal["accepted", "rejected"]


@dataclass(frozen=True, slots=True)
class Edit:
    """What is proposed for one document, as whole texts."""

    uri: str
    title: str
    old_text: str
    new_text: str


@dataclass(frozen=True, slots=True)
class Place:
    """An open hunk where it stands in the document now."""

    proposal: wire.Proposal
    hunk_id: str
    line: int
    end_line: int


class Proposals:
    """Those of one client."""

    def __init__(self, editor: Editor, session: Session) -> None:
        self._editor = editor
        self._session = session
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        # One decision on a document at a time, or the second would not see the first's edit.
        self._deciding = asyncio.Lock()

    def add(self, edit: Edit) -> wire.Proposal:
        """Proposes an edit that is not in the document yet. Raises UserError when there is nothing
        to decide, or too much to show."""
        return self._add(edit, "action", None, is_applied=False)

    def add_applied(self, edit: Edit, session_id: str) -> str | None:
        """Offers an edit that the worker of a chat session wrote already, to keep or take back.

        Answers with its id; None when there is nothing in it that could be decided.
        """
        try:
            return self._add(edit, "chat", session_id, is_applied=True).id
        except api.UserError as error:
            log.info("no proposal for %s: %s", edit.uri, error)
            return None

    def get(self, proposal_id: str) -> wire.Proposal:
        """A proposal as it was last seen. Raises UserError when it is not known."""
        return self._find(proposal_id).view()

    def side(self, name: str) -> str:
        """One of the two texts of a proposal, named `ID/old` or `ID/new`."""
        proposal_id, _, side = name.partition("/")
        edit = self._find(proposal_id).edit
        if side not in {"old", "new"}:
            raise api.UserError(f"a proposal has an old and a new side, and no {side[:40]!r}")
        return edit.old_text if side == "old" else edit.new_text

    async def page(self, uri: str | None) -> tuple[wire.Proposal, ...]:
        """Those of a document, or of a folder and what is below, each looked at anew."""
        wanted = [each for each in self._kept.values() if uri is None or _holds(uri, each.edit.uri)]
        for kept in wanted:
            self._judge(kept, await self._document(kept.edit.uri))
        return tuple(kept.view() for kept in wanted)

    async def accept(
        self, proposal_id: str, hunk_ids: Sequence[str] | None = None
    ) -> wire.Proposal:
        """Accepts hunks, or all open ones; either all of them or, with a UserError, none."""
        return await self._decide(proposal_id, hunk_ids, "accepted")

    async def reject(
        self, proposal_id: str, hunk_ids: Sequence[str] | None = None
    ) -> wire.Proposal:
        """Rejects hunks, as above."""
        return await self._decide(proposal_id, hunk_ids, "rejected")

    def places(self, uri: str, text: Text) -> tuple[Place, ...]:
        """Where the open hunks of a document stand in its buffer."""
        found: list[Place] = []
        for kept in self._kept.values():
            if not _is_same(uri, kept.edit.uri) or "open" not in kept.states:
                continue
            view = kept.view()
            for index, (line, end_line) in kept.open_places(text.lines).items():
                found.append(Place(view, view.hunks[index].id, line, end_line))
        return tuple(found)

    async def look(self, uri: str) -> None:
        """Looks whether what is open still fits a document that changed, and tells if it does
        not."""
        for kept in tuple(self._kept.values()):
            if _is_same(uri, kept.edit.uri) and "open" in kept.states:
                self._judge(kept, await self._document(uri))

    def _add(
        self,
        edit: Edit,
        origin: Literal["chat", "action"],
        session_id: str | None,
        *,
        is_applied: bool,
    ) -> wire.Proposal:
        if max(len(edit.old_text), len(edit.new_text)) > MAX_TEXT_CHARS:
            raise api.UserError(
                f"the document is longer than {MAX_TEXT_CHARS:,} characters, which is too long to "
                "be shown hunk by hunk"
            )
        kept = _Kept(f"p-{secrets.token_hex(6)}", edit, origin, session_id, is_applied)
        if not kept.spans:
            raise api.UserError("the proposed text is the one that stands there already")
        self._kept[kept.id] = kept
        while len(self._kept) > MAX_KEPT or sum(e.size for e in self._kept.values()) > MAX_CHARS:
            self._kept.popitem(last=False)
        self._tell(kept)
        return kept.view()

    def _find(self, proposal_id: str) -> _Kept:
        kept = self._kept.get(proposal_id)
        if kept is None:
            raise api.UserError(
                f"there is no proposal {proposal_id[:40]} any more; ask for the edit again"
            )
        return kept

    async def _decide(
        self, proposal_id: str, hunk_ids: Sequence[str] | None, decision: Decision
    ) -> wire.Proposal:
        async with self._deciding:
            kept = self._find(proposal_id)
            chosen = kept.chosen(hunk_ids)
            # The document holds what it should already when the edit is the one that was decided.
            if (decision == "accepted") != kept.is_applied:
                await self._write(kept, chosen)
            for index in chosen:
                kept.states[index] = decision
            self._tell(kept)
            return kept.view()

    async def _write(self, kept: _Kept, chosen: Sequence[int]) -> None:
        """Turns the chosen hunks over in the document."""
        document = await self._document(kept.edit.uri)
        self._judge(kept, document)
        if document is None:
            raise api.UserError(
                f"{kept.edit.uri} cannot be read as text any more; ask for the edit again"
            )
        edits: list[types.TextEdit] = []
        places = kept.open_places(document.text.lines)
        for index in chosen:
            if index not in places:
                raise api.UserError(
                    f"the document was changed where hunk {index + 1} of “{kept.edit.title}” would "
                    "go; undo that change, or ask for the edit again"
                )
            line, end_line = places[index]
            edits.append(
                types.TextEdit(
                    types.Range(
                        document.text.start_of_line(line), document.text.start_of_line(end_line)
                    ),
                    "".join(kept.other_lines(index)),
                )
            )
        uri = self._open_uri(kept.edit.uri)
        await self._editor.apply_edits(uri, document.version, edits)

    def _open_uri(self, uri: str) -> str:
        """The URI under which the client has a document open; it may show a link to its folder."""
        return next((each for each in self._editor.open_uris() if _is_same(each, uri)), uri)

    async def _document(self, uri: str) -> _Document | None:
        uri = self._open_uri(uri)
        text, version = self._editor.text(uri), self._editor.version(uri)
        if text is not None:
            return _Document(text, version)
        path = path_of(uri)
        source = await self._session.run(read_file, path) if path else None
        return None if source is None else _Document(Text(source, self._editor.codec), None)

    def _judge(self, kept: _Kept, document: _Document | None) -> None:
        """Notes whether any open hunk fits still, and tells when that is news."""
        if "open" not in kept.states:
            return
        is_stale = document is None or not kept.open_places(document.text.lines)
        if is_stale != kept.is_stale:
            kept.is_stale = is_stale
            self._tell(kept)

    def _tell(self, kept: _Kept) -> None:
        self._editor.notify(wire.DID_CHANGE, wire.ProposalDidChange(kept.view()))


@dataclass(frozen=True, slots=True)
class _Document:
    """A document now; `version` is None when no editor has it open."""

    text: Text
    version: int | None


@dataclass(slots=True)
class _Kept:
    """A proposal, and what was decided so far."""

    id: str
    edit: Edit
    origin: Literal["chat", "action"]
    session_id: str | None
    is_applied: bool
    is_stale: bool = False
    old: tuple[str, ...] = field(init=False)
    new: tuple[str, ...] = field(init=False)
    spans: tuple[hunks.Span, ...] = field(init=False)
    states: list[wire.HunkState] = field(init=False)

    def __post_init__(self) -> None:
        self.old, self.new = split_lines(self.edit.old_text), split_lines(self.edit.new_text)
        self.spans = hunks.differences(self.old, self.new)
        self.states = ["open"] * len(self.spans)

    @property
    def size(self) -> int:
        """Characters that it holds."""
        return len(self.edit.old_text) + len(self.edit.new_text)

    def chosen(self, hunk_ids: Sequence[str] | None) -> list[int]:
        """The hunks of these ids, in order; all open ones without. Raises UserError when one is
        decided on already."""
        is_open = [index for index, state in enumerate(self.states) if state == "open"]
        if hunk_ids is None:
            if not is_open:
                raise api.UserError(f"every hunk of “{self.edit.title}” is decided on already")
            return is_open
        known = {_hunk_id(index): index for index in range(len(self.spans))}
        for hunk_id in hunk_ids:
            if hunk_id not in known:
                raise ArgumentError(f"`hunks`: there is no hunk {hunk_id[:40]} in the proposal")
            if known[hunk_id] not in is_open:
                state = self.states[known[hunk_id]]
                raise api.UserError(f"hunk {hunk_id} of “{self.edit.title}” is {state} already")
        return sorted({known[hunk_id] for hunk_id in hunk_ids})

    def open_places(self, now: Sequence[str]) -> dict[int, tuple[int, int]]:
        """The lines at which the open hunks stand in the document, of those that fit still."""
        expected: list[str] = []
        ranges: dict[int, tuple[int, int]] = {}
        old_at = 0
        for index, span in enumerate(self.spans):
            expected += self.old[old_at : span.old_start]
            start = len(expected)
            expected += self._lines(index, is_new=self._stands_new(index))
            if self.states[index] == "open":
                ranges[index] = (start, len(expected))
            old_at = span.old_end
        expected += self.old[old_at:]
        found: dict[int, tuple[int, int]] = {}
        for index, (start, end) in ranges.items():
            line = hunks.place(expected, now, start, end)
            if line is not None and self._would_stay_apart(index, line + end - start, now):
                found[index] = (line, line + end - start)
        return found

    def other_lines(self, index: int) -> tuple[str, ...]:
        """The lines that would stand there if the hunk were turned over."""
        return self._lines(index, is_new=not self._stands_new(index))

    def view(self) -> wire.Proposal:
        """What the client sees."""
        return wire.Proposal(
            id=self.id,
            uri=self.edit.uri,
            title=self.edit.title,
            origin=self.origin,
            session_id=self.session_id,
            is_applied=self.is_applied,
            state=self._state(),
            old_text=self.edit.old_text,
            new_text=self.edit.new_text,
            hunks=tuple(
                wire.Hunk(
                    id=_hunk_id(index),
                    old_start=span.old_start,
                    old_lines=span.old_end - span.old_start,
                    new_start=span.new_start,
                    new_lines=span.new_end - span.new_start,
                    state=self.states[index],
                )
                for index, span in enumerate(self.spans)
            ),
        )

    def _state(self) -> wire.ProposalState:
        if "open" in self.states:
            return "stale" if self.is_stale else "open"
        return "accepted" if "accepted" in self.states else "rejected"

    def _stands_new(self, index: int) -> bool:
        """Whether the document should hold the new lines of a hunk."""
        state = self.states[index]
        return state == "accepted" or (state == "open" and self.is_applied)

    def _lines(self, index: int, *, is_new: bool) -> tuple[str, ...]:
        span = self.spans[index]
        if is_new:
            return self.new[span.new_start : span.new_end]
        return self.old[span.old_start : span.old_end]

    def _would_stay_apart(self, index: int, end: int, now: Sequence[str]) -> bool:
        """Whether the hunk's last line, where it has no line end, would be the text's last too."""
        lines = self.other_lines(index)
        return not lines or lines[-1].endswith(("\n", "\r")) or end >= len(now)


def _hunk_id(index: int) -> str:
    return f"h{index + 1}"


def _is_same(one: str, other: str) -> bool:
    """Clients spell the URI of one file in several ways."""
    if one == other:
        return True
    here, there = path_of(one), path_of(other)
    if here is None or there is None or os.path.basename(here) != os.path.basename(there):  # noqa: PTH119  (asked of every open document)
        return False
    return os.path.realpath(here) == os.path.realpath(there)


def _holds(folder: str, uri: str) -> bool:
    inner, outer = path_of(uri), path_of(folder)
    if inner is None or outer is None:
        return uri == folder
    return inner == outer or inner.startswith(outer.rstrip("/\\") + "/")
