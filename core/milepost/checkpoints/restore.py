"""Going back to a point, without ever destroying work.

A restore looks at the workspace first and stores what it finds, so that it can be taken back. It
touches only what differs, checks each path once more right before it touches it, and leaves alone
whatever is not as it was stored: that path is refused, with its reason, and the rest goes on. A
restore that was cut short is simply repeated.

Every path is reached through folders opened one by one without following links, so that a link put
in the way cannot lead a restore out of the project.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from milepost.base.errors import UserError
from milepost.checkpoints.policy import TEMPORARY_PREFIX
from milepost.checkpoints.rows import ABSENT, Row, State

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence
    from pathlib import Path

    from milepost.checkpoints.rows import Snapshot
    from milepost.checkpoints.store import SnapshotStore

_NOT_KEPT = "its content of that time was not kept (too large or not readable)"
_FOREIGN = "it changed in the meantime; look at it, then preview again or force"
_CHANGED = "it changed while the restore was looking"
_IN_THE_WAY = "something that no snapshot covers is in its place"


@dataclass(frozen=True, slots=True)
class Step:
    """What a restore does to one path: from the state that is to the state that was."""

    name: bytes
    now: State
    then: State


@dataclass(slots=True)
class Outcome:
    """A restore planned or done: its steps, the paths it leaves alone, and how to take it back."""

    target: Snapshot
    now: Snapshot
    steps: list[Step]
    refused: list[tuple[bytes, str]] = field(default_factory=list[tuple[bytes, str]])


def plan(
    store: SnapshotStore,
    target_id: int,
    *,
    actor: str,
    paths: Sequence[bytes],
    since: int | None = None,
    force: bool = False,
) -> Outcome:
    """What a restore of `paths` (all when empty) to a point would do. Hold `store.exclusive()`.

    `since` is the point that a preview saw: paths that changed after it are refused unless
    `force`. Raises UserError when a point or a path does not exist.
    """
    target = store.get(target_id)
    now = store.seen(f"before going back to {target_id}", actor)
    wanted = set(paths)
    chosen: dict[bytes, tuple[State, State]] = {}
    for name, pair in store.between(target_id, now.id).items():
        above = wanted.intersection(_with_folders(name))
        if above or not paths:
            chosen[name] = pair
    covered = {above for name in chosen for above in _with_folders(name)}
    for path in wanted - covered:
        if all(store.state_at(point, path) == ABSENT for point in (target_id, now.id)):
            shown = path.decode("utf-8", "backslashreplace")
            raise UserError(f"no covered file or folder {shown} exists now or at that point")
    outcome = Outcome(target, now, [])
    foreign = {} if since is None or force else store.between(since, now.id)
    adopted = store.adopted_after(target_id)
    for name, (then, present) in sorted(chosen.items()):
        reason = None
        if then == ABSENT and name in adopted:
            reason = "it was not covered at that point, so it may be older than the point"
        elif stat.S_ISREG(then.mode or 0) and then.blob is None:
            reason = _NOT_KEPT
        elif name in foreign:
            reason = _FOREIGN
        if reason is None:
            outcome.steps.append(Step(name, present, then))
        else:
            outcome.refused.append((name, reason))
    return outcome


def apply(store: SnapshotStore, outcome: Outcome, *, actor: str) -> Snapshot:
    """Carry out a plan made under the same lock, and return the snapshot that it leaves behind.

    Paths that cannot be restored move from `steps` to `refused`.
    """
    names = (step.name for step in outcome.steps)
    hands = _Hands(store, store.rows(names))
    done: list[Step] = []
    removals = [step for step in outcome.steps if _is_removal(step)]
    removed: set[bytes] = set()
    for step in sorted(removals, key=lambda step: -step.name.count(b"/")):
        if _done(outcome, step, hands.remove):
            removed.add(step.name)
    for step in outcome.steps:
        if step.then == ABSENT:
            if step.name in removed:
                done.append(step)
        elif (not _is_removal(step) or step.name in removed) and _done(outcome, step, hands.make):
            done.append(step)
    hands.finish_folders()
    outcome.steps[:] = done
    return store.take(
        label=f"went back to {outcome.target.id}",
        actor=actor,
        kind="restored",
        origin=outcome.target.id,
        before=outcome.now.id,
    )


def _done(outcome: Outcome, step: Step, act: Callable[[Step], None]) -> bool:
    """Whether `act` did its step; when it could not, the path is refused with the reason."""
    try:
        act(step)
    except _Refused as refusal:
        outcome.refused.append((step.name, str(refusal)))
        return False
    except OSError as error:
        outcome.refused.append((step.name, f"the system refused ({error.strerror})"))
        return False
    return True


def _is_removal(step: Step) -> bool:
    """Whether what is there must go first: for good, or because its kind changes."""
    if step.now == ABSENT:
        return False
    if step.then == ABSENT:
        return True
    return stat.S_IFMT(step.now.mode or 0) != stat.S_IFMT(step.then.mode or 0)


def _with_folders(name: bytes) -> Iterator[bytes]:
    """The path itself and every folder above it."""
    while name:
        yield name
        name = name.rpartition(b"/")[0]


class _Refused(Exception):  # noqa: N818  (a condition to record, not a failure to report)
    """A path is left alone; the message says why."""


class _Hands:
    """The only code that writes into the user's workspace."""

    def __init__(self, store: SnapshotStore, rows: dict[bytes, Row]) -> None:
        self._store = store
        self._root: Path = store.root
        self._rows = rows
        self._folders: list[tuple[bytes, int]] = []

    def remove(self, step: Step) -> None:
        """Take away what is there now."""
        with self._parent(step.name) as (parent, name):
            self._must_be_as_stored(step, parent, name)
            if stat.S_ISDIR(step.now.mode or 0):
                try:
                    os.rmdir(name, dir_fd=parent)
                except OSError as error:
                    raise _Refused("the folder holds files that no snapshot covers") from error
            else:
                os.unlink(name, dir_fd=parent)

    def make(self, step: Step) -> None:
        """Put there what was there then. Whatever had to go first is gone."""
        mode = step.then.mode or 0
        with self._parent(step.name, make=True) as (parent, name):
            if _is_removal(step) or step.now == ABSENT:
                self._must_be_free(parent, name, mode)
            else:
                self._must_be_as_stored(step, parent, name)
            if stat.S_ISDIR(mode):
                with contextlib.suppress(FileExistsError):
                    os.mkdir(name, 0o700, dir_fd=parent)
                self._folders.append((step.name, stat.S_IMODE(mode)))
            else:
                self._write(parent, name, step.then)

    def finish_folders(self) -> None:
        """Give the folders their modes, the deepest first: a read-only folder takes no files."""
        for path, mode in sorted(self._folders, key=lambda pair: -pair[0].count(b"/")):
            with contextlib.suppress(OSError), self._parent(path) as (parent, name):
                handle = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=parent)
                try:
                    os.fchmod(handle, mode)
                finally:
                    os.close(handle)

    def _write(self, parent: int, name: bytes, then: State) -> None:
        data = self._store.content(then.blob or 0)
        temporary = TEMPORARY_PREFIX + secrets.token_hex(8).encode()
        try:
            if stat.S_ISLNK(then.mode or 0):
                os.symlink(data, temporary, dir_fd=parent)
            else:
                flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
                with os.fdopen(os.open(temporary, flags, 0o600, dir_fd=parent), "wb") as file:
                    file.write(data)
                    file.flush()
                    os.fchmod(file.fileno(), stat.S_IMODE(then.mode or 0))
            os.replace(temporary, name, src_dir_fd=parent, dst_dir_fd=parent)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(temporary, dir_fd=parent)
            raise

    def _must_be_as_stored(self, step: Step, parent: int, name: bytes) -> None:
        row = self._rows.get(step.name)
        try:
            found = os.stat(name, dir_fd=parent, follow_symlinks=False)
        except FileNotFoundError:
            raise _Refused(_CHANGED) from None
        if row is None or row.state.mode != found.st_mode:
            raise _Refused(_CHANGED)
        if not stat.S_ISDIR(found.st_mode) and (row.size, row.mtime_ns, row.inode) != (
            found.st_size, found.st_mtime_ns, found.st_ino
        ):  # fmt: skip
            raise _Refused(_CHANGED)

    def _must_be_free(self, parent: int, name: bytes, mode: int) -> None:
        try:
            found = os.stat(name, dir_fd=parent, follow_symlinks=False)
        except FileNotFoundError:
            return
        if not (stat.S_ISDIR(mode) and stat.S_ISDIR(found.st_mode)):
            raise _Refused(_IN_THE_WAY)

    @contextlib.contextmanager
    def _parent(self, path: bytes, *, make: bool = False) -> Generator[tuple[int, bytes]]:
        """The folder that holds `path`, opened without following a link, and the last name."""
        *folders, name = path.split(b"/")
        flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
        handle = os.open(self._root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            for folder in folders:
                if make:
                    with contextlib.suppress(FileExistsError):
                        os.mkdir(folder, 0o755, dir_fd=handle)
                try:
                    inner = os.open(folder, flags, dir_fd=handle)
                except NotADirectoryError:
                    raise _Refused(_IN_THE_WAY) from None
                os.close(handle)
                handle = inner
            yield handle, name
        finally:
            os.close(handle)
