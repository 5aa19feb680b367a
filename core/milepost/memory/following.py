"""Where code went that is no longer where an anchor says: by its content, and by what git knows.

Searching takes longer than whoever shows an entry may wait. So a search is done in the background,
once for each loss, and what it found is kept until the files it rests on change; whoever asks
explicitly waits for it. What is looked at is bounded: files with the same suffix that git knows or
does not ignore, the likeliest first.
"""

from __future__ import annotations

import os
import re
import threading
import time
from collections import deque
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from milepost.base.errors import MilepostError
from milepost.base.repository import Whereabouts, repository_around
from milepost.base.symbols import last_name
from milepost.base.waiting import will_wait
from milepost.memory.code import Code, Source, digest_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from milepost.base.files import Signature

# Whoever shows entries waits this long in all for a search, and no more within the pause after it:
# enough for a small repository, and short of what a person notices.
_PATIENCE_S = 0.25
_IMPATIENT_FOR_S = 5.0

# One search reads so many files for so long. The likeliest come first.
_MAX_FILES = 4_000
_MAX_S = 5.0

# Whoever asks for all that is lost has asked for a search, and can wait.
_MAX_EXPLICIT_S = 30.0

# How long a list of files is good for, and how long a fruitless search is not repeated.
_LIST_GOOD_S = 2.0
_FRUITLESS_GOOD_S = 30.0

_MAX_KEPT = 4_000

# A body of fewer lines looks like many others once its name is taken out.
_TELLING_LINES = 3

# Where there is no git: folders that hold what was made or fetched.
_NOT_SOURCES = {"node_modules", "__pycache__", "venv", "target", "dist", "build", "vendor"}


@dataclass(frozen=True, slots=True)
class Trace:
    """Where code seems to be now: anchors without stamps, the likeliest first. `is_certain` tells
    that there is one and its content is the same; otherwise it changed as well, or there are
    several."""

    places: tuple[str, ...] = ()
    is_certain: bool = False


@dataclass(frozen=True, slots=True)
class _Loss:
    """An anchor whose code is gone, and the digest the code had."""

    path: str
    symbol: str
    digest: str

    @property
    def name(self) -> str:
        """The symbol without what encloses it."""
        return last_name(self.symbol)


@dataclass(frozen=True, slots=True)
class _Kept:
    trace: Trace
    # The signatures of the lost file and of the places.
    rests_on: tuple[tuple[str, Signature | None], ...]
    until: float


class Following:
    """The lost anchors of one project."""

    def __init__(self, code: Code) -> None:
        self._code = code
        self._kept: dict[_Loss, _Kept] = {}
        self._waiting: deque[_Loss] = deque()
        self._guard = threading.Condition()
        self._is_searching = False
        self._impatient_until = 0.0
        self._listed: tuple[float, frozenset[str], Whereabouts] | None = None

    def trace(self, path: str, symbol: str, digest: str, *, wait: bool) -> Trace:
        """Where the code went. Without `wait`, what is known, or is found in a moment."""
        loss = _Loss(path, symbol, digest)
        known = self._known(loss)
        if known is not None:
            return known
        will_wait()
        if wait:
            return self._search_all([loss])[loss]
        with self._guard:
            if loss not in self._waiting:
                self._waiting.append(loss)
            if not self._is_searching:
                self._is_searching = True
                threading.Thread(target=self._work, name="milepost-follow", daemon=True).start()
            now = time.monotonic()
            if now >= self._impatient_until:
                self._guard.wait_for(lambda: loss in self._kept, _PATIENCE_S)
                if time.monotonic() - now > _PATIENCE_S / 2:
                    self._impatient_until = time.monotonic() + _IMPATIENT_FOR_S
        return self._known(loss) or Trace()

    def prepare(self, lost: Iterable[tuple[str, str, str]]) -> None:
        """Search for many at once, which costs little more than for one."""
        wanted = [_Loss(*each) for each in lost]
        self._search_all([loss for loss in wanted if self._known(loss) is None], _MAX_EXPLICIT_S)

    def former(self, path: str, symbol: str) -> tuple[tuple[str, str], ...]:
        """The lost anchors, path and symbol, that were followed to this symbol."""
        with self._guard:
            kept = list(self._kept.items())
        return tuple(
            (loss.path, loss.symbol)
            for loss, found in kept
            if any(_is_at(place, path, symbol) for place in found.trace.places[:1])
        )

    def _known(self, loss: _Loss) -> Trace | None:
        with self._guard:
            kept = self._kept.get(loss)
        if kept is None or time.monotonic() > kept.until:
            return None
        is_good = all(self._code.signature(path) == known for path, known in kept.rests_on)
        return kept.trace if is_good else None

    def _work(self) -> None:
        while True:
            with self._guard:
                losses = list(self._waiting)
                if not losses:
                    self._is_searching = False
                    return
            try:
                self._search_all(losses)
            except BaseException:
                with self._guard:
                    # The next loss begins anew.
                    self._waiting.clear()
                    self._is_searching = False
                raise
            with self._guard:
                for loss in losses:
                    self._waiting.remove(loss)

    def _search_all(self, losses: list[_Loss], max_s: float = _MAX_S) -> dict[_Loss, Trace]:
        found: dict[_Loss, Trace] = {}
        if losses:
            whereabouts = self._whereabouts(frozenset(loss.path for loss in losses))
            deadline = time.monotonic() + max_s
            read: dict[str, Source | None] = {}
            for loss in losses:
                found[loss] = _Search(self._code, loss, whereabouts, read, deadline).trace()
                self._keep(loss, found[loss])
        return found

    def _keep(self, loss: _Loss, trace: Trace) -> None:
        paths = (loss.path, *(place.partition("#")[0] for place in trace.places))
        rests_on = tuple((path, self._code.signature(path)) for path in paths)
        good_s = float("inf") if trace.is_certain else _FRUITLESS_GOOD_S
        with self._guard:
            if len(self._kept) >= _MAX_KEPT:
                self._kept.clear()
            self._kept[loss] = _Kept(trace, rests_on, time.monotonic() + good_s)
            self._guard.notify_all()

    def _whereabouts(self, gone: frozenset[str]) -> Whereabouts:
        listed = self._listed
        if listed and time.monotonic() < listed[0] and gone <= listed[1]:
            return listed[2]
        found = self._asked(gone)
        self._listed = (time.monotonic() + _LIST_GOOD_S, gone, found)
        return found

    def _asked(self, gone: frozenset[str]) -> Whereabouts:
        """What git says, in paths relative to the project; without git, what is found."""
        repository = repository_around(self._code.root)
        if repository is None:
            suffixes = {PurePosixPath(path).suffix for path in gone}
            return Whereabouts((), tuple(_walked(self._code.root, suffixes)))
        inner = self._code.root.resolve().relative_to(repository.place).as_posix()
        prefix = "" if inner == "." else f"{inner}/"
        try:
            found = repository.whereabouts([prefix + path for path in gone])
        except MilepostError:
            # A repository that cannot be read leaves what the files say.
            suffixes = {PurePosixPath(path).suffix for path in gone}
            return Whereabouts((), tuple(_walked(self._code.root, suffixes)))
        return Whereabouts(
            tuple(
                type(each)(each.old[len(prefix) :], each.new[len(prefix) :], each.similarity)
                for each in found.renames
                if each.new.startswith(prefix)
            ),
            tuple(path[len(prefix) :] for path in found.files if path.startswith(prefix)),
        )


class _Search:
    """One search for one loss."""

    def __init__(
        self,
        code: Code,
        loss: _Loss,
        whereabouts: Whereabouts,
        read: dict[str, Source | None],
        deadline: float,
    ) -> None:
        """`read` are the files that searches before this one have read, and gets more."""
        self._code = code
        self._loss = loss
        self._deadline = deadline
        self._read = read
        self._files = whereabouts.files
        self._renamed_to = next(
            (each.new for each in whereabouts.renames if each.old == loss.path), None
        )

    def trace(self) -> Trace:
        """Where the code is now."""
        same: list[str] = []
        changed: list[str] = []
        for source in self._sources():
            found = source.print_of(self._loss.symbol)
            if not found.is_defined and self._loss.symbol and self._loss.name != self._loss.symbol:
                # It may have left the class that it was in.
                found = source.print_of(self._loss.name)
            place = self._place(source)
            if found.digest == self._loss.digest:
                same.append(place)
            elif found.is_defined:
                changed.append(place)
        if not same and self._loss.symbol:
            same = self._renamed()
        if self._renamed_to is not None:
            # git saw the file go there. Among equal copies it chose one as we would.
            changed = [place for place in changed if self._is_renamed_to(place)] or changed
            if not self._loss.symbol:
                changed = [self._renamed_to]
        if same:
            return Trace(tuple(same), is_certain=len(same) == 1)
        return Trace(tuple(changed))

    def _sources(self) -> Iterator[Source]:
        """The files that may hold it, the likeliest first."""
        for path in self._candidates():
            if time.monotonic() > self._deadline:
                return
            source = self._source(path)
            if source is not None and self._loss.name in source.text:
                yield source

    def _source(self, path: str) -> Source | None:
        if path not in self._read:
            self._read[path] = self._code.source(path)
        return self._read[path]

    def _candidates(self) -> Iterator[str]:
        lost = PurePosixPath(self._loss.path)
        likely = [self._renamed_to] if self._renamed_to else []
        near = sorted(
            (path for path in self._files if PurePosixPath(path).suffix == lost.suffix),
            key=lambda path: (
                PurePosixPath(path).name != lost.name,
                PurePosixPath(path).parent != lost.parent,
            ),
        )
        seen = {self._loss.path}
        for path in [*likely, *near][:_MAX_FILES]:
            if path not in seen:
                seen.add(path)
                yield path

    def _renamed(self) -> list[str]:
        """The definitions of another name that are the lost one but for the name."""
        found: list[str] = []
        for path in dict.fromkeys(filter(None, (self._loss.path, self._renamed_to))):
            source = self._source(path)
            for each in () if source is None else source.definitions:
                lines = [] if source is None else source.lines[each.start : each.end]
                if sum(1 for line in lines if line.strip()) < _TELLING_LINES:
                    continue
                word = re.compile(rf"(?<!\w){re.escape(last_name(each.name))}(?!\w)")
                named = (word.sub(lambda _: self._loss.name, line) for line in lines)
                if digest_of(named) == self._loss.digest:
                    found.append(f"{path}#{each.name}")
        return found

    def _place(self, source: Source) -> str:
        if not self._loss.symbol:
            return source.path
        found = source.print_of(self._loss.symbol)
        name = self._loss.symbol
        if not found.is_defined and source.print_of(self._loss.name).is_defined:
            name = self._loss.name
        return f"{source.path}#{name}"

    def _is_renamed_to(self, place: str) -> bool:
        return place.partition("#")[0] == self._renamed_to


def _is_at(place: str, path: str, symbol: str) -> bool:
    at, _, name = place.partition("#")
    return at == path and (name == symbol or name.endswith(f".{symbol}"))


def _walked(root: os.PathLike[str], suffixes: set[str]) -> Iterator[str]:
    """The files below a folder with one of these suffixes, hidden folders left out."""
    seen = 0
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(
            name for name in folders if name not in _NOT_SOURCES and not name.startswith(".")
        )
        for name in sorted(names):
            seen += 1
            if seen > _MAX_FILES:
                return
            if PurePosixPath(name).suffix in suffixes:
                yield PurePosixPath(os.path.relpath(folder, root), name).as_posix()
