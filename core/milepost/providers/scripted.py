"""A model that plays a script: for tests, demonstrations and dry runs, with no network and no cost.

A script is a list of turns, played one for each request. A turn may also be a function of the
request, for workers that react to what they see. In a file it is JSON, one turn a line:

    {"say": "I will look at the file.", "calls": [{"tool": "read", "arguments": {"path": "a.py"}}]}
    {"fail": "busy"}
    {"say": "Done."}
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast, get_args

from milepost.base.errors import UserError
from milepost.providers.catalogue import Model
from milepost.providers.message import (
    CallStarted,
    Finished,
    Message,
    Reply,
    Request,
    Text,
    TextDelta,
    Thought,
    ThoughtDelta,
    ToolCall,
    Usage,
)
from milepost.providers.provider import FailureKind, ModelError
from milepost.providers.wire import items, object_of, text_of

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterable

    from milepost.providers.message import Event, Part

# A script is played as a model would speak: in pieces.
_PIECE_CHARS = 24


@dataclass(frozen=True, slots=True)
class Turn:
    """What the model does when it is asked: think, speak, call tools (name and arguments); or fail;
    or never answer."""

    say: str = ""
    calls: tuple[tuple[str, dict[str, object]], ...] = ()
    think: str = ""
    fail: FailureKind | None = None
    hang: bool = False


class ScriptedProvider:
    """Plays turns; `requests` are all it was asked, for whoever looks after."""

    def __init__(
        self,
        script: Iterable[Turn | Callable[[Request], Turn]],
        model: Model | None = None,
        *,
        count: Callable[[Request], int] | None = None,
    ) -> None:
        """`count` tells the tokens of a request, so that usage is told as a server would."""
        self.model = model or Model("scripted")
        self.requests: list[Request] = []
        self._script = iter(script)
        self._count = count

    async def stream(self, request: Request) -> AsyncGenerator[Event]:
        """Play the next turn. Raises ModelError when the script is over."""
        number = len(self.requests)
        self.requests.append(request)
        line = next(self._script, None)
        if line is None:
            message = f"the script is over after {number} turns; write one more"
            raise ModelError(message, "refused")
        turn = line if isinstance(line, Turn) else line(request)
        if turn.hang:
            await asyncio.Event().wait()
        if turn.fail is not None:
            raise ModelError(f"the script fails here ({turn.fail}); ask again", turn.fail)
        for start in range(0, len(turn.think), _PIECE_CHARS):
            yield ThoughtDelta(turn.think[start : start + _PIECE_CHARS])
        for start in range(0, len(turn.say), _PIECE_CHARS):
            yield TextDelta(turn.say[start : start + _PIECE_CHARS])
            await asyncio.sleep(0)
        parts: list[Part] = [Thought(turn.think)] if turn.think else []
        parts += [Text(turn.say)] if turn.say else []
        for position, (name, arguments) in enumerate(turn.calls):
            # The same in every run, so that what is recorded can be compared.
            call = ToolCall(f"call_{number}_{position}", name, json.dumps(arguments))
            yield CallStarted(call.id, call.name)
            parts.append(call)
        stop = "tool_calls" if turn.calls else "end"
        yield Finished(Reply(Message("assistant", tuple(parts)), stop, self._usage(request, parts)))

    async def close(self) -> None:
        """Nothing is held."""

    def _usage(self, request: Request, parts: list[Part]) -> Usage:
        if self._count is None:
            return Usage(is_estimate=True)
        reply = Request((Message("assistant", tuple(parts)),))
        return Usage(self._count(request), self._count(reply))


def read_script(text: str) -> list[Turn]:
    """The turns of a script's text. Raises UserError that names the line that is wrong."""
    turns: list[Turn] = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        try:
            found: object = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise UserError(f"line {number} of the script is no JSON ({error})") from error
        if not isinstance(found, dict):
            raise UserError(f"line {number} of the script is no JSON object; write one turn a line")
        turns.append(_turn(cast("dict[str, object]", found), number))
    return turns


def _turn(found: dict[str, object], number: int) -> Turn:
    unknown = found.keys() - {"say", "calls", "think", "fail", "hang"}
    fail = text_of(found, "fail")
    if unknown or fail not in {"", *get_args(FailureKind)}:
        wrong = ", ".join(sorted(unknown)) or fail
        raise UserError(
            f"line {number} of the script has {wrong!r}, which no turn has;"
            " a turn has say, calls, think, fail or hang"
        )
    calls = tuple(
        (text_of(call, "tool"), dict(object_of(call, "arguments")))
        for call in items(found, "calls")
    )
    return Turn(
        say=text_of(found, "say"),
        calls=calls,
        think=text_of(found, "think"),
        fail=cast("FailureKind | None", fail or None),
        hang=found.get("hang") is True,
    )
