"""Tools for models that have none: a reply is held to a JSON form that names a tool or says words.

The server constrains the model's output to the form, so that even a very small model calls tools
that exist with arguments that have the right types. The conversation carries calls and results as
the same JSON, which shows the model by example what is wanted.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from milepost.base.ids import new_id
from milepost.providers.message import (
    CallStarted,
    Finished,
    Message,
    Reply,
    Text,
    TextDelta,
    Thought,
    ToolCall,
    ToolResult,
)

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from milepost.providers.catalogue import Model
    from milepost.providers.message import Event, Part, Request, Tool
    from milepost.providers.provider import Provider

_HOW = (
    'Answer with one JSON object: {"say": "..."} to say something and end your turn, or'
    ' {"tool": "NAME", "arguments": {...}} to run a tool and see its result. The tools are:'
)


class Constrained:
    """A provider that asks another one for tool calls in words."""

    def __init__(self, inner: Provider) -> None:
        self._inner = inner

    @property
    def model(self) -> Model:
        """The model that is asked."""
        return self._inner.model

    async def stream(self, request: Request) -> AsyncGenerator[Event]:
        """Ask; a request without tools passes through as it is."""
        if not request.tools or request.tool_choice == "none":
            plain = replace(request, tools=(), messages=tuple(map(_in_words, request.messages)))
            async for event in self._inner.stream(plain):
                yield event
            return
        async for event in self._inner.stream(_formed(request)):
            if isinstance(event, Finished):
                reply = _read(event.reply)
                for part in reply.message.parts:
                    if isinstance(part, ToolCall):
                        yield CallStarted(part.id, part.name)
                    elif isinstance(part, Text):
                        yield TextDelta(part.text)
                yield Finished(reply)
            elif not isinstance(event, TextDelta):
                # The JSON as it grows is nothing to show.
                yield event

    async def close(self) -> None:
        """Let go of the other provider's connections."""
        await self._inner.close()


def _formed(request: Request) -> Request:
    described = [
        f"{tool.name}: {tool.description} Arguments: {json.dumps(tool.parameters)}"
        for tool in request.tools
    ]
    forms = [_form(tool) for tool in request.tools]
    if request.tool_choice != "required":
        forms.insert(0, _object({"say": {"type": "string"}}))
    return replace(
        request,
        system="\n\n".join(filter(None, (request.system, "\n".join([_HOW, *described])))),
        messages=tuple(map(_in_words, request.messages)),
        tools=(),
        tool_choice="auto",
        reply_schema={"anyOf": forms},
    )


def _form(tool: Tool) -> dict[str, object]:
    named = {"type": "string", "enum": [tool.name]}
    return _object({"tool": named, "arguments": dict(tool.parameters)})


def _object(properties: dict[str, object]) -> dict[str, object]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _in_words(message: Message) -> Message:
    said = [words for part in message.parts if (words := _words(part))]
    return Message(message.role, (Text("\n".join(said)),))


def _words(part: Part) -> str:
    match part:
        case Text(text):
            return text
        case Thought():
            return ""
        case ToolCall(_, name, _):
            return json.dumps({"tool": name, "arguments": part.parsed() or {}})
        case ToolResult(_, text, failed):
            return f"{'The tool failed' if failed else 'Result of the tool'}:\n{text}"


def _read(reply: Reply) -> Reply:
    """The reply with the tool call that its words are; as it is when they are something else."""
    try:
        found: object = json.loads(reply.message.text)
    except (ValueError, RecursionError):
        return reply
    if not isinstance(found, dict):
        return reply
    value = cast("dict[str, object]", found)
    tool, words = value.get("tool"), value.get("say")
    if isinstance(tool, str):
        call = ToolCall(f"call_{new_id()}", tool, json.dumps(value.get("arguments", {})))
        return replace(reply, message=Message("assistant", (call,)), stop="tool_calls")
    if isinstance(words, str):
        return replace(reply, message=Message("assistant", (Text(words),)))
    return reply
