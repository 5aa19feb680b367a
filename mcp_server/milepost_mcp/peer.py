"""Questions to whoever is behind a client: its user (elicitation) and its model (sampling).

In the handshake era the server sends a request of its own and waits for the answer. In the modern
era it sends none: a call is answered with what it needs, and comes again with that in hand. So what
asks must stand before anything that is not to be done twice.

What a client answers is believed to be its user's word, as the protocol wants it. Where a client
offers neither, or nobody answers in time, the answer is no.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Literal, Protocol

from milepost_mcp.guard import object_of
from milepost_mcp.limits import ASK_USER_S, MAX_ASKED_CHARS, SAMPLE_S

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from threading import Event

Consent = Literal["once", "always", "no", "not asked"]

ELICIT = "elicitation/create"
SAMPLE = "sampling/createMessage"

_CAPABILITIES = {ELICIT: "elicitation", SAMPLE: "sampling"}

# A verdict, a sentence and some quotes.
_SAMPLE_TOKENS = 2_000

# What an agent wrote of its goal, as far as it helps to know what the command is for.
_CONDITION_CHARS = 200

_ANSWER: dict[str, object] = {
    "type": "object",
    "properties": {
        "answer": {
            "type": "string",
            "title": "May Milepost run this?",
            "enum": ["once", "always", "no"],
            "enumNames": ["Allow once", "Allow always in this project", "No"],
        }
    },
    "required": ["answer"],
}


class Peer(Protocol):
    """A client that may be asked."""

    def offers(self, method: str) -> bool:
        """Whether it takes such requests now."""
        ...

    def ask(
        self, method: str, params: Mapping[str, object], timeout_s: float, stop: Event
    ) -> dict[str, object] | None:
        """Its result; None when it fails, takes too long, or `stop` was set. May raise
        InputNeeded."""
        ...


class InputNeeded(Exception):  # noqa: N818  (nothing is wrong)
    """The call can go on when it comes again with an answer under `key`."""

    def __init__(self, key: str, method: str, params: Mapping[str, object]) -> None:
        super().__init__(method)
        self.key = key
        self.method = method
        self.params = params

    def result(self) -> dict[str, object]:
        """What the client is answered."""
        request = {"method": self.method, "params": dict(self.params)}
        return {"resultType": "input_required", "inputRequests": {self.key: request}}


class Returning:
    """A client of the modern era, with what its call brought along."""

    def __init__(self, capabilities: object, responses: object) -> None:
        self._capabilities = object_of(capabilities) or {}
        self._responses = object_of(responses) or {}

    def offers(self, method: str) -> bool:
        """Whether it takes such requests. Sampling is no more to be built upon there."""
        return method == ELICIT and is_offered(method, self._capabilities)

    def ask(
        self, method: str, params: Mapping[str, object], timeout_s: float, stop: Event
    ) -> dict[str, object] | None:
        """Its result, once it brings one. The key is that of the very question, so an answer to
        another question is none."""
        del timeout_s, stop  # the client waits, and not we
        text = json.dumps([method, params], sort_keys=True)
        key = hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()[:32]
        if key not in self._responses:
            raise InputNeeded(key, method, params)
        return object_of(self._responses[key])


def is_offered(method: str, capabilities: Mapping[str, object]) -> bool:
    """Whether a client with these capabilities takes such requests; of elicitation, whether it can
    show a form."""
    offered = object_of(capabilities.get(_CAPABILITIES[method]))
    if offered is None:
        return False
    return method != ELICIT or "form" in offered or "url" not in offered


def consent(
    peer: Peer | None,
    commands: Sequence[str],
    *,
    condition: str,
    project: str,
    refused: set[str],
    stop: Event,
) -> Consent:
    """What the user says to these commands. Of `refused` ones they are not asked again."""
    shown = "\n".join(f"    {_plain(command)}" for command in commands)
    is_askable = peer is not None and peer.offers(ELICIT) and len(shown) <= MAX_ASKED_CHARS
    if peer is None or not is_askable or refused.intersection(commands):
        return "not asked"
    what = "this command" if len(commands) == 1 else f"these {len(commands)} commands"
    message = (
        f"An agent asks Milepost to run {what} as you, in {_plain(project)}:\n\n{shown}\n\n"
        f'It is to check a goal that the agent calls: "{_plain(condition)[:_CONDITION_CHARS]}"'
    )
    params = {"message": message, "requestedSchema": _ANSWER}
    result = peer.ask(ELICIT, params, ASK_USER_S, stop) or {}
    content = object_of(result.get("content")) or {}
    answer = content.get("answer") if result.get("action") == "accept" else "no"
    if answer == "once":
        return "once"
    if answer == "always":
        return "always"
    refused.update(commands)
    return "no"


def sampler(peer: Peer | None, stop: Event) -> Callable[[str], str] | None:
    """What has the client's model answer a text; None where the client offers none."""
    if peer is None or not peer.offers(SAMPLE):
        return None

    def answer(question: str) -> str:
        content = {"type": "text", "text": question}
        params: dict[str, object] = {
            "messages": [{"role": "user", "content": content}],
            "maxTokens": _SAMPLE_TOKENS,
            "includeContext": "none",
        }
        result = peer.ask(SAMPLE, params, SAMPLE_S, stop) or {}
        said = object_of(result.get("content")) or {}
        return str(said.get("text", ""))

    return answer


def _plain(text: str) -> str:
    """The text on one line, with nothing in it that shows as something else than it is."""
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode("ascii")
        for char in text
    )
