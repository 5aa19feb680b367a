"""What holding a command costs, by each method that works here, against the same command unheld.

The command is the smallest that a check runs, an interpreter that starts and ends.
"""

from __future__ import annotations

import shlex
import sys
import tempfile
import time
from pathlib import Path

from milepost.base.errors import WorldError
from milepost.base.process import run_shell
from milepost.base.sandbox.choice import METHODS, Sandbox, choose
from milepost.base.sandbox.limits import Limits
from tests.bench._report import Report, main

_COMMAND = f"{shlex.quote(sys.executable)} -I -S -c pass"

# A person who waits for a check does not notice that it takes as long again as nothing.
_TARGET = 2.0


def run(quick: bool) -> Report:
    """The whole benchmark."""
    report = Report("sandbox")
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        limits = Limits((folder,), (), (), has_network=True)
        held = {"off": choose("off", limits)}
        for name in METHODS:
            try:
                held[name] = choose(name, limits)
            except WorldError as error:
                report.skipped.append(f"skipped {name}: {error}")
        took: dict[str, list[float]] = {name: [] for name in held}
        for _ in range(15 if quick else 60):
            for name, sandbox in held.items():
                took[name].append(_took_ms(sandbox, root))
    medians = {name: report.median(f"{name}_ms", each) for name, each in took.items()}
    unheld = medians.pop("off")
    for name, median in medians.items():
        report.ratio(name, median / unheld, _TARGET)
    return report


def _took_ms(sandbox: Sandbox, root: Path) -> float:
    began = time.perf_counter()
    done = run_shell(_COMMAND, cwd=root, timeout_s=60, sandbox=sandbox)
    assert done.exit_code == 0, done.tail
    return (time.perf_counter() - began) * 1000


if __name__ == "__main__":
    main(run)
