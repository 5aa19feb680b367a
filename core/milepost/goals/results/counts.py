"""How many tests there were and how they ended, and what that means beside an earlier count."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class Counts:
    """Tests by how they ended. `failed` counts errors too; what was deselected was not collected
    for this run and is not in `collected`."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0
    xfailed: int = 0
    deselected: int = 0

    @property
    def collected(self) -> int:
        """How many tests the run was about."""
        return self.passed + self.failed + self.skipped + self.xfailed

    def __add__(self, other: Self) -> Counts:
        return Counts(
            self.passed + other.passed,
            self.failed + other.failed,
            self.skipped + other.skipped,
            self.xfailed + other.xfailed,
            self.deselected + other.deselected,
        )

    @property
    def words(self) -> str:
        """Such as `12 passed, 1 skipped`."""
        named = {
            "passed": self.passed,
            "failed": self.failed,
            "skipped": self.skipped,
            "expected to fail": self.xfailed,
            "deselected": self.deselected,
        }
        told = [f"{number} {name}" for name, number in named.items() if number or name == "passed"]
        return ", ".join(told)


def shortfall(found: Counts, baseline: Counts | None) -> str | None:
    """Why these counts do not show that the tests pass, as a clause; None when they do.

    Without a baseline, nothing may be skipped: who could say that it always was?
    """
    was = baseline or Counts()
    since = "when the goal was set" if baseline else "as far as Milepost knows"
    if found.failed:
        return f"{found.failed} of {found.collected} tests failed"
    if not found.passed:
        return "no test passed" if found.collected else "no test was run"
    if found.collected < was.collected:
        return f"{found.collected} tests were run, but {was.collected} {since}"
    for now, then, ended in (
        (found.skipped, was.skipped, "skipped"),
        (found.xfailed, was.xfailed, "expected to fail"),
        (found.deselected, was.deselected, "deselected"),
    ):
        if now > then:
            return f"{now} tests were {ended}, but {then} {since}"
    if found.passed < was.passed:
        return f"{found.passed} tests passed, but {was.passed} {since}"
    return None
