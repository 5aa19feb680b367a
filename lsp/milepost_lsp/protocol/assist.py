"""The help of a model with a piece of code: commands, their arguments and their answers."""

from __future__ import annotations

from dataclasses import dataclass

from milepost import api
from milepost_lsp.protocol.places import Range
from milepost_lsp.protocol.proposals import Proposal

ASK = "milepost.assist.ask"
EXPLAIN = "milepost.assist.explain"
FIX = "milepost.assist.fix"
DOCUMENT = "milepost.assist.document"
TEST = "milepost.assist.test"


@dataclass(frozen=True, slots=True)
class AskArguments:
    """Without `question` the code is explained. Without a model, memory answers alone."""

    uri: str
    range: Range
    question: str | None = None


@dataclass(frozen=True, slots=True)
class DiagnosticArguments:
    """A diagnostic as the editor has it; `severity` is LSP's number."""

    uri: str
    range: Range
    message: str
    severity: int | None = None
    source: str | None = None
    code: str | int | None = None


@dataclass(frozen=True, slots=True)
class CodeArguments:
    """The selection, or an empty range in what is meant."""

    uri: str
    range: Range


@dataclass(frozen=True, slots=True)
class Edited:
    """A model's edit: a `proposal` to decide on for clients that announced proposals; for the
    others, and for a file that is new, it is in the document (`isApplied`), where the editor can
    undo it."""

    uri: str
    proposal: Proposal | None
    is_applied: bool
    words: str
    effort: api.Effort
