"""The rules of one scope: found in their files, searched by an index that can be made again.

Nothing walks a tree. The fixed places of the root are looked at by a stat or less; folders below it
only when a path in them is in question, and from then on with the rest. The files are read anew,
and the index brought level, when one of them or a folder of them has changed.
"""

from __future__ import annotations

import hashlib
import stat
import threading
from typing import TYPE_CHECKING

from milepost.base.errors import UserError
from milepost.base.files import Signature, make_private_dir
from milepost.base.waiting import will_wait
from milepost.memory.index import Index
from milepost.memory.layout import Layout
from milepost.memory.named import Named
from milepost.memory.rules import places, reading
from milepost.memory.rules.files import Watch

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from milepost.config.user_rules import UserFolder
    from milepost.memory.entry import Scope
    from milepost.memory.rules.places import Root
    from milepost.memory.rules.reading import Reading
    from milepost.memory.rules.rule import Rule

# Folders below the root whose rules are kept in mind; each costs a few stats a search.
_MAX_FOLDERS = 32

# Folders without any that are kept in mind: those of the files that are open, and those above them.
_MAX_BARE = 256

# Deeper paths are made by tools.
_MAX_DEPTH = 32


class RuleBook:
    """The rules in the files of a project, or in those of its user."""

    def __init__(
        self,
        index: Path,
        scope: Scope,
        roots: tuple[Root, ...],
        mask: Callable[[str], str],
        *,
        has_folders: bool = False,
    ) -> None:
        self.scope: Scope = scope
        self.index = Index(index, scope, mask)
        self._roots = roots
        # Only a project has folders with rules of their own.
        self._project = roots[0].folder if has_folders else None
        self._folders: set[str] | None = None
        self._bare: dict[str, Watch] = {}
        self._last: Reading | None = None
        self._named: Named[Rule] = Named()
        self._guard = threading.Lock()

    def read(self, path: str | None = None) -> Reading:
        """All files and rules as they are now; those of the folders above `path` too, a path of the
        project, when one is given."""
        if not self._guard.acquire(blocking=False):
            will_wait()
            self._guard.acquire()
        try:
            return self._read(path)
        finally:
            self._guard.release()

    def search(self, question: str) -> list[tuple[float, Rule]]:
        """The rules that hold a word of `question`, best first, with scores."""
        found = self._level()
        if found is None:
            return []
        ranked = self.index.search(question, kind=None, include_superseded=False)
        return [
            (score, found.by_id[entry.id]) for score, entry in ranked if entry.id in found.by_id
        ]

    def naming(self, symbol: str, path: str | None) -> list[Rule]:
        """The rules that hold `symbol` as a word, best first; only those that count for `path` when
        one is given."""
        found = self.read(path)
        named = self._named.get(found.watch, symbol) if found.by_id else ()
        if named is None:
            signature = self._bring_level(found)
            _, entries = self.index.naming(symbol)
            named = tuple(found.by_id[each.id] for each in entries if each.id in found.by_id)
            # Another process may have seen other files, and brought the index level with those.
            if self.index.is_level(signature):
                self._named.keep(found.watch, symbol, named)
        return [rule for rule in named if path is None or rule.holds_for(path)]

    def get(self, entry_id: str) -> Rule | None:
        """The rule with this id."""
        return self.read().by_id.get(entry_id)

    def refuse_change(self, entry_id: str) -> None:
        """Raise UserError when the id is that of a rule: its file is not ours to write."""
        rule = self.get(entry_id)
        if rule is not None:
            message = f"entry {entry_id} is read from {rule.shown}, which Milepost never writes"
            raise UserError(f"{message}; edit it there, in line {rule.line + 1}")

    def _level(self, path: str | None = None) -> Reading | None:
        """What is there now, above `path` too, with the index level with it; None when there is
        nothing to search."""
        found = self.read(path)
        if not found.by_id and not self.index.database.path.exists():
            return None
        self._bring_level(found)
        return found

    def _bring_level(self, found: Reading) -> Signature:
        """Bring the index level with what was found; the signature that it has then."""
        signature = _signature_of(found.watch.seen())
        if not self.index.is_level(signature):
            make_private_dir(self.index.database.path.parent)
            # Nothing is ever written into these files, so their layout is nobody's business.
            entries = ((rule.entry, 0) for rule in found.by_id.values())
            self.index.bring_level(signature, Layout("\n", {}), entries)
        return signature

    def _read(self, path: str | None) -> Reading:
        known = self._known_folders()
        asked = set[str]() if path is None else self._new_above(path, known)
        if asked or self._last is None or not self._last.watch.is_unchanged():
            will_wait()
            if asked:
                self._folders = known = self._kept(known, asked)
            self._last = self._read_anew(known)
        return self._last

    def _read_anew(self, folders: set[str]) -> Reading:
        roots = self._roots
        if self._project is not None:
            # After the root, so that what they say again is told as the root's.
            nested = (places.of_folder(self._project, folder) for folder in sorted(folders))
            roots = (*roots, *nested)
        return reading.read(roots, self.scope)

    def _known_folders(self) -> set[str]:
        """The folders whose rules are kept in mind, by this process or by one before it."""
        if self._folders is None:
            will_wait()
            self._folders = set()
            if self._project is not None and self.index.database.path.exists():
                with self.index.database.reading() as connection:
                    rows = connection.execute("SELECT DISTINCT anchors FROM entry").fetchall()
                ends = (anchors.removesuffix("/**") for (anchors,) in rows)
                plain = {end for end in ends if _is_folder(end)}
                self._folders = set(sorted(plain)[:_MAX_FOLDERS])
        return self._folders

    def _new_above(self, path: str, known: set[str]) -> set[str]:
        """The folders between the root and `path` in which a file of rules lies, but for those
        that are known."""
        if self._project is None:
            return set()
        parts = [part for part in path.replace("\\", "/").split("/") if part not in ("", ".")]
        if ".." in parts or len(parts) > _MAX_DEPTH:
            return set()
        # The last part may be a folder itself.
        folders = {"/".join(parts[: at + 1]) for at in range(len(parts))}
        return {folder for folder in folders - known if self._has_any(self._project, folder)}

    def _has_any(self, project: Path, folder: str) -> bool:
        """Whether a folder has rules of its own; asked at every hover."""
        bare = self._bare.get(folder)
        if bare is not None and bare.is_unchanged():
            return False
        watch = Watch()
        found = [watch.look(path) for path in places.in_folder(project, folder)]
        if any(found):
            return any(each is not None and stat.S_ISREG(each.st_mode) for each in found)
        if len(self._bare) >= _MAX_BARE:
            self._bare.clear()
        self._bare[folder] = watch
        return False

    def _kept(self, known: set[str], asked: set[str]) -> set[str]:
        """The folders to keep in mind: those asked for now, and of the others what there is room
        for."""
        room = max(0, _MAX_FOLDERS - len(asked))
        return asked | set(sorted(known)[:room])


def of_project(index: Path, root: Path, mask: Callable[[str], str]) -> RuleBook:
    """The rules in the files of a project."""
    return RuleBook(index, "project", (places.of_project(root),), mask, has_folders=True)


def of_user(index: Path, folders: Mapping[str, UserFolder], mask: Callable[[str], str]) -> RuleBook:
    """The rules in the files that the user's agents keep for all projects."""
    return RuleBook(index, "global", places.of_user(folders), mask)


def _is_folder(anchor: str) -> bool:
    """Whether an anchor's beginning is a plain path below the root, and no other pattern."""
    parts = anchor.split("/")
    return all(parts) and not {".", ".."} & set(parts) and not set("*?[{\n\\") & set(anchor)


def _signature_of(seen: dict[str, Signature]) -> Signature:
    """One signature for many files, as the index keeps it."""
    digest = hashlib.sha256(repr(sorted(seen.items())).encode("utf-8", "surrogateescape")).digest()
    parts = (int.from_bytes(digest[at : at + 7], "big") for at in (0, 7, 14, 21))
    return Signature(*parts)
