"""A server on the test's project."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.mcp.wire import Wire


@pytest.fixture
def wire(project: Path) -> Iterator[Wire]:
    """A raw client of a server that was started in the project."""
    with Wire(project) as client:
        yield client
