"""The watch over subscribed resources: who wants to hear of which, and whether it has changed.

Memory is a file that anybody may write, and goals are in a database that other processes write. So
the watch looks: once a second, at a few stat calls, and only while somebody is subscribed. What may
have changed is read, and told only when it reads otherwise than before.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from milepost_mcp import resources
from milepost_mcp.limits import MAX_SUBSCRIPTIONS, WATCH_S

if TYPE_CHECKING:
    from collections.abc import Callable

    from milepost_mcp.session import Session

    Tell = Callable[[str], None]


@dataclass(slots=True, eq=False)
class _Subscriber:
    """Somebody who is told when a resource reads otherwise than `text` (None: it is not there)."""

    uri: str
    tell: Tell
    text: str | None


class Watch:
    """Watches the resources of one project. `tell` is called from a thread of its own."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._subscribers: list[_Subscriber] = []
        self._guard = threading.Lock()
        self._thread: threading.Thread | None = None
        self._wake = threading.Event()

    def add(self, uri: str, tell: Tell) -> Callable[[], None]:
        """Tell of changes from now on; what is returned ends that, and may be called again.

        Raises NoResourceError for a URI that is none of ours, MilepostError when there is no
        project or too much is subscribed to.
        """
        from milepost.api import UserError  # noqa: PLC0415  (nobody has asked yet)

        resources.parted(uri)
        subscriber = _Subscriber(uri, tell, self._text(uri))
        with self._guard:
            if len(self._subscribers) >= MAX_SUBSCRIPTIONS:
                limit = f"{MAX_SUBSCRIPTIONS} resources are subscribed to; unsubscribe from some"
                raise UserError(limit)
            self._subscribers.append(subscriber)
            if self._thread is None:
                self._thread = threading.Thread(target=self._look, daemon=True)
                self._thread.start()

        def end() -> None:
            with self._guard:
                if subscriber in self._subscribers:
                    self._subscribers.remove(subscriber)

        return end

    def close(self) -> None:
        """End it for everybody."""
        with self._guard:
            self._subscribers.clear()
            thread = self._thread
        self._wake.set()
        if thread is not None:
            thread.join(WATCH_S)

    def _look(self) -> None:
        from milepost.api import MilepostError  # noqa: PLC0415  (as above)

        marks: object = None
        while True:
            with self._guard:
                subscribers = list(self._subscribers)
                if not subscribers:
                    self._thread = None
                    return
            try:
                now = self._session.workspace().marks()
                if now != marks:
                    marks = now
                    self._compare(subscribers)
            except MilepostError:
                # What cannot be read now is looked at again in a second.
                marks = None
            self._wake.wait(WATCH_S)

    def _compare(self, subscribers: list[_Subscriber]) -> None:
        texts = {uri: self._text(uri) for uri in {one.uri for one in subscribers}}
        for subscriber in subscribers:
            if texts[subscriber.uri] != subscriber.text:
                subscriber.text = texts[subscriber.uri]
                subscriber.tell(subscriber.uri)

    def _text(self, uri: str) -> str | None:
        try:
            return str(resources.read(self._session.workspace(), uri)["text"])
        except resources.NoResourceError:
            return None
