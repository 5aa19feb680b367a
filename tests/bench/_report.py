"""How a benchmark reports: a table for people, one JSON object for programs."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sqlite3
import statistics
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field


@dataclass
class Report:
    """Medians by name, and ratios of them with the target each should stay below (or, for those in
    `floors`, above); where engines are compared on sets, the figures of each engine by set."""

    name: str
    medians: dict[str, float] = field(default_factory=dict)
    ratios: dict[str, float] = field(default_factory=dict)
    targets: dict[str, float] = field(default_factory=dict)
    floors: set[str] = field(default_factory=set)
    sets: dict[str, dict[str, dict[str, float]]] = field(default_factory=dict)
    skipped: list[str] = field(default_factory=list)

    def median(self, name: str, samples: Sequence[float]) -> float:
        """Note the median of `samples` under `name`, which ends with its unit."""
        self.medians[name] = round(statistics.median(samples), 4)
        return self.medians[name]

    def ratio(self, name: str, value: float, target: float) -> None:
        """Note a ratio and the value it should not exceed."""
        self.ratios[name] = round(value, 4)
        self.targets[name] = target

    def share(self, name: str, value: float, least: float) -> None:
        """Note a share and the value that it should reach."""
        self.ratio(name, value, least)
        self.floors.add(name)

    def holds(self, name: str) -> bool:
        """Whether a ratio keeps to its target."""
        value, target = self.ratios[name], self.targets[name]
        return value >= target if name in self.floors else value <= target


def machine() -> str:
    """What it ran on."""
    load = "/".join(f"{value:.1f}" for value in os.getloadavg())
    return (
        f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, load {load}, "
        f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}"
    )


def main(run: Callable[[bool], Report]) -> None:
    """Run a benchmark: `run(quick)`."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="smaller sizes, under a minute")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    options = parser.parse_args()
    started_on = machine()
    report = run(options.quick)
    for words in report.skipped:
        print(words, file=sys.stderr)
    if options.json:
        found: dict[str, object] = {
            "name": report.name,
            "machine": started_on,
            "ratios": report.ratios,
            "medians": report.medians,
        }
        if report.sets:
            found["sets"] = report.sets
        print(json.dumps(found))
        return
    print(f"{report.name} on {started_on}")
    for name, value in report.ratios.items():
        off = "BELOW ITS TARGET" if name in report.floors else "ABOVE ITS TARGET"
        mark = "ok" if report.holds(name) else off
        print(f"  {name:<28} {value:>10.4f}   target {report.targets[name]:<8g} {mark}")
    for name, value in report.medians.items():
        print(f"    {name:<38} {value:>12.3f}")
    for name, engines in report.sets.items():
        figures = list(next(iter(engines.values())))
        print(f"  {name:<18}" + "".join(f"{figure:>12}" for figure in figures))
        for engine, values in engines.items():
            print(f"    {engine:<16}" + "".join(f"{value:>12.3f}" for value in values.values()))
