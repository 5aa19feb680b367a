"""A file as it was when the goal was set and as it is now, and a sign that something is off."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass

from milepost.base.ids import derived_id


@dataclass(frozen=True, slots=True)
class Change:
    """One path that differs. None: the file was not there, or is not there now."""

    path: str
    old: bytes | None
    new: bytes | None

    @property
    def old_text(self) -> str:
        """What it held; empty when it was not there."""
        return (self.old or b"").decode("utf-8", "replace")

    @property
    def new_text(self) -> str:
        """What it holds; empty when it is not there."""
        return (self.new or b"").decode("utf-8", "replace")

    def removed_lines(self) -> list[str]:
        """The lines that are gone, without their indentation; moved lines are not."""
        return list((_lines(self.old_text) - _lines(self.new_text)).elements())

    def added_lines(self) -> list[str]:
        """The lines that are new, without their indentation."""
        return list((_lines(self.new_text) - _lines(self.old_text)).elements())

    def sign(self, kind: str, words: str) -> Sign:
        """A sign about this file as it is now: another edit makes it another sign."""
        digest = hashlib.sha256(self.new or b"").hexdigest()
        return Sign(derived_id(f"{kind}\0{self.path}\0{words}\0{digest}", 0), kind, words)


@dataclass(frozen=True, slots=True)
class Sign:
    """Something that speaks against trusting a check that passed. `kind` is tests, skipped,
    configuration, checker, environment or baseline; `words` is a clause."""

    id: str
    kind: str
    words: str


def _lines(text: str) -> Counter[str]:
    return Counter(line.strip() for line in text.splitlines() if line.strip())
