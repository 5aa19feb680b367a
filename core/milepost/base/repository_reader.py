"""The process that reads a git repository for `repository`: one question in, one answer out.

The question is a JSON list on standard input (the place, what is asked, its arguments), the answer
a JSON object on standard output. It is bounded here; its time is bounded by whoever started it.
"""

from __future__ import annotations

import json
import os
import sys
import time
from base64 import b64encode
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pygit2
from pygit2.enums import DiffFind, DiffOption, FileStatus, RepositoryOpenFlag

from milepost.base.errors import MilepostError, UserError, WorldError
from milepost.base.repository import MAX_BLOB_BYTES, MAX_PATHS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    _Reply = Mapping[str, Any]

_STAGED = (
    FileStatus.INDEX_NEW
    | FileStatus.INDEX_MODIFIED
    | FileStatus.INDEX_DELETED
    | FileStatus.INDEX_RENAMED
    | FileStatus.INDEX_TYPECHANGE
)
_UNSTAGED = (
    FileStatus.WT_MODIFIED
    | FileStatus.WT_DELETED
    | FileStatus.WT_TYPECHANGE
    | FileStatus.WT_RENAMED
    | FileStatus.WT_UNREADABLE
    | FileStatus.CONFLICTED
)

_DELETED = FileStatus.WT_DELETED | FileStatus.INDEX_DELETED

# git's own default: half of the lines are the same.
_ALIKE_PERCENT = 50

# Each pair of a file that went and one that came is compared; this many of each at most.
_MAX_COMPARED = 1_000


# So many commits are gone back for a file that is gone, in so many seconds; a file that went longer
# ago is found by its content, or not at all.
_MAX_COMMITS = 2_000
_HISTORY_S = 2.0

# A file that was renamed more often than this since an entry was confirmed is no longer the same.
_MAX_RENAMES_OF_ONE = 8

# As many files with one suffix are listed.
_MAX_FILES = 20_000

_WITH_UNTRACKED = DiffOption.INCLUDE_UNTRACKED | DiffOption.RECURSE_UNTRACKED_DIRS


def main() -> None:
    """Answer the question on standard input."""
    place, question, *words = json.loads(sys.stdin.buffer.read())
    try:
        reply = _QUESTIONS[question](_opened(place), *words)
    except UserError as error:
        reply = {"user_error": str(error)}
    except MilepostError as error:
        reply = {"world_error": str(error)}
    except (pygit2.GitError, OSError, KeyError, ValueError) as error:
        # A damaged repository fails in any of these ways.
        message = f"the git repository at {place} cannot be read ({_words(error)})"
        reply = {"world_error": f"{message}; `git fsck` may say what is damaged"}
    sys.stdout.buffer.write(json.dumps(reply).encode())


def _opened(place: str) -> pygit2.Repository:
    """The repository at exactly this place. Raises WorldError when it is not to be opened."""
    try:
        opened = pygit2.Repository(place, RepositoryOpenFlag.NO_SEARCH)
    except pygit2.GitError as error:
        message = f"the git repository at {place} cannot be opened ({_words(error)})"
        if "not owned by" in str(error):
            hint = f"if you trust its owner: git config --global --add safe.directory {place}"
        elif "sha256" in str(error) or "object format" in str(error):
            hint = "repositories with sha256 names are not supported yet"
        else:
            hint = "`git status` there may say what is wrong"
        raise WorldError(f"{message}; {hint}") from error
    # `core.worktree` of a stranger's repository could make us read any folder.
    if not opened.is_bare and not Path(opened.workdir).samefile(place):
        message = f"the configuration of the git repository at {place} puts its files elsewhere"
        raise WorldError(f"{message} ({opened.workdir}); they are not read")
    return opened


def _head(repository: pygit2.Repository) -> _Reply:
    """What `repository.Head` says."""
    fields = ("commit", "branch", "upstream", "ahead", "behind")
    reply: dict[str, str | int | None] = dict.fromkeys(fields)
    target = repository.references["HEAD"].target
    if isinstance(target, str):
        # A symbolic head; before the first commit there is its name only.
        reply["branch"] = target.removeprefix("refs/heads/")
    if repository.head_is_unborn:
        return reply
    commit = repository.head.target
    reply["commit"] = str(commit)
    branch = reply["branch"]
    if isinstance(branch, str) and branch in repository.branches.local:
        # pygit2's types hide that there may be none.
        upstream = cast("pygit2.Branch | None", repository.branches.local[branch].upstream)
        if upstream is not None:
            reply["upstream"] = upstream.shorthand
            ahead, behind = repository.ahead_behind(commit, upstream.target)
            reply.update(ahead=ahead, behind=behind)
    return reply


def _status(repository: pygit2.Repository) -> _Reply:
    """What `repository.Status` says."""
    if repository.is_bare:
        raise UserError(f"the git repository at {repository.path} is bare and has no files")
    found = sorted(repository.status(untracked_files="all").items())
    unstaged = [path for path, flags in found if flags & _UNSTAGED]
    undecided = {path for path in unstaged[:MAX_PATHS] if _is_filtered(repository, path)}
    return {
        "staged": _first(path for path, flags in found if flags & _STAGED),
        "unstaged": _first(path for path in unstaged if path not in undecided),
        "untracked": _first(path for path, flags in found if flags & FileStatus.WT_NEW),
        "undecided": sorted(undecided),
        "total": len(found),
    }


def _is_filtered(repository: pygit2.Repository, path: str) -> bool:
    """Whether git would send the file through a program before it compares."""
    is_there = os.path.lexists(Path(repository.workdir) / path)
    return is_there and isinstance(repository.get_attr(path, "filter"), str)


def _blob(repository: pygit2.Repository, commit: str, path: str) -> _Reply:
    """The content of a file in a commit, in base64."""
    tree = _commit(repository, commit).tree
    try:
        found = tree[path]
    except KeyError:
        return {"content": None}
    if not isinstance(found, pygit2.Blob) or found.size > MAX_BLOB_BYTES:
        return {"content": None}
    return {"content": b64encode(found.data).decode()}


def _renamed(repository: pygit2.Repository, since: str) -> _Reply:
    """The renames from a commit to the files as they are now."""
    if repository.is_bare:
        raise UserError(f"the git repository at {repository.path} is bare and has no files")
    diff = _commit(repository, since).tree.diff_to_workdir(_WITH_UNTRACKED, 0)
    return {"renames": _found_renames(diff)}


def _whereabouts(repository: pygit2.Repository, *gone: str) -> _Reply:
    """Where the files at these paths went, and which files there are with such suffixes."""
    if repository.is_bare:
        raise UserError(f"the git repository at {repository.path} is bare and has no files")
    suffixes = {Path(path).suffix for path in gone}
    found = repository.status(untracked_files="all")
    # pygit2's types do not say what an index holds.
    entries = cast("Iterable[pygit2.IndexEntry]", repository.index)
    present = {str(entry.path) for entry in entries} | found.keys()
    work_tree = Path(repository.workdir)
    files = [
        path
        for path in sorted(present)
        if Path(path).suffix in suffixes
        and not (path in found and found[path] & (FileStatus.WT_DELETED | FileStatus.INDEX_DELETED))
    ]
    renames: dict[str, tuple[str, int]] = {}
    if not repository.head_is_unborn:
        head = repository.head.peel(pygit2.Commit)
        renames = _followed(repository, head, set(gone), time.monotonic() + _HISTORY_S)
    return {
        "renames": [
            (old, new, alike)
            for old, (new, alike) in renames.items()
            if os.path.lexists(work_tree / new)
        ],
        "files": files[:_MAX_FILES],
    }


def _followed(
    repository: pygit2.Repository, head: pygit2.Commit, gone: set[str], deadline: float
) -> dict[str, tuple[str, int]]:
    """For each path the one where its file is now, as far as renames lead there."""
    uncommitted = _found_renames(head.tree.diff_to_workdir(_WITH_UNTRACKED, 0))
    now = {old: (new, alike) for old, new, alike in uncommitted}
    places = {path: (path, 100) for path in gone}
    for _ in range(_MAX_RENAMES_OF_ONE):
        lost = {path for path, _ in places.values() if path not in head.tree}
        if not lost:
            break
        steps = _last_renames(repository, head, lost, deadline)
        if not steps:
            break
        places = {
            path: (steps[at][0], min(alike, steps[at][1])) if at in steps else (at, alike)
            for path, (at, alike) in places.items()
        }
    ends = {
        path: (now[at][0], min(alike, now[at][1])) if at in now else (at, alike)
        for path, (at, alike) in places.items()
    }
    return {path: end for path, end in ends.items() if end[0] != path}


def _last_renames(
    repository: pygit2.Repository, head: pygit2.Commit, lost: set[str], deadline: float
) -> dict[str, tuple[str, int]]:
    """What became of each path in the newest commit that took it away."""
    found: dict[str, tuple[str, int]] = {}
    walker = repository.walk(head.id)
    # The side branches of a merge come in with the merge itself.
    walker.simplify_first_parent()
    for commit in islice(walker, _MAX_COMMITS):
        if not lost or time.monotonic() > deadline or not commit.parents:
            break
        before = commit.parents[0].tree
        went = {path for path in lost if path in before and path not in commit.tree}
        if went:
            lost = lost - went
            diff = before.diff_to_tree(commit.tree, context_lines=0)
            renames = {old: (new, alike) for old, new, alike in _found_renames(diff)}
            found.update((path, renames[path]) for path in went if path in renames)
    return found


def _found_renames(diff: pygit2.Diff) -> list[tuple[str, str, int]]:
    diff.find_similar(
        DiffFind.FIND_RENAMES | DiffFind.FIND_FOR_UNTRACKED,
        rename_threshold=_ALIKE_PERCENT,
        rename_limit=_MAX_COMPARED,
    )
    renames = (
        (delta.old_file.path, delta.new_file.path, delta.similarity)
        for delta in diff.deltas
        if delta.status_char() == "R"
    )
    return list(islice(renames, _MAX_COMPARED))


def _commit(repository: pygit2.Repository, name: str) -> pygit2.Commit:
    try:
        return repository.revparse_single(name).peel(pygit2.Commit)
    except (KeyError, ValueError, pygit2.GitError) as error:
        shown = name.encode("utf-8", "backslashreplace").decode()[:80]
        raise UserError(f"there is no commit {shown!r} in {repository.path}") from error


def _first(paths: Iterable[str]) -> list[str]:
    return list(islice(paths, MAX_PATHS))


def _words(error: BaseException) -> str:
    return str(error).strip()[:200] or type(error).__name__


_QUESTIONS = {
    "head": _head,
    "status": _status,
    "blob": _blob,
    "renames": _renamed,
    "whereabouts": _whereabouts,
}

if __name__ == "__main__":
    main()
