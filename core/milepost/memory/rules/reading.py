"""All rules files of a project, or of its user, read at one moment.

What was left out, and why, is kept beside what was taken: a rule that silently does not count is
worse than one too few.
"""

from __future__ import annotations

import fnmatch
import json
import os
import re
import stat
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

from milepost.base.tokens import count
from milepost.memory.entry import MAX_TEXT_CHARS
from milepost.memory.rules import files, frontmatter, places
from milepost.memory.rules.cutting import pieces
from milepost.memory.rules.rule import Origin, Rules

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from milepost.memory.entry import Scope
    from milepost.memory.rules.cutting import Piece
    from milepost.memory.rules.frontmatter import When
    from milepost.memory.rules.places import Place, Root
    from milepost.memory.rules.rule import Rule

# A project with a rules file for each of its parts has a dozen or two.
MAX_FILES = 100

# Claude Code follows imports four deep, Gemini CLI five.
MAX_IMPORT_DEPTH = 4

# A file of pure two-word items of the size allowed has more; such a list is no longer rules.
MAX_RULES = 1_000

# `.claude/rules/backend/api/errors.md` is as deep as people go.
_MAX_FOLDER_DEPTH = 4

# A folder with more names is no folder of rules; the rest of it is not looked at.
_MAX_NAMES = 2_000

# `@docs/style.md`; not an address, not `@types/node`, and not what stands in a code span.
_IMPORT = re.compile(r"(?:^|(?<=\s))@((?:[^\s`\\]|\\ )+\.(?:md|mdc|markdown|txt|rst))(?![\w/])")
_CODE = re.compile(r"(`{3,}|~{3,}).*?(?:\1|\Z)|(`+)[^`]*\2", re.DOTALL)


@dataclass(frozen=True, slots=True)
class RulesFile:
    """A rules file that was found. Of its `rules`, `repeated` stand in another file too; `notes`
    say what of it is not used, and why."""

    path: str
    read_by: str
    size: int
    tokens: int
    rules: int
    repeated: int
    when: When
    notes: tuple[str, ...]

    @property
    def is_used(self) -> bool:
        """Whether it says anything that no other file says."""
        return self.rules > self.repeated


@dataclass(frozen=True, slots=True)
class Reading:
    """What was found, and the watch that tells when it is no longer so."""

    files: tuple[RulesFile, ...]
    by_id: Mapping[str, Rule]
    watch: files.Watch


def read(roots: Sequence[Root], scope: Scope) -> Reading:
    """Read all rules files of `roots`."""
    reader = _Reader(scope)
    for root in roots:
        reader.read(root)
    return reader.reading()


class _Reader:
    def __init__(self, scope: Scope) -> None:
        self._watch = files.Watch()
        self._files: list[RulesFile] = []
        self._rules = Rules(scope)
        # What was read, by the file that is really there: the name under which it was.
        self._read: dict[str, str] = {}

    def reading(self) -> Reading:
        """What was found so far."""
        return Reading(tuple(self._files), self._rules.by_id, self._watch)

    def read(self, root: Root) -> None:
        """Read the files at the places of a root."""
        if not self._watch.holds(root.folder):
            return
        for place in root.places:
            path = root.folder / place.path
            found = self._watch.look(path)
            if found is None or stat.S_ISDIR(found.st_mode) != bool(place.names):
                continue
            paths = self._in_folder(root, path, place) if place.names else (path,)
            for each in self._listed(root, path) if place.is_list else paths:
                self._file(root, place, each)

    def _in_folder(self, root: Root, folder: Path, place: Place, depth: int = 0) -> Iterator[Path]:
        """The files of a folder whose names fit, by name, then those of its folders."""
        if not root.holds(folder):
            self._note(root.shows(folder), place.read_by, "not read: it leads out of the project")
            return
        try:
            names = sorted(os.listdir(folder))  # noqa: PTH208  (names are all that is wanted)
        except OSError:
            return
        deeper: list[Path] = []
        for name in names[:_MAX_NAMES]:
            fits = any(fnmatch.fnmatch(name, pattern) for pattern in place.names)
            if not fits and (not place.is_deep or "." in name or depth >= _MAX_FOLDER_DEPTH):
                continue
            found = self._watch.look(folder / name)
            if found is not None and stat.S_ISDIR(found.st_mode):
                deeper += [folder / name] if place.is_deep else []
            elif fits and found is not None:
                yield folder / name
        for each in deeper:
            yield from self._in_folder(root, each, place, depth + 1)

    def _listed(self, root: Root, listing: Path) -> Iterator[Path]:
        """The files that opencode.json lists under `instructions`."""
        try:
            content: object = json.loads(files.read(listing, root).text)
        except (files.Refused, ValueError, RecursionError) as error:
            why = str(error) if isinstance(error, files.Refused) else "it is no plain JSON"
            self._note(root.shows(listing), places.LISTED_BY, f"not read: {why}")
            return
        fields = cast("dict[str, object]", content) if isinstance(content, dict) else {}
        names = fields.get("instructions")
        for name in map(str, cast("list[object]", names) if isinstance(names, list) else []):
            folder, _, last = name.rpartition("/")
            path = root.folder / name
            if "://" in name or "*" in folder or "\0" in name:
                why = "an address" if "://" in name else "a pattern over many folders"
                self._note(name, places.LISTED_BY, f"not read: it is {why}")
            elif "*" in last and self._watch.look(path.parent) is not None:
                place = places.Place(folder, places.LISTED_BY, (last,))
                yield from self._in_folder(root, path.parent, place)
            elif self._watch.look(path) is None:
                self._note(name, places.LISTED_BY, f"{listing.name} names it, but it is not there")
            else:
                yield path

    def _file(self, root: Root, place: Place, path: Path, chain: tuple[str, ...] = ()) -> None:
        """Read one file and what it imports; `chain` are the files by which it was imported."""
        shown = root.shows(path)
        try:
            if len(self._files) >= MAX_FILES:
                raise files.Refused(f"there are more than {MAX_FILES} files")
            content = files.read(path, root)
        except files.Refused as refusal:
            if len(self._files) <= MAX_FILES:
                self._note(shown, place.read_by, f"not read: {refusal}")
            return
        if chain and content.real in self._read:
            return
        self._read.setdefault(content.real, shown)
        at = len(self._files)
        self._note(shown, place.read_by, "")
        when = frontmatter.read(content.text, is_asked_for=place.is_asked_for)
        imports, notes, taken, repeated = self._taken(
            pieces(content.text), Origin(path, shown, when, root.nested_in), place
        )
        for name in imports:
            why = self._import(root, place, path.parent / name, (*chain, content.real))
            notes += [f"the import @{name} is not followed: {why}"] if why else []
        self._files[at] = replace(
            self._files[at], size=content.size, tokens=count(content.text), rules=taken,
            repeated=repeated, when=when, notes=(*content.notes, *notes),
        )  # fmt: skip

    def _taken(
        self, found: list[Piece], origin: Origin, place: Place
    ) -> tuple[list[str], list[str], int, int]:
        """Take the rules of a file: what it imports, what is to be said about it, how many rules
        were taken, and how many of these were there already."""
        imports: dict[str, None] = {}
        notes: list[str] = []
        others: dict[str, None] = {}
        taken = repeated = 0
        for piece in found[:MAX_RULES]:
            named = _IMPORT.findall(_CODE.sub(" ", piece.text)) if place.follows_imports else []
            imports.update(dict.fromkeys(named))
            if len(named) == 1 and piece.text.endswith(f"@{named[0]}") and "\n" not in piece.text:
                continue
            if len(piece.text) > MAX_TEXT_CHARS:
                notes.append(f"the rule in line {piece.line + 1} is cut")
            known = self._rules.take(piece, origin)
            taken += 1
            if known is not None:
                repeated += 1
                others[known.shown] = None
        if len(found) > MAX_RULES:
            notes.append(f"only the first {MAX_RULES:,} of {len(found):,} rules are used")
        if taken and repeated == taken:
            notes.append(f"says the same as {', '.join(others)}")
        elif not taken and not imports:
            notes.append("holds no rule")
        return list(imports), notes, taken, repeated

    def _import(self, root: Root, place: Place, path: Path, chain: tuple[str, ...]) -> str:
        """Read a file that another one imports. Why not, when it is not followed."""
        real = os.path.realpath(path)
        if real in chain:
            return "it would go in a circle"
        if len(chain) > MAX_IMPORT_DEPTH:
            return f"it is more than {MAX_IMPORT_DEPTH} imports deep"
        if "~" in path.parts or not root.holds(path):
            return f"it leads out of {root.name}"
        if self._watch.look(path) is None:
            return "there is no such file"
        self._file(root, place, path, chain)
        return ""

    def _note(self, shown: str, read_by: str, why: str) -> None:
        """Enter a file of which nothing is known yet but why it is not read."""
        notes = (why,) if why else ()
        self._files.append(RulesFile(shown, read_by, 0, 0, 0, 0, frontmatter.ALWAYS, notes))
