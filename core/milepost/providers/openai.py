"""The chat completions dialect, which OpenAI's and most other servers speak.

Format: OpenAI's API reference, "Chat completions" and "Streaming"; and what vLLM, Ollama,
llama.cpp, DeepSeek and OpenRouter add to it: thoughts come as `reasoning_content` or `reasoning`,
and cached tokens under `prompt_tokens_details` or as `prompt_cache_hit_tokens`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from milepost.base.ids import new_id
from milepost.providers.message import (
    CallStarted,
    Message,
    Reply,
    Text,
    TextDelta,
    Thought,
    ThoughtDelta,
    ToolCall,
    ToolResult,
    Usage,
)
from milepost.providers.provider import ModelError
from milepost.providers.wire import items, number, object_of, text_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from milepost.providers.catalogue import Model
    from milepost.providers.message import Event, Part, Request, Stop

_STOPS: dict[str, Stop] = {
    "stop": "end", "length": "length", "tool_calls": "tool_calls", "function_call": "tool_calls",
    "content_filter": "refused",
}  # fmt: skip

# Far more calls than any model makes; an index beyond is a server gone wrong. How many are run is
# not decided here.
_MAX_CALLS = 4_096


class ChatCompletions:
    """How a server of chat completions is spoken to."""

    def headers(self, key: str) -> dict[str, str]:
        """With the key as a bearer token."""
        given = {"authorization": f"Bearer {key}"} if key else {}
        return {"content-type": "application/json", "accept": "text/event-stream", **given}

    def path(self) -> str:
        """Below a base URL that ends in the API's version."""
        return "/chat/completions"

    def body(self, model: Model, request: Request) -> dict[str, object]:
        """The request as JSON."""
        body: dict[str, object] = {
            "model": model.name,
            "messages": list(_messages(request)),
            "stream": True,
            "stream_options": {"include_usage": True},
            "max_tokens": request.max_output_tokens or model.output_tokens,
        }
        if request.tools:
            body["tools"] = [
                {
                    "type": "function",
                    "function": {
                        "name": tool.name,
                        "description": tool.description,
                        "parameters": tool.parameters,
                    },
                }
                for tool in request.tools
            ]
            body["tool_choice"] = request.tool_choice
        if request.temperature is not None:
            body["temperature"] = request.temperature
        if request.reply_schema is not None:
            form = {"name": "reply", "schema": request.reply_schema, "strict": True}
            body["response_format"] = {"type": "json_schema", "json_schema": form}
        return body

    def reader(self, model: Model, request: Request) -> ChatCompletionReader:
        """What reads the reply."""
        del request
        return ChatCompletionReader(model)


class ChatCompletionReader:
    """Reads one streamed (or whole) chat completion."""

    def __init__(self, model: Model) -> None:
        self.is_over = False
        self._model = model
        self._words: list[str] = []
        self._thoughts: list[str] = []
        self._calls: dict[int, _Call] = {}
        self._finish = ""
        self._usage = Usage(is_estimate=True)

    def read(self, name: str, data: Mapping[str, object]) -> Iterator[Event]:
        """The events in one chunk."""
        del name
        usage = object_of(data, "usage")
        if usage:
            self._usage = _usage(usage)
        for choice in items(data, "choices")[:1]:
            # A server that does not stream sends the message whole.
            yield from self._delta(object_of(choice, "delta") or object_of(choice, "message"))
            self._finish = text_of(choice, "finish_reason") or self._finish

    def reply(self) -> Reply | None:
        """The reply, if a reason to finish was given."""
        if not self._finish:
            return None
        parts: list[Part] = []
        if self._thoughts:
            parts.append(Thought("".join(self._thoughts)))
        if self._words:
            parts.append(Text("".join(self._words)))
        calls = [call for _, call in sorted(self._calls.items()) if call.name]
        parts += (ToolCall(call.id, call.name, "".join(call.arguments)) for call in calls)
        stop = _STOPS.get(self._finish, "end")
        if calls and stop == "end":
            # Some servers finish with `stop` all the same.
            stop = "tool_calls"
        cost = None if self._usage.is_estimate else self._model.cost_usd(self._usage)
        return Reply(Message("assistant", tuple(parts)), stop, self._usage, cost)

    def _delta(self, delta: Mapping[str, object]) -> Iterator[Event]:
        thought = text_of(delta, "reasoning_content") or text_of(delta, "reasoning")
        if thought:
            self._thoughts.append(thought)
            yield ThoughtDelta(thought)
        words = text_of(delta, "content") or text_of(delta, "refusal")
        if words:
            self._words.append(words)
            yield TextDelta(words)
        for position, piece in enumerate(items(delta, "tool_calls")):
            yield from self._call(position, piece)

    def _call(self, position: int, piece: Mapping[str, object]) -> Iterator[Event]:
        index = piece.get("index")
        at = index if isinstance(index, int) else position
        if not 0 <= at < _MAX_CALLS:
            message = f"{self._model.name} sent a tool call out of bounds; ask another model"
            raise ModelError(message, "refused")
        call = self._calls.setdefault(at, _Call())
        function = object_of(piece, "function")
        call.id = call.id or text_of(piece, "id")
        name = text_of(function, "name")
        if name and not call.name:
            call.name = name
            call.id = call.id or f"call_{new_id()}"
            yield CallStarted(call.id, name)
        call.arguments.append(text_of(function, "arguments"))


class _Call:
    """A tool call whose pieces are still coming."""

    def __init__(self) -> None:
        self.id = ""
        self.name = ""
        self.arguments: list[str] = []


def _messages(request: Request) -> Iterator[dict[str, object]]:
    if request.system:
        yield {"role": "system", "content": request.system}
    for message in request.messages:
        for part in message.parts:
            if isinstance(part, ToolResult):
                yield {"role": "tool", "tool_call_id": part.call_id, "content": part.text}
        words = message.text
        if message.role == "user":
            if words:
                yield {"role": "user", "content": words}
            continue
        calls = [
            {
                "id": call.id,
                "type": "function",
                # A server refuses a conversation with arguments that are no JSON, and the model
                # was told so in the result of the call.
                "function": {
                    "name": call.name,
                    "arguments": "{}" if call.parsed() is None else call.arguments or "{}",
                },
            }
            for call in message.calls
        ]
        said: dict[str, object] = {"role": "assistant", "content": words or None}
        yield {**said, "tool_calls": calls} if calls else {**said, "content": words}


def _usage(usage: Mapping[str, object]) -> Usage:
    given = object_of(usage, "prompt_tokens_details")
    written = object_of(usage, "completion_tokens_details")
    return Usage(
        input_tokens=number(usage, "prompt_tokens"),
        output_tokens=number(usage, "completion_tokens"),
        cache_read_tokens=number(given, "cached_tokens")
        or number(usage, "prompt_cache_hit_tokens"),
        reasoning_tokens=number(written, "reasoning_tokens"),
    )
