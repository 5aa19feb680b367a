"""What an entry is about in the code, and whether the code is still what it was then.

An anchor is `path` or `path#symbol`, relative to the project's root. When an entry is saved or
confirmed, each of its anchors is stamped with the print of what it names: the definition of the
symbol, or the file when there is no such definition. In the file the stamp stands behind the
anchor: `path#symbol@3f2a91c0d4e7`. When the print differs later, the entry is suspect: it may still
be true, but someone should look.

Code that is gone from where it was is followed (`following`). If it is elsewhere as it was, the
entry is not suspect, and its anchor is rewritten when the entry is next changed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from milepost.memory.code import Code
    from milepost.memory.following import Following

_STAMP = re.compile(r"@([0-9a-f]{12})$")

# More places than this help nobody to decide.
_MAX_NAMED = 3


def bare(anchor: str) -> str:
    """The anchor without its stamp."""
    return _STAMP.sub("", anchor)


@dataclass(frozen=True, slots=True)
class Look:
    """What a look at an anchor found. `doubt` is why its entry is suspect; `moved_to` where the
    code is now, unchanged; `place` where it is as far as anyone can tell, changed or not."""

    doubt: str | None = None
    moved_to: str | None = None
    place: str | None = None


class Anchors:
    """The anchors of one project's entries; of entries that belong to none (`root` is None) no
    anchor is ever stamped."""

    def __init__(self, root: Path | None) -> None:
        self._has_code = root is not None
        self._root = root or Path()

    @cached_property
    def _code(self) -> Code:
        # Looks into code and into git are heavy, and most searches meet no anchor.
        from milepost.memory.code import Code  # noqa: PLC0415  (see above)

        return Code(self._root)

    @cached_property
    def _following(self) -> Following:
        from milepost.memory.following import Following  # noqa: PLC0415  (see above)

        return Following(self._code)

    def stamped(self, anchor: str) -> str:
        """The anchor with the stamp of what it names now, where that is now; bare when it names
        nothing."""
        named = self.look(anchor, wait=True).place or bare(anchor)
        if not self._has_code:
            return named
        path, _, symbol = named.partition("#")
        found = self._code.print_of(path, symbol)
        return named if found is None else f"{named}@{found.digest}"

    def followed(self, anchor: str) -> str:
        """The anchor, rewritten if its code moved without a change."""
        is_moved = self.look(anchor, wait=True).moved_to is not None
        return self.stamped(anchor) if is_moved else anchor

    def all_stamped(self, anchors: tuple[str, ...]) -> tuple[str, ...]:
        """`stamped` for the anchors of an entry."""
        return tuple(map(self.stamped, anchors))

    def all_followed(self, anchors: tuple[str, ...]) -> tuple[str, ...]:
        """`followed` for the anchors of an entry."""
        return tuple(map(self.followed, anchors))

    def look(self, anchor: str, *, wait: bool = False) -> Look:
        """Whether an entry with this anchor is suspect. Nothing is when it was never stamped.

        A search for code that is gone is waited for with `wait`; otherwise its result is told once
        it is known.
        """
        loss = self._loss(anchor)
        if isinstance(loss, Look):
            return loss
        path, symbol, digest, words = loss
        trace = self._following.trace(path, symbol, digest, wait=wait)
        if not trace.places:
            return Look(words)
        first, *others = trace.places
        if others:
            named = " or ".join(place.partition("#")[0] for place in trace.places[:_MAX_NAMED])
            return Look(f"{words}; it may be in {named} now")
        if trace.is_certain:
            return Look(moved_to=first, place=first)
        target = first.partition("#")[0]
        return Look(f"{symbol or path} moved to {target} and has changed since", place=first)

    def prepare(self, anchors: Iterable[str]) -> None:
        """Search for all of these whose code is gone, in one go."""
        losses = (self._loss(anchor) for anchor in anchors)
        self._following.prepare(loss[:3] for loss in losses if not isinstance(loss, Look))

    def former(self, path: str, symbol: str) -> tuple[str, ...]:
        """The anchors of old whose code is known to be at this symbol now."""
        return tuple("#".join(filter(None, each)) for each in self._following.former(path, symbol))

    def _loss(self, anchor: str) -> Look | tuple[str, str, str, str]:
        """What to tell of an anchor whose code is there; of one whose code is gone the path, the
        symbol, the digest, and words for it."""
        stamp = _STAMP.search(anchor)
        if stamp is None or not self._has_code:
            return Look()
        named = bare(anchor)
        path, _, symbol = named.partition("#")
        found = self._code.print_of(path, symbol)
        if found is None:
            return path, symbol, stamp[1], f"{path} is gone"
        if found.digest == stamp[1]:
            return Look()
        if symbol and not found.is_mentioned:
            return path, symbol, stamp[1], f"{symbol} is gone from {path}"
        if symbol and not found.is_defined:
            # It is used where it was defined, as after a move to another module.
            return path, symbol, stamp[1], f"{named} has changed since"
        return Look(f"{named} has changed since")
