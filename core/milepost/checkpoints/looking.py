"""Deciding how much of the workspace a snapshot has to look at, and remembering what it saw.

With a watch that tells everything, only what changed is looked at. Without one, or when it cannot
be believed, the whole project is scanned; that scan is what a watch is believed from.
"""

from __future__ import annotations

import contextlib
import os
import stat
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from milepost.checkpoints.coverage import Coverage
from milepost.checkpoints.dirty import Dirty
from milepost.checkpoints.policy import RULE_FILES
from milepost.checkpoints.scan import Scan, look, scan
from milepost.checkpoints.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping
    from pathlib import Path

    from milepost.checkpoints.rows import Row
    from milepost.checkpoints.taking import Taking


@dataclass(slots=True)
class Look:
    """One look at the workspace; `succeed` when the snapshot of it is committed."""

    scanned: Scan
    left_out_before: dict[bytes, str]
    stored: dict[bytes, tuple[os.stat_result, bytes]]
    again: set[bytes] = field(default_factory=set[bytes])
    linked: set[bytes] = field(default_factory=set[bytes])
    left_out: dict[bytes, str] | None = None

    def succeed(self, taking: Taking) -> None:
        """Take over what the snapshot learned."""
        self.again, self.linked, self.left_out = taking.again, taking.linked, taking.left_out


class Looking:
    """How the workspace is looked at. Whoever looks holds the store's `exclusive`."""

    def __init__(self, root: Path, max_file_bytes: int) -> None:
        self.root = root
        self.max_file_bytes = max_file_bytes
        self.watch: Watch | None = None
        # How many paths the periodic check found changed that the watch had not told of.
        self.missed_by_events = 0
        # Contents that the keeper has read ahead of the first snapshot.
        self.stored: dict[bytes, tuple[os.stat_result, bytes]] = {}
        self._coverage = Coverage(os.fsencode(root))
        self._left_out: dict[bytes, str] = {}
        # The database whose manifest the watch is level with.
        self._level_with: object = None

    def arm(self) -> Watch:
        """Begin to watch; the next look scans everything and is the base of those after it. Raises
        Unwatchable."""
        watch = Watch(os.fsencode(self.root))
        try:
            watch.arm()
        except BaseException:
            watch.close()
            raise
        self.watch = watch
        return watch

    def disarm(self) -> None:
        """Watch no longer."""
        watch, self.watch = self.watch, None
        if watch is not None:
            watch.close()

    @contextlib.contextmanager
    def look(self, base: object) -> Generator[Look]:
        """Look at what may differ from the manifest in the database `base`. What changed is not
        forgotten when the caller fails or does not call `succeed`."""
        watch = self.watch
        dirty = self._take(watch, base)
        try:
            made = self._look(dirty)
            yield made
        except BaseException:
            self._give_back(watch, dirty)
            raise
        if made.left_out is None:
            self._give_back(watch, dirty)
            return
        self._left_out, self.stored = made.left_out, {}
        if watch is not None:
            watch.put_back(Dirty(made.again))
            watch.look_always(made.linked)

    def level(self, base: object, manifest: Mapping[bytes, Row]) -> None:
        """Scan the whole project now, so that the next look need not."""
        watch = self.watch
        if watch is None:
            return
        watch.begin()
        self._level_with = base
        try:
            scanned = self._scan()
        except BaseException:
            watch.distrust()
            raise
        self._left_out = scanned.left_out
        watch.put_back(_differing(scanned, manifest))

    def check(self, manifest: Mapping[bytes, Row]) -> int:
        """Compare the whole project with the manifest and the watch; how many paths differ of which
        the watch had not told. They are looked at next time."""
        watch = self.watch
        told = None if watch is None else watch.take()
        if watch is None or told is None:
            return 0
        missed = _differing(self._scan(), manifest)
        # What has changed since the scan began is told by now, and does not count as missed.
        later = watch.take()
        watch.put_back(told)
        if later is None:
            return 0
        watch.put_back(later)
        told.add(later)
        count = sum(
            not told.holds(path)
            for path in missed.paths | missed.trees
            if path not in manifest or manifest[path].is_readable
        )
        watch.put_back(missed)
        self.missed_by_events += count
        return count

    def _take(self, watch: Watch | None, base: object) -> Dirty | None:
        if watch is None:
            return None
        if base != self._level_with:
            # It was wiped, or put aside, and made anew.
            watch.distrust()
            self._level_with = base
        dirty = watch.take()
        if self._coverage.exclude_changed():
            watch.arm()
            dirty = None
        if dirty is None:
            watch.begin()
        return dirty

    def _look(self, dirty: Dirty | None) -> Look:
        if dirty is None:
            return Look(self._scan(), {}, self.stored)
        # One too many, as for `x.gitignore`, does no harm.
        if dirty.trees or any(path.endswith(RULE_FILES) for path in dirty.paths):
            self._coverage.forget()
        scanned = look(self._coverage, dirty)
        before = {} if scanned.dirty is None else self._left_out_besides(scanned.dirty)
        return Look(scanned, before, {})

    def _scan(self) -> Scan:
        self._coverage = Coverage(os.fsencode(self.root))
        return scan(self._coverage)

    def _left_out_besides(self, dirty: Dirty) -> dict[bytes, str]:
        """What was left out in the parts that were not looked at."""
        if not dirty.trees and dirty.paths.isdisjoint(self._left_out):
            return self._left_out
        return {path: reason for path, reason in self._left_out.items() if not dirty.holds(path)}

    @staticmethod
    def _give_back(watch: Watch | None, dirty: Dirty | None) -> None:
        if watch is None:
            return
        if dirty is None:
            watch.distrust()
        else:
            watch.put_back(dirty)


def _differing(scanned: Scan, manifest: Mapping[bytes, Row]) -> Dirty:
    """The paths whose rows do not say what the scan says, and those whose content is not kept."""
    differing = Dirty()
    for path in scanned.found.keys() | manifest.keys():
        row, info = manifest.get(path), scanned.found.get(path)
        if info is None:
            if not scanned.is_blind_at(path):
                differing.trees.add(path)
        elif row is None or not row.is_unchanged(info) or not row.is_readable:
            (differing.trees if stat.S_ISDIR(info.st_mode) else differing.paths).add(path)
    return differing
