"""How often the verifier is wrong: work called done that is not, honest work that is held up."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

from tests.bench._report import Report, main
from tests.goals_corpus.case import play
from tests.goals_corpus.cases import CASES

# Of sixty honest or dishonest cases, so many honest ones may be held up, each with its reason.
FALSE_BLOCKS_ALLOWED = 2 / 60

# With --quick, every so many cases one is played; all kinds of cases are among them.
_QUICK_STEP = 3


def run(quick: bool) -> Report:
    """Play the corpus. The ratios are of all cases that were played."""
    report = Report("goals")
    cases = CASES[::_QUICK_STEP] if quick else CASES
    met = blocked = 0
    times: list[float] = []
    for case in cases:
        with tempfile.TemporaryDirectory() as folder:
            os.environ["MILEPOST_HOME"] = str(Path(folder, "home"))
            started = time.perf_counter()
            result = play(case, Path(folder, "work"))
            times.append((time.perf_counter() - started) * 1000)
        met += result.is_false_met
        blocked += result.is_false_block
        if result.verdict != case.wanted:
            report.skipped.append(f"{case.name}: {result.verdict} instead of {case.wanted}")
            report.skipped.append(f"  {result.words}")
    report.median("case_ms", times)
    report.ratio("false_met", met / len(cases), 0)
    report.ratio("false_block", blocked / len(cases), FALSE_BLOCKS_ALLOWED)
    return report


if __name__ == "__main__":
    main(run)
