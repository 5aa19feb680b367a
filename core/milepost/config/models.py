"""Which model the user means, and how it is reached.

A model is named `KIND:NAME`: `openai:NAME` for any server of chat completions (`OPENAI_BASE_URL`,
`OPENAI_API_KEY`), `anthropic:NAME` for one of Messages (`ANTHROPIC_BASE_URL`, `ANTHROPIC_API_KEY`),
`scripted:FILE` for one that plays a script. Without a name, `MILEPOST_MODEL` or the setting
`worker.model` says which.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from typing import Literal, get_args

from milepost.base.errors import UserError
from milepost.config.settings import users_worker

Kind = Literal["openai", "anthropic", "scripted"]

_BASE_URLS: dict[Kind, str] = {
    "openai": "https://api.openai.com/v1",
    "anthropic": "https://api.anthropic.com",
}


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """A model that is meant: `name` is the model's, or a script's path. The key shows nowhere. The
    rest is what the user declares of it, 0 where they do not."""

    kind: Kind
    name: str
    base_url: str = ""
    key: str = field(default="", repr=False)
    native_tools: bool = True
    window_tokens: int = 0
    output_tokens: int = 0


def is_named(named: str | None) -> bool:
    """Whether any model is meant."""
    return bool(named or users_worker().model)


def chosen_model(named: str | None) -> ModelChoice:
    """The model that is meant. Raises UserError when none is, or the name has another form."""
    words = named or users_worker().model
    if not words:
        raise UserError(
            "no model is configured; name one with --model, MILEPOST_MODEL or the setting"
            " worker.model, such as openai:NAME, anthropic:NAME or scripted:FILE"
        )
    kind, _, name = words.partition(":")
    for known in get_args(Kind):
        if kind == known and name:
            prefix = kind.upper()
            url = os.environ.get(f"{prefix}_BASE_URL") or _BASE_URLS.get(known, "")
            return ModelChoice(known, name, url, os.environ.get(f"{prefix}_API_KEY", ""))
    kinds = ", ".join(get_args(Kind))
    raise UserError(f"{words!r} names no model; write KIND:NAME with one of {kinds}")


def working_model(named: str | None) -> ModelChoice:
    """The model that works, chats or assists: the one that is meant, with what the user
    declares of it. Raises UserError as `chosen_model` does."""
    declared = users_worker()
    return replace(
        chosen_model(named),
        native_tools=declared.calls == "native",
        window_tokens=declared.window_tokens,
        output_tokens=declared.output_tokens,
    )
