"""The long drills of the restore points: 1,000 bursts of shell commands with some 300 restores
between them by two processes, and 200 kills in the middle of snapshots and restores.

Nothing may be wrong, inexact or lost; the figures are counts, and every target is none.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from tests import drills
from tests.bench._report import Report, main

_SEED = 20_261_122


def run(quick: bool) -> Report:
    """All drills."""
    report = Report("snapshot_drills")
    bursts, kills, parts = (40, 10, 2) if quick else (1_000, 200, 10)
    tallies: list[drills.Tally] = []
    with tempfile.TemporaryDirectory(prefix="milepost-drills-") as folder:
        os.environ["MILEPOST_HOME"] = f"{folder}/home"
        for part in range(parts):
            root = Path(folder) / f"fuzz{part}"
            tallies.append(
                drills.fuzz(root, _SEED + part, bursts // parts, with_rules=part % 2 == 1)
            )
        tallies.append(drills.kill(Path(folder) / "kill", _SEED, kills))
    for name in ("bursts", "restores", "kills", "acknowledged"):
        report.median(name, [sum(getattr(tally, name) for tally in tallies)])
    for name in ("wrong", "inexact", "lost"):
        report.ratio(name, sum(getattr(tally, name) for tally in tallies), 0)
    return report


if __name__ == "__main__":
    main(run)
