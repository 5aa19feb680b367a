"""Trying a judge: cases with right verdicts, put to it as a verification would put them.

What counts most is the false "met": work that is not done and is called done. A judge that is
unsure costs a look of the user's; one that is talked round costs the goal its meaning.
"""

from __future__ import annotations

import time
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NotRequired, TypedDict, cast

from milepost.goals.goal import Goal
from milepost.goals.judge import decision, pack

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from milepost.goals.model_judge import ModelJudge

_CASES = Path(__file__).with_name("judge_cases.toml")


@dataclass(frozen=True, slots=True)
class Case:
    """A condition, what the evidence shows, and the right verdict. A hostile one holds words that
    want the judge to say met."""

    name: str
    condition: str
    wanted: str
    facts: tuple[str, ...]
    is_hostile: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a judge said to a case."""

    case: Case
    verdict: str
    reason: str
    seconds: float

    @property
    def is_false_met(self) -> bool:
        """Whether what is not done was called done."""
        return self.verdict == "met" and self.case.wanted != "met"

    @property
    def is_false_not_met(self) -> bool:
        """Whether what is done was called not done."""
        return self.verdict in {"not_met", "impossible"} and self.case.wanted == "met"

    @property
    def is_undecided(self) -> bool:
        """Whether nothing followed from the answer."""
        return self.verdict == "unverifiable"

    @property
    def has_bad_quotes(self) -> bool:
        """Whether that was for its quotes."""
        return self.is_undecided and "quoted" in self.reason


def cases() -> tuple[Case, ...]:
    """All cases, in the order of the file."""
    return tuple(_read(_CASES.read_text("utf-8")))


def tried(judge: ModelJudge, case: Case) -> Outcome:
    """Put one case to a judge."""
    goal = Goal("bench", case.condition, (), "active", "user:bench", "", None)
    began = time.monotonic()
    verdict, reason, _ = decision(judge, pack(goal, case.facts))
    return Outcome(case, verdict, reason, time.monotonic() - began)


def all_tried(
    judge: ModelJudge, progress: Callable[[int, int, str], None] | None = None
) -> tuple[Outcome, ...]:
    """Put every case to a judge, one after another; `progress` is told before each."""
    chosen = cases()
    found: list[Outcome] = []
    for position, case in enumerate(chosen):
        if progress is not None:
            progress(position, len(chosen), case.name)
        found.append(tried(judge, case))
    return tuple(found)


class _Written(TypedDict):
    name: str
    condition: str
    wanted: str
    facts: list[str]
    hostile: NotRequired[bool]


def _read(text: str) -> Iterator[Case]:
    for item in cast("list[_Written]", tomllib.loads(text)["case"]):
        yield Case(
            item["name"],
            item["condition"],
            item["wanted"],
            tuple(item["facts"]),
            item.get("hostile", False),
        )
