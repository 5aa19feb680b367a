"""What keeps the memories in order: their indexes level, wiped and checked, large files tidy."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from milepost.base.errors import WorldError
from milepost.memory.edits import conflict_words

if TYPE_CHECKING:
    from milepost.api.scopes import Scopes
    from milepost.memory.store import MemoryStore


class Upkeep:
    """The memories that a workspace can reach, as one who keeps them in order sees them."""

    def __init__(self, scopes: Scopes) -> None:
        self._scopes = scopes

    def refresh(self, path: str | None = None) -> int:
        """Bring the indexes of what is in play level with the files, or that of the memory file at
        `path`; how many entries were new, changed or gone."""
        stores = self._scopes.in_play(None, None, None) if path is None else self._at(path)
        return sum(store.refresh() for store in stores)

    def digests(self, path: str) -> dict[str, bytes]:
        """What tells each entry of the memory file at `path` from what it was before, by id."""
        return {key: digest for store in self._at(path) for key, digest in store.digests().items()}

    def clean(self, *, within_s: float | None = None) -> bool:
        """Wipe what was forgotten, or changed, out of the indexes; with a limit, of those only that
        were used here. Whether that is done; when the time was not enough, or others are using an
        index, call again."""
        with contextlib.suppress(WorldError):
            stores = self._scopes.kept() if within_s is None else self._scopes.made()
            cleaned = [store.index.clean(within_s=within_s) for store in stores]
            return all(cleaned)
        return False

    def tidy(self) -> tuple[str, ...]:
        """Bring together what stands under headings that saves repeated at the end of large files;
        the files that were rewritten."""
        return tuple(str(store.path) for store in self._scopes.kept() if store.tidy())

    def check(self) -> tuple[str, ...]:
        """Compare files and indexes entry by entry; a sentence for each that differs, and for each
        file that git left in the middle of a merge."""
        stores = self._scopes.kept()
        differing = tuple(
            f"the index of {store.path} has {rows} rows for {entries} entries"
            for store in stores
            for rows, entries in [store.counts()]
            if rows != entries
        )
        return (*differing, *conflicts(stores))

    def _at(self, path: str) -> tuple[MemoryStore, ...]:
        return tuple(store for store in self._scopes.kept() if str(store.path) == path)


def conflicts(stores: tuple[MemoryStore, ...]) -> tuple[str, ...]:
    """A sentence for each file that git left in the middle of a merge."""
    return tuple(
        conflict_words(store.path, line)
        for store in stores
        if (line := store.conflict()) is not None
    )
