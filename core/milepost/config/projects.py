"""Which project is meant, and the id under which its data lies.

One resolver for every face. The order is: a folder named outright, `MILEPOST_PROJECT`, the folders
that a client offers, the current folder if it looks like a project. `/` and the home directory are
refused, because everything below them would be watched, copied and restored; so are git's own
folders, into which nothing is ever written.

The id is a slug of the folder's name and a hash of the real path of the git common directory (so
that the worktrees of one repository share it) or of the folder. A registry remembers where each
project was and, for a repository, the first line of its HEAD log: that line names a commit, a
person and a second, so it tells a moved repository from a new one. Inode numbers cannot: file
systems give them out again, and a stranger's project must never inherit a memory.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

from milepost.base.errors import UserError
from milepost.base.files import locked, make_private_dir, write_durably
from milepost.config import paths

if TYPE_CHECKING:
    from collections.abc import Sequence

# Signs that someone thinks of a folder as a project: version control, a manifest, our own folder.
MARKERS = (
    ".git", ".hg", ".svn", ".jj", ".milepost",
    "pyproject.toml", "setup.py", "package.json", "Cargo.toml", "go.mod", "pom.xml",
    "build.gradle", "build.gradle.kts", "settings.gradle", "settings.gradle.kts", "Gemfile",
    "composer.json", "mix.exs", "deno.json", "CMakeLists.txt", "Makefile", "meson.build",
    "AGENTS.md", "CLAUDE.md",
)  # fmt: skip

# Git refuses longer names of branches on most file systems; what is longer is not HEAD.
_MAX_HEAD_CHARS = 300

_HOW = "name one with --project or MILEPOST_PROJECT, or start inside a project"


@dataclass(frozen=True, slots=True)
class ProjectPaths:
    """A resolved project. `data_dir` is shared by the worktrees of a repository, `worktree_dir`
    belongs to this root alone (they are the same for a main worktree), and so does `layer_dir`,
    where the memory of this worktree is (never the same as `data_dir`). None is made yet."""

    id: str
    root: Path
    data_dir: Path
    worktree_dir: Path
    layer_dir: Path


def resolve(explicit: str | None, candidates: Sequence[str] = ()) -> ProjectPaths:
    """The project that is meant.

    Raises UserError when the named folder does not exist or is refused, or when nothing named one
    and the current folder does not look like a project.
    """
    named = explicit or os.environ.get("MILEPOST_PROJECT")
    if named:
        return _project_at(_named_folder(named))
    for candidate in candidates:
        folder = Path(os.path.realpath(candidate))
        if folder.is_dir() and _refusal(folder) is None:
            return _project_at(_root_around(folder) or folder)
    here = Path(_real("."))
    root = _root_around(here)
    if root is None:
        raise UserError(f"{here} does not look like a project; {_HOW}")
    return _project_at(root)


def folder_of(project_id: str) -> Path:
    """Where the project with this id is. Raises UserError when none has it, or it is gone."""
    known = _read_registry(paths.home() / "projects.json").get(project_id)
    if known is None:
        raise UserError("there is no project with this id; `milepost doctor` in it shows its id")
    identity = Path(known["path"])
    folder = identity.parent if identity.name == ".git" else identity
    if not folder.is_dir():
        raise UserError(f"{folder} is gone; use milepost once where the project is now")
    return folder


def _named_folder(named: str) -> Path:
    if "\0" in named:
        raise UserError(f"a project's path cannot hold a NUL; {_HOW}")
    folder = Path(_real(Path(named).expanduser()))
    if not folder.is_dir():
        raise UserError(f"there is no folder {named}; {_HOW}")
    refusal = _refusal(folder)
    if refusal:
        raise UserError(refusal)
    return folder


def _real(path: str | Path) -> str:
    try:
        return os.path.realpath(path)
    except FileNotFoundError as error:
        raise UserError("the current folder was deleted; go into one that is there") from error


def _refusal(folder: Path) -> str | None:
    if folder == Path(folder.anchor) or folder == Path(os.path.realpath(Path.home())):
        return f"{folder} is too wide to be a project; {_HOW}"
    if _is_in_git_dir(folder):
        return f"{folder} is git's own, and nothing of ours is done there; {_HOW}"
    return None


def _is_in_git_dir(folder: Path) -> bool:
    """Whether a folder is a repository itself, or inside of one, and in no worktree of it."""
    for place in (folder, *folder.parents):
        if (place / "HEAD").is_file() and all((place / n).is_dir() for n in ("objects", "refs")):
            return True
        if (place / ".git").exists():
            return False
    return False


def _root_around(folder: Path) -> Path | None:
    """The nearest folder at or above `folder` that bears a marker and is not refused."""
    for place in (folder, *folder.parents):
        if any((place / marker).exists() for marker in MARKERS) and _refusal(place) is None:
            return place
    return None


def _project_at(root: Path) -> ProjectPaths:
    common = _git_common_dir(root)
    identity = common or root
    name = identity.parent.name if common is not None else root.name
    own_id = f"{_slug(name)}-{_hash(str(identity))}"
    project_id = _registered(own_id, identity)
    data_dir = paths.project_dir(project_id)
    is_linked = common is not None and common.parent != root
    # A main worktree is called `main` wherever it is, so that it keeps its layer when it is moved.
    layer_dir = data_dir / "worktrees" / (_hash(str(root)) if is_linked else "main")
    worktree_dir = layer_dir if is_linked else data_dir
    return ProjectPaths(project_id, root, data_dir, worktree_dir, layer_dir)


def head(root: Path) -> str:
    """What is checked out in a worktree: `refs/heads/main`, the commit of a detached head, or
    nothing where there is no git. Read from the file, no git is run."""
    try:
        git_dir = _git_dir(root)
        content = "" if git_dir is None else (git_dir / "HEAD").read_text("utf-8", errors="replace")
    except OSError:
        return ""
    return content.strip().removeprefix("ref: ")[:_MAX_HEAD_CHARS]


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:32] or "project"


def _hash(text: str) -> str:
    return hashlib.sha256(os.fsencode(text)).hexdigest()[:10]


def _git_common_dir(root: Path) -> Path | None:
    """The repository's shared directory, read from files: no git is run to find it.

    Formats: gitrepository-layout(5), `.git` as a file ("gitdir: PATH") and `commondir`.
    """
    try:
        git_dir = _git_dir(root)
        if git_dir is None:
            return None
        common = git_dir / "commondir"
        if common.is_file():
            git_dir = (
                git_dir / common.read_text("utf-8", errors="surrogateescape").strip()
            ).resolve()
    except OSError:
        return None
    return git_dir if git_dir.is_dir() else None


def _git_dir(root: Path) -> Path | None:
    """The worktree's own git directory. Raises OSError where there is none."""
    dot_git = root / ".git"
    if dot_git.is_dir():
        return Path(os.path.realpath(dot_git))
    content = dot_git.read_text("utf-8", errors="surrogateescape")
    if not content.startswith("gitdir:"):
        return None
    return (root / content.removeprefix("gitdir:").strip()).resolve()


def _registered(own_id: str, identity: Path) -> str:
    """The id under which this project's data lies, which is `own_id` unless it was moved here.

    A moved repository is recognised by its mark when the path it was known by is gone. A folder
    without git has no mark and starts anew where it is moved.
    """
    registry = paths.home() / "projects.json"
    mark = _mark(identity)
    entry = {"path": str(identity), "mark": mark}
    for project_id, known_entry in _read_registry(registry).items():
        if known_entry == entry:
            return project_id
    make_private_dir(registry.parent)
    with locked(registry.with_suffix(".lock")):
        known = _read_registry(registry)
        project_id = _choose_id(known, own_id, str(identity), mark)
        known[project_id] = entry
        data = json.dumps(known, indent=1, sort_keys=True, ensure_ascii=True)
        write_durably(registry, data.encode("utf-8"))
    return project_id


def _choose_id(known: dict[str, dict[str, str]], own_id: str, path: str, mark: str) -> str:
    for project_id, entry in known.items():
        if entry["path"] == path:
            return project_id
    moved = _moved_from(known, mark)
    if moved is not None:
        return moved
    # The id made from this path may be held by a project that was moved away from here.
    return own_id if own_id not in known else f"{own_id}-{len(known)}"


def _moved_from(known: dict[str, dict[str, str]], mark: str) -> str | None:
    for project_id, entry in known.items():
        if mark and entry["mark"] == mark and not Path(entry["path"]).exists():
            return project_id
    return None


def _mark(identity: Path) -> str:
    try:
        with (identity / "logs" / "HEAD").open("rb") as log:
            first = log.readline(4096)
    except OSError:
        return ""
    return hashlib.sha256(first).hexdigest()


def _read_registry(registry: Path) -> dict[str, dict[str, str]]:
    """The registry's content; what is not of its form is left out, it can be found again."""
    try:
        content: object = json.loads(registry.read_bytes())
    except (OSError, ValueError):
        return {}
    if not isinstance(content, dict):
        return {}
    known: dict[str, dict[str, str]] = {}
    for project_id, entry in cast("dict[str, object]", content).items():
        if isinstance(entry, dict):
            fields = cast("dict[str, object]", entry)
            path, mark = fields.get("path"), fields.get("mark")
            if isinstance(path, str) and isinstance(mark, str):
                known[project_id] = {"path": path, "mark": mark}
    return known
