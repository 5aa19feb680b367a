"""Which files and folders this process opens, as Python's own audit events tell it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

_EVENTS = ("open", "os.scandir", "os.listdir")


@contextmanager
def heard_opening() -> Iterator[list[str]]:
    """What is opened or listed inside, each with its event. A hook cannot be taken away again, so
    it falls silent."""
    heard: list[str] = []
    is_listening = True

    def listen(event: str, arguments: tuple[object, ...]) -> None:
        if is_listening and event in _EVENTS:
            heard.append(f"{event} {arguments[0]}")

    sys.addaudithook(listen)
    try:
        yield heard
    finally:
        is_listening = False
