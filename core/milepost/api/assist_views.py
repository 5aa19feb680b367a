"""What the guests see of the help that a model gives with a piece of code."""

from __future__ import annotations

from dataclasses import dataclass

from milepost.api.views import Entry  # noqa: TC001  (servers resolve the annotations of views)


@dataclass(frozen=True, slots=True)
class Code:
    """A piece of code that a question is about: a document's text (unsaved, if need be), and the
    lines that are meant, zero-based, `end_line` excluded. `path` is relative to the project's
    root, None outside it; `symbol` is the name that is meant, when there is one."""

    text: str
    line: int
    end_line: int
    path: str | None = None
    symbol: str | None = None


@dataclass(frozen=True, slots=True)
class Effort:
    """What a question to a model took; `cost_usd` is None when the price is not known."""

    model: str
    input_tokens: int
    output_tokens: int
    cost_usd: float | None


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer in the model's words, and the entries that it was given. Without a model there are
    no words, and `effort` is None: the entries are the answer."""

    words: str
    entries: tuple[Entry, ...]
    effort: Effort | None


@dataclass(frozen=True, slots=True)
class Rewrite:
    """A document as a model would have it. `words` are what the model said about it."""

    text: str
    words: str
    effort: Effort
