"""The README's commands for importing and exporting, run as they stand."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

_README = Path(__file__).parents[1] / "README.md"


def test_bring_what_you_have_works_word_for_word(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:/usr/bin:/bin")
    (project / "notes.md").write_text("## Tests\n\n- Run `make test`.\n", "utf-8")
    section = _README.read_text("utf-8").split("## Bring what you have\n", 1)[1]
    commands = section.split("```sh\n", 1)[1].split("```", 1)[0]
    done = subprocess.run(
        ["sh", "-ec", commands],
        cwd=project, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "1 entry would be added" in done.stdout
    assert "1 entry added" in done.stdout
    assert "Took back change 1" in done.stdout
    assert (project / "memory.jsonl").is_file()
