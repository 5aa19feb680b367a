"""Judges that are models: the user's own, or one that the client of an agent offers."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from milepost.base.errors import Stopped
from milepost.goals.judge import LOOK_S, REPLY_SCHEMA
from milepost.providers.message import Message, Request, Text, Usage
from milepost.providers.provider import ask

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from milepost.providers.provider import Provider

# A verdict, a sentence and some quotes, and what a model thinks before it writes them.
_MAX_OUTPUT_TOKENS = 4_000


class ModelJudge:
    """Asks a model that is reached through a provider, each time in a conversation of its own.
    `spent` and `cost_usd` are what all answers took; the cost is None when a price is unknown."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self.spent = Usage()
        self.cost_usd: float | None = 0.0

    def answer(self, question: str, over: threading.Event) -> str:
        """The model's answer. Raises ModelError, and Stopped when it is `over` before."""
        return asyncio.run(self._answer(question, over))

    async def _answer(self, question: str, over: threading.Event) -> str:
        limit = min(_MAX_OUTPUT_TOKENS, self._provider.model.output_tokens)
        request = Request(
            (Message("user", (Text(question),)),),
            max_output_tokens=limit,
            reply_schema=REPLY_SCHEMA,
        )
        asking = asyncio.ensure_future(ask(self._provider, request))
        try:
            while not asking.done() and not over.is_set():
                await asyncio.wait({asking}, timeout=LOOK_S)
            if not asking.done():
                raise Stopped("nobody waits for the judge any more")
            reply = asking.result()
        finally:
            asking.cancel()
            await asyncio.wait({asking})
            await self._provider.close()
        self.spent += reply.usage
        known = self.cost_usd is not None and reply.cost_usd is not None
        self.cost_usd = (self.cost_usd or 0) + (reply.cost_usd or 0) if known else None
        return reply.message.text


@dataclass(frozen=True, slots=True)
class OfferedJudge:
    """Asks whatever answers a text with a text, such as the model of an agent's client."""

    ask: Callable[[str], str]

    def answer(self, question: str, over: threading.Event) -> str:  # noqa: ARG002  (it is theirs)
        """Its answer."""
        return self.ask(question)
