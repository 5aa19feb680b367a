"""A run whose process is killed goes on in the next one as if nothing had been.

`make bench ONLY=worker_drills` kills it a hundred times.
"""

from __future__ import annotations

import random
from pathlib import Path

from tests.killing.drill import drill


def test_a_run_that_is_killed_again_and_again_ends_like_an_unbroken_one(tmp_path: Path) -> None:
    tally = drill(tmp_path, random.Random(4711), singles=0, row=5, pause_s=0.0)
    assert tally.kills == 5
    assert not any(tally.faults().values()), tally
