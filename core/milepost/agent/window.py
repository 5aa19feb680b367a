"""The model's window: what is in it, how full it is, and how it is filled anew.

A session outlives many windows. Messages are added at the end, so that servers can cache the
beginning; when the window is nearly full it is *rebuilt*: the state of the work, read from what is
kept outside of it, takes the place of everything but the newest messages. Sizes are estimated
offline and corrected by what the server reports, so that no request is larger than the window.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from milepost.base import tokens
from milepost.providers.message import Message, Request, Text, Thought, ToolCall, ToolResult

if TYPE_CHECKING:
    from milepost.providers.catalogue import Model
    from milepost.providers.message import Part, Tool, Usage

# What is kept free for the answer: enough for a file written whole, less in small windows.
_REPLY_SHARE = 0.2

# When checkpoint.md is written: early enough to be there when it is needed, rarely enough to cost
# little. Shares of the usable window.
SCHEDULE = (0.2, 0.45, 0.7)

# When the window is rebuilt. What is left bridges one step with its results.
REBUILD_AT = 0.8

# How much of the usable window the newest messages keep at a rebuild, and one tool result ever.
_TAIL_SHARE = 0.15
_RESULT_SHARE = 0.12

# A server's count may be higher than ours by so much before we trust it more than ourselves; odd
# reports are not believed beyond these bounds.
_CORRECTION = (0.7, 1.8)

# What a message costs beside its text, and a tool beside its definition.
_MESSAGE_TOKENS = 6

# Arguments that were cut somewhere would be no JSON.
_CUT_ARGUMENTS = '{"cut": "too long for the window; history_search finds the whole"}'

_CUT = "\n(cut here to fit the window; history_search finds the whole)"


@dataclass(frozen=True, slots=True)
class _Kept:
    message: Message
    tokens: int
    number: int


class Window:
    """What goes to the model next."""

    def __init__(
        self, model: Model, tools: tuple[Tool, ...], schedule: tuple[float, ...] = SCHEDULE
    ) -> None:
        self._model = model
        self._tools = tools
        self._schedule = schedule
        self._system = ""
        self._system_tokens = 0
        self._kept: list[_Kept] = []
        self._kept_tokens = 0
        self._correction = 1.0
        self._passed = 0
        self._tools_tokens = tokens.count(
            json.dumps([[tool.name, tool.description, tool.parameters] for tool in tools])
        )
        self.reply_tokens = min(model.output_tokens, int(model.window_tokens * _REPLY_SHARE))

    @property
    def usable_tokens(self) -> int:
        """What a request may have: the window without the room for the answer."""
        return self._model.window_tokens - self.reply_tokens

    @property
    def free_tokens(self) -> int:
        """What conversation and state may have together: the usable window without the tools."""
        return max(256, int(self.usable_tokens / self._correction) - self._tools_tokens)

    @property
    def tokens(self) -> int:
        """How many tokens the next request has, as far as we can tell."""
        counted = self._system_tokens + self._tools_tokens + self._kept_tokens
        return round(counted * self._correction)

    @property
    def share(self) -> float:
        """How full the usable window is."""
        return self.tokens / self.usable_tokens

    def set_system(self, text: str) -> None:
        """The system text; it should change only at a rebuild."""
        self._system = text
        self._system_tokens = tokens.count(text) + _MESSAGE_TOKENS

    def add(self, message: Message, number: int) -> None:
        """Add a message, which is the item `number` of the transcript, at the end. Results that are
        too long for the window are cut, and say so."""
        message = self._fitting(message)
        size = _size(message)
        self._kept.append(_Kept(message, size, number))
        self._kept_tokens += size

    def is_due(self) -> bool:
        """Whether a mark of the schedule was passed since the last time this was asked."""
        passed = sum(self.share >= mark for mark in self._schedule)
        is_new = passed > self._passed
        self._passed = max(passed, self._passed)
        return is_new

    def must_be_rebuilt(self) -> bool:
        """Whether the next step may not fit any more."""
        return self.share >= REBUILD_AT

    def rebuild(self, system: str, state: str) -> int | None:
        """Fill the window anew: the system text, the state of the work, the newest messages. The
        number of the first of these is returned, None when there are none."""
        tail = self._tail(int(self.free_tokens * _TAIL_SHARE))
        self.set_system(system)
        self._kept = []
        self._kept_tokens = 0
        self._passed = 0
        self.add(Message("user", (Text(state),)), 0)
        for kept in tail:
            self.add(kept.message, kept.number)
        return tail[0].number if tail else None

    def request(self) -> Request:
        """What the model is asked next."""
        return Request(
            tuple(kept.message for kept in self._kept),
            system=self._system,
            tools=self._tools,
            max_output_tokens=self.reply_tokens,
        )

    def correct(self, usage: Usage) -> None:
        """Learn from what the server counted for the request that was just made."""
        counted = self._system_tokens + self._tools_tokens + self._kept_tokens
        if usage.is_estimate or not usage.input_tokens or not counted:
            return
        least, most = _CORRECTION
        seen = min(max(usage.input_tokens / counted, least), most)
        # Upwards at once, downwards slowly: too small an estimate is the one that hurts.
        self._correction = max(seen, self._correction * 0.9 + seen * 0.1)

    def _fitting(self, message: Message) -> Message:
        results = [part for part in message.parts if isinstance(part, ToolResult)]
        if not results:
            return message
        each = int(self.free_tokens * _RESULT_SHARE / min(len(results), 3))
        return Message(message.role, tuple(_cut(part, each) for part in message.parts))

    def _tail(self, budget_tokens: int) -> list[_Kept]:
        """The newest messages that fit, from an assistant's on, each call with its results; the
        newest of all in any case, shortened where it must be."""
        start = len(self._kept)
        size = 0
        for at in range(len(self._kept) - 1, -1, -1):
            size += self._kept[at].tokens
            if size > budget_tokens and start < len(self._kept):
                break
            if self._kept[at].message.role == "assistant":
                start = at
                if size > budget_tokens:
                    break
        tail = self._kept[start:]
        if sum(kept.tokens for kept in tail) <= budget_tokens:
            return tail
        return [_shortened(kept, budget_tokens // 2) for kept in tail]


def _size(message: Message) -> int:
    return _MESSAGE_TOKENS + sum(map(_part_size, message.parts))


def _part_size(part: Part) -> int:
    match part:
        case Text(text) | Thought(text, _):
            return tokens.count(text)
        case ToolCall(_, name, arguments):
            return tokens.count(name) + tokens.count(arguments) + _MESSAGE_TOKENS
        case ToolResult(_, text):
            return tokens.count(text) + _MESSAGE_TOKENS


def _cut(part: Part, budget_tokens: int) -> Part:
    if not isinstance(part, ToolResult) or tokens.count(part.text) <= budget_tokens:
        return part
    return replace(part, text=tokens.clip(part.text, budget_tokens) + _CUT)


def _shortened(kept: _Kept, budget_tokens: int) -> _Kept:
    """A message of a tail that is too large: without its thoughts, its results cut, and what the
    model wrote itself, too, where it is longer than all the rest may be."""
    parts = [part for part in kept.message.parts if not isinstance(part, Thought)]
    each = budget_tokens // max(1, len(parts))
    cut = (_cut(_written_shorter(part, budget_tokens), each) for part in parts)
    message = Message(kept.message.role, tuple(cut))
    return _Kept(message, _size(message), kept.number)


def _written_shorter(part: Part, budget_tokens: int) -> Part:
    match part:
        case Text(text) if tokens.count(text) > budget_tokens:
            return Text(tokens.clip(text, budget_tokens) + _CUT)
        case ToolCall(_, _, arguments) if tokens.count(arguments) > budget_tokens:
            return replace(part, arguments=_CUT_ARGUMENTS)
        case _:
            return part
