"""A session whose process is killed goes on in the next one as if nothing had been."""

from __future__ import annotations

import json
import random
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from milepost.history.transcript import Transcripts
from tests.core.agent.worker_process import SESSION, lay_out
from tests.tree import fingerprint

_REPOSITORY = Path(__file__).parents[3]


def _start(folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.core.agent.worker_process", str(folder)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=_REPOSITORY,
    )


def _history(folder: Path) -> list[tuple[str, dict[str, Any]]]:
    """What was said and done, without what differs in every run."""
    transcripts = Transcripts(folder / "data")
    items = transcripts.items(SESSION)
    transcripts.database.close()
    kept = ("user", "nudge", "assistant", "result")
    history: list[tuple[str, dict[str, Any]]] = []
    for item in items:
        if item.kind in kept:
            data = {
                k: v for k, v in item.data.items() if k not in ("points", "usage", "paths", "seen")
            }
            # The scripted model numbers its calls anew in each process; no two keep the same id.
            text = re.sub(r"call_[a-z0-9_]+", "call", json.dumps(data))
            history.append((item.kind, json.loads(text)))
    return history


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("unbroken")
    lay_out(folder)
    child = _start(folder)
    output, _ = child.communicate(timeout=120)
    assert output == "met\n"
    return folder


@pytest.mark.parametrize("seed", range(3))
def test_a_session_that_is_killed_again_and_again_ends_like_an_unbroken_one(
    unbroken: Path, tmp_path: Path, seed: int
) -> None:
    chance = random.Random(seed)
    lay_out(tmp_path)
    kills = 0
    for _ in range(60):
        child = _start(tmp_path)
        try:
            output, _ = child.communicate(timeout=chance.uniform(0.1, 0.35))
            break
        except subprocess.TimeoutExpired:
            child.send_signal(signal.SIGKILL)
            child.communicate(timeout=30)
            kills += 1
    else:
        output, _ = _start(tmp_path).communicate(timeout=120)
    assert output == "met\n"
    assert kills >= 1
    assert fingerprint(tmp_path / "root") == fingerprint(unbroken / "root")
    results = [pair for pair in _history(tmp_path) if pair[0] == "result"]
    cut_short = "It was done; the session was interrupted right after."
    assert sum(data["text"] == cut_short for _, data in results) <= kills
    expected = _history(unbroken)
    for mine, theirs in zip(_history(tmp_path), expected, strict=True):
        if mine[0] == "result" and mine[1]["text"] == cut_short:
            assert not theirs[1]["failed"]
        else:
            assert mine == theirs
    shutil.rmtree(tmp_path / "data")
