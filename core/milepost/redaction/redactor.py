"""One redactor for a project: text goes in, the same text without its secrets comes out.

A secret becomes `[secret:github:3fa2c1]`: its kind and a hash under the project's own key. Equal
secrets get equal placeholders, so a reader can still tell that two places hold the same token, but
without the key nobody can try guesses against the hash.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from milepost.redaction.assignments import assignments
from milepost.redaction.carriers import authorizations, private_key_blocks, url_credentials
from milepost.redaction.marks import marked_tokens
from milepost.redaction.randomness import is_random
from milepost.redaction.span import merged
from milepost.redaction.values import KnownValues

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from milepost.redaction.second_opinion import SecondOpinion
    from milepost.redaction.span import Span

# Six hex digits: among a hundred secrets of a project two share a hash with a chance of one in
# three thousand, and then merely look equal.
_HASH_DIGITS = 6

# A placeholder may open the way for a rule that a neighbour barred, hardly ever for a third time.
_MAX_ROUNDS = 6

# Of a text's own secrets, those looked for in the rest of it. More than these are a dump of
# secrets, where each stands once.
_MAX_OWN_VALUES = 64
_LEAST_OWN_VALUE = 12

# A text that is saved comes by five times, from the answer to the index; then it is known to hold
# no secret. Only such texts are kept here, a megabyte of them at most.
_MAX_CLEAN = 256
_MAX_CLEAN_CHARS = 4_000

_PLACEHOLDER = re.compile(r"\[secret:[a-z][a-z0-9-]{0,23}:[0-9a-f]{6}\]")


@dataclass(frozen=True, slots=True)
class Found:
    """A masked secret, as the caller may tell it: never the secret itself."""

    kind: str
    placeholder: str


@dataclass(frozen=True, slots=True)
class Redacted:
    """The text without secrets (the very object that was given, when it had none) and what was
    masked in it: each distinct secret once, in the order of the text."""

    text: str
    found: tuple[Found, ...] = ()


class Redactor:
    """Masks by shape, by place, by name, and by the exact values it was told of.

    `key` is secret and belongs to the project; it must stay the same for placeholders to stay
    equal. `values` are secrets to be masked wherever they stand, also in base64 and in URLs; see
    `values_of_environment` and `values_of_dotenv`. `second` may find what the rules here do not
    know. `names` are further names of secrets; texts in `allowed` are none, whatever they look
    like. Safe to share between threads.
    """

    def __init__(
        self,
        key: bytes,
        values: Iterable[str] = (),
        second: SecondOpinion | None = None,
        *,
        names: Iterable[str] = (),
        allowed: Iterable[str] = (),
    ) -> None:
        self._names = tuple(name.lower() for name in names)
        self._allowed = frozenset(allowed)
        self._key = hashlib.blake2b(key, digest_size=32).digest()
        self._values = KnownValues(values)
        self._second = second
        self._clean: dict[str, None] = {}

    def redact(self, text: str) -> Redacted:
        """`text` with a placeholder for every secret in it. Redacting the result changes nothing.

        Any string will do, lone surrogates included; the work is proportional to its length.
        """
        if text in self._clean:
            return Redacted(text)
        found: dict[str, Found] = {}
        own: KnownValues | None = None
        is_last_word = self._second is None or self._second.is_ready
        for _ in range(_MAX_ROUNDS):
            spans = self._spans(text, own)
            if not spans:
                if is_last_word:
                    self._note_clean(text)
                break
            if own is None:
                own = KnownValues(_values_to_follow(text, spans), encoded=False)
            text = self._masked(text, spans, found)
        return Redacted(text, tuple(found.values()))

    def _note_clean(self, text: str) -> None:
        if len(text) > _MAX_CLEAN_CHARS:
            return
        if len(self._clean) >= _MAX_CLEAN:
            self._clean.clear()
        self._clean[text] = None

    def _spans(self, text: str, own: KnownValues | None) -> list[Span]:
        spans = list(_candidates(text, self._names))
        spans.extend(self._values.find(text))
        if own is not None:
            spans.extend(own.find(text))
        if self._second is not None:
            spans.extend(self._second.find(text))
        if self._allowed:
            spans = [span for span in spans if text[span.start : span.end] not in self._allowed]
        if not spans:
            return []
        return _outside_of_placeholders(text, merged(spans))

    def _masked(self, text: str, spans: list[Span], found: dict[str, Found]) -> str:
        pieces: list[str] = []
        at = 0
        for span in spans:
            secret = span.secret if span.secret is not None else text[span.start : span.end]
            placeholder = f"[secret:{span.kind}:{self._hash(secret)}]"
            found.setdefault(placeholder, Found(span.kind, placeholder))
            pieces += (text[at : span.start], placeholder)
            at = span.end
        pieces.append(text[at:])
        return "".join(pieces)

    def _hash(self, secret: str) -> str:
        content = secret.encode("utf-8", "surrogatepass")
        return hashlib.blake2b(content, key=self._key).hexdigest()[:_HASH_DIGITS]


def _candidates(text: str, names: tuple[str, ...]) -> Iterator[Span]:
    folded = _folded(text)
    yield from marked_tokens(text, folded)
    yield from private_key_blocks(text)
    yield from url_credentials(text)
    yield from authorizations(text, folded)
    yield from assignments(text, folded, names)


def _outside_of_placeholders(text: str, spans: list[Span]) -> list[Span]:
    if "[secret:" not in text:
        return spans
    taken = [match.span() for match in _PLACEHOLDER.finditer(text)]
    result: list[Span] = []
    at = 0
    for span in spans:
        while at < len(taken) and taken[at][1] <= span.start:
            at += 1
        if at == len(taken) or span.end <= taken[at][0]:
            result.append(span)
    return result


def _values_to_follow(text: str, spans: list[Span]) -> Iterator[str]:
    """Secrets of this text that may stand in it once more without the name that betrayed them."""
    values = {text[span.start : span.end] for span in spans if span.kind != "private-key"}
    long = sorted(value for value in values if is_random(value, _LEAST_OWN_VALUE))
    yield from long[:_MAX_OWN_VALUES]


def _folded(text: str) -> str:
    """`text` with A-Z in lower case and of the same length, which `str.lower` does not promise."""
    if text.isascii():
        return text.lower()
    return text.encode("utf-8", "surrogatepass").lower().decode("utf-8", "surrogatepass")
