"""A real project, a data folder of its own, and the real server as a child process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from milepost import api
from tests.lsp.client import Client

SHOP = """\
def total(order):
    # Amounts are integer cents.
    return sum(order.cents)


def ship(order):
    return total(order) > 0
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "shop"
    root.mkdir()
    (root / "pyproject.toml").write_text("[project]\nname = 'shop'\n", encoding="utf-8")
    (root / "shop.py").write_text(SHOP, encoding="utf-8")
    return root


@pytest.fixture
def other(project: Path) -> Iterator[api.Workspace]:
    """The same project, used by somebody else: this process."""
    workspace = api.open_workspace(str(project), actor="mcp:other")
    yield workspace
    workspace.close()


@pytest.fixture
def connect(project: Path) -> Iterator[Callable[..., Client]]:
    """Starts servers in the project; the first is stopped the proper way and must exit with 0."""
    clients: list[Client] = []

    def start(**options) -> Client:
        clients.append(Client(options.pop("cwd", project), **options))
        return clients[-1]

    yield start
    for client in clients:
        client.close()


@pytest.fixture
def client(connect: Callable[..., Client], project: Path) -> Client:
    """A server that serves the project."""
    started = connect()
    started.initialize(project)
    return started
