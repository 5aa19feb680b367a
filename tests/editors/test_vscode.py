"""The extension for VS Code: its own tests, and its package."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[2]
_EXTENSION = _ROOT / "editors" / "vscode"
_NODE = _ROOT / ".tools" / "node" / "bin" / "node"
_SUITES = sorted(
    str(folder.relative_to(_EXTENSION))
    for folder in {path.parent for path in (_EXTENSION / "test").rglob("*.test.ts")}
)


def run(*words: str) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "PATH": f"{_NODE.parent}{os.pathsep}{os.environ['PATH']}",
        "MILEPOST_LSP": str(Path(sys.executable).with_name("milepost-lsp")),
    }
    return subprocess.run(
        words,
        cwd=_EXTENSION, env=environment, capture_output=True, encoding="utf-8", timeout=300,
        check=False,
    )  # fmt: skip


@pytest.mark.parametrize("suite", _SUITES)
def test_what_the_extension_promises_holds(suite):
    # One process a folder, so that the runner's workers share them.
    done = run(str(_NODE), "--import", "./test/hooks.mjs", "--test", f"{suite}/*.test.ts")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "pass 0\n" not in done.stdout, "nothing was tested"


def test_the_package_holds_what_it_needs_and_nothing_else(tmp_path):
    package = tmp_path / "milepost.vsix"
    done = run(str(_NODE), "package.mjs", str(package))
    assert done.returncode == 0, done.stdout + done.stderr
    with zipfile.ZipFile(package) as archive:
        names = {name.removeprefix("extension/") for name in archive.namelist()}
        manifest = json.loads(archive.read("extension/package.json"))
        page = archive.read("extension/dist/chat.js")
    assert {"LICENSE.txt", "readme.md", "changelog.md", manifest["icon"]} <= names
    assert manifest["main"].removeprefix("./") in names
    assert sum(name.endswith("-py3-none-any.whl") for name in names) == 1
    strangers = [name for name in names if name.split("/")[0] in {"src", "test", "node_modules"}]
    assert strangers == []
    assert b"innerHTML" not in page
