"""What requests to models took that belong to no session: a judge's, and an editor's actions.

They are entered so that `milepost usage` tells all that was taken. An entry that fails costs nobody
their verdict or their answer; it is told as a notice.
"""

from __future__ import annotations

import threading
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, Literal

from milepost.base.errors import MilepostError

if TYPE_CHECKING:
    from collections.abc import Callable

    from milepost.history.transcript import Transcripts
    from milepost.providers.message import Usage
    from milepost.providers.provider import Provider

    Took = Callable[[str, Usage, float | None], None]
    Actor = Literal["judge", "assist"]


class Takings:
    """Enters what is taken outside of sessions in one project."""

    def __init__(self, transcripts: Callable[[], Transcripts]) -> None:
        self._transcripts = transcripts
        self._guard = threading.Lock()
        self._notices: list[str] = []

    def of(self, actor: Actor) -> Took:
        """What a provider tells that is asked for `actor`."""
        return partial(self._enter, actor)

    def take_notices(self) -> tuple[str, ...]:
        """What could not be entered; each is told once."""
        with self._guard:
            notices, self._notices = tuple(self._notices), []
        return notices

    def _enter(self, actor: Actor, model: str, usage: Usage, cost_usd: float | None) -> None:
        try:
            self._transcripts().taken.add(actor, model, asdict(usage), cost_usd)
        except (MilepostError, OSError) as error:
            with self._guard:
                self._notices.append(
                    f"what {model} just took is missing in `milepost usage`: {error}"
                )


def metered(provider: Provider, took: Took | None) -> Provider:
    """The provider, which tells `took` where somebody counts."""
    from milepost.providers.metered import Metered  # noqa: PLC0415  (most callers ask no model)

    return provider if took is None else Metered(provider, took)
