"""Both dialects over real HTTP: what is sent, and what comes back of it."""

from __future__ import annotations

import asyncio
import json

import pytest

from milepost.providers.catalogue import Model, known
from milepost.providers.constrained import Constrained
from milepost.providers.message import (
    CallStarted,
    Finished,
    Message,
    Request,
    Text,
    TextDelta,
    Thought,
    ThoughtDelta,
    ToolCall,
    ToolResult,
    Usage,
)
from tests.core.model_server import (
    ModelServer,
    anthropic_reply,
    broken_off,
    openai_reply,
)
from tests.core.providers.asking import (
    KEY,
    READ,
    REPLIES,
    dialects,
    events_of,
    provider_of,
    reply_of,
)


@dialects
def test_words_thoughts_and_parallel_calls_come_as_a_stream_and_as_a_whole(dialect: str) -> None:
    calls = (("read", {"path": "a.py"}), ("read", {"path": "b é 日.py"}))
    act = REPLIES[dialect]("I will read both files.", think="Two files it is.", calls=calls)
    events, _ = events_of([act], dialect=dialect)
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
    reply = reply_of([openai_reply("Yes.", usage=usage)]).reply
    assert reply.usage == Usage(1_000, 100, cache_read_tokens=800, reasoning_tokens=30)
    assert reply.cost_usd == pytest.approx((200 * 1 + 800 * 0.1 + 100 * 10) / 1e6)

    usage = {
        "input_tokens": 50,
        "cache_read_input_tokens": 900,
        "cache_creation_input_tokens": 50,
        "output_tokens": 1,
    }
    reply = reply_of([anthropic_reply("Yes.", usage=usage)], dialect="anthropic").reply
    assert reply.usage == Usage(1_000, 42, cache_read_tokens=900, cache_write_tokens=50)
    assert reply.cost_usd == pytest.approx((50 + 900 * 0.1 + 50 * 1.25 + 42 * 10) / 1e6)


def test_a_server_that_tells_no_usage_costs_nothing_that_we_could_name() -> None:
    reply = reply_of([openai_reply("Yes.")]).reply
    assert reply.usage.is_estimate
    assert reply.cost_usd is None


@dialects
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
        tools=(READ,),
    )
    _, server = events_of([REPLIES[dialect]("Done.")], request, dialect)
    (asked,) = server.asked
    body = asked.body
    assert body["stream"] is True
    assert body["max_tokens"] == 2_000
    if dialect == "openai":
        assert asked.path == "/chat/completions"
        assert asked.headers["authorization"] == f"Bearer {KEY}"
        roles = [message["role"] for message in body["messages"]]
        assert roles == ["system", "user", "assistant", "tool", "tool", "user"]
        calls = body["messages"][2]["tool_calls"]
        assert [call["function"]["arguments"] for call in calls] == ['{"path": "a.py"}', "{}"]
        assert body["tools"][0]["function"]["name"] == "read"
    else:
        assert asked.path == "/v1/messages"
        assert asked.headers["x-api-key"] == KEY
        assert [message["role"] for message in body["messages"]] == [
            "user", "assistant", "user", "user",
        ]  # fmt: skip
        thought, words, first, second = body["messages"][1]["content"]
        assert thought == {"type": "thinking", "thinking": "Look first.", "signature": "c2ln"}
        assert words["text"] == "Looking."
        assert (first["input"], second["input"]) == ({"path": "a.py"}, {})
        assert body["messages"][2]["content"][1]["is_error"] is True
        assert body["messages"][3]["content"][-1]["cache_control"] == {"type": "ephemeral"}


@dialects
def test_arguments_that_are_cut_off_arrive_as_they_are_and_do_not_parse(dialect: str) -> None:
    act = REPLIES[dialect](calls=(("read", {"path": "a.py"}),), finish="length")
    if dialect == "anthropic":
        act = anthropic_reply(calls=(("read", {"path": "a.py"}),), finish="max_tokens")
    reply = reply_of([act], dialect=dialect).reply
    assert reply.stop == "length"

    cut = {"index": 0, "id": "c", "function": {"name": "read", "arguments": '{"path": "a'}}
    half = broken_off(
        {"choices": [{"delta": {"tool_calls": [cut]}}]},
        {"choices": [{"delta": {}, "finish_reason": "length"}]},
    )
    (call,) = reply_of([half]).reply.message.calls
    assert call.parsed() is None


@dialects
def test_a_reply_of_a_given_form_comes_as_words(dialect: str) -> None:
    form = {"type": "object", "properties": {"ok": {"type": "boolean"}}}
    request = Request((Message("user", (Text("Is it?"),)),), reply_schema=form)
    if dialect == "openai":
        act = openai_reply('{"ok": true}')
    else:
        act = anthropic_reply(calls=(("reply", {"ok": True}),))
    events, server = events_of([act], request, dialect)
    last = events[-1]
    assert isinstance(last, Finished)
    assert json.loads(last.reply.message.text) == {"ok": True}
    assert last.reply.stop == "end"
    sent = json.dumps(server.asked[0].body)
    assert json.dumps(form) in sent


def test_a_model_without_tools_calls_them_through_a_form() -> None:
    request = Request(
        (
            Message("user", (Text("Fix it."),)),
            Message("assistant", (ToolCall("1", "read", '{"path": "a.py"}'),)),
            Message("user", (ToolResult("1", "x = 1"),)),
        ),
        tools=(READ,),
    )

    async def run(server: ModelServer) -> list[Finished]:
        provider = Constrained(provider_of(server))
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
