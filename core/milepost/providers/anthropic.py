"""The Messages dialect, which Anthropic's servers speak, and others after them.

Format: Anthropic's API reference, "Messages" and "Streaming messages". The tools, the system text
and the newest message are marked for the server's cache, so that each step of a session pays only
for what is new.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

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
from milepost.providers.wire import number, object_of, text_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from milepost.providers.catalogue import Model
    from milepost.providers.message import Event, Part, Request, Stop

_VERSION = "2023-06-01"

_CACHED = {"type": "ephemeral"}

_STOPS: dict[str, Stop] = {
    "end_turn": "end", "stop_sequence": "end", "tool_use": "tool_calls", "max_tokens": "length",
    "model_context_window_exceeded": "length", "refusal": "refused",
}  # fmt: skip

# The tool by which a reply of a given form is asked for: the dialect has no other way that all of
# its servers know.
_REPLY_TOOL = "reply"


class Messages:
    """How a server of Messages is spoken to."""

    def headers(self, key: str) -> dict[str, str]:
        """With the key in a header of its own."""
        given = {"x-api-key": key} if key else {}
        return {"content-type": "application/json", "anthropic-version": _VERSION, **given}

    def path(self) -> str:
        """Below a base URL without a version."""
        return "/v1/messages"

    def body(self, model: Model, request: Request) -> dict[str, object]:
        """The request as JSON."""
        body: dict[str, object] = {
            "model": model.name,
            "messages": _messages(request),
            "stream": True,
            "max_tokens": request.max_output_tokens or model.output_tokens,
        }
        if request.system:
            said = {"type": "text", "text": request.system, "cache_control": _CACHED}
            body["system"] = [said]
        tools = [
            {"name": tool.name, "description": tool.description, "input_schema": tool.parameters}
            for tool in request.tools
        ]
        choice: dict[str, object] | None = None
        if request.reply_schema is not None:
            form = "Answer by calling this tool."
            schema = request.reply_schema
            tools = [{"name": _REPLY_TOOL, "description": form, "input_schema": schema}]
            choice = {"type": "tool", "name": _REPLY_TOOL}
        elif tools and request.tool_choice != "auto":
            choice = {"type": "any" if request.tool_choice == "required" else "none"}
        if tools:
            body["tools"] = tools
        if choice is not None:
            body["tool_choice"] = choice
        if request.temperature is not None:
            body["temperature"] = request.temperature
        return body

    def reader(self, model: Model, request: Request) -> MessageReader:
        """What reads the reply."""
        return MessageReader(model, is_formed=request.reply_schema is not None)


class MessageReader:
    """Reads one streamed message."""

    def __init__(self, model: Model, *, is_formed: bool) -> None:
        """`is_formed` when the reply was asked for by the tool for replies."""
        self.is_over = False
        self._model = model
        self._is_formed = is_formed
        self._blocks: dict[int, _Block] = {}
        self._stop = ""
        self._counts: dict[str, int] = {}

    def read(self, name: str, data: Mapping[str, object]) -> Iterator[Event]:
        """The events in one event."""
        kind = text_of(data, "type") or name
        if kind == "message_start":
            self._count(object_of(object_of(data, "message"), "usage"))
        elif kind == "content_block_start":
            yield from self._start(number(data, "index"), object_of(data, "content_block"))
        elif kind == "content_block_delta":
            yield from self._delta(number(data, "index"), object_of(data, "delta"))
        elif kind == "message_delta":
            self._stop = text_of(object_of(data, "delta"), "stop_reason") or self._stop
            self._count(object_of(data, "usage"))
        elif kind == "message_stop":
            self.is_over = True

    def reply(self) -> Reply | None:
        """The message, if a reason to stop was given."""
        if not self._stop:
            return None
        blocks = [block for _, block in sorted(self._blocks.items())]
        parts = tuple(part for block in blocks if (part := block.part(self._is_formed)))
        stop = _STOPS.get(self._stop, "end")
        if self._is_formed and stop == "tool_calls":
            stop = "end"
        usage = self._usage()
        cost = None if usage.is_estimate else self._model.cost_usd(usage)
        return Reply(Message("assistant", parts), stop, usage, cost)

    def _start(self, index: int, given: Mapping[str, object]) -> Iterator[Event]:
        block = _Block(text_of(given, "type"), text_of(given, "id"), text_of(given, "name"))
        self._blocks[index] = block
        if block.kind == "redacted_thinking":
            block.signature.append(text_of(given, "data"))
        elif block.kind == "tool_use" and not self._is_formed:
            yield CallStarted(block.id, block.name)
        yield from self._more(block, text_of(given, "text") or text_of(given, "thinking"))

    def _delta(self, index: int, delta: Mapping[str, object]) -> Iterator[Event]:
        block = self._blocks.get(index)
        if block is None:
            return
        block.signature.append(text_of(delta, "signature"))
        for key in ("text", "thinking", "partial_json"):
            yield from self._more(block, text_of(delta, key))

    def _more(self, block: _Block, piece: str) -> Iterator[Event]:
        if not piece:
            return
        block.pieces.append(piece)
        if block.kind == "thinking":
            yield ThoughtDelta(piece)
        elif block.kind == "text" or self._is_formed:
            yield TextDelta(piece)

    def _count(self, usage: Mapping[str, object]) -> None:
        # The counts at the end are totals, and leave out what has not changed.
        self._counts.update({key: number(usage, key) for key in usage if number(usage, key)})

    def _usage(self) -> Usage:
        read = self._counts.get("cache_read_input_tokens", 0)
        written = self._counts.get("cache_creation_input_tokens", 0)
        return Usage(
            input_tokens=self._counts.get("input_tokens", 0) + read + written,
            output_tokens=self._counts.get("output_tokens", 0),
            cache_read_tokens=read,
            cache_write_tokens=written,
            is_estimate=not self._counts,
        )


class _Block:
    """A content block whose pieces are still coming."""

    def __init__(self, kind: str, block_id: str, name: str) -> None:
        self.kind = kind
        self.id = block_id
        self.name = name
        self.pieces: list[str] = []
        self.signature: list[str] = []

    def part(self, is_formed: bool) -> Part | None:  # noqa: FBT001  (called in one place)
        """What the block amounts to."""
        text = "".join(self.pieces)
        if self.kind in {"thinking", "redacted_thinking"}:
            return Thought(text, "".join(self.signature), self.kind == "redacted_thinking")
        if self.kind == "tool_use" and not is_formed:
            return ToolCall(self.id, self.name, text)
        return Text(text) if text else None


def _messages(request: Request) -> list[dict[str, object]]:
    contents = [
        (message.role, [_block(part) for part in message.parts if _is_wanted(part)])
        for message in request.messages
    ]
    wanted = [(role, content) for role, content in contents if content]
    if wanted:
        wanted[-1][1][-1]["cache_control"] = _CACHED
    return [{"role": role, "content": content} for role, content in wanted]


def _is_wanted(part: Part) -> bool:
    """Whether a server takes this part: no empty words, no thoughts but those it signed."""
    return not (
        (isinstance(part, Thought) and not part.signature)
        or (isinstance(part, Text) and not part.text.strip())
    )


def _block(part: Part) -> dict[str, object]:
    match part:
        case Text(text):
            return {"type": "text", "text": text}
        case Thought(_, signature, is_sealed=True):
            return {"type": "redacted_thinking", "data": signature}
        case Thought(text, signature):
            return {"type": "thinking", "thinking": text, "signature": signature}
        case ToolCall(call_id, name, _):
            given = part.parsed() or {}
            return {"type": "tool_use", "id": call_id, "name": name, "input": given}
        case ToolResult(call_id, text, failed):
            told: dict[str, object] = {"type": "tool_result", "tool_use_id": call_id}
            return {**told, "content": text, "is_error": failed}
