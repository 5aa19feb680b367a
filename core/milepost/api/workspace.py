"""A project opened for one caller: its memory, restore points, goals and history.

Everything here blocks and is thread-safe. Nothing is opened before it is used, so that opening a
workspace costs a few stat calls.
"""

from __future__ import annotations

import contextlib
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from milepost.api import goal_views, views
from milepost.api.checkpoints import Checkpoints
from milepost.api.data import Data
from milepost.api.exchange import Exchange
from milepost.api.goals import Goals
from milepost.api.history import History
from milepost.api.inspection import Inspection
from milepost.api.masking import Masking
from milepost.api.memory import Memory
from milepost.api.scopes import Scopes
from milepost.api.standing import Standing
from milepost.api.summaries import Summaries
from milepost.api.takings import Takings
from milepost.api.vectors import Vectors
from milepost.base.errors import UserError
from milepost.base.files import signature
from milepost.base.ids import new_id
from milepost.checkpoints.store import SnapshotStore
from milepost.config import environment, paths, projects, sandbox, settings, user_rules
from milepost.goals.ledger import Ledger
from milepost.history.log import HistoryLog
from milepost.memory.rules import book

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from milepost.api.assist import Assist
    from milepost.api.chat.chats import Chat
    from milepost.api.returning import Returning
    from milepost.api.sessions import Sessions
    from milepost.api.worker import Worker
    from milepost.base.sqlite import Database
    from milepost.history.transcript import Transcripts
    from milepost.tasks.store import TaskStore


# How long an action's successor may have to wait while the index is cleaned of what was forgotten.
_CLEANING_S = 0.1

# A session at work is among those that were worked in last.
_LOOKED_AT = 20


class Workspace:
    """One project, seen by one `actor` in one `session`."""

    def __init__(
        self, resolved: projects.ProjectPaths, actor: str, session: str, *, is_brief: bool
    ) -> None:
        # Two looks for a file, unless there is one.
        chosen = settings.load(resolved.root)
        self.project = views.Project(
            id=resolved.id,
            name=resolved.root.name,
            root=str(resolved.root),
            data_dir=str(resolved.data_dir),
        )
        self.actor = actor
        self.session = session
        masking = Masking(resolved.root, resolved.data_dir, chosen.redaction, is_brief=is_brief)
        self._masking = masking
        self._opening = threading.Lock()
        self._opened_transcripts: Transcripts | None = None
        self._opened_tasks: TaskStore | None = None
        self._folder = resolved.data_dir
        self._vectors = vectors = Vectors(chosen.search.vectors, is_brief=is_brief)
        self._scopes = Scopes(
            resolved,
            chosen.memory.location,
            session,
            masking.text,
            vectors.embedding,
            is_brief=is_brief,
        )
        books = (
            book.of_project(resolved.worktree_dir / "rules.db", resolved.root, masking.text),
            book.of_user(paths.global_dir() / "rules.db", user_rules.user_folders(), masking.text),
        )
        self._takings = Takings(self._transcripts)
        ledger = Ledger(resolved.data_dir)
        log = HistoryLog(resolved.data_dir, vectors.embedding)
        self._standing = Standing(
            resolved.data_dir, session, self._scopes, ledger, self._transcripts, self._tasks
        )
        self._snapshots = snapshots = SnapshotStore(
            resolved.root,
            resolved.worktree_dir,
            chosen.checkpoints.max_file_bytes,
            self._standing.now,
        )
        self.memory = Memory(self._scopes, actor, masking, resolved, books, self.project)
        self.inspection = Inspection(self._scopes, masking, snapshots, resolved.data_dir)
        self.summaries = Summaries(
            self._standing,
            self._scopes,
            masking,
            lambda: self._transcripts() if (self._folder / "sessions.db").exists() else None,
        )
        self.exchange = Exchange(self._scopes, resolved.root, actor, masking)
        self.checkpoints = Checkpoints(snapshots, actor, session, self._returning)
        self._ledger = ledger
        self._settings = chosen
        self.goals = Goals(
            ledger,
            snapshots,
            actor,
            masking,
            environment.fingerprint,
            sandbox.sandbox_of(resolved.root, chosen.sandbox),
            chosen.judge.model,
            self._takings.of("judge"),
        )
        self.history = History(
            log, actor, session, masking, lambda: self.memory.clean(within_s=_CLEANING_S)
        )
        self._chat: Chat | None = None
        self._chat_guard = threading.Lock()
        self._watched = (ledger.database, snapshots.database)
        self._others: tuple[Database, ...] = (
            ledger.database,
            log.database,
            snapshots.database,
            *(each.index.database for each in books),
        )
        self.data = Data(
            resolved.data_dir,
            self._scopes,
            snapshots,
            self.memory,
            masking,
            self.close,
            session,
        )

    def watch(
        self,
        progress: Callable[[int, int], None] | None = None,
        is_given_up: Callable[[], bool] = lambda: False,
    ) -> None:
        """Follow the project's files from now on, so that restore points cost next to nothing. For
        processes that stay; it returns at once. `progress` is told, on another thread, how many
        files of how many were read ahead of the first restore point, and once that all were: that
        is the end of it, whatever ended it. When `is_given_up`, the first point reads the rest."""
        self._snapshots.watch(progress, is_given_up)

    def worker(self) -> Worker:
        """What works on this project with a model; its parts are loaded when it is asked for."""
        return self._worker(self._transcripts(), self._tasks())

    def chat(self) -> Chat:
        """The conversations with the worker; one for all who ask."""
        from milepost.api.chat.chats import Chat  # noqa: PLC0415  (most callers want none)

        with self._chat_guard:
            if self._chat is None:
                tasks, transcripts = self._tasks(), self._transcripts()
                worker = self._worker(transcripts, tasks)
                self._chat = Chat(self, worker, transcripts, tasks, self._snapshots, self._masking)
            return self._chat

    def assist(self) -> Assist:
        """Help of a model with a piece of code."""
        from milepost.api.assist import Assist  # noqa: PLC0415  (most callers want none)

        took = self._takings.of("assist")
        return Assist(self.project.name, self.memory, self._masking, took)

    def sessions(self) -> Sessions:
        """What was said and done when the worker was at work."""
        from milepost.api.sessions import Sessions  # noqa: PLC0415  (most callers want none)

        return Sessions(self._transcripts())

    def notices(self) -> tuple[str, ...]:
        """What the user should hear about the project's data; each is told once."""
        bases = (*self._others, *self._scopes.databases())
        told = tuple(notice for base in bases for notice in base.take_notices())
        return told + self._snapshots.take_notices() + self._takings.take_notices()

    def vectors(self) -> views.VectorUse:
        """Which model ranks the searches of the servers, tried out. May take a second."""
        return self._vectors.use()

    def sandbox(self) -> goal_views.SandboxUse:
        """What holds the commands of checks and workers, tried out. Raises WorldError when what is
        set does not work here."""
        found = sandbox.sandbox_of(Path(self.project.root), self._settings.sandbox)()
        return goal_views.SandboxUse(
            found.name, found.holds, found.why, found.limits.has_network, found.gaps
        )

    def marks(self) -> tuple[object, ...]:
        """What is other than before, for the price of some stat calls, once memory, a goal or a
        restore point may have changed."""
        logs = (base.path.with_name(f"{base.path.name}-wal") for base in self._watched)
        watched = (*map(Path, self.memory.files()), *(base.path for base in self._watched), *logs)
        return tuple(map(signature, watched))

    def watched(self) -> tuple[str, ...]:
        """The files that somebody writes when memory, a goal, a restore point or a session becomes
        other than it was; some may not exist yet."""
        sessions = self._folder / "sessions.db"
        bases = (*(base.path for base in self._watched), sessions)
        logs = (base.with_name(f"{base.name}-wal") for base in bases)
        return (*self.memory.files(), *map(str, bases), *map(str, logs))

    def running(self) -> tuple[str, ...]:
        """The sessions that somebody works in now, in whatever process."""
        from milepost.api.sessions import is_at_work  # noqa: PLC0415  (most callers want none)

        if not (self._folder / "sessions.db").exists():
            return ()
        last = self._transcripts().page(_LOOKED_AT)
        folder = self._folder / "sessions"
        return tuple(
            each.id for each in last if each.state == "running" and is_at_work(folder / each.id)
        )

    def model(self) -> str | None:
        """The model that a worker would ask, as KIND:NAME; None when none is configured."""
        from milepost.config.models import chosen_model  # noqa: PLC0415  (most callers want none)

        with contextlib.suppress(UserError):
            choice = chosen_model(None)
            return f"{choice.kind}:{choice.name}"
        return None

    def close(self) -> None:
        """Stop watching and close all databases. The workspace may be used again; it opens what it
        needs."""
        if self._chat is not None:
            self._chat.close()
        self._snapshots.close()
        self._vectors.close()
        self._scopes.close()
        for database in self._others:
            database.close()

    def _returning(self) -> Returning:
        from milepost.api.returning import Returning  # noqa: PLC0415  (most callers go nowhere)

        return Returning(
            self._standing, self._scopes, self._ledger, self._transcripts, self._tasks, self.actor,
            self._masking,
        )  # fmt: skip

    def _worker(self, transcripts: Transcripts, tasks: TaskStore) -> Worker:
        from milepost.api.assembly import Assembly  # noqa: PLC0415  (most callers ask no model)
        from milepost.api.worker import Worker  # noqa: PLC0415  (as above)

        assembly = Assembly(
            self, transcripts, tasks, self._snapshots, self._masking, self._settings
        )
        return Worker(self, transcripts, self._masking, assembly)

    def _transcripts(self) -> Transcripts:
        with self._opening:
            if self._opened_transcripts is None:
                from milepost.history.transcript import (  # noqa: PLC0415  (most callers want none)
                    Transcripts,
                )

                self._opened_transcripts = Transcripts(self._folder)
                self._others = (*self._others, self._opened_transcripts.database)
            return self._opened_transcripts

    def _tasks(self) -> TaskStore:
        with self._opening:
            if self._opened_tasks is None:
                from milepost.tasks.store import TaskStore  # noqa: PLC0415  (as above)

                self._opened_tasks = TaskStore(self._folder)
                self._others = (*self._others, self._opened_tasks.database)
            return self._opened_tasks


def open_workspace(
    explicit: str | None = None,
    *,
    candidates: Sequence[str] = (),
    actor: str,
    session: str | None = None,
    is_brief: bool = False,
) -> Workspace:
    """Open the project that is meant: `explicit`, else `MILEPOST_PROJECT`, else the first of
    `candidates` (folders that a client offers) that can be one, else the current folder.

    `actor` goes into everything that is remembered or recorded, such as `user:neovim` or
    `mcp:codex`. `session` names one piece of work, which may go on in another process; its notes
    are found by that name. `is_brief` is for a process that ends with its answer: it loads no
    model. Raises UserError when there is no project, and says how to name one; when `session` can
    be no name; and when a settings file is wrong.
    """
    named = new_id() if session is None else paths.checked_session(session)
    resolved = projects.resolve(explicit, candidates)
    return Workspace(resolved, actor, named, is_brief=is_brief)


def project_folder(project_id: str) -> str:
    """The folder of a project that was opened before, by its id. Raises UserError when there is
    none of this id, or it is gone."""
    return str(projects.folder_of(project_id))
