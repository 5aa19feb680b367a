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
from milepost.providers.anthropic import Messages
from milepost.providers.catalogue import Model, Price, known
from milepost.providers.constrained import Constrained
from milepost.providers.http import HttpProvider, Patience
from milepost.providers.message import (
    CallStarted,
    Event,
    Finished,
    Message,
    Request,
    Restarted,
    Text,
    TextDelta,
    Thought,
    ThoughtDelta,
    Tool,
    ToolCall,
    ToolResult,
    Usage,
)
from milepost.providers.openai import ChatCompletions
from milepost.providers.provider import ModelError, ask
from tests.core.model_server import (
    Act,
    ModelServer,
    anthropic_reply,
    broken_off,
    endless,
    openai_reply,
    refusal,
    silence,
)

_MODEL = Model("m", 32_000, 2_000, Price(1.0, 10.0, 0.1, 1.25))
_QUICK = Patience(first_event_s=2.0, silence_s=0.3, whole_s=5.0, first_pause_s=0.01)
_KEY = "sk-not-a-real-key-0123456789"
_READ = Tool("read", "Read a file.", {"type": "object", "properties": {"path": {"type": "string"}}})
_HELLO = Request((Message("user", (Text("Hello"),)),), system="Be brief.", tools=(_READ,))
_DIALECTS = {"openai": ChatCompletions(), "anthropic": Messages()}
_REPLIES = {"openai": openai_reply, "anthropic": anthropic_reply}

_dialects = pytest.mark.parametrize("dialect", ["openai", "anthropic"])


def _provider(server: ModelServer, dialect: str = "openai", **more: object) -> HttpProvider:
    options: dict[str, object] = {"key": _KEY, "patience": _QUICK, **more}
    return HttpProvider(_MODEL, _DIALECTS[dialect], server.url, **options)  # type: ignore[arg-type]


def _events(
    acts: list[Act], request: Request = _HELLO, dialect: str = "openai"
) -> tuple[list[Event], ModelServer]:
    """All events of a request that is answered by `acts`."""

    async def run(server: ModelServer) -> list[Event]:
        provider = _provider(server, dialect)
        try:
            return [event async for event in provider.stream(request)]
        finally:
            await provider.close()

    with ModelServer(acts) as server:
        return asyncio.run(run(server)), server


def _reply(acts: list[Act], request: Request = _HELLO, dialect: str = "openai") -> Finished:
    last = _events(acts, request, dialect)[0][-1]
    assert isinstance(last, Finished)
    return last


@_dialects
def test_words_thoughts_and_parallel_calls_come_as_a_stream_and_as_a_whole(dialect: str) -> None:
    calls = (("read", {"path": "a.py"}), ("read", {"path": "b é 日.py"}))
    act = _REPLIES[dialect]("I will read both files.", think="Two files it is.", calls=calls)
    events, _ = _events([act], dialect=dialect)
    assert "".join(e.text for e in events if isinstance(e, TextDelta)) == "I will read both files."
    assert "".join(e.text for e in events if isinstance(e, ThoughtDelta)) == "Two files it is."
    assert [e.name for e in events if isinstance(e, CallStarted)] == ["read", "read"]
    last = events[-1]
    assert isinstance(last, Finished)
    reply = last.reply
    assert reply.stop == "tool_calls"
    assert reply.message.text == "I will read both files."
    assert [call.parsed() for call in reply.message.calls] == [given for _, given in calls]
    assert len({call.id for call in reply.message.calls}) == 2


def test_usage_is_counted_with_what_came_from_the_cache_and_costs_what_the_model_costs() -> None:
    usage = {
        "prompt_tokens": 1_000,
        "completion_tokens": 100,
        "prompt_tokens_details": {"cached_tokens": 800},
        "completion_tokens_details": {"reasoning_tokens": 30},
    }
    reply = _reply([openai_reply("Yes.", usage=usage)]).reply
    assert reply.usage == Usage(1_000, 100, cache_read_tokens=800, reasoning_tokens=30)
    assert reply.cost_usd == pytest.approx((200 * 1 + 800 * 0.1 + 100 * 10) / 1e6)

    usage = {
        "input_tokens": 50,
        "cache_read_input_tokens": 900,
        "cache_creation_input_tokens": 50,
        "output_tokens": 1,
    }
    reply = _reply([anthropic_reply("Yes.", usage=usage)], dialect="anthropic").reply
    assert reply.usage == Usage(1_000, 42, cache_read_tokens=900, cache_write_tokens=50)
    assert reply.cost_usd == pytest.approx((50 + 900 * 0.1 + 50 * 1.25 + 42 * 10) / 1e6)


def test_a_server_that_tells_no_usage_costs_nothing_that_we_could_name() -> None:
    reply = _reply([openai_reply("Yes.")]).reply
    assert reply.usage.is_estimate
    assert reply.cost_usd is None


@_dialects
def test_a_conversation_with_calls_and_results_is_written_as_the_server_wants_it(
    dialect: str,
) -> None:
    request = Request(
        (
            Message("user", (Text("Fix it."),)),
            Message(
                "assistant",
                (
                    Thought("Look first.", "c2ln"),
                    Text("Looking."),
                    ToolCall("1", "read", '{"path": "a.py"}'),
                    ToolCall("2", "read", '{"path": "b'),
                ),
            ),
            Message("user", (ToolResult("1", "x = 1"), ToolResult("2", "no JSON", failed=True))),
            Message("user", (Text("Go on."),)),
        ),
        system="Be brief.",
        tools=(_READ,),
    )
    _, server = _events([_REPLIES[dialect]("Done.")], request, dialect)
    (asked,) = server.asked
    body = asked.body
    assert body["stream"] is True
    assert body["max_tokens"] == 2_000
    if dialect == "openai":
        assert asked.path == "/chat/completions"
        assert asked.headers["authorization"] == f"Bearer {_KEY}"
        roles = [message["role"] for message in body["messages"]]
        assert roles == ["system", "user", "assistant", "tool", "tool", "user"]
        calls = body["messages"][2]["tool_calls"]
        assert [call["function"]["arguments"] for call in calls] == ['{"path": "a.py"}', "{}"]
        assert body["tools"][0]["function"]["name"] == "read"
    else:
        assert asked.path == "/v1/messages"
        assert asked.headers["x-api-key"] == _KEY
        assert [message["role"] for message in body["messages"]] == [
            "user", "assistant", "user", "user",
        ]  # fmt: skip
        thought, words, first, second = body["messages"][1]["content"]
        assert thought == {"type": "thinking", "thinking": "Look first.", "signature": "c2ln"}
        assert words["text"] == "Looking."
        assert (first["input"], second["input"]) == ({"path": "a.py"}, {})
        assert body["messages"][2]["content"][1]["is_error"] is True
        assert body["messages"][3]["content"][-1]["cache_control"] == {"type": "ephemeral"}


@_dialects
def test_arguments_that_are_cut_off_arrive_as_they_are_and_do_not_parse(dialect: str) -> None:
    act = _REPLIES[dialect](calls=(("read", {"path": "a.py"}),), finish="length")
    if dialect == "anthropic":
        act = anthropic_reply(calls=(("read", {"path": "a.py"}),), finish="max_tokens")
    reply = _reply([act], dialect=dialect).reply
    assert reply.stop == "length"

    cut = {"index": 0, "id": "c", "function": {"name": "read", "arguments": '{"path": "a'}}
    half = broken_off(
        {"choices": [{"delta": {"tool_calls": [cut]}}]},
        {"choices": [{"delta": {}, "finish_reason": "length"}]},
    )
    (call,) = _reply([half]).reply.message.calls
    assert call.parsed() is None


@_dialects
def test_a_reply_of_a_given_form_comes_as_words(dialect: str) -> None:
    form = {"type": "object", "properties": {"ok": {"type": "boolean"}}}
    request = Request((Message("user", (Text("Is it?"),)),), reply_schema=form)
    if dialect == "openai":
        act = openai_reply('{"ok": true}')
    else:
        act = anthropic_reply(calls=(("reply", {"ok": True}),))
    events, server = _events([act], request, dialect)
    last = events[-1]
    assert isinstance(last, Finished)
    assert json.loads(last.reply.message.text) == {"ok": True}
    assert last.reply.stop == "end"
    sent = json.dumps(server.asked[0].body)
    assert json.dumps(form) in sent


@_dialects
def test_a_busy_server_is_asked_again_and_a_storm_ends_with_a_sentence(dialect: str) -> None:
    busy = refusal(429, {"error": {"message": "slow down"}}, retry_after="0")
    overloaded = refusal(529, {"error": {"type": "overloaded_error"}})
    good = _REPLIES[dialect]("Here.")
    events, server = _events([busy, overloaded, good], dialect=dialect)
    assert isinstance(events[-1], Finished)
    assert len(server.asked) == 3
    assert not any(isinstance(event, Restarted) for event in events)

    with pytest.raises(ModelError, match="slow down") as caught:
        _events([busy] * 5, dialect=dialect)
    assert caught.value.kind == "busy"


def test_a_server_that_asks_for_a_long_pause_is_not_waited_for() -> None:
    with pytest.raises(ModelError, match="try again in 3600 s") as caught:
        _events([refusal(429, {"error": {"message": "limit"}}, retry_after="3600")])
    assert caught.value.retry_after_s == 3600


def test_a_date_to_come_back_at_is_understood() -> None:
    past = refusal(503, "", retry_after="Wed, 21 Oct 2015 07:28:00 GMT")
    assert isinstance(_events([past, openai_reply("Back.")])[0][-1], Finished)


@pytest.mark.parametrize(
    ("status", "body", "kind", "words"),
    [
        (401, {"error": {"message": f"bad key {_KEY}"}}, "refused", "check the model's key"),
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
        _events([refusal(status, body)])
    message = str(caught.value)
    assert caught.value.kind == kind
    assert words in message
    assert _KEY not in message
    assert len(message) < 600
    assert isinstance(caught.value, WorldError)


@pytest.mark.parametrize("reset", [False, True])
def test_a_reply_that_breaks_off_is_asked_for_again_and_the_first_part_is_taken_back(
    reset: bool,
) -> None:
    half = broken_off({"choices": [{"delta": {"content": "Half a"}}]}, reset=reset)
    events, server = _events([half, openai_reply("A whole reply.")])
    kinds = [type(event).__name__ for event in events]
    assert kinds.index("Restarted") > kinds.index("TextDelta") or reset
    last = events[-1]
    assert isinstance(last, Finished)
    assert last.reply.message.text == "A whole reply."
    assert len(server.asked) == 2


def test_an_error_in_the_middle_of_a_stream_is_asked_again() -> None:
    broken = broken_off(
        {"type": "message_start", "message": {"usage": {"input_tokens": 1}}},
        {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}},
    )
    events, _ = _events([broken, anthropic_reply("Fine.")], dialect="anthropic")
    assert isinstance(events[-1], Finished)


def test_a_server_that_falls_silent_is_left() -> None:
    acts = [silence({"choices": [{"delta": {"content": "Well"}}]})] * 5
    began = time.monotonic()
    with pytest.raises(ModelError, match="did not finish") as caught:
        _events(acts)
    assert caught.value.kind == "network"
    assert time.monotonic() - began < 20


@pytest.mark.parametrize(
    "piece", [b"x" * 65_536, b"data: " + b"y" * 65_536, b":" + b"z" * 65_536 + b"\n"]
)
def test_a_reply_without_end_is_cut(piece: bytes) -> None:
    with pytest.raises(ModelError, match="more than a reply can hold") as caught:
        _events([endless(piece)])
    assert caught.value.kind == "refused"


@pytest.mark.parametrize(
    "text", ["data: {nope\n\n", "data: [1]\n\n", "data: " + "[" * 5_000 + "\n\n", "data: 7\n\n"]
)
def test_events_that_are_no_json_object_are_said_to_be_nonsense(text: str) -> None:
    async def act(connection: object) -> None:
        await connection.head()  # type: ignore[attr-defined]
        await connection.raw(text)  # type: ignore[attr-defined]

    with pytest.raises(ModelError, match="no JSON object") as caught:
        _events([act] * 5)
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
@_dialects
def test_events_of_the_wrong_form_are_passed_over(dialect: str, data: object) -> None:
    ending: tuple[object, ...] = (
        {"choices": [{"delta": {"content": "ok"}, "finish_reason": "stop"}]},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}},
    )
    assert _reply([broken_off(data, *ending)], dialect=dialect).reply.stop == "end"


@settings(max_examples=25, deadline=None)
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

    assert _reply([act]).reply.message.text == "Grüße, 世界 🌍"


def test_a_server_that_does_not_stream_is_understood() -> None:
    whole = {
        "choices": [{"message": {"content": "All at once."}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 3, "completion_tokens": 2},
    }
    reply = _reply([refusal(200, whole)]).reply
    assert reply.message.text == "All at once."
    assert reply.usage == Usage(3, 2)


def test_nobody_at_the_url_is_said_with_the_url() -> None:
    with ModelServer([]) as server:
        url = server.url
    provider = HttpProvider(_MODEL, ChatCompletions(), url, patience=_QUICK)
    with pytest.raises(ModelError, match="is the server running") as caught:
        asyncio.run(ask(provider, _HELLO))
    assert caught.value.kind == "network"


@_dialects
def test_a_cancelled_request_ends_at_once_and_the_server_sees_it(dialect: str) -> None:
    async def run(server: ModelServer) -> float:
        provider = _provider(server, dialect, patience=Patience())
        begun = asyncio.Event()

        async def listen() -> None:
            async for _ in provider.stream(_HELLO):
                begun.set()

        task = asyncio.create_task(listen())
        await asyncio.wait_for(begun.wait(), 10)
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


def test_a_model_without_tools_calls_them_through_a_form() -> None:
    request = Request(
        (
            Message("user", (Text("Fix it."),)),
            Message("assistant", (ToolCall("1", "read", '{"path": "a.py"}'),)),
            Message("user", (ToolResult("1", "x = 1"),)),
        ),
        tools=(_READ,),
    )

    async def run(server: ModelServer) -> list[Finished]:
        provider = Constrained(_provider(server))
        found = []
        for _ in range(3):
            events = [event async for event in provider.stream(request)]
            assert isinstance(events[-1], Finished)
            found.append(events[-1])
        await provider.close()
        return found

    acts = [
        openai_reply('{"tool": "read", "arguments": {"path": "b.py"}}'),
        openai_reply('{"say": "Done."}'),
        openai_reply("plain words"),
    ]
    with ModelServer(acts) as server:
        call, said, plain = (last.reply for last in asyncio.run(run(server)))
    assert [(c.name, c.parsed()) for c in call.message.calls] == [("read", {"path": "b.py"})]
    assert call.stop == "tool_calls"
    assert said.message.text == "Done."
    assert plain.message.text == "plain words"
    body = server.asked[0].body
    assert "tools" not in body
    assert "anyOf" in body["response_format"]["json_schema"]["schema"]
    assert [message["role"] for message in body["messages"]] == [
        "system", "user", "assistant", "user",
    ]  # fmt: skip
    assert json.loads(body["messages"][2]["content"])["tool"] == "read"


def test_a_price_is_shown_only_for_the_very_model() -> None:
    assert known("anthropic/claude-sonnet-4-5-20250929").price is not None
    assert known("claude-sonnet-4-5").output_tokens == 64_000
    assert known("gpt-5-some-other-edition").price is None
    assert known("gpt-5-some-other-edition").window_tokens == 400_000
    assert known("my-own-model") == Model("my-own-model")
