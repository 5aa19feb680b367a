"""What Milepost keeps of a project on disk: how much, a copy of it, less of it, none of it."""

from __future__ import annotations

import os
import shutil
import tarfile
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from milepost.api import views
from milepost.base.errors import UserError, WorldError
from milepost.base.sqlite import every_text
from milepost.checkpoints import retention

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from milepost.api.masking import Masking
    from milepost.api.memory import Memory
    from milepost.base.sqlite import Database
    from milepost.checkpoints.store import SnapshotStore

_MEMORY = "the memory, as text"


class Data:
    """The data of one project. `databases` are its own, by what they hold."""

    def __init__(
        self,
        folder: Path,
        memory: Path,
        databases: Mapping[str, Database],
        snapshots: SnapshotStore,
        entries: Memory,
        masking: Masking,
    ) -> None:
        self._folder = folder
        self._memory = memory
        self._databases = databases
        self._snapshots = snapshots
        self._entries = entries
        self._masking = masking

    def usage(self) -> tuple[views.DataFile, ...]:
        """Every file that holds data, with its size; what SQLite keeps beside a database counts
        with it."""
        files = [(self._memory, _MEMORY)]
        files += [(database.path, holds) for holds, database in self._databases.items()]
        return tuple(
            views.DataFile(str(path), sum(map(_size, _with_companions(path))), holds)
            for path, holds in files
            if path.exists()
        )

    def scan(self) -> views.DataScan:
        """Look for secrets in every text that is kept, with all rules there are: in the memory
        file, where people write, and in what was kept before a rule was known. Files in restore
        points are the project's own and not looked at."""
        has_second = self._masking.ask_both()
        found: list[views.KeptSecret] = []
        texts = 0
        for place, text in self._texts():
            texts += 1
            kinds = dict.fromkeys(one.kind for one in self._masking.redact(text).found)
            if place == self._memory.name:
                kinds = {kind: None for kind in kinds if kind not in {one.kind for one in found}}
            found += [views.KeptSecret(place, kind) for kind in kinds]
        return views.DataScan(tuple(found), texts, has_second_opinion=has_second)

    def export(self, target: str) -> views.DataFile:
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
                        archive.add(copy, f"{self._folder.name}/{copy.name}")
            except OSError as error:
                raise WorldError(f"cannot write {target} ({error.strerror})") from error
        return views.DataFile(str(path.absolute()), _size(path), "a copy of everything")

    def prune(self, oldest_kept: int) -> int:
        """Forget the restore points before this one, but for pinned and named ones, and the content
        that only they need; how many went. Raises UserError when there is no such point.

        What memory entries said before they were changed or forgotten goes out of its index too.
        Their revisions stay, so that a change can be taken back; only `wipe` deletes those.
        """
        self._entries.clean()
        with self._snapshots.exclusive():
            return retention.forget_before(self._snapshots, oldest_kept)

    def wipe(self) -> None:
        """Delete all that is kept of the project: memory, goals, history and restore points. Its
        files are not touched."""
        for database in self._databases.values():
            database.close()
        try:
            shutil.rmtree(self._folder)
        except FileNotFoundError:
            return
        except OSError as error:
            raise WorldError(f"cannot delete {self._folder} ({error.strerror})") from error

    def _texts(self) -> Iterator[tuple[str, str]]:
        """Every text that is kept, with the words that lead to it. The memory goes whole, because
        a key has many lines, and then by the line, to tell where."""
        if self._memory.exists():
            whole = self._memory.read_text("utf-8", errors="replace")
            lines = list(enumerate(whole.splitlines(), 1))
            yield from ((f"{self._memory.name} line {number}", line) for number, line in lines)
            yield self._memory.name, whole
        for database in self._databases.values():
            if database.path.exists() and database.path != self._snapshots.database.path:
                with database.reading() as connection:
                    for place, text in every_text(connection):
                        yield f"{database.path.name} {place}", text

    def _copies(self, folder: Path) -> list[Path]:
        copies: list[Path] = []
        if self._memory.exists():
            copies.append(Path(shutil.copy(self._memory, folder)))
        for database in self._databases.values():
            copy = folder / database.path.name
            if database.copy_to(copy):
                copies.append(copy)
        return copies


def _with_companions(path: Path) -> tuple[Path, ...]:
    return path, Path(f"{path}-wal"), Path(f"{path}-shm")


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
