"""What a worker still sees after hundreds of steps, and what that costs.

A scripted worker drives 200 and 1,000 steps of real tool traffic through windows of 8K, 32K and
200K tokens, at least twenty windows' worth each time. At the beginning things are planted: the
user's request, five constraints, three rules, two dead ends, a secret. From step 100 on every
request is looked at: what of it is there, how large it is, whether the secret is in it. Two
baselines do the same on the same loop: one drops the oldest messages, one sums up at the limit.

What a server counts is 15 % more than Milepost's own estimate. The writer of checkpoint.md is
scripted, too, and writes no constraint and no dead end down, so what is found is what the runtime
keeps by itself; the model of the summarising baseline is a good one (see _long_engines).
"""

from __future__ import annotations

import asyncio
import os
import statistics
import tempfile
from pathlib import Path

from milepost.providers.catalogue import Model
from tests.bench._long_engines import ENGINES, FROM_STEP, Findings, Session
from tests.bench._report import Report, main

_WINDOWS = {"8K": 8_192, "32K": 32_768, "200K": 200_000}
_LENGTHS = (200, 1_000)
_QUICK = [("8K", 130), ("32K", 130), ("8K", 220)]

# How much traffic goes through a window at least, and a little more to be sure of it.
_WORTH = 20
_PLANNED_WORTH = 28

# A step that reads less than this is no step of real work.
_LEAST_STEP_TOKENS = 600

# Own CPU is compared between the last steps before these.
_CPU_STEPS = (200, 2_000)
_CPU_STEPS_QUICK = (120, 240)
_CPU_SPAN = 100
_CPU_ROUNDS = 3


def run(quick: bool) -> Report:
    """The whole benchmark."""
    report = Report("long_horizon")
    played = _QUICK if quick else [(window, n) for window in _WINDOWS for n in _LENGTHS]
    longest = max(steps for _, steps in played)
    ours: list[Findings] = []
    long: list[Findings] = []
    for window, steps in played:
        for engine in ENGINES:
            one = _played(engine, window, steps)
            _note(report, f"{window} {steps}", engine, one, _WINDOWS[window])
            if engine == "milepost":
                ours.append(one)
                long += [one] if steps == longest else []
    report.share("constraints_kept", min(min(one.kept) for one in ours), 0.99)
    report.ratio("requests_over_window", sum(one.over for one in ours), 0)
    report.ratio("secret_leaks", sum(one.leaks for one in ours), 0)
    report.ratio("token_ratio_1000", max(one.input_tokens / one.whole_tokens for one in long), 0.35)
    report.ratio("step_cpu_growth", _cpu_growth(report, quick), 1.2)
    return report


def _note(report: Report, name: str, engine: str, found: Findings, window: int) -> None:
    worth = found.traffic_tokens / window
    if worth < _WORTH:
        raise SystemExit(f"{name}: only {worth:.1f} windows' worth went through")
    figures: dict[str, float] = {
        "kept_least": min(found.kept),
        "kept_mean": statistics.mean(found.kept),
        "dead_ends": statistics.mean(found.dead_ends),
        "a_request": statistics.mean(found.sizes[FROM_STEP:]),
        "over": found.over,
        "leaks": found.leaks,
        "rebuilds": found.rebuilds,
        "of_whole": found.input_tokens / found.whole_tokens,
        "windows": worth,
    }
    rounded = {figure: round(value, 4) for figure, value in figures.items()}
    report.sets.setdefault(name, {})[engine] = rounded


def _played(engine: str, window: str, steps: int, step_tokens: int | None = None) -> Findings:
    size = _WINDOWS[window]
    each = step_tokens or max(_LEAST_STEP_TOKENS, size * _PLANNED_WORTH // steps)
    model = Model("long", window_tokens=size, output_tokens=8_000)
    with tempfile.TemporaryDirectory(prefix="milepost-long-") as folder:
        os.environ["MILEPOST_HOME"] = f"{folder}/home"
        session = Session(engine, Path(folder), model, steps, each)
        return asyncio.run(session.run())


def _cpu_growth(report: Report, quick: bool) -> float:
    """Own CPU of a step, late against early, in one and the same session; the median of some."""
    early, late = _CPU_STEPS_QUICK if quick else _CPU_STEPS
    firsts: list[float] = []
    lasts: list[float] = []
    for _ in range(1 if quick else _CPU_ROUNDS):
        each = _played("milepost", "32K", late, step_tokens=1_500).own_cpu_s
        firsts.append(statistics.mean(each[early - _CPU_SPAN : early]) * 1000)
        lasts.append(statistics.mean(each[late - _CPU_SPAN : late]) * 1000)
    report.median(f"own_cpu_of_a_step_at_{early}_ms", firsts)
    report.median(f"own_cpu_of_a_step_at_{late}_ms", lasts)
    return statistics.median(last / first for first, last in zip(firsts, lasts, strict=True))


if __name__ == "__main__":
    main(run)
