"""Both dialects over real HTTP, with everything that a server can do wrong."""

from __future__ import annotations

import asyncio
import json
import time
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from milepost.base.errors import WorldError
from milepost.providers.http import HttpProvider, Patience
from milepost.providers.message import (
    Finished,
    Restarted,
    Usage,
)
from milepost.providers.openai import ChatCompletions
from milepost.providers.provider import ModelError, ask
from tests.core.model_server import (
    ModelServer,
    anthropic_reply,
    broken_off,
    endless,
    openai_reply,
    refusal,
    silence,
)
from tests.core.providers.asking import (
    HELLO,
    KEY,
    MODEL,
    QUICK,
    REPLIES,
    dialects,
    events_of,
    provider_of,
    reply_of,
)


@dialects
def test_a_busy_server_is_asked_again_and_a_storm_ends_with_a_sentence(dialect: str) -> None:
    busy = refusal(429, {"error": {"message": "slow down"}}, retry_after="0")
    overloaded = refusal(529, {"error": {"type": "overloaded_error"}})
    good = REPLIES[dialect]("Here.")
    events, server = events_of([busy, overloaded, good], dialect=dialect)
    assert isinstance(events[-1], Finished)
    assert len(server.asked) == 3
    assert not any(isinstance(event, Restarted) for event in events)

    with pytest.raises(ModelError, match="slow down") as caught:
        events_of([busy] * 5, dialect=dialect)
    assert caught.value.kind == "busy"


def test_a_server_that_asks_for_a_long_pause_is_not_waited_for() -> None:
    with pytest.raises(ModelError, match="try again in 3600 s") as caught:
        events_of([refusal(429, {"error": {"message": "limit"}}, retry_after="3600")])
    assert caught.value.retry_after_s == 3600


def test_a_date_to_come_back_at_is_understood() -> None:
    past = refusal(503, "", retry_after="Wed, 21 Oct 2015 07:28:00 GMT")
    assert isinstance(events_of([past, openai_reply("Back.")])[0][-1], Finished)


@pytest.mark.parametrize(
    ("status", "body", "kind", "words"),
    [
        (401, {"error": {"message": f"bad key {KEY}"}}, "refused", "check the model's key"),
        (404, {"error": "no such model"}, "refused", "check the model's name"),
        (402, {"error": {"message": "Insufficient Balance"}}, "refused", "credit"),
        (429, {"error": {"code": "insufficient_quota", "message": "m"}}, "refused", "credit"),
        (400, {"error": {"message": "maximum context length is 8"}}, "too_long", "shorter"),
        (413, "", "too_long", "shorter"),
        (400, {"error": {"message": "x" * 9_000}}, "refused", "correct the request"),
        (302, "", "refused", "correct the request"),
    ],
)
def test_a_refusal_is_told_once_with_what_to_do_and_without_the_key(
    status: int, body: object, kind: str, words: str
) -> None:
    with pytest.raises(ModelError) as caught:
        events_of([refusal(status, body)])
    message = str(caught.value)
    assert caught.value.kind == kind
    assert words in message
    assert KEY not in message
    assert len(message) < 600
    assert isinstance(caught.value, WorldError)


@pytest.mark.parametrize("reset", [False, True])
def test_a_reply_that_breaks_off_is_asked_for_again_and_the_first_part_is_taken_back(
    reset: bool,
) -> None:
    half = broken_off({"choices": [{"delta": {"content": "Half a"}}]}, reset=reset)
    events, server = events_of([half, openai_reply("A whole reply.")])
    kinds = [type(event).__name__ for event in events]
    if "Restarted" in kinds:
        # Nothing of the first reply comes after it was taken back.
        assert "Half a" not in repr(events[kinds.index("Restarted") + 1 :])
    else:
        # The reset was faster than the first words.
        assert reset
        assert "Half a" not in repr(events)
    last = events[-1]
    assert isinstance(last, Finished)
    assert last.reply.message.text == "A whole reply."
    assert len(server.asked) == 2


def test_an_error_in_the_middle_of_a_stream_is_asked_again() -> None:
    broken = broken_off(
        {"type": "message_start", "message": {"usage": {"input_tokens": 1}}},
        {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}},
    )
    events, _ = events_of([broken, anthropic_reply("Fine.")], dialect="anthropic")
    assert isinstance(events[-1], Finished)


def test_a_server_that_falls_silent_is_left() -> None:
    acts = [silence({"choices": [{"delta": {"content": "Well"}}]})] * 5
    began = time.monotonic()
    with pytest.raises(ModelError, match="did not finish") as caught:
        events_of(acts)
    assert caught.value.kind == "network"
    assert time.monotonic() - began < 20


@pytest.mark.parametrize(
    "piece", [b"x" * 65_536, b"data: " + b"y" * 65_536, b":" + b"z" * 65_536 + b"\n"]
)
def test_a_reply_without_end_is_cut(piece: bytes) -> None:
    with pytest.raises(ModelError, match="more than a reply can hold") as caught:
        events_of([endless(piece)])
    assert caught.value.kind == "refused"


@pytest.mark.parametrize(
    "text", ["data: {nope\n\n", "data: [1]\n\n", "data: " + "[" * 5_000 + "\n\n", "data: 7\n\n"]
)
def test_events_that_are_no_json_object_are_said_to_be_nonsense(text: str) -> None:
    async def act(connection: object) -> None:
        await connection.head()  # type: ignore[attr-defined]
        await connection.raw(text)  # type: ignore[attr-defined]

    with pytest.raises(ModelError, match="no JSON object") as caught:
        events_of([act] * 5)
    assert caught.value.kind == "nonsense"


@pytest.mark.parametrize(
    "data",
    [
        {"choices": "x"}, {"choices": [1]}, {"choices": [{"delta": 3}]}, {"usage": [1]},
        {"choices": [{"delta": {"content": 5, "tool_calls": {"a": 1}}}]},
        {"choices": [{"delta": {"tool_calls": [{"index": "0", "function": None}]}}]},
        {"type": "content_block_delta", "index": 9, "delta": {"text": "lost"}},
        {"type": "content_block_start", "index": "a"}, {"type": 3}, {},
    ],
)  # fmt: skip
@dialects
def test_events_of_the_wrong_form_are_passed_over(dialect: str, data: object) -> None:
    ending: tuple[object, ...] = (
        {"choices": [{"delta": {"content": "ok"}, "finish_reason": "stop"}]},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}},
    )
    assert reply_of([broken_off(data, *ending)], dialect=dialect).reply.stop == "end"


@settings(max_examples=25)
@given(st.lists(st.integers(0, 900), max_size=40), st.booleans())
def test_it_does_not_matter_where_the_network_cuts_a_stream(cuts: list[int], crlf: bool) -> None:
    sent = b"".join(
        b"event: x\ndata: "
        + json.dumps({"choices": [piece]}, ensure_ascii=False).encode()
        + b"\n\n"
        for piece in (
            {"delta": {"content": "Grüße, "}},
            {"delta": {"content": "世界 🌍"}},
            {"delta": {}, "finish_reason": "stop"},
        )
    )
    sent = sent.replace(b"\n", b"\r\n") if crlf else sent

    async def act(connection: object) -> None:
        await connection.head()  # type: ignore[attr-defined]
        edges = sorted({0, len(sent), *(cut for cut in cuts if cut < len(sent))})
        for start, end in pairwise(edges):
            await connection.raw(sent[start:end])  # type: ignore[attr-defined]
            await asyncio.sleep(0)

    assert reply_of([act]).reply.message.text == "Grüße, 世界 🌍"


def test_a_server_that_does_not_stream_is_understood() -> None:
    whole = {
        "choices": [{"message": {"content": "All at once."}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 3, "completion_tokens": 2},
    }
    reply = reply_of([refusal(200, whole)]).reply
    assert reply.message.text == "All at once."
    assert reply.usage == Usage(3, 2)


def test_nobody_at_the_url_is_said_with_the_url() -> None:
    with ModelServer([]) as server:
        url = server.url
    provider = HttpProvider(MODEL, ChatCompletions(), url, patience=QUICK)
    with pytest.raises(ModelError, match="look at the address") as caught:
        asyncio.run(ask(provider, HELLO))
    assert caught.value.kind == "network"


@dialects
def test_a_cancelled_request_ends_at_once_and_the_server_sees_it(dialect: str) -> None:
    async def run(server: ModelServer) -> float:
        provider = provider_of(server, dialect, patience=Patience())
        begun = asyncio.Event()

        async def listen() -> None:
            async for _ in provider.stream(HELLO):
                begun.set()

        task = asyncio.create_task(listen())
        async with asyncio.timeout(10):
            await begun.wait()
        at = time.monotonic()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        took = time.monotonic() - at
        assert await asyncio.to_thread(server.connections[0].gone.wait, 5)
        await provider.close()
        return took

    first = {
        "openai": {"choices": [{"delta": {"content": "Well"}}]},
        "anthropic": {
            "type": "content_block_start",
            "index": 0,
            "content_block": {"type": "text", "text": "Well"},
        },
    }[dialect]
    with ModelServer([silence(first)]) as server:
        assert asyncio.run(run(server)) < 1.0
