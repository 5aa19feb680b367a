"""The thread that follows a workspace for as long as its process stays.

It takes in what the kernel tells before its queue overflows, reads the contents of a large project
ahead of the first snapshot, brings what was acknowledged onto the disk five times a second, and
does in quiet moments what nobody should wait for: moving the log into the database, packing old
contents, forgetting old points, and checking that the kernel told everything. It never makes a
point of its own.
"""

from __future__ import annotations

import os
import select
import stat
import threading
import time
from typing import TYPE_CHECKING

from milepost.base.errors import MilepostError, WorldError
from milepost.checkpoints import retention
from milepost.checkpoints.blobs import Blobs, repack
from milepost.checkpoints.content import Unreadable, read
from milepost.checkpoints.coverage import Coverage
from milepost.checkpoints.inotify import Unwatchable
from milepost.checkpoints.names import shown
from milepost.checkpoints.rows import newest, rows_below
from milepost.checkpoints.scan import scan

if TYPE_CHECKING:
    from collections.abc import Callable

    from milepost.checkpoints.looking import Looking
    from milepost.checkpoints.store import SnapshotStore

# What a power cut may lose is what was acknowledged in about this time; a sync takes milliseconds.
PAUSE_S = 0.2

# After so long without a change or a snapshot, there is time for housekeeping.
QUIET_S = 2.0

# A full scan takes up to a second in a large project; so seldom, nobody notices.
CHECK_EVERY_S = 600.0

# Points grow old by the day.
FORGET_EVERY_S = 6 * 3_600.0

# Some 50 ms of reading; whoever wants a snapshot in the meantime waits no longer.
_BATCH_FILES = 200

# Longer than someone who waits for the lock sleeps between two tries, so that they get it.
_YIELD_S = 0.02

# Points of earlier processes that are looked at for contents to pack; a day's work has fewer.
_REPACK_BACK = 500

# As a racy file in `taking`: too young to be told from one that is rewritten in the same tick.
_RACY_NS = 20_000_000

# How long leaving waits for it; what it does may be cut short at any instruction.
_STOP_S = 3.0


class Keeper:
    """The thread of one store."""

    def __init__(
        self,
        store: SnapshotStore,
        looking: Looking,
        progress: Callable[[int, int], None] | None,
        is_given_up: Callable[[], bool],
    ) -> None:
        self._store = store
        self._looking = looking
        self._progress = progress
        self._is_given_up = is_given_up
        self._thread = threading.Thread(target=self._run, name="milepost-keeper", daemon=True)
        self._stop = threading.Event()
        self._waker, self._wake_end = os.pipe()
        os.set_blocking(self._wake_end, False)
        self._has_commits = False
        self._forget_at = 0.0
        self._repacked_to: int | None = None
        self._guard = threading.Lock()
        self._notices: list[str] = []
        self._told: set[str] = set()

    def start(self) -> None:
        """Begin to follow."""
        self._thread.start()

    def wake(self) -> None:
        """Something was committed."""
        self._has_commits = True
        self._poke()

    def stop(self) -> None:
        """End, with everything on the disk."""
        self._stop.set()
        self._poke()
        self._thread.join(_STOP_S)
        self._looking.disarm()
        if not self._thread.is_alive():
            os.close(self._waker)
            os.close(self._wake_end)
        self._store.barrier()

    def take_notices(self) -> tuple[str, ...]:
        """What the user should hear; each is told once."""
        with self._guard:
            notices, self._notices = tuple(self._notices), []
        return notices

    def _poke(self) -> None:
        try:
            os.write(self._wake_end, b"!")
        except BlockingIOError:
            return  # enough pokes are waiting already

    def _run(self) -> None:
        self._safely(self._arm)
        self._safely(self._read_ahead)
        # Each time that nothing happens for so long, the next of these is done.
        quiet_work = ((QUIET_S, self._tidy), (CHECK_EVERY_S, self._check), (None, None))
        rest = 0
        while not self._stop.is_set():
            self._safely(self._level)
            timeout_s, work = quiet_work[rest]
            if self._wait(timeout_s):
                rest = 0
                self._stop.wait(PAUSE_S)
                self._safely(self._keep_up)
            elif work is not None:
                rest += 1
                self._safely(work)

    def _safely(self, work: Callable[[], None]) -> None:
        """A failure is told and does not end the thread: snapshots scan where it could not help."""
        try:
            work()
        except (MilepostError, Unwatchable) as failure:
            self._tell(str(failure))

    def _tell(self, words: str) -> None:
        with self._guard:
            if words not in self._told:
                self._told.add(words)
                self._notices.append(words)

    def _wait(self, timeout_s: float | None) -> bool:
        """Whether something happened in the project or was committed in this time."""
        watch = self._looking.watch
        poll = select.poll()
        poll.register(self._waker, select.POLLIN)
        if watch is not None:
            poll.register(watch.handle, select.POLLIN)
        ready = poll.poll(None if timeout_s is None else timeout_s * 1000)
        if any(handle == self._waker for handle, _ in ready):
            os.read(self._waker, 4096)
        return bool(ready)

    def _arm(self) -> None:
        try:
            self._looking.arm()
        except (Unwatchable, OSError) as reason:
            raise WorldError(
                f"changes in {self._looking.root} cannot be followed: {reason}. "
                "Restore points are as complete as ever; each scans the whole project"
            ) from reason

    def _keep_up(self) -> None:
        watch = self._looking.watch
        if watch is not None:
            watch.drain()
            if watch.failure is not None:
                self._looking.disarm()
                self._tell(
                    f"changes in {self._looking.root} are no longer followed: {watch.failure}. "
                    "Restore points are as complete as ever; each scans the whole project"
                )
        if self._has_commits:
            self._has_commits = False
            self._store.barrier()

    def _level(self) -> None:
        """Scan once, so that no snapshot has to: at the start, and after the queue overflowed."""
        watch = self._looking.watch
        if watch is None or watch.is_level or self._stop.is_set():
            return
        with self._store.exclusive():
            if watch.is_level:
                return
            base = self._store.database.identity()
            with self._store.database.reading() as connection:
                if newest(connection) is None:
                    return
                manifest = rows_below(connection, b"")
            self._looking.level(base, manifest)

    def _read_ahead(self) -> None:
        """Store the contents of all files, so that the first snapshot has only to name them."""
        total = 0
        try:
            with self._store.database.reading() as connection:
                if newest(connection) is not None:
                    return
            found = scan(Coverage(os.fsencode(self._looking.root))).found
            names = [name for name, info in found.items() if not stat.S_ISDIR(info.st_mode)]
            total = len(names)
            for done in range(0, total, _BATCH_FILES):
                self._report(done, total)
                if self._stop.is_set() or self._is_given_up():
                    return
                with self._store.exclusive(), self._store.database.writing() as connection:
                    if newest(connection) is not None:
                        return
                    blobs = Blobs(connection)
                    for name in names[done : done + _BATCH_FILES]:
                        self._read_one(blobs, name, found[name])
                self._stop.wait(_YIELD_S)
        finally:
            self._report(total, total)

    def _report(self, done: int, total: int) -> None:
        if self._progress is not None:
            self._progress(done, total)

    def _read_one(self, blobs: Blobs, name: bytes, info: os.stat_result) -> None:
        try:
            path = os.path.join(os.fsencode(self._looking.root), name)
            content = read(path, info, self._looking.max_file_bytes)
        except Unreadable:
            return
        if content is None or content.is_torn:
            return
        if time.time_ns() - content.found.st_mtime_ns > _RACY_NS:
            sha256 = content.sha256
            blobs.put({sha256: content.data})
            self._looking.stored[name] = (content.found, sha256)

    def _tidy(self) -> None:
        with self._store.database.reading() as connection:
            last = newest(connection)
        if last is None:
            return
        first = max(1, last.id - _REPACK_BACK) if self._repacked_to is None else self._repacked_to
        for snapshot_id in range(first, last.id + 1):
            if self._stop.is_set():
                return
            with self._store.exclusive(), self._store.database.writing() as connection:
                repack(connection, snapshot_id)
            self._repacked_to = snapshot_id + 1
            self._stop.wait(_YIELD_S)
        if time.monotonic() > self._forget_at:
            self._forget_at = time.monotonic() + FORGET_EVERY_S
            with self._store.exclusive():
                retention.forget(self._store, retention.DEFAULT)
        self._store.database.checkpoint()

    def _check(self) -> None:
        with self._store.exclusive():
            with self._store.database.reading() as connection:
                manifest = rows_below(connection, b"")
            missed = self._looking.check(manifest)
        if missed:
            root = shown(os.fsencode(self._looking.root))
            self._tell(
                f"{missed} paths in {root} changed without the system telling of it (by a memory "
                "map, another hard link, or a mount); they are in the next restore point"
            )
