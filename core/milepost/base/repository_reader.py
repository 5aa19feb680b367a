"""The process that reads a git repository for `repository`: one question in, one answer out.

The question is a JSON list on standard input (the place, what is asked, its arguments), the answer
a JSON object on standard output. It is bounded here; its time is bounded by whoever started it.
"""

from __future__ import annotations

import json
import os
import sys
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

# git's own default: half of the lines are the same.
_ALIKE_PERCENT = 50

# Each pair of a file that went and one that came is compared; this many of each at most.
_MAX_COMPARED = 1_000


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
    diff = _commit(repository, since).tree.diff_to_workdir(
        DiffOption.INCLUDE_UNTRACKED | DiffOption.RECURSE_UNTRACKED_DIRS, 0
    )
    return {"renames": _found_renames(diff)}


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


_QUESTIONS = {"head": _head, "status": _status, "blob": _blob, "renames": _renamed}

if __name__ == "__main__":
    main()
