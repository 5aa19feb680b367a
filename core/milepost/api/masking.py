"""The project's redactor, made when the first text comes by.

Making it reads the environment, `.env` files and the project's key, and compiles the rules: some
milliseconds that a server which only lists its tools must not spend.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from milepost.base.waiting import will_wait
from milepost.config import secrets
from milepost.redaction import second_opinion

if TYPE_CHECKING:
    from pathlib import Path

    from milepost.config.tables import RedactionSettings
    from milepost.redaction.redactor import Redacted, Redactor
    from milepost.redaction.second_opinion import SecondOpinion


class Masking:
    """Masks the secrets in everything that is stored or handed out."""

    def __init__(
        self, root: Path, data_dir: Path, chosen: RedactionSettings, *, is_brief: bool
    ) -> None:
        """A process that `is_brief` asks the second scanner only by `ask_both`."""
        self._root = root
        self._chosen = chosen
        self._data_dir = data_dir
        self._second = _second_opinion()
        self._asks_second = not is_brief
        self._redactor: Redactor | None = None
        self._guard = threading.Lock()

    def redact(self, text: str) -> Redacted:
        """`text` without its secrets, and which kinds were masked."""
        if self._redactor is None:
            will_wait()
        with self._guard:
            if self._redactor is None:
                self._redactor = self._made()
        return self._redactor.redact(text)

    def text(self, text: str) -> str:
        """`text` without its secrets."""
        return self.redact(text).text

    def ask_both(self) -> bool:
        """Have the second scanner ready before the next text; False when there is none."""
        if self._second is None:
            return False
        self._second.load()
        with self._guard:
            self._asks_second, self._redactor = True, None
        return True

    def _made(self) -> Redactor:
        from milepost.redaction import redactor, values  # noqa: PLC0415  (see above)

        known = set(values.values_of_environment(secrets.environment()))
        for content in secrets.dotenv_texts(self._root):
            known.update(values.values_of_dotenv(content))
        second = self._second if self._asks_second else None
        return redactor.Redactor(
            secrets.masking_key(self._data_dir),
            sorted(known),
            second,
            names=self._chosen.extra_names,
            allowed=self._chosen.allow,
        )


def _second_opinion() -> SecondOpinion | None:
    if not (secrets.wants_second_opinion() and second_opinion.is_installed()):
        return None
    return second_opinion.SecondOpinion(secrets.rule_cache())
