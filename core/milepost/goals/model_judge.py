"""Judges that are models: the user's own, or one that the client of an agent offers."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from milepost.goals.judge import REPLY_SCHEMA, TIMEOUT_S
from milepost.providers.message import Message, Request, Text, Usage
from milepost.providers.provider import ask

if TYPE_CHECKING:
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

    def answer(self, question: str) -> str:
        """The model's answer. Raises ModelError, and TimeoutError."""
        return asyncio.run(self._answer(question))

    async def _answer(self, question: str) -> str:
        limit = min(_MAX_OUTPUT_TOKENS, self._provider.model.output_tokens)
        request = Request(
            (Message("user", (Text(question),)),),
            max_output_tokens=limit,
            reply_schema=REPLY_SCHEMA,
        )
        try:
            # Whoever waits for us has gone by then; the connection should not stay behind.
            async with asyncio.timeout(TIMEOUT_S):
                reply = await ask(self._provider, request)
        finally:
            await self._provider.close()
        self.spent += reply.usage
        known = self.cost_usd is not None and reply.cost_usd is not None
        self.cost_usd = (self.cost_usd or 0) + (reply.cost_usd or 0) if known else None
        return reply.message.text


@dataclass(frozen=True, slots=True)
class OfferedJudge:
    """Asks whatever answers a text with a text, such as the model of an agent's client."""

    ask: Callable[[str], str]

    def answer(self, question: str) -> str:
        """Its answer."""
        return self.ask(question)
