"""The conformance suite's tools of the handshake era that talk back in the middle of a call.

They ask the client by requests of the server's own and send it log messages, over the same streams
on which our progress goes. We offer neither ourselves; 2026-07-28 has done away with both.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

from mcp_types import RequestParams, SamplingMessage, SetLevelRequestParams, TextContent

from milepost_mcp.transports.http import protocol
from milepost_mcp.transports.http.clients import Clients

# The suite wants to see each message by itself.
_STEP_S = 0.05

_OPTIONS = ["option1", "option2", "option3"]
_TITLED = [{"const": f"value{n}", "title": f"{word} Option"} for n, word in
           enumerate(("First", "Second", "Third"), 1)]  # fmt: skip

Ask = Callable[[Any, dict[str, Any]], Awaitable[str]]


async def _sampled(context: Any, arguments: dict[str, Any]) -> str:
    said = SamplingMessage(role="user", content=TextContent(type="text", text=arguments["prompt"]))
    answer = await context.session.create_message(
        [said], max_tokens=100, related_request_id=context.request_id
    )
    return f"LLM response: {answer.content.text}"


async def _logged(context: Any, _arguments: dict[str, Any]) -> str:
    for words in ("Tool execution started", "Tool processing data", "Tool execution completed"):
        await context.session.send_log_message("info", words, related_request_id=context.request_id)
        await asyncio.sleep(_STEP_S)
    return "three messages were logged"


def _form(properties: dict[str, Any], *required: str) -> Ask:
    schema = {"type": "object", "properties": properties, "required": list(required)}

    async def ask(context: Any, arguments: dict[str, Any]) -> str:
        message = arguments.get("message", "Please fill this in")
        answer = await context.session.elicit(message, schema, context.request_id)
        content = json.dumps(answer.content)
        return f"Elicitation completed: action={answer.action}, content={content}"

    return ask


QUESTIONS: dict[str, Ask] = {
    "test_sampling": _sampled,
    "test_tool_with_logging": _logged,
    "test_elicitation": _form(
        {
            "username": {"type": "string", "description": "User's response"},
            "email": {"type": "string", "description": "User's email address"},
        },
        "username",
        "email",
    ),
    "test_elicitation_sep1034_defaults": _form(
        {
            "name": {"type": "string", "default": "John Doe"},
            "age": {"type": "integer", "default": 30},
            "score": {"type": "number", "default": 95.5},
            "status": {
                "type": "string",
                "enum": ["active", "inactive", "pending"],
                "default": "active",
            },
            "verified": {"type": "boolean", "default": True},
        }
    ),
    "test_elicitation_sep1330_enums": _form(
        {
            "untitledSingle": {"type": "string", "enum": _OPTIONS},
            "titledSingle": {"type": "string", "oneOf": _TITLED},
            "legacyEnum": {
                "type": "string",
                "enum": ["opt1", "opt2", "opt3"],
                "enumNames": ["Option One", "Option Two", "Option Three"],
            },
            "untitledMulti": {"type": "array", "items": {"type": "string", "enum": _OPTIONS}},
            "titledMulti": {"type": "array", "items": {"anyOf": _TITLED}},
        }
    ),
}


class AskingProtocol(protocol.Protocol):
    """Our protocol over HTTP, and the tools that ask."""

    def __init__(self, clients: Clients) -> None:
        super().__init__(clients)
        add = self.server.add_request_handler
        add("tools/call", RequestParams, protocol._marked(self._ask_or_call))
        add("logging/setLevel", SetLevelRequestParams, self._set_level)

    async def _ask_or_call(self, context: Any, params: object) -> dict[str, Any]:
        given = dict(context.params or {})
        ask = QUESTIONS.get(str(given.get("name")))
        if ask is None:
            return await self._call_tool(context, params)
        said = await ask(context, given.get("arguments") or {})
        return {"content": [{"type": "text", "text": said}]}

    async def _set_level(self, _context: Any, _params: object) -> dict[str, Any]:
        return {}
