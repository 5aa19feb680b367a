"""History as the guests see it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from milepost.api import views

if TYPE_CHECKING:
    from collections.abc import Callable

    from milepost.api.masking import Masking
    from milepost.history.log import Event, HistoryLog

MAX_RESULTS = 100


class History:
    """What was done in the project, by anyone."""

    def __init__(
        self,
        log: HistoryLog,
        actor: str,
        session: str,
        masking: Masking,
        afterwards: Callable[[], object],
    ) -> None:
        """`afterwards` does what can wait until an action is answered and recorded."""
        self._log = log
        self._actor = actor
        self._session = session
        self._masking = masking
        self._afterwards = afterwards

    def record(self, action: str, request: str, reply: str, *, failed: bool = False) -> None:
        """Append what the caller just did to the history, its secrets masked."""
        self._log.record(
            session=self._session,
            actor=self._actor,
            action=action,
            request=self._masking.text(request),
            reply=self._masking.text(reply),
            failed=failed,
        )
        self._afterwards()

    def search(self, query: str, *, limit: int = 10) -> views.HistoryResult:
        """The events that answer `query`, best first; for an empty query the newest."""
        events = self._log.search(query, max(1, min(limit, MAX_RESULTS)))
        searched = self._log.count()
        advice = None
        if not events:
            advice = f"no event of {searched} holds any of these words; try others or none"
        return views.HistoryResult(query, tuple(map(_event, events)), searched, advice)


def _event(event: Event) -> views.HistoryEvent:
    return views.HistoryEvent(
        id=event.id,
        at=event.at,
        session=event.session,
        actor=event.actor,
        action=event.action,
        request=event.request,
        reply=event.reply,
        failed=event.failed,
    )
