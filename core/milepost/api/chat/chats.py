"""The chat of one project: its sessions, and the turns that run in them."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING, cast

from milepost.api.assembly import MODES
from milepost.api.chat import calls, views
from milepost.api.chat.replay import Replay
from milepost.api.chat.tail import Tail
from milepost.api.chat.turn import Parts, Turn, Wish
from milepost.api.sessions import at_work, is_at_work
from milepost.api.stopping import ask_to_end
from milepost.base.errors import UserError
from milepost.base.ids import new_id

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from milepost.api.chat.turn import Ask, Tell
    from milepost.api.masking import Masking
    from milepost.api.worker import Worker
    from milepost.api.workspace import Workspace
    from milepost.checkpoints.store import SnapshotStore
    from milepost.history.item import Item
    from milepost.history.transcript import Session, Transcripts
    from milepost.tasks.store import TaskStore
    from milepost.tools.files import Buffers

MAX_PAGE = 200

# What is loaded of a session unless the guest says otherwise, and at most: a few hundred screens.
_ITEMS = 500
_MAX_ITEMS = 5_000

# Diffs are read from restore points, a file each; older ones can be looked at there.
_DIFFS = 50

# A plan longer than this is not looked through in a panel.
_PLAN = 200

_TASK_STATES: dict[str, views.CallStatus] = {
    "open": "pending", "blocked": "pending", "active": "in_progress", "done": "completed",
    "dropped": "failed",
}  # fmt: skip


class Chat:
    """The chat of a workspace."""

    def __init__(
        self,
        workspace: Workspace,
        worker: Worker,
        transcripts: Transcripts,
        tasks: TaskStore,
        snapshots: SnapshotStore,
        masking: Masking,
    ) -> None:
        self._workspace = workspace
        self._transcripts = transcripts
        self._tasks = tasks
        self._snapshots = snapshots
        self._masking = masking
        self._parts = Parts(
            workspace, worker, transcripts, snapshots, masking, self._plan, self._folder
        )
        self._tail = Tail(transcripts)
        self._guard = threading.Lock()
        self._turns: dict[str, Turn] = {}

    # Turns

    def turn(
        self,
        blocks: Sequence[views.Block],
        *,
        tell: Tell,
        session: str | None = None,
        new: str | None = None,
        mode: str = "build",
        model: str | None = None,
        ask: Ask | None = None,
        buffers: Buffers | None = None,
    ) -> Turn:
        """A turn to `run`, in a `session` of before or a new one; nothing happens until then. The
        new one has the id `new`, which `new_id` made, or any.

        `tell` hears what happens, on the thread that runs it. `ask` is asked for permission and
        answers with a future of the chosen option's id; without it the answer is no. `buffers` has
        the texts that are open in an editor, by path.
        """
        wish = Wish(session, tuple(blocks), tell, mode, model, ask, buffers, new)
        return Turn(self._parts, wish, self._begun, self._ended)

    def cancel(self, session: str) -> bool:
        """Cancel the turn of a session that runs in this process; whether there is one."""
        with self._guard:
            turn = self._turns.get(session)
        if turn is not None:
            turn.cancel()
        return turn is not None

    def stop(self, session: str, turn: str | None = None) -> bool:
        """End the turn of a session, in whichever process it runs; with its `turn` only if it is
        that one. Whether there is one that hears it. Raises UserError when there is no such
        session."""
        self._transcripts.get(session)
        with self._guard:
            own = self._turns.get(session)
        if own is not None:
            is_meant = turn is None or own.id == turn
            if is_meant:
                own.cancel()
            return is_meant
        by = self._workspace.actor
        return ask_to_end(self._transcripts, self._folder(session), session, by, turn)

    def running(self) -> tuple[str, ...]:
        """The sessions in which a turn of this process runs."""
        with self._guard:
            return tuple(self._turns)

    # Sessions

    @property
    def modes(self) -> tuple[str, ...]:
        """How a turn may work."""
        return MODES

    def new_id(self) -> str:
        """An id for a session that begins with its first turn; nothing is kept before."""
        return new_id()

    def sessions(self, limit: int = 50, offset: int = 0) -> views.ChatSessionPage:
        """The sessions, the one that was worked on last first."""
        found = self._transcripts.page(max(1, min(limit, MAX_PAGE)), max(0, offset))
        return views.ChatSessionPage(tuple(map(self._shown, found)), self._transcripts.count())

    def session(self, session: str) -> views.ChatSession:
        """One session. Raises UserError when there is none with this id."""
        return self._shown(self._transcripts.get(session))

    def has(self, session: str) -> bool:
        """Whether there is a session with this id."""
        try:
            self._transcripts.get(session)
        except UserError:
            return False
        return True

    def load(
        self,
        session: str,
        *,
        limit: int | None = None,
        hear: Callable[[views.ChatEvent], None] | None = None,
    ) -> views.ChatTranscript:
        """A session as the events that it was made of, at most the newest `limit` messages and
        results of it. From then on `hear` is told, on another thread, what other processes do in
        it. Raises UserError."""
        shown = self.session(session)
        limit = max(1, min(_ITEMS if limit is None else limit, _MAX_ITEMS))
        # Read first: what is written in between is told twice rather than never.
        position = self._transcripts.position(session)
        items = self._transcripts.newest(session, limit + 1)
        is_cut = len(items) > limit
        items = items[-limit:]
        turn = ""
        if is_cut:
            earlier = self._transcripts.last_of(session, "user", before=items[0].number)
            turn = "" if earlier is None else str(earlier)
        replay = Replay(session, self._diffs_from(items), None, turn)
        events = [event for item in items for event in replay.events(item)]
        plan = self._plan(session)
        if plan.entries:
            events.append(views.ChatEvent(session, replay.turn, plan))
        events += replay.end(shown.state)
        if hear is not None:
            follower = Replay(session, self._diffs, self._plan, replay.turn)
            self._tail.follow(session, position, follower, hear)
        return views.ChatTranscript(shown, tuple(events), is_cut)

    def follow(self, session: str, hear: Callable[[views.ChatEvent], None]) -> None:
        """Tell, on another thread, what other processes do in a session from now on, unless it is
        followed already. Raises UserError."""
        last = self._transcripts.position(session)
        turn = self._transcripts.last_of(session, "user", before=last + 1)
        replay = Replay(session, self._diffs, self._plan, "" if turn is None else str(turn))
        self._tail.follow(session, last, replay, hear, anew=False)

    def unfollow(self, session: str) -> None:
        """Tell no more of what other processes do in a session."""
        self._tail.unfollow(session)

    def fork(self, session: str, turn: str | None = None) -> views.ChatSession:
        """A new session that begins like another one: like all of it, or up to a turn, which is not
        in it, so that it can be said otherwise. Raises UserError."""
        until = None
        if turn is not None:
            number = int(turn) if turn.isascii() and turn.isdigit() and len(turn) < 18 else 0
            if self._transcripts.last_of(session, "user", before=number + 1) != number:
                raise UserError("the session has no such turn; load it to see its turns")
            until = number - 1
        return self._shown(self._transcripts.fork(session, self._workspace.actor, until=until))

    def rename(self, session: str, title: str) -> views.ChatSession:
        """Give a session another title. Raises UserError."""
        if not title.strip():
            raise UserError("a title needs a word or two")
        return self._shown(self._transcripts.rename(session, self._masking.text(title)))

    def delete(self, session: str) -> None:
        """Delete a session with all that was said and noted in it. Raises UserError, also when a
        turn of it is under way."""
        self._transcripts.get(session)
        with at_work(self._folder(session)):
            self._tail.unfollow(session)
            self._transcripts.delete(session)
            self._workspace.data.drop_session(session)

    def close(self) -> None:
        """Cancel what runs here, and follow nothing any more."""
        with self._guard:
            turns = tuple(self._turns.values())
        for turn in turns:
            turn.cancel()
        self._tail.close()

    def _begun(self, turn: Turn) -> None:
        self._tail.pause(turn.session)
        with self._guard:
            self._turns[turn.session] = turn

    def _ended(self, turn: Turn) -> None:
        self._tail.go_on(turn.session)
        with self._guard:
            self._turns.pop(turn.session, None)

    def _folder(self, session: str) -> Path:
        return Path(self._workspace.project.data_dir) / "sessions" / session

    def _shown(self, session: Session) -> views.ChatSession:
        state = session.state
        if state == "running" and not is_at_work(self._folder(session.id)):
            # Its process died.
            state = "active"
        return views.ChatSession(
            id=session.id,
            title=session.title,
            state=cast("views.SessionState", state),
            created_at=session.created_at,
            updated_at=session.updated_at,
            mode=session.mode,
            forked_from=session.forked_from,
        )

    def _plan(self, session: str | None = None) -> views.Plan:
        """The tree of tasks; nothing when none of them is this session's."""
        tasks = self._tasks.all()
        if session is not None and all(task.session != session for task in tasks):
            return views.Plan(())
        return views.Plan(
            tuple(
                views.PlanEntry(task.id, task.title, _TASK_STATES[task.state])
                for task in tasks[:_PLAN]
            )
        )

    def _diffs(
        self, before: int | None, after: int | None, paths: Sequence[str]
    ) -> tuple[views.FileDiff, ...]:
        return calls.diffs_between(self._snapshots, before, after, paths)

    def _diffs_from(self, items: Sequence[Item]) -> Callable[..., tuple[views.FileDiff, ...]]:
        """The diffs of the newest results among these items."""
        ends = sorted(
            item.data["points"][1]
            for item in items
            if item.kind == "result" and item.data["points"][1] is not None
        )
        oldest = ends[-_DIFFS] if len(ends) > _DIFFS else 0

        def diffs(
            before: int | None, after: int | None, paths: Sequence[str]
        ) -> tuple[views.FileDiff, ...]:
            return self._diffs(before, after, paths) if (after or 0) >= oldest else ()

        return diffs
