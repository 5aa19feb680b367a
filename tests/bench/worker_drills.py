"""The long drills of the worker: fifty runs of sixty steps that are killed once each, at moments
spread evenly over a run's length, and one that is killed fifty times in a row.

Each must end as a run that nobody broke: the same files, the same history, no call lost or done
twice, nothing left behind, and after each kill the newest restore point must come back byte by
byte. The figures are counts, and every target is none.
"""

from __future__ import annotations

import os
import random
import tempfile
from pathlib import Path

from tests.bench._report import Report, main
from tests.killing.drill import drill

_SEED = 20_261_122

# A model thinks; and the longer a run is beside its start, the more kills hit it at work.
_PAUSE_S = 0.01


def run(quick: bool) -> Report:
    """All drills."""
    report = Report("worker_drills")
    singles, row = (3, 5) if quick else (50, 50)
    with tempfile.TemporaryDirectory(prefix="milepost-killed-") as folder:
        os.environ["MILEPOST_HOME"] = f"{folder}/home"
        tally = drill(Path(folder), random.Random(_SEED), singles, row, _PAUSE_S)
    faults = tally.faults()
    hits = {name: value for name, value in vars(tally).items() if name not in faults}
    for name, value in hits.items():
        report.median(f"kills_{name}" if name != "kills" else name, [value])
    for name, value in faults.items():
        report.ratio(name, value, 0)
    return report


if __name__ == "__main__":
    main(run)
