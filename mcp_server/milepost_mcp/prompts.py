"""The prompts: texts that a person picks in their client, and that cost no model anything until
then."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from milepost.api import fits_utf8
from milepost_mcp.convert import checkpoint_text, goal_text
from milepost_mcp.guard import object_of, printable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from milepost.api import Workspace

# How much of the latest work a hand-over recalls: enough to see what it was about.
_RECENT_EVENTS = 10
_RECENT_POINTS = 3

_HAND_OVER = """\
Hand over your work on this project to whoever goes on with it, who will know only what Milepost \
keeps{about}:
1. Save what they must know and cannot see from the code (decisions and why, what was tried and \
failed, what is open) with memory_save, one statement per call; supersede what no longer holds.
2. Verify the goal with goal_verify, and say plainly what is not met.
3. Save a restore point with checkpoint_save; let its label say what state this is.
4. End with a summary of ten lines at most: done, not done, what to do next.

What Milepost knows now:"""


class PromptError(Exception):
    """There is no such prompt, or it takes no such argument; the message says what there is."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt: `text` makes it of a project and the arguments that were given."""

    name: str
    title: str
    words: str
    arguments: Mapping[str, str]
    text: Callable[[Workspace, Mapping[str, str]], str]

    def definition(self) -> dict[str, object]:
        """The prompt as `prompts/list` shows it."""
        return {
            "name": self.name,
            "title": self.title,
            "description": self.words,
            "arguments": [
                {"name": name, "description": words, "required": False}
                for name, words in self.arguments.items()
            ],
        }

    def get(self, workspace: Workspace, arguments: Mapping[str, str]) -> dict[str, object]:
        """What `prompts/get` answers. Raises MilepostError."""
        content = {"type": "text", "text": self.text(workspace, arguments)}
        return {"description": self.words, "messages": [{"role": "user", "content": content}]}


def names() -> tuple[str, ...]:
    """The names of the prompts."""
    return tuple(_PROMPTS)


def definitions() -> list[dict[str, object]]:
    """The prompts as `prompts/list` shows them."""
    return [prompt.definition() for prompt in _PROMPTS.values()]


def checked(params: Mapping[str, object]) -> tuple[Prompt, dict[str, str]]:
    """The prompt that a `prompts/get` means, and its arguments. Raises PromptError."""
    name = params.get("name")
    prompt = _PROMPTS.get(name) if isinstance(name, str) else None
    if prompt is None:
        known = ", ".join(_PROMPTS)
        raise PromptError(f"there is no prompt {printable(str(name))!r}: {known}")
    given = object_of(params.get("arguments", {}))
    if given is None:
        raise PromptError("the arguments of a prompt must be an object")
    for key, value in given.items():
        if key not in prompt.arguments:
            known = ", ".join(prompt.arguments)
            raise PromptError(f"{name} has no argument {printable(key)!r}; it takes {known}")
        if not isinstance(value, str) or "\0" in value or not fits_utf8(value):
            raise PromptError(f"{key} must be a string of whole characters")
    texts = {key: str(value) for key, value in given.items() if str(value).strip()}
    if not texts.get("budget_tokens", "0").isdecimal() or len(texts.get("budget_tokens", "")) > 9:
        raise PromptError("budget_tokens must be a whole number, written as a string")
    return prompt, texts


def _resume(workspace: Workspace, arguments: Mapping[str, str]) -> str:
    budget = (
        {"budget_tokens": int(arguments["budget_tokens"])} if "budget_tokens" in arguments else {}
    )
    return workspace.memory.brief(arguments.get("about"), arguments.get("path"), **budget).text


def _hand_over(workspace: Workspace, arguments: Mapping[str, str]) -> str:
    about = f" (it is about {arguments['about'].strip()})" if "about" in arguments else ""
    lines = [_HAND_OVER.format(about=about)]
    goals = [goal_text(goal) for goal in workspace.goals.page() if goal.state == "active"]
    lines += goals or ["no goal is set"]
    points = workspace.checkpoints.page(limit=_RECENT_POINTS)
    lines += [f"restore point {checkpoint_text(point)}" for point in points]
    lines += [
        f"{event.at} {event.action} by {event.actor}{' (failed)' if event.failed else ''}"
        for event in workspace.history.search("", limit=_RECENT_EVENTS).events
    ]
    return "\n".join(lines)


_PROMPTS = {
    prompt.name: prompt
    for prompt in (
        Prompt(
            "resume",
            "Resume work",
            "What is remembered of this project, rules first, for the task at hand.",
            {
                "about": "what the task is, in plain words",
                "path": "the file or folder it is about",
                "budget_tokens": "how long it may be (2000)",
            },
            _resume,
        ),
        Prompt(
            "hand_over",
            "Hand over work",
            "Save what the next session must know, and where the work stands.",
            {"about": "what is handed over, in plain words"},
            _hand_over,
        ),
    )
}
