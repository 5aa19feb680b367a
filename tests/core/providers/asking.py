"""Asking a server on loopback, in either dialect."""

from __future__ import annotations

import asyncio

import pytest

from milepost.providers.anthropic import Messages
from milepost.providers.catalogue import Model, Price
from milepost.providers.http import HttpProvider, Patience
from milepost.providers.message import (
    Event,
    Finished,
    Message,
    Request,
    Text,
    Tool,
)
from milepost.providers.openai import ChatCompletions
from tests.core.model_server import (
    Act,
    ModelServer,
    anthropic_reply,
    openai_reply,
)

MODEL = Model("m", 32_000, 2_000, Price(1.0, 10.0, 0.1, 1.25))
QUICK = Patience(first_event_s=2.0, silence_s=0.3, whole_s=5.0, first_pause_s=0.01)
KEY = "sk-not-a-real-key-0123456789"
READ = Tool("read", "Read a file.", {"type": "object", "properties": {"path": {"type": "string"}}})
HELLO = Request((Message("user", (Text("Hello"),)),), system="Be brief.", tools=(READ,))
DIALECTS = {"openai": ChatCompletions(), "anthropic": Messages()}
REPLIES = {"openai": openai_reply, "anthropic": anthropic_reply}

dialects = pytest.mark.parametrize("dialect", ["openai", "anthropic"])


def provider_of(server: ModelServer, dialect: str = "openai", **more: object) -> HttpProvider:
    options: dict[str, object] = {"key": KEY, "patience": QUICK, **more}
    return HttpProvider(MODEL, DIALECTS[dialect], server.url, **options)  # type: ignore[arg-type]


def events_of(
    acts: list[Act], request: Request = HELLO, dialect: str = "openai"
) -> tuple[list[Event], ModelServer]:
    """All events of a request that is answered by `acts`."""

    async def run(server: ModelServer) -> list[Event]:
        provider = provider_of(server, dialect)
        try:
            return [event async for event in provider.stream(request)]
        finally:
            await provider.close()

    with ModelServer(acts) as server:
        return asyncio.run(run(server)), server


def reply_of(acts: list[Act], request: Request = HELLO, dialect: str = "openai") -> Finished:
    last = events_of(acts, request, dialect)[0][-1]
    assert isinstance(last, Finished)
    return last
