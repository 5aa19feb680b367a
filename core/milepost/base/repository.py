"""A git repository, read only: where its head is, what differs, what was renamed, what a blob held.

Whose repository it is nobody knows, so it is read by libgit2, which knows no hooks, no external
filters, no fsmonitor, no textconv and no aliases, and in a process of its own: libgit2 holds
Python's lock while it works, a damaged object can crash it, and a pipe that someone named
`.gitignore` stops it for ever. That process is killed when its time is over. It writes nothing,
not even a refreshed index. The user's own git configuration counts (which files they ignore, whose
folders they trust); the repository's can switch nothing on.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from milepost.base.errors import UserError, WorldError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

# The status of 100,000 files takes two seconds from a warm cache; what takes longer than this is
# not waited for.
TIMEOUT_S = 15.0

# So many paths of each kind are listed. Whoever has more wants the number.
MAX_PATHS = 200

# A larger blob is no source.
MAX_BLOB_BYTES = 2 * 1024 * 1024

# The largest reply is a blob in base64 or some thousand long paths; more is a fault.
_MAX_REPLY_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Head:
    """Where a repository stands. `commit` is None before the first commit, `branch` None when the
    head is detached, `ahead` and `behind` None when the branch follows no other (or one that was
    never fetched)."""

    commit: str | None
    branch: str | None
    upstream: str | None
    ahead: int | None
    behind: int | None


@dataclass(frozen=True, slots=True)
class Status:
    """What differs from the head commit: paths relative to the work tree, MAX_PATHS of each kind at
    most, in order. `undecided` are files that only an external filter (such as git-lfs) could
    compare, which is never run. `total` counts all that is listed or left out."""

    staged: tuple[str, ...]
    unstaged: tuple[str, ...]
    untracked: tuple[str, ...]
    undecided: tuple[str, ...]
    total: int

    @property
    def is_clean(self) -> bool:
        """Whether nothing differs, could not be compared, or is untracked."""
        return self.total == 0


@dataclass(frozen=True, slots=True)
class Rename:
    """A file that has another path now; `similarity` is 100 when its content is the same."""

    old: str
    new: str
    similarity: int


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """Where files are now that are gone from their paths: `renames` by what git knows, and `files`,
    all that are in the work tree with such a suffix and not ignored."""

    renames: tuple[Rename, ...]
    files: tuple[str, ...]


class Repository:
    """One repository, asked in a process of its own. Each question costs about 0.1 s."""

    def __init__(self, place: Path, *, timeout_s: float = TIMEOUT_S) -> None:
        """`place` is what `repository_around` found, the work tree or the bare repository."""
        self.place = place
        self._timeout_s = timeout_s

    def head(self) -> Head:
        """Where it stands. Raises WorldError when it cannot be read."""
        return Head(**cast("dict[str, None]", self._ask("head")))

    def status(self) -> Status:
        """What is staged, changed or untracked. Raises WorldError when it cannot be read, or not in
        time, and UserError when it is bare."""
        found = self._ask("status")
        paths = {
            kind: tuple(cast("list[str]", found[kind]))
            for kind in ("staged", "unstaged", "untracked", "undecided")
        }
        return Status(**paths, total=cast("int", found["total"]))

    def blob(self, commit: str, path: str) -> bytes | None:
        """What the file at `path` held in a commit (an id, a branch, `HEAD`); None when it is not
        there or is larger than MAX_BLOB_BYTES. Raises UserError when there is no such commit."""
        from base64 import b64decode  # noqa: PLC0415  (only needed here)

        content = self._ask("blob", commit, path)["content"]
        return None if content is None else b64decode(cast("str", content))

    def renames(self, since: str) -> tuple[Rename, ...]:
        """The files that have another path in the work tree now than in the commit `since`, whether
        or not that was committed. Raises UserError when there is no such commit."""
        return _renames(self._ask("renames", since))

    def whereabouts(self, gone: Sequence[str]) -> Whereabouts:
        """Where the files are that were at these paths. The history is followed as far as it takes
        a second or two; the rename of a file may have been committed or not. Raises WorldError."""
        reply = self._ask("whereabouts", *gone)
        return Whereabouts(_renames(reply), tuple(cast("list[str]", reply["files"])))

    def _ask(self, question: str, *words: str) -> dict[str, object]:
        request = json.dumps([str(self.place), question, *words])
        try:
            # -P: the folder we happen to be in is no place to import from.
            done = subprocess.run(
                [sys.executable, "-P", "-m", "milepost.base.repository_reader"],
                input=request.encode(),
                capture_output=True,
                timeout=self._timeout_s,
                check=False,
            )
        except subprocess.TimeoutExpired:
            message = f"reading the git repository at {self.place} took over {self._timeout_s:g} s"
            raise WorldError(f"{message} and was stopped; nothing was changed") from None
        except OSError as error:
            raise WorldError(f"cannot start Python to read git ({error.strerror})") from error
        if done.returncode != 0 or len(done.stdout) > _MAX_REPLY_BYTES:
            message = f"the git repository at {self.place} cannot be read: its reader ended with"
            raise WorldError(f"{message} {done.returncode}; `git fsck` may say what is damaged")
        reply = cast("dict[str, object]", json.loads(done.stdout))
        if "user_error" in reply:
            raise UserError(str(reply["user_error"]))
        if "world_error" in reply:
            raise WorldError(str(reply["world_error"]))
        return reply


def repository_around(folder: Path) -> Repository | None:
    """The repository that `folder` belongs to; None without one. Costs a few stat calls."""
    folder = folder.resolve()
    for place in (folder, *folder.parents):
        if (place / ".git").exists():
            return Repository(place)
    is_bare = (folder / "HEAD").is_file() and (folder / "objects").is_dir()
    return Repository(folder) if is_bare and (folder / "refs").is_dir() else None


def _renames(reply: dict[str, object]) -> tuple[Rename, ...]:
    return tuple(Rename(*found) for found in cast("list[tuple[str, str, int]]", reply["renames"]))
