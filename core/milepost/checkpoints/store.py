"""The content store: snapshots of a workspace as rows in one SQLite file.

Only what changed is stored. History is one line and append-only, so the state of a path at point N
is the `old` side of its first change after N, or its manifest row when there was none. A restore is
one more snapshot, and can itself be taken back.

A snapshot looks at the whole project, or, in a process that stays and watches it (see `keeper`),
only at what changed. What is acknowledged survives a kill; `barrier` makes it survive a power cut.
"""

from __future__ import annotations

import json
import os
import stat
from contextlib import contextmanager
from typing import TYPE_CHECKING, cast

from milepost.base.errors import UserError, WorldError
from milepost.base.files import locked
from milepost.base.sqlite import Database
from milepost.base.unicode import fits_utf8
from milepost.checkpoints.beside import beside_at, is_like, keep
from milepost.checkpoints.blobs import content_of, contents_of
from milepost.checkpoints.coverage import Coverage
from milepost.checkpoints.keeper import Keeper
from milepost.checkpoints.listing import counted, marked, page, promoted
from milepost.checkpoints.looking import Looking
from milepost.checkpoints.rows import (
    ABSENT,
    HANDS,
    LOOKED,
    MIGRATIONS,
    SNAPSHOT_COLUMNS,
    Request,
    Row,
    Snapshot,
    State,
    find_rows,
    newest,
    snapshot_of,
)
from milepost.checkpoints.scan import scan
from milepost.checkpoints.spans import span
from milepost.checkpoints.taking import NOTHING_KNOWN, Taking
from milepost.config.tables import MAX_FILE_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Generator, Iterable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from milepost.checkpoints.beside import Beside, Depth
    from milepost.checkpoints.blobs import Kept
    from milepost.checkpoints.spans import Span
    from milepost.checkpoints.taking import Known, Uncovered

# The first snapshot of a large project takes tens of seconds; whoever comes second waits for it.
LOCK_TIMEOUT_S = 180.0

MAX_LABEL_CHARS = 200

# The bits of a mode that say what a path is.
_KIND = 0o170000

# 64 MiB of log: whoever stays moves it into the file in a quiet moment, long before.
_LOG_PAGES = 16_384

# 6 MiB: the manifest and the indexes of some ten thousand files, which every point asks.
_CACHE_PAGES = 1_536


class SnapshotStore:
    """The snapshots of one workspace root."""

    def __init__(
        self,
        root: Path,
        folder: Path,
        max_file_bytes: int = MAX_FILE_BYTES,
        beside: Callable[[str], Beside] | None = None,
    ) -> None:
        """`beside` tells what stands beside the files now, for someone in a session."""
        self.root = root
        self._root = os.fsencode(root)
        self._beside = beside
        self._max_file_bytes = max_file_bytes
        self.database = Database(
            folder / "snapshots.db",
            MIGRATIONS,
            durability="NORMAL",
            loss="The restore points up to now are in that file only; new ones start from here.",
            log_pages=_LOG_PAGES,
            cache_pages=_CACHE_PAGES,
        )
        self._lock = folder / "snapshots.lock"
        self._looking = Looking(root, max_file_bytes)
        self._keeper: Keeper | None = None
        # What the newest snapshot of this process leaves out, with its database.
        self._uncovered: tuple[object, Uncovered | None] = (None, None)
        # What stands beside the files at the newest snapshot, with its database, as far as known.
        self._around: tuple[object, int, Beside | None] = (None, 0, None)
        # The list that was read last, with its hash.
        self._left_out: tuple[bytes | None, tuple[tuple[str, str], ...]] = (None, ())

    def exclusive(self) -> AbstractContextManager[None]:
        """One process and thread at a time takes snapshots of this workspace or restores it."""
        return locked(self._lock, timeout_s=LOCK_TIMEOUT_S)

    def watch(
        self,
        progress: Callable[[int, int], None] | None = None,
        is_given_up: Callable[[], bool] = lambda: False,
    ) -> None:
        """Follow the changes of the workspace from now on, for as long as this process stays.

        `progress` is told, on another thread, how many files of how many were read for the first
        snapshot, and once that all were: that is the end of the reading, whatever ended it. When
        `is_given_up`, the first snapshot reads what is left.
        """
        if self._keeper is None:
            self._keeper = Keeper(self, self._looking, progress, is_given_up)
            self._keeper.start()

    def take(
        self,
        request: Request,
        *,
        even_if_unchanged: bool = True,
        beside: Depth = "none",
        known: Known = NOTHING_KNOWN,
    ) -> Snapshot:
        """Snapshot the workspace; hold `exclusive` around it. A kill does not undo it when this
        returns, and a power cut neither a moment later (at once when this process does not stay).

        With `even_if_unchanged` off, the newest snapshot is returned when nothing differs from it:
        no file, and nothing `beside` them, as far as the caller looks there. `known` is what the
        caller has read under the same lock.
        """
        label = request.label
        if len(label) > MAX_LABEL_CHARS or any(not char.isprintable() for char in label):
            raise UserError(
                f"a label is one line of at most {MAX_LABEL_CHARS} printable characters"
            )
        around = None if self._beside is None else self._beside(request.session)
        base = self.database.identity()
        with self._looking.look(base) as look:
            with self.database.writing() as connection:
                if self.database.identity() != base:
                    message = f"{self.database.path} was replaced by another process"
                    raise WorldError(f"{message}; nothing was lost, try again")
                taking = Taking(
                    connection,
                    self._root,
                    look.scanned,
                    self._max_file_bytes,
                    look.left_out_before,
                    look.stored,
                    known if known.base == base else NOTHING_KNOWN,
                    self._uncovered[1] if self._uncovered[0] == base else None,
                )
                taking.compare()
                last = newest(connection)
                # The newest snapshot stays, and with it what stands beside it.
                is_known = last is not None and self._around == (base, last.id, around)
                if (
                    last is not None
                    and not even_if_unchanged
                    and not taking.changed
                    and (is_known or is_like(around, connection, last.id, beside))
                ):
                    taking.refresh_manifest()
                    is_taken_up = last.kind == LOOKED and request.kind != LOOKED
                    taken = promoted(connection, last, request) if is_taken_up else last
                else:
                    taken = taking.write(request, last)
                    if around is not None and not is_known:
                        keep(connection, taking.blobs, taken.id, around)
                    if last is not None and last.kind == LOOKED and request.kind != LOOKED:
                        taken = counted(connection, taken)
            look.succeed(taking)
        self._uncovered = base, taking.uncovered
        if last is None or taken.id != last.id:
            self._around = base, taken.id, around
        if self._keeper is None:
            self.barrier()
        else:
            self._keeper.wake()
        return taken

    def seen(self, label: str, actor: str, *, kind: str = "automatic") -> Snapshot:
        """A snapshot of the workspace as it is: the newest when nothing differs from it (see
        `take`), else a new one. It survives a power cut. Hold `exclusive` around it."""
        snapshot = self.take(Request(actor, label, kind), even_if_unchanged=False)
        if self._keeper is not None:
            self.barrier()
        return snapshot

    @contextmanager
    def seeing(self, request: Request) -> Generator[Snapshot]:
        """`seen`, as deep as can be; it survives a power cut when what stands inside has ended."""
        snapshot = self.take(request, even_if_unchanged=False, beside="all")
        if self._keeper is None:
            yield snapshot
        else:
            with self.database.barrier_meanwhile():
                yield snapshot

    def barrier(self) -> None:
        """Return when all that was acknowledged survives a power cut."""
        self.database.barrier()

    def page(
        self, limit: int, before: int | None, offset: int = 0, *, has_looked: bool = True
    ) -> list[Snapshot]:
        """The snapshots older than `before`, newest first; with `has_looked` also those that were
        made by looking only."""
        with self.database.reading() as connection:
            return page(connection, limit, before, offset, has_looked=has_looked)

    def marked(self) -> tuple[int | None, int, tuple[tuple[int, str | None], ...]]:
        """The newest listed snapshot's id, how many are listed, and those that have a name or are
        pinned."""
        if not self.database.path.exists():
            return None, 0, ()
        with self.database.reading() as connection:
            return marked(connection)

    def get(self, snapshot_id: int) -> Snapshot:
        """The snapshot with this id. Raises UserError when there is none."""
        found = self._one("WHERE id = ?", min(snapshot_id, 2**62))
        if found is None:
            raise UserError(f"there is no restore point {snapshot_id}; list them to see their ids")
        return found

    def named(self, name: str) -> Snapshot:
        """The snapshot that was given this name. Raises UserError when there is none."""
        found = self._one("WHERE name = ?", name) if fits_utf8(name) else None
        if found is None:
            raise UserError(
                f"no restore point is named {name[:80]!r}; list them to see their names"
            )
        return found

    def newest_restore(self) -> Snapshot | None:
        """The newest snapshot that a restore left behind."""
        return self._one("WHERE before IS NOT NULL ORDER BY id DESC LIMIT 1")

    def beside(self, snapshot_id: int) -> Beside | None:
        """What stood beside the files of a point; None when that was not kept then."""
        with self.database.reading() as connection:
            return beside_at(connection, snapshot_id)

    def left_out(self, snapshot_id: int) -> tuple[tuple[str, str], ...]:
        """The first of the paths that a snapshot does not cover, with the reasons."""
        base, last = self._uncovered
        if last is not None and last.snapshot == snapshot_id and base == self.database.identity():
            return last.named
        with self.database.reading() as connection:
            row = connection.execute(
                "SELECT left_out, uncovered, sha256 FROM snapshot "
                "LEFT JOIN blob ON blob.id = uncovered WHERE snapshot.id = ?",
                (snapshot_id,),
            ).fetchone()
            if row is None:
                return ()
            text, blob, sha256 = row
            # Nearly all points leave out the same.
            if blob is not None and self._left_out[0] == sha256:
                return self._left_out[1]
            if blob is not None:
                text = content_of(connection, blob).decode()
        pairs = cast("list[tuple[str, str]]", json.loads(text))
        found = tuple((path, reason) for path, reason in pairs)
        self._left_out = (sha256, found)
        return found

    def span(self, older: int, newer: int) -> Span:
        """What became of each path after one point up to another."""
        with self.database.reading() as connection:
            return span(connection, older, newer)

    def between(self, older: int, newer: int) -> dict[bytes, tuple[State, State]]:
        """The paths that differ between two points, with their states at each."""
        return self.span(older, newer).ends()

    def changes(self, older: int, newer: int) -> dict[bytes, list[tuple[State, State, str]]]:
        """Every change after one point up to another, by path and in their order: the state before
        and after, and whose hands it was."""
        with self.database.reading() as connection:
            rows = connection.execute(
                """
                SELECT name, old_mode, old_blob, new_mode, new_blob, hand FROM change
                JOIN path ON path.id = change.path
                WHERE snapshot > ? AND snapshot <= ? ORDER BY snapshot
                """,
                (older, newer),
            ).fetchall()
        found: dict[bytes, list[tuple[State, State, str]]] = {}
        for name, old_mode, old_blob, new_mode, new_blob, hand in rows:
            change = (State(old_mode, old_blob), State(new_mode, new_blob), HANDS[int(hand)])
            found.setdefault(name, []).append(change)
        return found

    def hands(self, older: int, newer: int) -> dict[bytes, str]:
        """Whose the changes between two points are, by path; `several` where more than one had a
        hand in it."""
        return self.span(older, newer).hands

    def state_at(self, snapshot_id: int, name: bytes) -> State:
        """What the path was at a point."""
        with self.database.reading() as connection:
            # There are far fewer points than changes: each is asked for the path (CROSS JOIN keeps
            # that order).
            row = connection.execute(
                """
                SELECT old_mode, old_blob FROM path CROSS JOIN snapshot CROSS JOIN change
                ON change.snapshot = snapshot.id AND change.path = path.id
                WHERE path.name = ? AND snapshot.id > ? ORDER BY snapshot.id LIMIT 1
                """,
                (name, snapshot_id),
            ).fetchone()
            if row is None:
                row = connection.execute(
                    "SELECT mode, blob FROM current JOIN path ON path.id = current.path "
                    "WHERE name = ?",
                    (name,),
                ).fetchone()
        return ABSENT if row is None else State(*row)

    def covered(self) -> list[str]:
        """The paths of all covered files as they are now, relative, with forward slashes, in their
        order. Where the project is followed, only what changed is looked at."""
        if self._keeper is None:
            found = scan(Coverage(self._root)).found
            names = {name for name, info in found.items() if stat.S_ISREG(info.st_mode)}
        else:
            with self.exclusive():
                names = self._followed()
        return sorted(map(os.fsdecode, names))

    def rows(self, names: Iterable[bytes]) -> dict[bytes, Row]:
        """The manifest's rows of these paths."""
        with self.database.reading() as connection:
            return find_rows(connection, names)

    def content(self, blob: int) -> bytes:
        """The bytes of a blob, verified. Raises WorldError when they are damaged."""
        with self.database.reading() as connection:
            return content_of(connection, blob)

    def contents(self, blobs: Collection[int]) -> Iterator[Kept | None]:
        """Contents in the order of these blobs, read some at a time; None for a damaged one."""
        with self.database.reading() as connection:
            yield from contents_of(connection, blobs)

    def mark(self, snapshot_id: int, *, name: str | None, pinned: bool) -> Snapshot:
        """Give a snapshot a name (None: none) and pin it or not; it survives a power cut. Raises
        UserError when another one has the name."""
        self.get(snapshot_id)
        with self.database.writing() as connection:
            other = connection.execute(
                "SELECT id FROM snapshot WHERE name = ? AND id <> ?", (name, snapshot_id)
            ).fetchone()
            if other is not None:
                raise UserError(f"restore point {other[0]} is named {name!r}; choose another name")
            connection.execute(
                "UPDATE snapshot SET name = ?, pinned = ? WHERE id = ?",
                (name, pinned, snapshot_id),
            )
        self.barrier()
        return self.get(snapshot_id)

    def size(self) -> tuple[int, int, int, int, int]:
        """How many points and contents there are, the bytes of the contents as they were and as
        they are packed, and the bytes on the disk."""
        with self.database.reading() as connection:
            (points,) = connection.execute("SELECT count(*) FROM snapshot").fetchone()
            contents, size, packed = connection.execute(
                "SELECT count(*), total(size), total(length(data)) FROM blob"
            ).fetchone()
        return points, contents, int(size), int(packed), self.database.size_bytes()

    def take_notices(self) -> tuple[str, ...]:
        """What the user should hear about the watching; each is told once."""
        return () if self._keeper is None else self._keeper.take_notices()

    def close(self) -> None:
        """Stop watching, make everything durable, and close the database."""
        if self._keeper is not None:
            self._keeper.stop()
            self._keeper = None
        self.database.close()

    def _followed(self) -> set[bytes]:
        """The covered files, from the manifest and what the watch has told since."""
        # Nothing succeeds here, so that the next snapshot looks at the same again.
        with self._looking.look(self.database.identity()) as look:
            scanned = look.scanned
        found = {name for name, info in scanned.found.items() if stat.S_ISREG(info.st_mode)}
        dirty = scanned.dirty
        if dirty is None:
            return found
        with self.database.reading() as connection:
            rows = connection.execute(
                "SELECT name FROM current JOIN path ON path.id = path WHERE mode & ?1 = ?2",
                (_KIND, stat.S_IFREG),
            ).fetchall()
        return found | {name for (name,) in rows if not dirty.holds(name)}

    def _one(self, where: str, *values: object) -> Snapshot | None:
        with self.database.reading() as connection:
            row = connection.execute(
                f"SELECT {SNAPSHOT_COLUMNS} FROM snapshot {where}",  # noqa: S608
                values,
            ).fetchone()
            return None if row is None else counted(connection, snapshot_of(row))
