"""What the conformance suite's own tools, prompts and resources answer, by their names.

Our tools answer in text, so images, sound, embedded resources, foreign schemas and questions back
to the client would go untried. These answers are made here as plain objects, and travel from there
the way that ours do: `conformance_server.py` puts them in at `Answers`, above the transport.
"""

from __future__ import annotations

import base64
import hmac
import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from milepost_mcp.answers import INVALID_PARAMS, RpcError

_MISSING_CAPABILITY = -32021
_CAPABILITIES_KEY = "io.modelcontextprotocol/clientCapabilities"
_KEY = secrets.token_bytes(32)

# One red pixel, and a tenth of a second of nothing.
_PNG = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAF"
    "BQIAX8jx0gAAAABJRU5ErkJggg=="
)
_WAV = base64.b64encode(
    b"RIFF\x24\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00@\x1f\x00\x00@\x1f\x00\x00"
    b"\x01\x00\x08\x00data\x00\x00\x00\x00"
).decode()

Params = Mapping[str, object]
Result = dict[str, object]


def text(words: str) -> dict[str, object]:
    return {"type": "text", "text": words}


_IMAGE: dict[str, object] = {"type": "image", "data": _PNG, "mimeType": "image/png"}
_SOUND: dict[str, object] = {"type": "audio", "data": _WAV, "mimeType": "audio/wav"}


def _resource(uri: str, words: str, kind: str = "text/plain") -> dict[str, object]:
    return {"type": "resource", "resource": {"uri": uri, "mimeType": kind, "text": words}}


def _form(message: str, field: str, kind: str = "string") -> Result:
    schema = {"type": "object", "properties": {field: {"type": kind}}, "required": [field]}
    params = {"mode": "form", "message": message, "requestedSchema": schema}
    return {"method": "elicitation/create", "params": params}


def _sample(words: str, tokens: int) -> Result:
    messages = [{"role": "user", "content": text(words)}]
    params = {"messages": messages, "maxTokens": tokens}
    return {"method": "sampling/createMessage", "params": params}


_ROOTS: Result = {"method": "roots/list", "params": {}}


@dataclass(frozen=True, slots=True)
class Interview:
    """A call that asks the client before it answers, one round after the other."""

    rounds: tuple[dict[str, Result], ...]
    keeps_state: bool = False

    def __call__(self, params: Params) -> Result:
        state, at = params.get("requestState"), 0
        if state is not None:
            at = _opened(state)
        given = params.get("inputResponses")
        responses: dict[str, object] = given if isinstance(given, dict) else {}
        asked = self._askable(params, at)
        missing = {
            name: question
            for name, question in asked.items()
            if not _is_answer(question, responses.get(name))
        }
        if missing or not responses:
            return self._asking(missing, at)
        if at + 1 < len(self.rounds):
            return self._asking(self._askable(params, at + 1), at + 1)
        return {"content": [text(f"state-ok, Hello, {_said(responses)}!")]}

    def _askable(self, params: Params, at: int) -> dict[str, Result]:
        """Only what the client can be asked."""
        able = _capabilities(params)
        return {
            name: question
            for name, question in self.rounds[at].items()
            if str(question["method"]).split("/", 1)[0] in able
        }

    def _asking(self, questions: dict[str, Result], at: int) -> Result:
        state = {"requestState": _sealed(at)} if self.keeps_state else {}
        return {"resultType": "input_required", "inputRequests": questions, **state}


def _capabilities(params: Params) -> dict[str, object]:
    meta = params.get("_meta")
    found = meta.get(_CAPABILITIES_KEY) if isinstance(meta, dict) else None
    return found if isinstance(found, dict) else {}


def _is_answer(question: Result, answer: object) -> bool:
    if not isinstance(answer, dict):
        return False
    if question["method"] == "elicitation/create":
        return answer.get("action") == "accept" and isinstance(answer.get("content"), dict)
    return isinstance(answer.get("roots" if question is _ROOTS else "content"), list | dict)


def _said(responses: dict[str, object]) -> str:
    return ", ".join(json.dumps(responses[name]) for name in sorted(responses))


def _sealed(at: int) -> str:
    return f"{at}.{hmac.new(_KEY, str(at).encode(), 'sha256').hexdigest()}"


def _opened(state: object) -> int:
    at = str(state).partition(".")[0]
    if not at.isdigit() or not hmac.compare_digest(_sealed(int(at)), str(state)):
        raise RpcError(INVALID_PARAMS, "requestState is not what this server gave out")
    return int(at)


def _needs_sampling(params: Params) -> Result:
    if "sampling" not in _capabilities(params):
        data = {"requiredCapabilities": {"sampling": {}}}
        raise RpcError(_MISSING_CAPABILITY, "this needs the capability sampling", data)
    return {"content": [text("sampling is there")]}


def _saying(*content: dict[str, object]) -> Callable[[Params], Result]:
    return lambda _: {"content": list(content)}


_NAME = _form("What is your name?", "name")
_CONFIRM = _form("Please confirm", "ok", "boolean")

TOOLS: dict[str, Callable[[Params], Result]] = {
    "test_image_content": _saying(_IMAGE),
    "test_audio_content": _saying(_SOUND),
    "test_embedded_resource": _saying(
        _resource("test://embedded-resource", "This is an embedded resource content.")
    ),
    "test_multiple_content_types": _saying(
        text("Multiple content types test:"),
        _IMAGE,
        _resource(
            "test://mixed-content-resource", '{"test":"data","value":123}', "application/json"
        ),
    ),
    "json_schema_2020_12_tool": _saying(text("ok")),
    "test_header_parameter": _saying(text("ok")),
    "test_logging_tool": _saying(text("nothing was logged")),
    "test_trigger_tool_change": _saying(text("our tools never change")),
    "test_missing_capability": _needs_sampling,
    "test_streaming_elicitation": Interview(({"user_name": _NAME},)),
    "test_input_required_result_elicitation": Interview(({"user_name": _NAME},)),
    "test_input_required_result_sampling": Interview(
        ({"capital_question": _sample("What is the capital of France?", 100)},)
    ),
    "test_input_required_result_list_roots": Interview(({"client_roots": _ROOTS},)),
    "test_input_required_result_request_state": Interview(
        ({"confirm": _CONFIRM},), keeps_state=True
    ),
    "test_input_required_result_multiple_inputs": Interview(
        (
            {
                "user_name": _NAME,
                "greeting": _sample("Generate a greeting", 50),
                "client_roots": _ROOTS,
            },
        ),
        keeps_state=True,
    ),
    "test_input_required_result_multi_round": Interview(
        (
            {"step1": _form("Step 1: What is your name?", "name")},
            {"step2": _form("Step 2: What is your favorite color?", "color")},
        ),
        keeps_state=True,
    ),
    "test_input_required_result_tampered_state": Interview(
        ({"confirm": _CONFIRM},), keeps_state=True
    ),
    "test_input_required_result_capabilities": Interview(
        ({"user_name": _NAME, "greeting": _sample("Generate a greeting", 50)},)
    ),
}

_SCHEMAS: dict[str, dict[str, object]] = {
    "json_schema_2020_12_tool": {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "$defs": {
            "address": {
                "$anchor": "addressDef",
                "type": "object",
                "properties": {"street": {"type": "string"}, "city": {"type": "string"}},
            }
        },
        "properties": {
            "name": {"type": "string"},
            "address": {"$ref": "#/$defs/address"},
            "contactMethod": {"type": "string", "enum": ["phone", "email"]},
            "phone": {"type": "string"},
            "email": {"type": "string"},
        },
        "allOf": [{"anyOf": [{"required": ["phone"]}, {"required": ["email"]}]}],
        "if": {"properties": {"contactMethod": {"const": "phone"}}, "required": ["contactMethod"]},
        "then": {"required": ["phone"]},
        "else": {"required": ["email"]},
        "additionalProperties": False,
    },
    "test_header_parameter": {
        "type": "object",
        "properties": {"region": {"type": "string", "x-mcp-header": "Region"}},
    },
}


def definition(name: str) -> dict[str, object]:
    """A tool as the listing has it."""
    schema = _SCHEMAS.get(name, {"type": "object", "properties": {}})
    return {"name": name, "description": "A tool of the suite's own.", "inputSchema": schema}


def _embedded(params: Params) -> Result:
    arguments = params.get("arguments")
    uri = str(arguments["resourceUri"]) if isinstance(arguments, dict) else ""
    return _messages(
        _resource(uri, "Embedded resource content for testing."),
        text("Please process the embedded resource above."),
    )


def _messages(*contents: dict[str, object]) -> Result:
    return {"messages": [{"role": "user", "content": content} for content in contents]}


def _asking_prompt(params: Params) -> Result:
    result = Interview(({"user_context": _form("What context should it use?", "context")},))(params)
    return result if "inputRequests" in result else _messages(text(str(result["content"])))


PROMPTS: dict[str, Callable[[Params], Result]] = {
    "test_prompt_with_embedded_resource": _embedded,
    "test_prompt_with_image": lambda _: _messages(_IMAGE, text("Please analyze the image above.")),
    "test_input_required_result_prompt": _asking_prompt,
}

RESOURCES: dict[str, dict[str, object]] = {
    "test://static-binary": {"uri": "test://static-binary", "mimeType": "image/png", "blob": _PNG}
}
