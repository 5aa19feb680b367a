"""What Milepost keeps of a project on disk: how much, a copy of it, less of it, none of it."""

from __future__ import annotations

import os
import shutil
import tarfile
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from milepost.api import data_views
from milepost.api.scopes import MEMORY, NOTES, PROGRESS, SESSIONS
from milepost.base.errors import UserError, WorldError
from milepost.base.files import locked
from milepost.base.sqlite import copy_database, every_text
from milepost.checkpoints import retention

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from milepost.api.masking import Masking
    from milepost.api.memory import Memory
    from milepost.api.scopes import Scopes
    from milepost.checkpoints.store import SnapshotStore

# What each file holds, by its name; what has another name is a lock, or can be made again.
_HOLDS = {
    MEMORY: "the memory, as text",
    NOTES: "the notes of a session",
    PROGRESS: "the progress of a task",
    "index.db": "the index of the memory",
    "rules.db": "the index of agents' rules files",
    "revisions.db": "earlier versions of entries",
    "trust.db": "which entries were written here",
    "milepost.db": "goals and their evidence",
    "history.db": "what was done",
    "sessions.db": "what was said and done in runs, and what it took",
    "tasks.db": "the tree of tasks",
    "checkpoint.md": "the state of a run",
    "snapshots.db": "restore points",
}

_DAY_S = 86_400.0

# A century: longer than anything is kept, short enough for any clock.
MAX_DAYS = 36_500


class Data:
    """The data of one project. `close` closes its databases; the notes of `session`, which is
    open, are never pruned."""

    def __init__(
        self,
        folder: Path,
        scopes: Scopes,
        snapshots: SnapshotStore,
        entries: Memory,
        masking: Masking,
        close: Callable[[], None],
        session: str,
    ) -> None:
        self._folder = folder
        self._scopes = scopes
        self._snapshots = snapshots
        self._entries = entries
        self._masking = masking
        self._close = close
        self._session = session

    def usage(self) -> tuple[data_views.DataFile, ...]:
        """Every file that holds data, with its size; what SQLite keeps beside a database counts
        with it."""
        return tuple(
            data_views.DataFile(str(path), sum(map(_size, _with_companions(path))), holds)
            for path, holds in self._files()
        )

    def scan(self) -> data_views.DataScan:
        """Look for secrets in every text that is kept, with all rules there are: in the memory
        file, where people write, and in what was kept before a rule was known. Files in restore
        points are the project's own and not looked at."""
        has_second = self._masking.ask_both()
        found: list[data_views.KeptSecret] = []
        texts = 0
        for place, text in self._texts():
            texts += 1
            kinds = dict.fromkeys(one.kind for one in self._masking.redact(text).found)
            if place.endswith(".md"):
                # Of a file as a whole, what its lines did not tell.
                told = {one.kind for one in found if one.place.startswith(f"{place} line ")}
                kinds = {kind: None for kind in kinds if kind not in told}
            found += [data_views.KeptSecret(place, kind) for kind in kinds]
        return data_views.DataScan(tuple(found), texts, has_second_opinion=has_second)

    def export(self, target: str) -> data_views.DataFile:
        """Write everything into a new .tar.gz at `target`, as of one moment for each file, while
        others may go on. Raises UserError when something is there already."""
        path = Path(target)
        if path.exists():
            raise UserError(f"{target} is there already; name a file that is not")
        with tempfile.TemporaryDirectory(prefix="milepost-export-") as folder:
            try:
                copies = self._copies(Path(folder))
                handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                with os.fdopen(handle, "wb") as file, tarfile.open(None, "w:gz", file) as archive:
                    for copy in copies:
                        inside = copy.relative_to(folder).as_posix()
                        archive.add(copy, f"{self._folder.name}/{inside}")
            except OSError as error:
                message = f"cannot write {target} ({error.strerror}); name another place"
                raise WorldError(message) from error
        return data_views.DataFile(str(path.absolute()), _size(path), "a copy of everything")

    def prune(self, oldest_kept: int) -> int:
        """Forget the restore points before this one, but for pinned and named ones, and the content
        that only they need; how many went. Raises UserError when there is no such point.

        What memory entries said before they were changed or forgotten goes out of its index too.
        Their revisions stay, so that a change can be taken back; only `wipe` deletes those.
        """
        self._entries.clean()
        with self._snapshots.exclusive():
            return retention.forget_before(self._snapshots, oldest_kept)

    def prune_sessions(self, older_than_days: int) -> tuple[str, ...]:
        """Delete the notes of sessions in which nothing was written for so many days, with all that
        is kept of them; the sessions that went. The notes of this session stay."""
        if not 0 <= older_than_days <= MAX_DAYS:
            raise UserError(f"an age in days is a whole number from 0 to {MAX_DAYS}")
        oldest = time.time() - older_than_days * _DAY_S
        gone: list[str] = []
        for folder in _folders(self._folder / SESSIONS):
            if folder.name == self._session or _last_written(folder) > oldest:
                continue
            self._scopes.drop("session", folder.name)
            with locked(folder / f"{NOTES}.lock"):
                # Someone may have written while we waited.
                if _last_written(folder) <= oldest:
                    _remove(folder)
                    gone.append(folder.name)
        return tuple(gone)

    def drop_session(self, session: str) -> None:
        """Delete the notes of a session, with all that is kept of it beside its transcript."""
        self._scopes.drop("session", session)
        _remove(self._folder / SESSIONS / session)

    def wipe(self) -> None:
        """Delete all that is kept of the project: memory, goals, history and restore points. Its
        files are not touched, and so a memory in the repository stays."""
        self._close()
        _remove(self._folder)

    def _files(self) -> Iterator[tuple[Path, str]]:
        memory = Path(self._scopes.one("project", "").path)
        if not memory.is_relative_to(self._folder) and memory.is_file():
            yield memory, "the memory in the repository"
        for folder in (self._folder, *_below(self._folder)):
            for name, holds in _HOLDS.items():
                if (folder / name).is_file():
                    yield folder / name, holds
            for aside in sorted(folder.glob(f"{MEMORY}.moved-*")):
                yield aside, "the memory before it was moved"

    def _texts(self) -> Iterator[tuple[str, str]]:
        """Every text that is kept, with the words that lead to it. The memory goes whole, because
        a key has many lines, and then by the line, to tell where."""
        for path, _ in self._files():
            name = path.relative_to(self._folder) if path.is_relative_to(self._folder) else path
            if path.suffix == ".md":
                whole = path.read_text("utf-8", errors="replace")
                for number, line in enumerate(whole.splitlines(), 1):
                    yield f"{name} line {number}", line
                yield str(name), whole
            elif path.suffix == ".db" and path.name != self._snapshots.database.path.name:
                for place, text in every_text(path):
                    yield f"{name} {place}", text

    def _copies(self, folder: Path) -> list[Path]:
        copies: list[Path] = []
        for path, _ in self._files():
            is_ours = path.is_relative_to(self._folder)
            inside = path.relative_to(self._folder) if is_ours else Path("repository", path.name)
            copy = folder / inside
            copy.parent.mkdir(parents=True, exist_ok=True)
            if path.suffix == ".db":
                copy_database(path, copy)
            else:
                shutil.copy(path, copy)
            copies.append(copy)
        return copies


def _below(folder: Path) -> Iterator[Path]:
    """The folders of worktrees, sessions and tasks, and those in them."""
    for kind in _folders(folder):
        for one in _folders(kind):
            yield one
            yield from _folders(one)


def _folders(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if path.is_dir())
    except OSError:
        return []


def _last_written(folder: Path) -> float:
    """When the newest of a folder's notes was written. Databases are also written by a search."""
    notes = folder / NOTES
    try:
        return (notes if notes.exists() else folder).stat().st_mtime
    except OSError:
        return time.time()


def _remove(folder: Path) -> None:
    try:
        shutil.rmtree(folder)
    except FileNotFoundError:
        return
    except OSError as error:
        raise WorldError(f"cannot delete {folder} ({error.strerror})") from error


def _with_companions(path: Path) -> tuple[Path, ...]:
    return path, Path(f"{path}-wal"), Path(f"{path}-shm")


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
