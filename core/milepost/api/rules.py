"""The rules in agents' own files as the rest of the door sees them: all books as one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from milepost.api import views
from milepost.api.brief import Known

if TYPE_CHECKING:
    from collections.abc import Mapping

    from milepost.memory.entry import Entry
    from milepost.memory.rules.book import RuleBook
    from milepost.memory.rules.frontmatter import When
    from milepost.memory.rules.reading import RulesFile
    from milepost.memory.rules.rule import Rule


class Rules:
    """Rules of the project and of its user."""

    def __init__(self, books: tuple[RuleBook, ...]) -> None:
        self._books = books

    def all(self, *, scope: str | None, kind: str | None) -> list[Rule]:
        """The rules of a scope (None: of all), in the order of their files."""
        return [rule for book in self._of(scope, kind) for rule in book.read().by_id.values()]

    def get(self, entry_id: str) -> Rule | None:
        """The rule with this id."""
        found = (book.get(entry_id) for book in self._books)
        return next((rule for rule in found if rule is not None), None)

    def search(
        self, question: str, *, scope: str | None, kind: str | None
    ) -> list[list[tuple[float, Entry]]]:
        """What each book finds, best first, with scores."""
        return [
            [(score, rule.entry) for score, rule in book.search(question)]
            for book in self._of(scope, kind)
        ]

    def naming(self, symbol: str, path: str | None) -> list[Rule]:
        """The rules that name a symbol and count for `path`."""
        return [rule for book in self._books for rule in book.naming(symbol, path)]

    def files(self, path: str | None) -> tuple[views.RulesFile, ...]:
        """The files that were found, those above `path` too."""
        return tuple(
            _file(file, book.scope) for book in self._books for file in book.read(path).files
        )

    def refuse_change(self, entry_id: str) -> None:
        """Raise UserError when the id is that of a rule, which is changed in its own file only."""
        for book in self._books:
            book.refuse_change(entry_id)

    def known(self, scores: Mapping[str, float], path: str | None) -> list[Known]:
        """All rules as a brief weighs them, by what a search for the task scored and by `path`."""
        return [
            Known(
                rule.entry,
                max(scores.get(rule.entry.id, 0.0), _nearness(rule, path)),
                rule.shown,
                _condition(rule, path),
            )
            for rule in self.all(scope=None, kind=None)
        ]

    def _of(self, scope: str | None, kind: str | None) -> tuple[RuleBook, ...]:
        if kind not in (None, "rule"):
            return ()
        return tuple(book for book in self._books if scope in (None, book.scope))


def _condition(rule: Rule, path: str | None) -> str:
    """Why a rule is not wanted unless the task has to do with it; empty when it is."""
    if path is not None and rule.holds_for(path):
        return ""
    if rule.nested_in or rule.when.mode == "paths":
        return "for other paths"
    return "only when asked for" if rule.when.mode == "asked" else ""


def _nearness(rule: Rule, path: str | None) -> float:
    """How much a rule has to do with a path: the nearer its folder is, the more."""
    if path is None or not rule.holds_for(path):
        return 0.0
    if rule.nested_in:
        return (1 + rule.nested_in.count("/")) / (1 + path.count("/"))
    return 0.5 if rule.when.globs else 0.0


def _file(file: RulesFile, scope: str) -> views.RulesFile:
    return views.RulesFile(
        path=file.path,
        read_by=file.read_by,
        scope=scope,
        size=file.size,
        tokens=file.tokens,
        rules=file.rules,
        repeated=file.repeated,
        is_used=file.is_used,
        when=_words(file.when),
        notes=file.notes,
    )


def _words(when: When) -> str:
    if when.mode == "always":
        return "always"
    if when.mode == "paths":
        return f"for {', '.join(when.globs)}"
    return f"when asked for: {when.description}" if when.description else "when it is named"
