"""The prompts: texts that a person picks in their client, and that cost no model anything until
then."""

from __future__ import annotations

from typing import TYPE_CHECKING

from milepost_mcp.guard import object_of, printable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from milepost.api import Workspace

_RESUME = "resume"
_WORDS = "What is remembered of this project, rules first, for the task at hand."

_ARGUMENTS = {
    "about": "what the task is, in plain words",
    "path": "the file or folder it is about",
    "budget_tokens": "how long it may be (2000)",
}


class PromptError(Exception):
    """There is no such prompt, or it takes no such argument; the message says what there is."""


def definitions() -> list[dict[str, object]]:
    """The prompts as `prompts/list` shows them."""
    arguments = [
        {"name": name, "description": words, "required": False}
        for name, words in _ARGUMENTS.items()
    ]
    return [
        {
            "name": _RESUME,
            "title": "Resume work",
            "description": _WORDS,
            "arguments": arguments,
        }
    ]


def checked(params: Mapping[str, object]) -> dict[str, str]:
    """The arguments of a `prompts/get` for a prompt that there is. Raises PromptError."""
    name = params.get("name")
    if name != _RESUME:
        raise PromptError(f"there is no prompt {printable(str(name))!r}: {_RESUME}")
    given = object_of(params.get("arguments", {}))
    if given is None:
        raise PromptError("the arguments of a prompt must be an object")
    for key, value in given.items():
        if key not in _ARGUMENTS:
            known = ", ".join(_ARGUMENTS)
            raise PromptError(f"{_RESUME} has no argument {printable(key)!r}; it takes {known}")
        if not isinstance(value, str) or "\0" in value or not _is_whole(value):
            raise PromptError(f"{key} must be a string of whole characters")
    texts = {key: str(value) for key, value in given.items() if str(value).strip()}
    if not texts.get("budget_tokens", "0").isdecimal() or len(texts.get("budget_tokens", "")) > 9:
        raise PromptError("budget_tokens must be a whole number, written as a string")
    return texts


def got(workspace: Workspace, arguments: Mapping[str, str]) -> dict[str, object]:
    """What `prompts/get` answers. Raises MilepostError."""
    budget = (
        {"budget_tokens": int(arguments["budget_tokens"])} if "budget_tokens" in arguments else {}
    )
    brief = workspace.memory.brief(arguments.get("about"), arguments.get("path"), **budget)
    content = {"type": "text", "text": brief.text}
    return {"description": _WORDS, "messages": [{"role": "user", "content": content}]}


def _is_whole(text: str) -> bool:
    return not any("\ud800" <= char <= "\udfff" for char in text)
