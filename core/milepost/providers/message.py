"""What goes to a model and what comes back, whatever dialect its server speaks.

A conversation is a system text and messages that alternate between user and assistant. The results
of tool calls are parts of the user's message that follows them. Every part keeps what the model
wrote as it wrote it, because servers cache a conversation by its exact beginning.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, cast

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Text:
    """Words."""

    text: str


@dataclass(frozen=True, slots=True)
class Thought:
    """What a model thought before it answered. `signature` is the server's own and opaque; a
    thought that has one must go back to that server unchanged. Of a sealed thought, that server
    shows nothing else."""

    text: str
    signature: str = ""
    is_sealed: bool = False


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A tool that the model wants to be run. `arguments` is JSON as the model wrote it, which may
    be cut off or no JSON at all."""

    id: str
    name: str
    arguments: str

    def parsed(self) -> dict[str, object] | None:
        """The arguments as an object; None when they are not one."""
        try:
            value: object = json.loads(self.arguments or "{}")
        except (ValueError, RecursionError):
            return None
        return cast("dict[str, object]", value) if isinstance(value, dict) else None


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What came of the tool call with the id `call_id`."""

    call_id: str
    text: str
    failed: bool = False


Part = Text | Thought | ToolCall | ToolResult


@dataclass(frozen=True, slots=True)
class Message:
    """One message. An assistant's holds no ToolResult, a user's holds no Thought or ToolCall."""

    role: Literal["user", "assistant"]
    parts: tuple[Part, ...]

    @property
    def text(self) -> str:
        """Its words alone."""
        return "".join(part.text for part in self.parts if isinstance(part, Text))

    @property
    def calls(self) -> tuple[ToolCall, ...]:
        """The tool calls in it."""
        return tuple(part for part in self.parts if isinstance(part, ToolCall))


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool that the model may call; `parameters` is a JSON Schema of type object."""

    name: str
    description: str
    parameters: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Request:
    """What a model is asked. With `reply_schema` (a JSON Schema) the words of the reply are JSON
    of that form, as far as the server can hold the model to it."""

    messages: tuple[Message, ...]
    system: str = ""
    tools: tuple[Tool, ...] = ()
    tool_choice: Literal["auto", "required", "none"] = "auto"
    max_output_tokens: int | None = None
    temperature: float | None = None
    reply_schema: Mapping[str, object] | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one request. `input_tokens` are all of them, those that were read from the server's
    cache and written to it included; `reasoning_tokens` are part of `output_tokens`. `is_estimate`
    says that the server told nothing."""

    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    reasoning_tokens: int = 0
    is_estimate: bool = False

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            self.cache_read_tokens + other.cache_read_tokens,
            self.cache_write_tokens + other.cache_write_tokens,
            self.reasoning_tokens + other.reasoning_tokens,
            self.is_estimate or other.is_estimate,
        )


Stop = Literal["end", "tool_calls", "length", "refused"]


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole reply: the assistant's message, why it ended, and what it took. `cost_usd` is None
    when the model's price is not known."""

    message: Message
    stop: Stop
    usage: Usage
    cost_usd: float | None = None


@dataclass(frozen=True, slots=True)
class TextDelta:
    """More words of the reply."""

    text: str


@dataclass(frozen=True, slots=True)
class ThoughtDelta:
    """More of what the model thinks."""

    text: str


@dataclass(frozen=True, slots=True)
class CallStarted:
    """The model has begun to write a call of this tool."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Restarted:
    """The reply broke off and is asked for again: what has come so far does not count."""

    reason: str


@dataclass(frozen=True, slots=True)
class Finished:
    """The last of a stream: the whole reply."""

    reply: Reply


Event = TextDelta | ThoughtDelta | CallStarted | Restarted | Finished
