"""The judge that the user means. The code that speaks to models is loaded when one is asked."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from milepost.api import goal_views
from milepost.api.takings import metered
from milepost.config import models

if TYPE_CHECKING:
    from collections.abc import Callable

    from milepost.api.takings import Took
    from milepost.goals.model_judge import ModelJudge


def judge_of(named: str | None, took: Took | None = None) -> ModelJudge:
    """The model of this name (KIND:NAME) as a judge; without one that of `MILEPOST_MODEL`. `took`
    is told what each answer takes. Raises UserError when there is none."""
    from milepost.api.models import provider_of  # noqa: PLC0415  (most callers ask no model)
    from milepost.goals.model_judge import ModelJudge  # noqa: PLC0415  (as above)

    return ModelJudge(metered(provider_of(_chosen(named)), took))


def judge_tried(
    named: str | None = None,
    progress: Callable[[int, int, str], None] | None = None,
    took: Took | None = None,
) -> goal_views.JudgeTrial:
    """Put the cases that come with Milepost to a model, named KIND:NAME, else the one of
    `MILEPOST_MODEL`. `progress` is called before each case; `took` is told what each answer takes.
    Raises UserError when there is no such model."""
    from milepost.goals import judge_bench  # noqa: PLC0415  (as above)

    judge = judge_of(named, took)
    began = time.monotonic()
    found = judge_bench.all_tried(judge, progress)
    choice = _chosen(named)
    return goal_views.JudgeTrial(
        model=f"{choice.kind}:{choice.name}",
        cases=tuple(
            goal_views.JudgedCase(
                name=item.case.name,
                is_hostile=item.case.is_hostile,
                wanted=item.case.wanted,
                verdict=item.verdict,
                reason=item.reason,
                seconds=round(item.seconds, 3),
            )
            for item in found
        ),
        false_met=sum(item.is_false_met for item in found),
        false_not_met=sum(item.is_false_not_met for item in found),
        unverifiable=sum(item.is_undecided for item in found),
        quotes_refused=sum(item.has_bad_quotes for item in found),
        input_tokens=judge.spent.input_tokens,
        output_tokens=judge.spent.output_tokens,
        cost_usd=judge.cost_usd,
        seconds=round(time.monotonic() - began, 3),
    )


def _chosen(named: str | None) -> models.ModelChoice:
    """The model that judges; what is declared of the worker's model is said of no other."""
    return models.chosen_model(named) if named else models.working_model(None)
