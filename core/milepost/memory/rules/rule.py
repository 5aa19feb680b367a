"""A rule with where it comes from and when it counts, and rules put together from many files."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from milepost.base import ids
from milepost.memory.entry import MAX_TEXT_CHARS, Entry

if TYPE_CHECKING:
    from pathlib import Path

    from milepost.memory.entry import Scope
    from milepost.memory.rules.cutting import Piece
    from milepost.memory.rules.frontmatter import When

# Where a rule stands is told by its first places.
_MAX_SOURCES = 4

_CUT = " [...]"


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule, the file and lines (zero-based, `end_line` excluded) of its first source, and when it
    counts. `nested_in` is the folder below the root whose file it is from."""

    entry: Entry
    file: Path
    shown: str
    line: int
    end_line: int
    when: When
    nested_in: str = ""

    def holds_for(self, path: str) -> bool:
        """Whether it counts for this path of the project."""
        inside = not self.nested_in or f"{path}/".startswith(f"{self.nested_in}/")
        return inside and self.when.holds_for(path)


@dataclass(frozen=True, slots=True)
class Origin:
    """The file that rules are taken from."""

    file: Path
    shown: str
    when: When
    nested_in: str


class Rules:
    """Rules by id, each once: what says the same in several files has several sources."""

    def __init__(self, scope: Scope) -> None:
        self._scope: Scope = scope
        self.by_id: dict[str, Rule] = {}
        self._said: dict[str, list[str]] = {}

    def take(self, piece: Piece, origin: Origin) -> Rule | None:
        """Take a rule. The one that says the same when there is one: it gains a source."""
        source = f"{origin.shown}:{piece.line + 1}"
        said = self._said.setdefault(" ".join(piece.text.split()).casefold(), [])
        for known in map(self.by_id.__getitem__, said):
            is_wider = known.when.mode == "always" and not known.nested_in
            if is_wider or (known.when, known.nested_in) == (origin.when, origin.nested_in):
                self.by_id[known.entry.id] = _with_source(known, source)
                return known
        entry = self._entry(piece.text, source, origin, len(said))
        said.append(entry.id)
        self.by_id[entry.id] = Rule(
            entry, origin.file, origin.shown, piece.line, piece.end_line, origin.when,
            origin.nested_in,
        )  # fmt: skip
        return None

    def _entry(self, text: str, source: str, origin: Origin, occurrence: int) -> Entry:
        if len(text) > MAX_TEXT_CHARS:
            text = text[: MAX_TEXT_CHARS - len(_CUT)] + _CUT
        folder = (f"{origin.nested_in}/**",) if origin.nested_in else ()
        return Entry(
            id=ids.derived_id(f"rule\0{origin.shown}\0{text}", occurrence),
            text=text,
            kind="rule",
            # A repository does not speak for the user; what lies in their own folders does.
            status="stated" if self._scope == "global" else "unverified",
            scope=self._scope,
            source=f"file:{source}",
            created_at=None,
            anchors=origin.when.globs or folder,
            superseded_by=None,
        )


def _with_source(rule: Rule, source: str) -> Rule:
    sources = rule.entry.source.split(", ")
    if len(sources) >= _MAX_SOURCES or source in (sources[0].removeprefix("file:"), *sources[1:]):
        return rule
    return replace(rule, entry=replace(rule.entry, source=", ".join((*sources, source))))
