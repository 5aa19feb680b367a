"""What every model looks like from above: a request in, a stream of events out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol

from milepost.base.errors import WorldError
from milepost.providers.message import Finished

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from milepost.providers.catalogue import Model
    from milepost.providers.message import Event, Reply, Request

# Why a request failed, as far as what to do about it differs:
# `refused`     the key, the account or the request itself is wrong; asking again changes nothing
# `too_long`    the conversation does not fit the model's window; a shorter one may
# `busy`        too many requests, or the server is overloaded; later it may work
# `network`     no connection, or it broke
# `nonsense`    the server answered what its protocol does not allow
FailureKind = Literal["refused", "too_long", "busy", "network", "nonsense"]


class ModelError(WorldError):
    """A model did not answer. `retry_after_s` is how long the server asks to be left alone."""

    def __init__(
        self, message: str, kind: FailureKind, *, retry_after_s: float | None = None
    ) -> None:
        super().__init__(message)
        self.kind: FailureKind = kind
        self.retry_after_s = retry_after_s


class Provider(Protocol):
    """A model behind a protocol."""

    @property
    def model(self) -> Model:
        """Its name, limits and prices."""
        ...

    def stream(self, request: Request) -> AsyncGenerator[Event]:
        """Ask. The last event is `Finished`. Closing the generator or cancelling the task that
        waits for it ends the request at the server too. Raises ModelError."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...


async def ask(provider: Provider, request: Request) -> Reply:
    """The whole reply at once. Raises ModelError."""
    async for event in provider.stream(request):
        if isinstance(event, Finished):
            return event.reply
    message = f"{provider.model.name} ended its reply in the middle; ask again"
    raise ModelError(message, "nonsense")
