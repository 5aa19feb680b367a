"""What several tests of the core begin with."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from milepost.cli.main import main

Run = Callable[..., str]


@pytest.fixture
def milepost(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:
    """The command, run in this process inside the project; what it printed."""
    monkeypatch.chdir(project)

    def run(*words: str, code: int = 0) -> str:
        assert main(words) == code, capsys.readouterr()
        captured = capsys.readouterr()
        return captured.out + captured.err

    return run
