"""The memories that a workspace can reach, one store for each scope, made when they are asked for.

In play by themselves are the project's memory, that of this worktree, that of this session, and the
one across projects. A task, another session or another worktree is in play when it is named. A
store touches the disk when something is written into it; until then a search costs a look whether
there is one.
"""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from milepost.base.errors import UserError
from milepost.config import paths, projects, settings
from milepost.memory.anchors import Anchors
from milepost.memory.entry import SCOPES
from milepost.memory.repository import Repository
from milepost.memory.store import MemoryStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from milepost.base.sqlite import Database
    from milepost.config import tables
    from milepost.memory.entry import Scope
    from milepost.search.embedding import Embedding

# What the files are called.
MEMORY, NOTES, PROGRESS = "MEMORY.md", "notes.md", "progress.md"

# Folders of the project's data that hold one folder for each memory of a scope.
WORKTREES, SESSIONS, TASKS = "worktrees", "sessions", "tasks"

# The scopes of which there are several memories, each with a name.
_NAMED = ("worktree", "session", "task")


class Scopes:
    """The stores of one project, worktree and session."""

    def __init__(
        self,
        resolved: projects.ProjectPaths,
        location: tables.Location,
        session: str,
        mask: Callable[[str], str],
        embedding: Embedding | None = None,
        *,
        is_brief: bool = False,
    ) -> None:
        self._stays = not is_brief
        self._resolved = resolved
        self._session = session
        self._mask = mask
        self._embedding = embedding
        self._anchors = Anchors(resolved.root)
        # Looked up once, so that all of the workspace is in one place whatever becomes of the
        # environment.
        self._global_dir = paths.global_dir()
        self._guard = threading.Lock()
        self._made: dict[tuple[Scope, str], MemoryStore] = {}
        self.location: tables.Location = location
        self._made["project", ""] = self.project_at(location)

    def project_at(self, location: tables.Location) -> MemoryStore:
        """The project's memory in the data folder, or in the repository."""
        root, data_dir = self._resolved.root, self._resolved.data_dir
        title = f"Memory of {root.name}"
        if location == "user":
            return self._store(data_dir, "project", title)
        # Each worktree has a checkout of the file, and so an index and a log for it.
        folder = self._resolved.layer_dir / "repo"
        path = root / settings.FOLDER / MEMORY
        repository = Repository(root, path, data_dir, lambda: projects.head(root), self._mask)
        return self._store(folder, "project", title, repository=repository)

    def relocate(self, location: tables.Location) -> None:
        """Take the project's memory from another place from now on."""
        with self._guard:
            self.location = location
            self._made["project", ""] = self.project_at(location)

    def drop(self, scope: Scope, within: str) -> None:
        """Close a store whose folder is about to go."""
        with self._guard:
            store = self._made.pop((scope, within), None)
        if store is not None:
            store.close()

    def own(self) -> tuple[MemoryStore, ...]:
        """The stores that are in play by themselves."""
        layer = self._resolved.layer_dir.name
        return (
            self.one("project", ""),
            self.one("global", ""),
            self.one("worktree", layer),
            self.one("session", self._session),
        )

    def kept(self) -> tuple[MemoryStore, ...]:
        """Every store of the project that was ever written into, and the one across projects."""
        found = {store.label: store for store in (*self.own(), *self._on_disk())}
        return tuple(store for store in found.values() if store.exists())

    def find(self, scope: str | None, session: str | None, task: str | None) -> MemoryStore:
        """The store that is meant; without a scope the task's, the session's or the project's. A
        label is a scope too.

        Raises UserError when there is no such scope, or the name that it takes is missing or wrong.
        """
        if scope is None:
            scope = "task" if task else "session" if session else "project"
        if " " in scope and session is None and task is None:
            return self.labelled(scope)
        if scope not in SCOPES:
            raise UserError(f"there is no scope {scope!r}; use one of {', '.join(SCOPES)}")
        if task is not None and scope != "task":
            raise UserError(f"task goes with the scope task, not with {scope}; leave one out")
        if session is not None and scope != "session":
            raise UserError(f"session goes with the scope session, not with {scope}; leave one out")
        if scope == "task":
            if task is None:
                raise UserError("name the task whose memory you mean, such as T1")
            return self.one("task", paths.checked_task(task))
        if scope == "session":
            return self.one("session", paths.checked_session(session or self._session))
        return self.one(scope, self._resolved.layer_dir.name if scope == "worktree" else "")

    def in_play(
        self, scope: str | None, session: str | None, task: str | None
    ) -> tuple[MemoryStore, ...]:
        """The stores to look through: the one that is meant, or all that are in play together with
        those that are named."""
        if scope is not None:
            return (self.find(scope, session, task),)
        named = [
            self.find(
                each, session if each == "session" else None, task if each == "task" else None
            )
            for each, name in (("task", task), ("session", session))
            if name is not None
        ]
        found = {store.label: store for store in (*self.own(), *named)}
        return tuple(store for store in found.values() if store.exists())

    def holding(self, entry_id: str) -> MemoryStore | None:
        """The store that has the entry: most are the project's; what is elsewhere comes last."""
        tried: set[str] = set()
        for store in (*self.own(), *self._on_disk()):
            if store.label not in tried and store.get(entry_id) is not None:
                return store
            tried.add(store.label)
        return None

    def files(self) -> tuple[str, ...]:
        """The paths of the files in play, and of all others that exist. Nothing is opened, so a
        link that is refused elsewhere is no error here."""
        others = (store.path for store in self._on_disk() if store.path.exists())
        found = (*(store.path for store in self.own()), *others)
        return tuple(dict.fromkeys(map(str, found)))

    def scope_of(self, path: str) -> str | None:
        """The label of the memory that has its file at `path`, found by its name and place."""
        names = (MEMORY, NOTES, PROGRESS)
        # Asked of every document: what is no link itself has its own name, wherever it really is.
        if os.path.basename(path) not in names and not os.path.islink(path):  # noqa: PTH114, PTH119  (see above)
            return None
        real = Path(os.path.realpath(path))
        if real.name not in names:
            return None
        for store in self.own():
            if real == Path(os.path.realpath(store.path)):
                return store.label
        place = {NOTES: ("session", SESSIONS), PROGRESS: ("task", TASKS)}.get(
            real.name, ("worktree", WORKTREES)
        )
        folder = Path(os.path.realpath(self._resolved.data_dir)) / place[1]
        is_ours = real.parent.parent == folder
        return f"{place[0]} {real.parent.name}" if is_ours else None

    def labelled(self, label: str) -> MemoryStore:
        """The store with this label, such as `task T1`. Raises UserError."""
        scope, _, within = label.partition(" ")
        for known in SCOPES:
            if known == scope and bool(within) == (scope in _NAMED):
                return self.one(known, paths.checked_session(within) if within else "")
        raise UserError(f"there is no scope {label!r}; use one of {', '.join(SCOPES)}")

    def made(self) -> tuple[MemoryStore, ...]:
        """The stores that were asked for so far."""
        with self._guard:
            return tuple(self._made.values())

    def close(self) -> None:
        """Close the stores that were asked for so far; they open again what they need."""
        for store in self.made():
            store.close()

    def databases(self) -> tuple[Database, ...]:
        """The databases of the stores that were asked for so far."""
        return tuple(database for store in self.made() for database in store.databases)

    def one(self, scope: Scope, within: str) -> MemoryStore:
        """The store of a scope; `within` is the checked name of its task, session or worktree."""
        with self._guard:
            if (scope, within) not in self._made:
                self._made[scope, within] = self._new(scope, within)
            return self._made[scope, within]

    def _new(self, scope: Scope, within: str) -> MemoryStore:
        data_dir = self._resolved.data_dir
        if scope == "global":
            return MemoryStore(
                self._global_dir,
                scope,
                "Memory across projects",
                mask=self._mask,
                embedding=self._embedding,
                stays=self._stays,
            )
        if scope == "worktree":
            title = f"Memory of a worktree of {self._resolved.root.name}"
            return self._store(data_dir / WORKTREES / within, scope, title, within=within)
        if scope == "session":
            folder, title, name = data_dir / SESSIONS, f"Notes of session {within}", NOTES
        else:
            folder, title, name = data_dir / TASKS, f"Progress of task {within}", PROGRESS
        return self._store(folder / within, scope, title, name=name, within=within)

    def _store(
        self,
        folder: Path,
        scope: Scope,
        title: str,
        *,
        name: str = MEMORY,
        within: str = "",
        repository: Repository | None = None,
    ) -> MemoryStore:
        return MemoryStore(
            folder,
            scope,
            title,
            anchors=self._anchors,
            mask=self._mask,
            name=name,
            within=within,
            repository=repository,
            embedding=self._embedding,
            stays=self._stays,
        )

    def _on_disk(self) -> Iterator[MemoryStore]:
        """The tasks, sessions and worktrees that have a folder."""
        places: tuple[tuple[Scope, str], ...] = (
            ("task", TASKS), ("session", SESSIONS), ("worktree", WORKTREES),
        )  # fmt: skip
        for scope, name in places:
            try:
                folders = sorted((self._resolved.data_dir / name).iterdir())
            except OSError:
                continue
            for folder in folders:
                yield self.one(scope, folder.name)
