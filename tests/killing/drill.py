"""Runs that are killed at moments spread over their length, each judged when it is through."""

from __future__ import annotations

import random
from itertools import repeat
from pathlib import Path

from tests.core.model_server import ModelServer
from tests.killing.story import Model
from tests.killing.tally import Tally
from tests.killing.victim import Timeline, Victim


def drill(folder: Path, chance: random.Random, singles: int, row: int, pause_s: float) -> Tally:
    """`singles` runs that are killed once, at moments spread evenly over a run's whole length, and
    one that is killed `row` times in a row, spread likewise; each then goes on to its end."""
    tally = Tally()
    model = Model(pause_s)
    with ModelServer(repeat(model.act)) as server:
        unbroken = Victim(folder / "unbroken", model, server.url)
        timeline = unbroken.through()
        tally.add(unbroken.judge(unbroken, 0))
        for number in range(singles):
            victim = Victim(folder / f"single{number}", model, server.url)
            _kill_within(victim, number, singles, timeline, chance, tally)
            victim.through()
            tally.add(victim.judge(unbroken, 1))
        if row:
            victim = Victim(folder / "row", model, server.url)
            for number in range(row):
                _kill_within(victim, number, row, timeline, chance, tally)
            victim.through()
            tally.add(victim.judge(unbroken, row))
    return tally


def _kill_within(
    victim: Victim,
    number: int,
    parts: int,
    timeline: Timeline,
    chance: random.Random,
    tally: Tally,
) -> None:
    """Kill it somewhere in the part `number` of so many of its length. A run that was through
    before is begun where it ended, which is its verification; that may take less time than it did
    in the unbroken run, so each time it is looked for sooner."""
    for attempt in range(8):
        moment = timeline.moment((number + chance.random()) / parts)
        if victim.killed(moment, timeline, tally, sooner=2**attempt):
            return
    raise AssertionError(f"{victim.root.name} could not be killed in its part {number}")
