"""Tokens found by their makers' marks: the rule table, applied fast.

A text is looked through for some 150 marks, and nearly always in vain. So they are first looked for
in its long words only, which are a tenth of source code and less of prose.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from milepost.redaction.randomness import bits_per_character, is_random
from milepost.redaction.rules import HINTED, RULES
from milepost.redaction.span import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from milepost.redaction.rules import Rule

# Below this entropy per character a token is a stand-in, `ghp_xxxxxxxxxxxxxxxxxxxx`.
_LEAST_BITS = 2.2

# No rule matches anything shorter, its mark included, and none matches other characters than these.
_LEAST_RUN = 15
_RUN = re.compile(rf"[!#-&*-;=?-Z^-z~]{{{_LEAST_RUN},}}+")

_FOLDED = tuple(rule for rule in RULES if rule.folded)

# The longest token among those whose rule looks back from the mark.
_LONGEST_AROUND = 128


def marked_tokens(text: str, folded: str) -> Iterator[Span]:
    """The tokens in `text` that a rule knows; `folded` is `text` in lower case."""
    runs = _long_runs(text)
    # Most texts that are saved are prose, and have none.
    for rule in RULES if runs else _FOLDED:
        for mark in rule.marks:
            if rule.folded:
                if mark in folded:
                    yield from _by_mark(rule, mark, text, folded)
            elif mark in runs:
                yield from _by_mark(rule, mark, text, text)
    for hint, rule in HINTED:
        if hint in folded:
            for match in rule.compiled.finditer(text):
                yield Span(*match.span(match.lastindex or 0), 0, rule.kind)


def _long_runs(text: str) -> str:
    words = "\n".join({word for word in text.split() if len(word) >= _LEAST_RUN})
    return "\n".join(_RUN.findall(words))


def _by_mark(rule: Rule, mark: str, text: str, searched: str) -> Iterator[Span]:
    pattern = rule.compiled
    at = 0
    while (at := searched.find(mark, at)) >= 0:
        if rule.back:
            match = pattern.search(text, max(0, at - rule.back), at + _LONGEST_AROUND)
        else:
            match = pattern.match(text, at)
        at += len(mark)
        if match is None:
            continue
        at = max(at, match.end())
        start, end = match.span(match.lastindex or 0)
        if _is_drawn(text[start:end], wordless=rule.wordless):
            yield Span(start, end, 0, rule.kind)


def _is_drawn(token: str, *, wordless: bool) -> bool:
    if wordless:
        return is_random(token, 16)
    return bits_per_character(token) >= _LEAST_BITS
