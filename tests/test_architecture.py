"""The invariants of ARCHITECTURE.md, as far as a machine can check them."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[1]
_PRODUCT = [
    path
    for package in ("core/milepost", "lsp/milepost_lsp", "mcp_server/milepost_mcp")
    for path in sorted((_ROOT / package).rglob("*.py"))
]


def test_the_floors_of_the_house_hold() -> None:
    lint = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([lint], cwd=_ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("module", "unwanted"),
    [
        ("milepost.cli.main", ("milepost.api", "sqlite3", "asyncio", "platformdirs")),
        ("milepost.api", ("sqlite3", "pathspec", "zstandard")),
        ("milepost.api.workspace", ("asyncio", "pathspec", "zstandard", "platformdirs")),
        (
            "milepost_mcp.transports.stdio",
            ("sqlite3", "asyncio", "mcp", "pydantic", "milepost.memory"),
        ),
        ("milepost_lsp.command", ("pygls", "lsprotocol", "milepost.memory")),
    ],
)
def test_a_start_loads_nothing_that_it_does_not_need(
    module: str, unwanted: tuple[str, ...]
) -> None:
    code = f"import sys, {module}; print([name for name in {unwanted!r} if name in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=_ROOT
    )
    assert done.stdout.strip() == "[]"


def test_only_config_reads_the_environment_and_the_home_directory() -> None:
    offenders = [
        f"{path.relative_to(_ROOT)}:{node.lineno}"
        for path in _PRODUCT
        if path.is_relative_to(_ROOT / "core") and path.parent.name != "config"
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv", "home")
    ]
    assert offenders == []


def test_files_stay_short_enough_to_read() -> None:
    long = {
        str(path.relative_to(_ROOT)): count
        for path in _PRODUCT
        if (count := len(path.read_text("utf-8").splitlines())) > 450
    }
    assert long == {}
