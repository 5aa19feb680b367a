"""What a source of entries was found to say of a word, kept while the source is as it was.

An editor asks of one word again and again: for the menu at every move of the cursor, and for the
hover. What was found is kept beside what tells one state of the source from the next, and nothing
is ever told of another state than that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

E = TypeVar("E")

# The words on some screens of code.
_MAX_WORDS = 256

# A word that more entries name is no one's symbol; all words together keep some megabytes at most.
_MAX_ENTRIES = 16


class Named(Generic[E]):
    """What is known of words in one state of a source. Any thread may ask."""

    def __init__(self) -> None:
        self._known: tuple[Hashable, dict[str, tuple[E, ...]]] = (None, {})

    def get(self, state: Hashable, word: str) -> tuple[E, ...] | None:
        """What was found in this state; None when nobody asked, or in another one."""
        known, found = self._known
        return found.get(word) if known == state else None

    def keep(self, state: Hashable, word: str, entries: Sequence[E]) -> None:
        """Keep what was found in this state."""
        if len(entries) > _MAX_ENTRIES:
            return
        known, found = self._known
        if known != state or len(found) >= _MAX_WORDS:
            # Made anew rather than emptied: another thread may be about to add to the old one.
            found = {}
            self._known = (state, found)
        found[word] = tuple(entries)
