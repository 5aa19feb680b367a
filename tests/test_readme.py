"""The README's commands, run as they stand."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.mcp.http_server import HttpServer

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


def test_over_http_works_word_for_word(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:/usr/bin:/bin")
    section = _README.read_text("utf-8").split("### Over HTTP\n", 1)[1]
    command = section.split("```sh\n", 1)[1].split("```", 1)[0]
    assert "--port 7741" in command
    # The port may be taken on this machine; all else is as it stands.
    started = ("sh", "-ec", "exec " + command.replace("--port 7741", "--port 0"))
    with HttpServer(project, command=started) as server:
        token = (tmp_path / ".milepost-token").read_text("utf-8").strip()
        bearer = {"authorization": f"Bearer {token}"}
        assert server.call("memory_save", {"text": "over HTTP"}, **bearer)[0] is False
        assert server.request("GET", "/mcp")[0] == 401
