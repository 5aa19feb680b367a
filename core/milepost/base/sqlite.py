"""SQLite opened the one right way.

Every process of the machine may have the same file open: WAL lets readers go on while one writes,
the busy timeout makes writers queue, and BEGIN IMMEDIATE takes the write lock before the first
read, so a transaction never fails half-way for having read too early. A database that SQLite calls
malformed is put aside and made anew, and that is said aloud.

A connection is one thread's at a time, and goes to the next that asks: what it has read of the file
is still true as long as nobody wrote through another, so that one process does with one connection
unless two of its threads ask at once.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from milepost.base.clock import utc_now
from milepost.base.errors import WorldError
from milepost.base.files import locked, make_private_dir, sync_file, sync_folder
from milepost.base.waiting import will_wait

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence
    from pathlib import Path

# Longer than any transaction of ours, shorter than the patience of an MCP client.
BUSY_TIMEOUT_MS = 15_000

# A check reads the whole file; below this size that costs some ten milliseconds.
CHECKED_AT_OPEN_BYTES = 8 * 1024 * 1024

# SQLite's own defaults: 4 MiB of log, 2 MB of the file in memory.
LOG_PAGES = 1000
CACHE_PAGES = 500


@dataclass(frozen=True, slots=True)
class _Opened:
    """A connection, which file it is to, and how often the database had been closed before it was
    opened."""

    connection: sqlite3.Connection
    identity: tuple[int, int] | None
    closings: int


@dataclass(slots=True)
class _Held:
    """A connection in the hands of a thread, and how many blocks within each other use it."""

    opened: _Opened
    blocks: int = 0


class Database:
    """One SQLite file with numbered migrations.

    `migrations` are SQL scripts; the file's `user_version` tells how many have run.
    `durability` FULL survives a power cut at every commit; NORMAL may lose the last commits then
    (never on a kill) and is for what can be rebuilt, or for a caller of `barrier`. What is deleted
    from a database that `erases` is overwritten by zeros. `loss` ends the notice of a quarantine:
    what is gone, or how it comes back. `log_pages` is how many pages of 4 KiB the log takes before
    a commit has to move them into the file; a caller of `checkpoint` does that when nobody waits.
    `cache_pages` is how many of them a connection keeps in memory.
    """

    def __init__(
        self,
        path: Path,
        migrations: Sequence[str],
        *,
        durability: Literal["FULL", "NORMAL"],
        loss: str,
        erases: bool = False,
        log_pages: int = LOG_PAGES,
        cache_pages: int = CACHE_PAGES,
    ) -> None:
        self._path = path
        self._path_text = str(path)
        self._log_pages = log_pages
        self._cache_pages = cache_pages
        self._migrations = migrations
        self._durability = durability
        self._loss = loss
        self._erases = erases
        self._mine = threading.local()
        self._idle: list[_Opened] = []
        self._closings = 0
        # A thread may come here twice: what collects garbage may end a forgotten block anywhere.
        self._guard = threading.RLock()
        self._prepared: tuple[int, int] | None = None
        self._synced_log: tuple[int, int] | None = None
        self._notices: list[str] = []

    @contextlib.contextmanager
    def reading(self) -> Generator[sqlite3.Connection]:
        """A connection for queries that no other thread uses meanwhile; within such a block, the
        same again."""
        try:
            held = self._take()
            try:
                yield held.opened.connection
            finally:
                self._give_back(held)
        except sqlite3.DatabaseError as error:
            if _is_ours(error):
                raise
            raise self._in_words(error) from error

    @contextlib.contextmanager
    def writing(self) -> Generator[sqlite3.Connection]:
        """A connection as from `reading`, inside BEGIN IMMEDIATE; committed at the end, rolled back
        on any exception."""
        with self.reading() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                with contextlib.suppress(sqlite3.Error):
                    connection.execute("ROLLBACK")
                raise

    def wipe_free_space(self, *, vacuum_below: int) -> bool:
        """Take what was deleted out of the log, and in a file of less than `vacuum_below` bytes out
        of the free parts of its pages too. False when others are using the file; they go on."""
        with self.reading() as connection:
            connection.execute("PRAGMA busy_timeout=0")
            try:
                if self._path.stat().st_size < vacuum_below:
                    connection.execute("VACUUM")
                (busy, _, _) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            except sqlite3.OperationalError as error:
                if not _is_busy(error):
                    raise
                return False
            finally:
                connection.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
        return not busy

    def identity(self) -> tuple[int, int] | None:
        """What tells this file from one that was made in its place; it is made if there is none."""
        identity = self._identity()
        if identity is None or identity != self._prepared:
            with self.reading():
                identity = self._identity()
        return identity

    def barrier(self) -> None:
        """Return when everything that was committed, by any process, survives a power cut."""
        log = self._path.with_name(self._path.name + "-wal")
        try:
            handle = os.open(log, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return  # SQLite syncs the file itself before it does without its log
        except OSError as error:
            message = f"cannot open {log} ({error.strerror}); check its owner and its disk"
            raise WorldError(message) from error
        try:
            identity = _identity_of(os.fstat(handle))
            sync_file(handle)
            if identity != self._synced_log:
                sync_folder(self._path.parent)
                self._synced_log = identity
        except OSError as error:
            raise WorldError(f"cannot sync {log} ({error.strerror}); check the disk") from error
        finally:
            os.close(handle)

    @contextlib.contextmanager
    def barrier_meanwhile(self) -> Generator[None]:
        """`barrier`, while what stands inside goes on: most of it is waiting for the disk. At the
        end, what was committed at the beginning survives a power cut."""
        failures: list[BaseException] = []

        def sync() -> None:
            try:
                self.barrier()
            except BaseException as failure:  # noqa: BLE001  (raised in the caller's thread)
                failures.append(failure)

        thread = threading.Thread(target=sync, name="milepost-barrier", daemon=True)
        thread.start()
        try:
            yield
        finally:
            thread.join()
        if failures:
            raise failures[0]

    def checkpoint(self) -> None:
        """Move what the log holds into the file, as far as no reader needs it where it is."""
        with self.reading() as connection:
            connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()

    @property
    def path(self) -> Path:
        """Where the file is, or will be."""
        return self._path

    def size_bytes(self) -> int:
        """What the file and SQLite's own files beside it take."""
        parts = (self._path.with_name(self._path.name + each) for each in ("", "-wal", "-shm"))
        return sum(part.stat().st_size for part in parts if part.exists())

    def take_notices(self) -> tuple[str, ...]:
        """What the user should hear about this file; each is told once."""
        if not self._notices:
            return ()
        with self._guard:
            notices, self._notices = tuple(self._notices), []
        return notices

    def close(self) -> None:
        """Close the connections; one that another thread is using, as soon as it is done."""
        with self._guard:
            self._closings += 1
            for opened in self._idle:
                opened.connection.close()
            self._idle.clear()

    def _take(self) -> _Held:
        """A connection to the file that is there now, for this thread alone.

        The file may have been deleted, or put aside by another process: then it is made anew
        rather than written where nobody looks.
        """
        will_wait()
        identity = self._identity()
        held: _Held | None = getattr(self._mine, "held", None)
        if held is None or not held.blocks or held.opened.identity != identity:
            held = self._mine.held = _Held(self._unused(identity))
        held.blocks += 1
        return held

    def _unused(self, identity: tuple[int, int] | None) -> _Opened:
        with self._guard:
            # The one that was used last knows most of the file.
            if self._idle and self._idle[-1].identity == identity:
                return self._idle.pop()
            if identity is None or identity != self._prepared:
                self._prepare()
                self._prepared = identity = self._identity()
            opened = _Opened(self._connect(), identity, self._closings)
            # Not before: as long as a file is open, no new one gets its identity.
            for stale in self._idle:
                stale.connection.close()
            self._idle.clear()
            return opened

    def _give_back(self, held: _Held) -> None:
        held.blocks -= 1
        if held.blocks:
            return
        opened = held.opened
        with self._guard:
            if opened.closings == self._closings and not opened.connection.in_transaction:
                self._idle.append(opened)
            else:
                opened.connection.close()

    def _identity(self) -> tuple[int, int] | None:
        try:
            return _identity_of(os.stat(self._path_text))  # noqa: PTH116  (at every use of the file)
        except OSError:
            return None

    def _connect(self) -> sqlite3.Connection:
        # It goes from thread to thread; that no two use it at once is seen to above.
        connection = sqlite3.connect(
            self._path,
            timeout=BUSY_TIMEOUT_MS / 1000,
            isolation_level=None,
            check_same_thread=False,
        )
        connection.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute(f"PRAGMA synchronous={self._durability}")
        if self._log_pages != LOG_PAGES:
            connection.execute(f"PRAGMA wal_autocheckpoint={self._log_pages}")
        if self._cache_pages != CACHE_PAGES:
            connection.execute(f"PRAGMA cache_size={self._cache_pages}")
        connection.execute("PRAGMA foreign_keys=ON")
        if self._erases:
            connection.execute("PRAGMA secure_delete=ON")
        return connection

    def _prepare(self) -> None:
        """Make, check and migrate the file, one process at a time."""
        make_private_dir(self._path.parent)
        with locked(self._path.with_name(self._path.name + ".lock")):
            try:
                self._migrate()
            except sqlite3.DatabaseError as error:
                if not _is_damage(error):
                    raise
                self._quarantine(error)
                self._migrate()

    def _migrate(self) -> None:
        if not self._path.exists():
            os.close(os.open(self._path, os.O_CREAT | os.O_WRONLY, 0o600))
        with contextlib.closing(self._connect()) as connection:
            if self._path.stat().st_size <= CHECKED_AT_OPEN_BYTES:
                verdict = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
                if verdict != "ok":
                    raise sqlite3.DatabaseError(f"malformed: {verdict}")
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            if version > len(self._migrations):
                raise WorldError(
                    f"{self._path} was written by a newer Milepost (schema {version}, this one "
                    f"knows {len(self._migrations)}); upgrade Milepost and try again"
                )
            for number in range(version, len(self._migrations)):
                script = (
                    f"BEGIN IMMEDIATE;\n{self._migrations[number]}\n"
                    f"PRAGMA user_version={number + 1};\nCOMMIT;"
                )
                try:
                    connection.executescript(script)
                except sqlite3.OperationalError as error:
                    if not _is_ours(error):
                        raise
                    # Nothing is put aside by itself here: it is whole, and may be all there is.
                    message = f"{self._path} is not as its schema {version} should be ({error})"
                    raise WorldError(
                        f"{message}; give it another name and call again. {self._loss}"
                    ) from error

    def _quarantine(self, error: sqlite3.DatabaseError) -> None:
        stamp = utc_now().replace(":", "")
        aside = self._path.with_name(f"{self._path.name}.corrupt-{stamp}")
        for suffix in ("", "-wal", "-shm"):
            part = self._path.with_name(self._path.name + suffix)
            if part.exists():
                part.rename(aside.with_name(aside.name + suffix))
        self._notices.append(
            f"{self._path.name} was damaged ({error}); it was put aside as {aside.name}. "
            f"{self._loss}"
        )

    def _in_words(self, error: sqlite3.DatabaseError) -> WorldError:
        if _is_damage(error):
            # The next call quarantines it; this one must not pretend.
            self.close()
            self._prepared = None
            return WorldError(
                f"{self._path} is damaged ({error}); call again, it will be put aside"
            )
        return WorldError(f"cannot use {self._path} ({error}); check the disk and who else uses it")


def copy_database(path: Path, target: Path) -> None:
    """Write a copy of a database, as of one moment, while others use it. Raises WorldError."""
    try:
        with (
            contextlib.closing(sqlite3.connect(path, timeout=BUSY_TIMEOUT_MS / 1000)) as connection,
            contextlib.closing(sqlite3.connect(target)) as copy,
        ):
            connection.backup(copy)
    except sqlite3.Error as error:
        raise WorldError(f"cannot copy {path} ({error}); run `milepost doctor`") from error


def every_text(path: Path) -> Iterator[tuple[str, str]]:
    """Every text in every ordinary table of a database, with its table, row and column in words.
    What FTS5 keeps of the texts is left out. Raises WorldError."""
    try:
        with contextlib.closing(
            sqlite3.connect(path, timeout=BUSY_TIMEOUT_MS / 1000)
        ) as connection:
            yield from _every_text(connection)
    except sqlite3.Error as error:
        raise WorldError(f"cannot read {path} ({error}); run `milepost doctor`") from error


def _every_text(connection: sqlite3.Connection) -> Iterator[tuple[str, str]]:
    tables = connection.execute(
        "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND wr = 0 "
        "AND name NOT LIKE 'sqlite_%'"
    ).fetchall()
    for (table,) in tables:
        columns = connection.execute(
            "SELECT name FROM pragma_table_info(?) WHERE type = 'TEXT'", (table,)
        ).fetchall()
        for (column,) in columns:
            rows = connection.execute(
                f'SELECT rowid, "{column}" FROM "{table}" WHERE "{column}" <> \'\''  # noqa: S608  (names of our own schema)
            )
            for rowid, text in rows:
                yield f"{table} {rowid} {column}", text


def _identity_of(found: os.stat_result) -> tuple[int, int]:
    return found.st_dev, found.st_ino


def _is_ours(error: sqlite3.DatabaseError) -> bool:
    """Whether the error is a bug in our SQL or our use of it."""
    if isinstance(error, sqlite3.IntegrityError | sqlite3.ProgrammingError):
        return True
    return getattr(error, "sqlite_errorcode", None) in (sqlite3.SQLITE_ERROR, sqlite3.SQLITE_MISUSE)


def _is_busy(error: sqlite3.DatabaseError) -> bool:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY


def _is_damage(error: sqlite3.DatabaseError) -> bool:
    code = getattr(error, "sqlite_errorcode", None)
    if code is not None:
        return code & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
    return str(error).startswith("malformed")
