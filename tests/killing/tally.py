"""What kills hit, and what was wrong afterwards."""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass
class Tally:
    """How often what was hit, and what was wrong afterwards."""

    kills: int = 0
    within_a_call: int = 0
    within_a_write: int = 0
    within_an_answer: int = 0
    within_the_writer: int = 0
    within_the_verification: int = 0
    wrong_trees: int = 0
    wrong_histories: int = 0
    lost_calls: int = 0
    repeated_calls: int = 0
    wrong_points: int = 0
    unsound_databases: int = 0
    left_behind: int = 0

    def add(self, other: Tally) -> None:
        for each in fields(self):
            setattr(self, each.name, getattr(self, each.name) + getattr(other, each.name))

    def faults(self) -> dict[str, int]:
        """All that must not be."""
        names = [each.name for each in fields(self)]
        return {name: getattr(self, name) for name in names[names.index("wrong_trees") :]}
