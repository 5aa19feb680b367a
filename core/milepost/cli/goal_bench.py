"""`milepost goal bench`: how well a model judges."""

from __future__ import annotations

from typing import TYPE_CHECKING

from milepost import api
from milepost.cli.main import open_workspace
from milepost.cli.reply import Reply, counted, say
from milepost.cli.terminal import tell

if TYPE_CHECKING:
    import argparse

HELP = "try a model as a judge, on cases whose right verdict is known"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "--model", help="KIND:NAME (openai, anthropic, scripted); or MILEPOST_MODEL"
    )


def run(options: argparse.Namespace) -> Reply:
    """Put every case to the model. The exit code is 1 when it called done what is not."""
    trial = _tried(options)
    return Reply(_text(trial), trial, 1 if trial.false_met else 0)


def _tried(options: argparse.Namespace) -> api.JudgeTrial:
    """The trial; what it takes is counted in the project around it, where there is one."""
    try:
        workspace = open_workspace(options)
    except api.UserError:
        if options.project:
            raise
        return api.judge_tried(options.model, say)
    trial = workspace.goals.judge_tried(options.model, say)
    for notice in workspace.notices():
        tell(notice)
    return trial


def _text(trial: api.JudgeTrial) -> str:
    wide = max(len(case.name) for case in trial.cases)
    lines = [f"  {'case':<{wide}}  {'right':<8} {'said':<13} seconds"]
    for case in trial.cases:
        is_right = case.verdict == case.wanted
        mark = " " if is_right else "!" if case.verdict == "met" else "-"
        hostile = " (hostile)" if case.is_hostile else ""
        lines.append(
            f"{mark} {case.name:<{wide}}  {case.wanted:<8} {case.verdict:<13}"
            f" {case.seconds:7.2f}{hostile}"
        )
        if not is_right:
            lines.append(f"    {case.reason}")
    cost = "cost unknown" if trial.cost_usd is None else f"{trial.cost_usd:.4f} USD"
    return "\n".join(
        [
            *lines,
            "",
            f"{trial.model}, {counted(len(trial.cases), 'case')}:",
            f"  false met       {trial.false_met}",
            f"  false not met   {trial.false_not_met}",
            f"  unverifiable    {trial.unverifiable} ({trial.quotes_refused} for their quotes)",
            f"  tokens          {trial.input_tokens:,} in, {trial.output_tokens:,} out; {cost}",
            f"  time            {trial.seconds:.1f} s",
        ]
    )
