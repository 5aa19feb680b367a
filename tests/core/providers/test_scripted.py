"""The model that plays a script."""

from __future__ import annotations

import asyncio

import pytest

from milepost.base.errors import UserError
from milepost.providers.message import CallStarted, Finished, Message, Request, Text, Usage
from milepost.providers.provider import ModelError, ask
from milepost.providers.scripted import ScriptedProvider, Turn, read_script

_ASK = Request((Message("user", (Text("Go."),)),))


def test_turns_are_played_in_order_and_the_requests_are_kept() -> None:
    provider = ScriptedProvider(
        [
            Turn("Looking.", calls=(("read", {"path": "a.py"}),), think="Where?"),
            lambda request: Turn(f"You said {request.messages[0].text}"),
        ],
        count=lambda request: 10 * len(request.messages),
    )

    async def play() -> None:
        first = [event async for event in provider.stream(_ASK)]
        assert any(isinstance(event, CallStarted) for event in first)
        assert isinstance(first[-1], Finished)
        assert first[-1].reply.stop == "tool_calls"
        assert first[-1].reply.usage == Usage(10, 10)
        second = await ask(provider, _ASK)
        assert second.message.text == "You said Go."
        with pytest.raises(ModelError, match="over after 2 turns"):
            await ask(provider, _ASK)

    asyncio.run(play())
    assert provider.requests == [_ASK] * 3


def test_a_turn_fails_or_hangs_when_it_is_told_to() -> None:
    provider = ScriptedProvider([Turn(fail="busy"), Turn(hang=True)])

    async def play() -> None:
        with pytest.raises(ModelError) as caught:
            await ask(provider, _ASK)
        assert caught.value.kind == "busy"
        task = asyncio.create_task(ask(provider, _ASK))
        done, _ = await asyncio.wait({task}, timeout=0.05)
        assert not done
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(play())


def test_a_script_is_read_from_text() -> None:
    text = (
        '# a comment\n\n{"say": "a", "think": "b", "calls":'
        ' [{"tool": "read", "arguments": {"path": "x"}}]}\n{"fail": "network"}\n{"hang": true}\n'
    )
    assert read_script(text) == [
        Turn("a", (("read", {"path": "x"}),), "b"),
        Turn(fail="network"),
        Turn(hang=True),
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{}\n{", "line 2 of the script is no JSON"),
        ("[]", "line 1 of the script is no JSON object"),
        ('{"says": "a"}', "'says', which no turn has"),
        ('{"fail": "somehow"}', "'somehow', which no turn has"),
        ("[" * 100_000, "line 1"),
    ],
)
def test_a_wrong_script_is_told_with_its_line(text: str, words: str) -> None:
    with pytest.raises(UserError, match=words):
        read_script(text)
