"""Which paths a snapshot covers.

Covered is every file that git would not ignore, read from `.gitignore` files, `.git/info/exclude`
and `.milepostignore` without running git. Never covered: version control's own folders, folders
that tools fill and can fill again, and files that by their name hold secrets; each of these is
listed with its reason, so that nobody believes it could come back.
"""

from __future__ import annotations

import fnmatch
import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from milepost.base.confined import TEMPORARY_PREFIX

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pathspec import GitIgnoreSpec


# More files than any repository we know keeps under version control; a home folder has more.
MAX_FILES = 400_000

# An ignore file beyond this is no ignore file.
_MAX_RULES_BYTES = 1024 * 1024

# Always covered, ignored or not: what they said then decides what a restore may delete now.
RULE_FILES = (b".gitignore", b".milepostignore")

# Goes up when the lists below change, so that what a new list lets in is not taken for new.
POLICY = 1

_NEVER = frozenset({b".git", b".hg", b".svn", b".jj", b".bzr"})

_REFILLABLE = frozenset(
    {
        b"node_modules", b"bower_components", b".venv", b"__pycache__", b".tox", b".nox",
        b".pytest_cache", b".mypy_cache", b".ruff_cache", b".hypothesis", b".gradle", b".terraform",
        b".next", b".nuxt", b".parcel-cache", b".turbo", b".cache", b".eggs",
    }
)  # fmt: skip


def _any_of(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(map(fnmatch.translate, patterns)))


_SECRETS = _any_of(
    ".env", ".env.*", "*.env", ".envrc", ".netrc", "_netrc", ".pgpass", ".git-credentials",
    ".htpasswd", ".pypirc", ".npmrc", ".dockercfg", "*.pem", "*.key", "*.p12", "*.pfx",
    "*.jks", "*.keystore", "*.kdbx", "*.ppk", "id_rsa*", "id_dsa*", "id_ecdsa*",
    "id_ed25519*", "credentials", "credentials.json", "service-account*.json",
    "*.tfstate", "*.tfstate.backup",
)  # fmt: skip

# Names that would match but are made to be shared.
_NOT_SECRETS = _any_of("*.example", "*.sample", "*.template", "*.dist", "*.pub")


@dataclass(frozen=True, slots=True)
class Rules:
    """The ignore rules that hold in one folder: those of its own, then those from above."""

    specs: tuple[tuple[bytes, GitIgnoreSpec], ...] = ()

    def plus(self, folder: bytes, content: bytes) -> Self:
        """These rules and those of an ignore file in `folder` (relative to the project)."""
        if not content:
            return self
        from pathspec import GitIgnoreSpec  # noqa: PLC0415  (most starts never scan)

        lines = content.decode("utf-8", "surrogateescape").splitlines()
        return type(self)(((folder, GitIgnoreSpec.from_lines(lines)), *self.specs))

    def ignores(self, relative: bytes, *, is_dir: bool) -> bool:
        """Whether the path is ignored; the rule that stands nearest to it decides."""
        if not self.specs or (relative.rpartition(b"/")[2] in RULE_FILES and not is_dir):
            return False
        for base, spec in self.specs:
            inside = relative[len(base) + 1 :] if base else relative
            verdict = spec.check_file(os.fsdecode(inside) + ("/" if is_dir else "")).include
            if verdict is not None:
                return verdict
        return False


class PastRules:
    """The ignore rules of an earlier snapshot, from the contents of its ignore files by path."""

    def __init__(self, exclude: bytes, files: Mapping[bytes, bytes]) -> None:
        self._files = files
        self._rules = {b"": self._within(Rules().plus(b"", exclude), b"")}
        self._ignored: dict[bytes, bool] = {b"": False}

    def ignored(self, path: bytes, *, is_dir: bool = False) -> bool:
        """Whether the path, or a folder above it, was ignored then."""
        folder = path.rpartition(b"/")[0]
        return self._is_ignored_folder(folder) or self._rules[folder].ignores(path, is_dir=is_dir)

    def _is_ignored_folder(self, folder: bytes) -> bool:
        if folder not in self._ignored:
            self._ignored[folder] = self.ignored(folder, is_dir=True)
            above = self._rules[folder.rpartition(b"/")[0]]
            self._rules[folder] = self._within(above, folder)
        return self._ignored[folder]

    def _within(self, above: Rules, folder: bytes) -> Rules:
        rules = above
        for name in RULE_FILES:
            rules = rules.plus(
                folder, self._files.get(folder + b"/" + name if folder else name, b"")
            )
        return rules


def reason_to_leave_out(name: bytes, *, is_dir: bool) -> str | None:
    """Why a file or folder of this name is never covered, or None."""
    if name in _NEVER:
        return "version control's own"
    if name.startswith(TEMPORARY_PREFIX):
        return "left by a restore that was cut short; delete it"
    if is_dir and name in _REFILLABLE:
        return "a folder that tools fill again"
    if not is_dir:
        text = os.fsdecode(name).lower()
        if _SECRETS.fullmatch(text) and not _NOT_SECRETS.fullmatch(text):
            return "may hold secrets by its name"
    return None


def read_rules(path: bytes) -> bytes:
    """The content of an ignore file; nothing when there is none or it is no plain file."""
    # Most folders have none, and an exception costs more than this question.
    if not os.access(path, os.F_OK):
        return b""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | getattr(os, "O_NOFOLLOW", 0))
    except OSError:
        return b""
    with os.fdopen(handle, "rb") as file:
        try:
            return file.read(_MAX_RULES_BYTES)
        except OSError:
            return b""
