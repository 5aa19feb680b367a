"""What can decide a check and is in no snapshot: git's position, ignored files, the environment.

All of it together is one hash. Files that snapshots leave out (build folders, installed packages,
`.env`) are taken by what lstat says of them, not by their bytes: a change that keeps size, times
and inode goes unseen, as it does for make.
"""

from __future__ import annotations

import hashlib
import os
import stat
from typing import TYPE_CHECKING

from milepost.checkpoints.coverage import Coverage
from milepost.checkpoints.scan import scan

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# A second of lstat on a slow disk. A project with more than this beside its sources gets no reuse
# of evidence, only fresh runs.
MAX_LEFT_OUT = 200_000

# What test runners, linters and interpreters fill at every run and believe only when it agrees with
# the sources; bytecode.py sees to the one that may not.
_CACHES = frozenset(
    {b"__pycache__", b".pytest_cache", b".mypy_cache", b".ruff_cache", b".hypothesis", b".coverage",
     b".nyc_output", b".cache", b".vite", b".tox", b".nox", b".git"}
)  # fmt: skip

# Where a checkout's Python keeps what it runs at every start.
_VENVS = (".venv", "venv", "env")
_HOOK_NAMES = ("sitecustomize.py", "usercustomize.py")


def surroundings(root: Path, environment: str) -> str | None:
    """The hash of everything around the tree; None when there is too much of it."""
    digest = hashlib.sha256(environment.encode())
    for part in _git_parts(root):
        digest.update(b"\0" + part)
    for count, part in enumerate(_left_out(root)):
        if count == MAX_LEFT_OUT:
            return None
        digest.update(b"\0" + part)
    return digest.hexdigest()


def python_hooks(root: Path) -> dict[str, str]:
    """What the checkout's own Pythons run at every start, with the hash of each file."""
    found: dict[str, str] = {}
    for venv in _VENVS:
        for site in sorted((root / venv).glob("lib/python*/site-packages")):
            for path in (*(site / name for name in _HOOK_NAMES), *sorted(site.glob("*.pth"))):
                try:
                    digest = hashlib.sha256(path.read_bytes()).hexdigest()
                except OSError:
                    continue
                found[path.relative_to(root).as_posix()] = digest
    return found


def _left_out(root: Path) -> Iterator[bytes]:
    base = os.fsencode(root)
    for name in sorted(scan(Coverage(base)).left_out):
        if name.rpartition(b"/")[2] not in _CACHES:
            yield from _signatures(os.path.join(base, name))  # noqa: PTH118  (paths are bytes here)


def _signatures(path: bytes) -> Iterator[bytes]:
    """A line for the path and everything below it."""
    try:
        found = os.lstat(path)
        children = sorted(os.listdir(path)) if stat.S_ISDIR(found.st_mode) else []  # noqa: PTH208
    except OSError:
        return
    if stat.S_ISDIR(found.st_mode):
        yield path
    else:
        facts = (found.st_mode, found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino)
        yield path + repr(facts).encode()
    for name in children:
        if name not in _CACHES:
            yield from _signatures(path + b"/" + name)


def _git_parts(root: Path) -> Iterator[bytes]:
    """Where git stands: its head, its index, its refs. Source: gitrepository-layout(5)."""
    for folder in (root, *root.parents):
        dot_git = folder / ".git"
        if dot_git.exists():
            break
    else:
        return
    try:
        if dot_git.is_file():
            dot_git = folder / dot_git.read_text("utf-8", "replace").removeprefix("gitdir:").strip()
        yield (dot_git / "HEAD").read_bytes()
        for name in ("index", "logs/HEAD", "packed-refs"):
            yield from _signatures(os.fsencode(dot_git / name))
    except OSError:
        yield b"unreadable"
