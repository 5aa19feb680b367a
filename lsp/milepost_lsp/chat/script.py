"""A conversation as Markdown: what a plain editor shows of it, and the question that stands in it.

The headings tell who speaks. A line of an answer that reads like one of them is set apart, so that
the question is found where the user wrote it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from milepost import api
from milepost_lsp import markdown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

YOU = "## You"
MILEPOST = "## Milepost"

HEAD = (
    "# A chat with Milepost\n\n"
    "Write below the last “You”, then choose the code lens or the code action “Send to Milepost”. "
    "The chat is kept by Milepost; this page may be closed without saving it.\n\n"
)

_HEADING = re.compile(r"^(## (?:You|Milepost)[ \t]*)$", re.MULTILINE)

_ENDINGS = {
    "cancelled": "It was stopped.",
    "not_met": "It ended before the goal was met.",
    "budget": "It ended at its limit.",
    "refusal": "The model would not answer.",
    "max_tokens": "The answer was cut off.",
}

_SHOWN_CHARS = 200


class Script:
    """Turns the events of a session into Markdown, one after the other."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._titles: dict[str, str] = {}
        self._is_in_line = False

    def whole(self, events: Iterable[api.ChatEvent]) -> str:
        """A session from its beginning, with room for the next question."""
        parts = [HEAD]
        for event in events:
            if isinstance(event.update, api.UserChunk):
                text = _apart(event.update.text.strip())
                parts.append(f"{self._break()}{YOU}\n\n{text}\n\n{MILEPOST}\n\n")
            else:
                parts.append(self.piece(event.update))
        return "".join(parts) + self.question()

    def question(self) -> str:
        """The room for the next question."""
        return f"{self._break()}{YOU}\n\n"

    def answer(self, after: str) -> str:
        """The heading of an answer, at the end of a page that reads so."""
        return f"{_break_after(after)}{MILEPOST}\n\n"

    def piece(self, update: api.ChatUpdate) -> str:
        """What an update adds to the page; nothing for what a page has no room for."""
        if isinstance(update, api.AgentChunk):
            self._is_in_line = not update.text.endswith("\n")
            return update.text
        lines = list(self._lines(update))
        if not lines:
            return ""
        quoted = "\n".join(f"> {line}" for line in lines)
        return f"{self._break()}{quoted}\n\n"

    def _break(self) -> str:
        is_in_line, self._is_in_line = self._is_in_line, False
        return "\n\n" if is_in_line else ""

    def _lines(self, update: api.ChatUpdate) -> Iterator[str]:  # noqa: C901, PLR0912  (a line for each kind)
        match update:
            case api.CallShown():
                self._titles[update.call_id] = update.title
            case api.CallUpdate(status="completed" | "failed"):
                yield self._call(update)
            case api.MemoryRecall(entries):
                for entry in entries:
                    text = markdown.inline(markdown.short(entry.text, _SHOWN_CHARS))
                    yield f"Remembered: {text} ({entry.path}:{entry.line + 1})"
            case api.Plan(entries):
                for entry in entries:
                    box = "x" if entry.status == "completed" else " "
                    yield f"- [{box}] {entry.id} {markdown.inline(entry.content)}"
            case api.PointMade(checkpoint_id):
                yield f"Restore point #{checkpoint_id}"
            case api.GoalJudged(_, verdict, reason):
                yield f"Goal: {verdict}, {markdown.inline(reason)}"
            case api.ChatNotice(_, text):
                yield f"Note: {markdown.inline(text)}"
            case api.MessageReset(reason):
                yield f"The answer broke off and comes again: {markdown.inline(reason)}"
            case api.TurnEnded("error", message):
                yield f"It failed: {markdown.inline(message)}"
            case api.TurnEnded(stop_reason):
                if stop_reason in _ENDINGS:
                    yield _ENDINGS[stop_reason]
            case _:
                pass

    def _call(self, update: api.CallUpdate) -> str:
        title = markdown.inline(self._titles.get(update.call_id, "A tool"))
        if update.status == "failed":
            first = update.text.strip().split("\n", 1)[0]
            return f"{title}: failed, {markdown.inline(markdown.short(first, _SHOWN_CHARS))}"
        point = "" if update.after_id is None else f" (restore point #{update.after_id})"
        return f"{title}{point}"


def question_in(text: str) -> str | None:
    """What stands below the last “You”; None when Milepost has the word."""
    found = list(_HEADING.finditer(text.replace("\r\n", "\n")))
    if not found or found[-1][0].strip() != YOU:
        return None
    return text.replace("\r\n", "\n")[found[-1].end() :].strip()


def line_of_question(text: str) -> int | None:
    """The line of the last “You”, zero-based; None when Milepost has the word."""
    if question_in(text) is None:
        return None
    plain = text.replace("\r\n", "\n")
    return plain.count("\n", 0, list(_HEADING.finditer(plain))[-1].start())


def _break_after(text: str) -> str:
    """What makes a paragraph of what comes after a text."""
    if text.endswith(("\n\n", "\r\n\r\n")):
        return ""
    return "\n" if text.endswith("\n") else "\n\n"


def _apart(text: str) -> str:
    """A text in which no line passes for a heading of ours."""
    return _HEADING.sub(r"\\\1", text)
