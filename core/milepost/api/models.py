"""The model that the user means, as a provider."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from milepost.base.errors import UserError
from milepost.providers.anthropic import Messages
from milepost.providers.catalogue import declared
from milepost.providers.constrained import Constrained
from milepost.providers.http import HttpProvider
from milepost.providers.openai import ChatCompletions
from milepost.providers.scripted import ScriptedProvider, read_script

if TYPE_CHECKING:
    from milepost.config import models
    from milepost.providers.provider import Provider


def provider_of(choice: models.ModelChoice) -> Provider:
    """What speaks to the chosen model. Raises UserError when a script cannot be read."""
    is_scripted = choice.kind == "scripted"
    name = "scripted" if is_scripted else choice.name
    model = declared(name, choice.window_tokens, choice.output_tokens)
    if is_scripted:
        path = Path(choice.name)
        try:
            return ScriptedProvider(read_script(path.read_text("utf-8")), model)
        except (OSError, UnicodeDecodeError) as error:
            raise UserError(f"cannot read the script {path} ({error}); name another") from error
    dialect = ChatCompletions() if choice.kind == "openai" else Messages()
    provider = HttpProvider(model, dialect, choice.base_url, key=choice.key)
    return provider if choice.native_tools else Constrained(provider)
