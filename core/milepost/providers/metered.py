"""A provider that tells what each reply took, whatever becomes of the reply."""

from __future__ import annotations

from typing import TYPE_CHECKING

from milepost.providers.message import Finished

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from milepost.providers.catalogue import Model
    from milepost.providers.message import Event, Request, Usage
    from milepost.providers.provider import Provider


class Metered:
    """Asks another provider."""

    def __init__(self, inner: Provider, took: Callable[[str, Usage, float | None], None]) -> None:
        """`took` is told the model's name, the tokens, and the cost where it is known."""
        self._inner = inner
        self._took = took

    @property
    def model(self) -> Model:
        """The model that is asked."""
        return self._inner.model

    async def stream(self, request: Request) -> AsyncGenerator[Event]:
        """Ask. Raises ModelError."""
        async for event in self._inner.stream(request):
            if isinstance(event, Finished):
                self._took(self.model.name, event.reply.usage, event.reply.cost_usd)
            yield event

    async def close(self) -> None:
        """Let go of what the other one holds."""
        await self._inner.close()
