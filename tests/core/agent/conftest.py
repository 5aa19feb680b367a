"""A workshop for the worker, put away when the test is over."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.core.agent.workshop import Workshop


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Callable[..., Workshop]]:
    made: list[Workshop] = []

    def make(*args: object, **more: object) -> Workshop:
        made.append(Workshop(tmp_path, *args, **more))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for workshop in made:
        workshop.close()
