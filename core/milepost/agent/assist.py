"""One question to a model, with no tools that do anything: an answer, or an edit of one document.

The edit comes as calls of `replace` and `append`, which only say what is to become of the text.
What they say is checked against the text to the letter, and where it does not fit, nothing is
changed: a model that quotes what does not stand there has not seen what it is about to change.
"""

from __future__ import annotations

import asyncio
import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from milepost.base.errors import Stopped, UserError, WorldError
from milepost.base.unicode import fits_utf8
from milepost.providers.message import Message, Request, Text, Tool
from milepost.providers.provider import ask

if TYPE_CHECKING:
    import threading
    from collections.abc import Sequence

    from milepost.providers.message import Reply, ToolCall
    from milepost.providers.provider import Provider

# Someone sits in front of an editor and waits. A slow model that thinks about a hard fault takes a
# minute or two; what takes longer is a task for the worker.
TIMEOUT_S = 180.0

# A function written anew with its documentation, or a file of tests. More than that nobody reads
# through before they accept it.
MAX_OUTPUT_TOKENS = 8_000

# How soon a cancelled question is noticed.
_LOOK_S = 0.02

# What stands where a secret was masked begins with this.
_MASK = "[secret:"

_REPLACE = Tool(
    "replace",
    "Replace a part of the document. `old` must stand in what you were shown exactly, blanks and "
    "indentation included, and only once; give enough of the lines around it. Call it once for "
    "each place that is to change.",
    {
        "type": "object",
        "properties": {"old": {"type": "string"}, "new": {"type": "string"}},
        "required": ["old", "new"],
        "additionalProperties": False,
    },
)
_APPEND = Tool(
    "append",
    "Put text at the end of the document, or make it the whole of one that is empty.",
    {
        "type": "object",
        "properties": {"text": {"type": "string"}},
        "required": ["text"],
        "additionalProperties": False,
    },
)


@dataclass(frozen=True, slots=True)
class Excerpt:
    """The part of a document that the model may change: characters `start` to `end` of `text`."""

    text: str
    start: int
    end: int


def answer(provider: Provider, system: str, question: str, stop: threading.Event) -> Reply:
    """Ask for words. Blocks; raises Stopped when `stop` is set, and WorldError."""
    return _asked(provider, _request(provider, system, question), stop)


def edit(
    provider: Provider, system: str, question: str, excerpt: Excerpt, stop: threading.Event
) -> tuple[str, Reply]:
    """Ask for an edit: the document as it would be. Raises as `answer` does, and UserError when
    what came is no edit of this document."""
    request = _request(provider, system, question, (_REPLACE, _APPEND))
    reply = _asked(provider, request, stop)
    if reply.stop == "length":
        raise UserError("the model's edit is too long and was cut off; select less and ask again")
    if not reply.message.calls:
        words = " ".join(reply.message.text.split())[:300] or "it said nothing"
        raise UserError(f"the model proposed no edit: {words}")
    return patched(excerpt, reply.message.calls), reply


def patched(excerpt: Excerpt, calls: Sequence[ToolCall]) -> str:
    """The document after these calls, one after the other. Raises UserError at the first that does
    not fit, and when nothing would change."""
    head, shown = excerpt.text[: excerpt.start], excerpt.text[excerpt.start : excerpt.end]
    tail = excerpt.text[excerpt.end :]
    ends = "\r\n" if "\r\n" in excerpt.text else "\n"
    for call in calls:
        match call.name:
            case "replace":
                old, new = _words(call, "old"), _words(call, "new")
                shown = _replaced(shown, _with_ends(old, ends), _with_ends(new, ends))
            case "append":
                tail = _appended(shown + tail, _with_ends(_words(call, "text"), ends), ends)
                tail = tail[len(shown) :]
            case _:
                raise UserError(f"the model called {call.name[:40]!r}, which is no edit; ask again")
    made = head + shown + tail
    if made == excerpt.text:
        raise UserError("the model's edit changes nothing; ask again, or do it by hand")
    return made


def _replaced(text: str, old: str, new: str) -> str:
    if not old:
        if text.strip():
            raise UserError("the model's edit says not what it would replace; ask again")
        return new
    count = text.count(old)
    if count != 1:
        where = (
            f"stands there {count} times" if count else f"does not stand there{_near(text, old)}"
        )
        raise UserError(f"the model's edit does not fit: what it would replace {where}; ask again")
    return text.replace(old, new)


def _appended(text: str, added: str, ends: str) -> str:
    if not added.strip():
        raise UserError("the model's edit would append nothing; ask again")
    gap = "" if not text or text.endswith(("\n", "\r")) else ends
    close = "" if added.endswith(("\n", "\r")) else ends
    return text + gap + added + close


def _near(text: str, old: str) -> str:
    """What stands there that is most like the first line."""
    first = next((line.strip() for line in old.splitlines() if line.strip()), "")
    near = difflib.get_close_matches(first, [line.strip() for line in text.splitlines()][:2_000], 1)
    return f" (the nearest line is {near[0][:80]!r})" if near else ""


def _words(call: ToolCall, name: str) -> str:
    arguments = call.parsed()
    value = None if arguments is None else arguments.get(name)
    if not isinstance(value, str):
        raise UserError("the model's edit is not in the form that was asked for; ask again")
    if _MASK in value:
        raise UserError(
            "the model's edit touches a secret, which it was not shown; change that place by hand"
        )
    if "\0" in value or not fits_utf8(value):
        raise UserError("the model's edit has characters that no text file can hold; ask again")
    return value


def _with_ends(text: str, ends: str) -> str:
    """The text with the document's line ends; models write their own."""
    return text.replace("\r\n", "\n").replace("\n", ends)


def _request(
    provider: Provider, system: str, question: str, tools: tuple[Tool, ...] = ()
) -> Request:
    return Request(
        (Message("user", (Text(question),)),),
        system=system,
        tools=tools,
        max_output_tokens=min(MAX_OUTPUT_TOKENS, provider.model.output_tokens),
    )


def _asked(provider: Provider, request: Request, stop: threading.Event) -> Reply:
    return asyncio.run(_ask(provider, request, stop))


async def _ask(provider: Provider, request: Request, stop: threading.Event) -> Reply:
    asking = asyncio.create_task(ask(provider, request))
    stopping = asyncio.create_task(_until(stop))
    try:
        await asyncio.wait(
            {asking, stopping}, timeout=TIMEOUT_S, return_when=asyncio.FIRST_COMPLETED
        )
        if asking.done() and not stop.is_set():
            return asking.result()
    finally:
        # Cancelling the question hangs up on the model's server.
        asking.cancel()
        stopping.cancel()
        await asyncio.gather(asking, stopping, return_exceptions=True)
        await provider.close()
    if stop.is_set():
        raise Stopped("cancelled")
    name = provider.model.name
    raise WorldError(f"{name} gave no answer within {TIMEOUT_S:g} s; ask again, or another model")


async def _until(stop: threading.Event) -> None:
    # It is set from another thread, which knows nothing of this loop.
    while not stop.is_set():  # noqa: ASYNC110  (see above)
        await asyncio.sleep(_LOOK_S)
