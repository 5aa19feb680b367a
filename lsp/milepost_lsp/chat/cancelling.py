"""An event that calls somebody when it is set: what a cancelled progress does to a turn."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Cancelling(threading.Event):
    """The user may have stopped before there is whom to tell; then it is told at once."""

    def __init__(self) -> None:
        super().__init__()
        self._callback: Callable[[], None] | None = None

    def call(self, callback: Callable[[], None]) -> None:
        """Call this when the event is set, at once when it is already."""
        self._callback = callback
        if self.is_set():
            callback()

    def set(self) -> None:
        """As ever."""
        super().set()
        if self._callback is not None:
            self._callback()
