"""One client's conversations: turns on threads of their own, updates in order on the loop.

The words of a model come in small pieces, many in a second; they go out in batches, so that neither
side spends its time on envelopes. Everything else goes out at once, after what was said before it.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from milepost import api
from milepost_lsp.chat import wire
from milepost_lsp.proposals import Edit
from milepost_lsp.protocol import chat, permissions, sessions

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from concurrent.futures import Future

    from milepost_lsp.editor import Editor
    from milepost_lsp.proposals import Proposals
    from milepost_lsp.session import Session

    Hear = Callable[[api.ChatEvent], None]

log = logging.getLogger(__name__)

# Often enough to look like typing.
BATCH_S = 0.03

# The answer to `load` must be on its way before what happens after it.
HOLD_S = 0.05

# A person looks at a handful of chats; each that works has a thread, and a model that costs money.
MAX_TURNS = 8


@dataclass(slots=True)
class _Stream:
    """What goes to the client about one session."""

    seq: int = 0
    chunks: list[api.ChatEvent] = field(default_factory=list[api.ChatEvent])
    flush: asyncio.TimerHandle | None = None
    held: list[tuple[api.ChatEvent, str | None]] | None = None


class Talk:
    """The turns that this client began, and the sessions that it looks at."""

    def __init__(self, editor: Editor, session: Session, proposals: Proposals) -> None:
        self._editor = editor
        self._session = session
        self._proposals = proposals
        self._streams: dict[tuple[str, str], _Stream] = {}
        self._turns: set[api.Turn] = set()

    async def prompt(
        self,
        space: api.Workspace,
        blocks: Sequence[api.Block],
        *,
        session: str | None = None,
        new: str | None = None,
        mode: str = "build",
        model: str | None = None,
        hear: Hear | None = None,
        begun: Callable[[api.Turn], None] = lambda _: None,
    ) -> api.TurnResult:
        """Run a turn to its end. Who is cancelled while waiting cancels the turn, and gets its
        result all the same. `new` is the id of a session that begins with it; `hear` hears it in
        place of the client. Raises UserError."""
        if len(self._turns) >= MAX_TURNS:
            raise api.UserError(f"{MAX_TURNS} chats are at work already; wait for one of them")
        loop = asyncio.get_running_loop()
        take = hear or functools.partial(self._take_own, space)
        conversations = await self._session.run(space.chat)

        def ask(request: api.PermissionRequest) -> Future[str | None]:
            return asyncio.run_coroutine_threadsafe(self._ask(request), loop)

        turn = conversations.turn(
            blocks,
            tell=_on(loop, take),
            session=session,
            new=new,
            mode=mode,
            model=model,
            ask=ask,
            buffers=self._editor.buffer,
        )
        self._turns.add(turn)
        begun(turn)
        done = asyncio.ensure_future(self._session.run_apart(turn.run))
        try:
            try:
                result = await asyncio.shield(done)
            except asyncio.CancelledError:
                turn.cancel()
                result = await done
        finally:
            self._turns.discard(turn)
        if hear is None:
            self._flush(space, self._stream(space, result.session))
            # From now on this client sees what other editors do in the session.
            follow = _on(loop, functools.partial(self._take, space))
            # The session may have been deleted right after, and the server may be leaving.
            with contextlib.suppress(api.MilepostError, RuntimeError):
                await self._session.run(conversations.follow, result.session, follow)
        return result

    def cancel(self, session: str, turn_id: str | None = None) -> bool:
        """Cancel the turn that this client runs in a session (only the one with this id, where it
        is named); whether it runs one."""
        running = [turn for turn in self._turns if turn.session == session]
        for turn in running:
            if turn_id in (None, turn.id):
                turn.cancel()
        return bool(running)

    def running(self) -> tuple[str, ...]:
        """The sessions in which this client runs a turn."""
        return tuple(turn.session for turn in self._turns if turn.session)

    async def load(
        self, space: api.Workspace, session: str, limit: int | None
    ) -> sessions.Transcript:
        """A session up to now; what comes after is told."""
        conversations = await self._session.run(space.chat)
        stream = self._stream(space, session)
        self._flush(space, stream)
        stream.held = []
        loop = asyncio.get_running_loop()
        try:
            loaded = await self._session.run(
                conversations.load,
                session,
                limit=limit,
                hear=_on(loop, functools.partial(self._take, space)),
            )
        finally:
            loop.call_later(HOLD_S, self._release, space, session)
        root = Path(space.project.root)
        turns = tuple(
            sessions.TurnUpdate(event.turn, self._next(stream), wire.update_of(event.update, root))
            for event in loaded.events
        )
        return sessions.Transcript(wire.session_of(loaded.session), turns, loaded.is_cut)

    def forget(self, space: api.Workspace, session: str) -> None:
        """The session is gone."""
        self._streams.pop((space.project.root, session), None)

    def close(self) -> None:
        """Cancel the turns that run."""
        for turn in tuple(self._turns):
            turn.cancel()

    def _stream(self, space: api.Workspace, session: str) -> _Stream:
        return self._streams.setdefault((space.project.root, session), _Stream())

    def _take_own(self, space: api.Workspace, event: api.ChatEvent) -> None:
        """Send an update of a turn of ours; what it changed can be decided on, hunk by hunk."""
        update = event.update
        if isinstance(update, api.CallUpdate) and len(update.diffs) == 1:
            (diff,) = update.diffs
            if diff.old is not None and diff.new is not None:
                uri = (Path(space.project.root) / diff.path).as_uri()
                edit = Edit(uri, f"Edit {diff.path}", diff.old, diff.new)
                proposal_id = self._proposals.add_applied(edit, event.session)
                self._take(space, event, proposal_id)
                return
        self._take(space, event)

    def _take(
        self, space: api.Workspace, event: api.ChatEvent, proposal_id: str | None = None
    ) -> None:
        """Send an update, or keep it for the next batch."""
        stream = self._stream(space, event.session)
        if stream.held is not None:
            stream.held.append((event, proposal_id))
        elif isinstance(event.update, api.AgentChunk | api.ThoughtChunk):
            if stream.chunks and type(stream.chunks[-1].update) is not type(event.update):
                self._flush(space, stream)
            stream.chunks.append(event)
            if stream.flush is None:
                loop = asyncio.get_running_loop()
                stream.flush = loop.call_later(BATCH_S, self._flush, space, stream)
        else:
            self._flush(space, stream)
            self._send(space, stream, event, proposal_id)

    def _flush(self, space: api.Workspace, stream: _Stream) -> None:
        if stream.flush is not None:
            stream.flush.cancel()
            stream.flush = None
        chunks, stream.chunks = stream.chunks, []
        if not chunks:
            return
        first = chunks[0]
        texts = [each.update.text for each in chunks if isinstance(each.update, _CHUNKS)]
        update = replace(first.update, text="".join(texts))
        self._send(space, stream, replace(first, update=update))

    def _send(
        self,
        space: api.Workspace,
        stream: _Stream,
        event: api.ChatEvent,
        proposal_id: str | None = None,
    ) -> None:
        update = wire.update_of(event.update, Path(space.project.root), proposal_id)
        params = chat.UpdateParams(event.session, event.turn, self._next(stream), update)
        self._editor.notify(chat.UPDATE, params)

    def _release(self, space: api.Workspace, session: str) -> None:
        stream = self._stream(space, session)
        held, stream.held = stream.held, None
        for event, proposal_id in held or ():
            self._take(space, event, proposal_id)

    def _next(self, stream: _Stream) -> int:
        stream.seq += 1
        return stream.seq

    async def _ask(self, request: api.PermissionRequest) -> str | None:
        """The id of the option that the user chose; None when there is no answer, which is a no."""
        if self._editor.knows("permissions"):
            outcome = await self._editor.request(permissions.REQUEST, wire.permission_of(request))
            if outcome is None or outcome.outcome == "cancelled":
                return None
            return outcome.option_id
        names = {option.name: option.id for option in request.options}
        # The title is a line; a yes is for all of it.
        is_whole = request.subject in request.title
        whole = "" if is_whole else f"\n\n{request.subject}"
        chosen = await self._editor.ask(f"{request.title}? {request.reason}{whole}", tuple(names))
        return None if chosen is None else names[chosen]


_CHUNKS = (api.AgentChunk, api.ThoughtChunk)


def _on(loop: asyncio.AbstractEventLoop, take: Hear) -> Hear:
    """`take` on the loop, called from any thread."""

    def hear(event: api.ChatEvent) -> None:
        # The loop ends before a turn that is on its last words.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(take, event)

    return hear
