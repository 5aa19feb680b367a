"""Folders outside of every temporary folder, and the methods that hold commands here."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import pytest

from milepost.base.sandbox.choice import METHODS, Sandbox, choose
from milepost.base.sandbox.limits import Limits

# macOS's method stands beside them, and is tried where there is a Mac.
HERE = tuple(name for name in METHODS if name != "seatbelt")


@pytest.fixture(params=HERE)
def method(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def outside() -> Path:
    """A folder in which commands may not write: no sandbox allows /var/tmp."""
    folder = Path(tempfile.mkdtemp(prefix="milepost-outside-", dir="/var/tmp")).resolve()
    yield folder
    shutil.rmtree(folder)


def sandbox(
    method: str,
    *writable: Path,
    hidden: tuple[Path, ...] = (),
    shown: tuple[Path, ...] = (),
    network: bool = True,
) -> Sandbox:
    """What holds commands by `method`; a method that does not work here fails the test."""
    paths = (tuple(map(str, each)) for each in (writable, hidden, shown))
    return choose(method, Limits(*paths, has_network=network))
