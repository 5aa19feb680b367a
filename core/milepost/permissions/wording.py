"""What a person is told who is asked for a permission: why it is asked, and what an answer means.

The worker is told of rules by their text; whoever is asked in a chat may never have seen one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

NO_RULE = "Nothing says yet whether this may be done without asking you."

_SETTINGS = ".milepost/"

# What a tool does, where it is one that people ask about.
_DEEDS = {"read": "reads", "grep": "searches", "write": "writes", "edit": "changes"}


def of_own_rule(text: str) -> str:
    """Why a rule of the user's leads to a question."""
    return f"Your rule `{text}` wants you to be asked."


def of_default(tool: str, subject: str) -> str:
    """Why the rules that come with Milepost ask."""
    if tool == "shell":
        return "A command can change a lot, so each is asked for until you allow it."
    if tool in _DEEDS and (subject.startswith(_SETTINGS) or f"/{_SETTINGS}" in subject):
        return f"It {_DEEDS[tool]} the settings of Milepost itself."
    if tool in {"read", "grep"}:
        return (
            "Files of this name often hold passwords or keys, and the model gets to see what is in "
            "it."
        )
    if tool in _DEEDS:
        return f"It {_DEEDS[tool]} a file of a name under which passwords or keys are kept."
    return "This is not done without asking you."


def of_dangers(clauses: Sequence[str]) -> str:
    """What a command may destroy, as danger.py found it."""
    return f"Take care: {', and '.join(clauses)}. Going back may not undo all of it."


def of_caution(clause: str) -> str:
    """Why a command could do more here than elsewhere."""
    return f"Take care: {clause}, so it could do whatever you can do on this machine."


def of_always(tool: str) -> str:
    """What it means to allow a call for good."""
    if tool == "shell":
        return "This very command, word for word, is not asked for again in this chat."
    return "Exactly this is not asked for again in this chat."


ONCE = "It is done now; the next time you are asked again."
NO = "It is not done. The worker is told, and may look for another way."
