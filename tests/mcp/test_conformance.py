"""The official conformance suite against the HTTP server, in both eras.

The server is started with the suite's own tools beside ours, see conformance_server.py.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.mcp.http_server import HttpServer

_ROOT = Path(__file__).parents[2]
_SUITE = _ROOT / "tests/npm/node_modules/.bin/conformance"
_NODE = _ROOT / ".tools/node/bin"


@pytest.mark.parametrize(
    ("revision", "passed"),
    [
        (
            "2025-11-25",
            (
                "server-initialize: 3", "tools-call-with-progress: 2", "resources-subscribe: 2",
                "tools-call-sampling: 2", "elicitation-sep1330-enums: 6", "logging-set-level: 2",
            ),
        ),
        (
            "2026-07-28",
            (
                "server-stateless: 28",
                "http-header-validation: 14",
                "caching: 8",
                "json-schema-2020-12: 8",
                "http-custom-header-server-validation: 10",
                "input-required-result-multi-round: 4",
                "resources-read-binary: 2",
            ),
        ),
    ],
)  # fmt: skip
def test_the_server_conforms_but_for_what_is_listed_with_its_reason(
    project: Path, tmp_path: Path, revision: str, passed: tuple[str, ...]
) -> None:
    expected = Path(__file__).with_name("conformance.yml")
    script = str(Path(__file__).with_name("conformance_server.py"))
    with HttpServer(project, command=(sys.executable, script, "--http", "--port", "0")) as server:
        command = [
            str(_SUITE), "server", "--url", server.url, "--requirements", revision,
            "--expected-failures", str(expected),
        ]  # fmt: skip
        done = subprocess.run(
            command, cwd=tmp_path, capture_output=True, timeout=240, check=False,
            env={**os.environ, "PATH": f"{_NODE}{os.pathsep}{os.environ['PATH']}"},
        )  # fmt: skip
    output = done.stdout.decode() + done.stderr.decode()
    assert done.returncode == 0, output[-6000:]
    assert all(f"{scenario} passed" in output for scenario in passed), output[-6000:]
