"""How many tokens a text is to a model, and a text cut to so many: offline, and near enough.

The estimate walks over a text in the steps of OpenAI's o200k pre-tokenizer (a word with the sign or
blank before it, three digits, a run of signs, a run of blanks) and knows what each step costs on
average by its kind and length. Over dialogue, code, commits, shell, prose and Chinese, Japanese and
Korean it is within a tenth of the truth (tests/bench/tokens); other models' tokenizers differ from
o200k by about as much. Where `rs-bpe` is installed (the extra `tokens`), the count is o200k's own.
"""

from __future__ import annotations

import re
from functools import lru_cache
from importlib import import_module
from typing import TYPE_CHECKING, Protocol, cast

if TYPE_CHECKING:
    from collections.abc import Callable

# Han, kana (half-width too) and hangul: what is written without blanks, or nearly.
_HAN = "\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_KANA = "\u3040-\u30ff\uff66-\uff9f"
_HANGUL = "\u1100-\u11ff\uac00-\ud7af"

# The order matters: a sign or a blank before a word is part of the word's step, as `.path` is.
_STEP = re.compile(
    rf"(?P<han>[{_HAN}]+)|(?P<kana>[{_KANA}]+)|(?P<hangul> ?[{_HANGUL}]+)"
    r"|(?P<word>(?:[^\r\n\w]|_)?(?:[A-Z]*[a-z]+|[A-Z]+)(?:'(?:s|t|re|ve|m|ll|d)\b)?)"
    r"|(?P<digits>\d{1,3})"
    rf"|(?P<letters> ?(?:(?![{_HAN}{_KANA}{_HANGUL}])[^\W\d_])+)"
    r"|(?P<signs> ?[!-/:-@\[-`{-~]+[\r\n/]*)"
    r"|(?P<lines>\s*[\r\n]+)|(?P<blanks>\s+(?!\S)|\s+)"
    r"|(?P<other>.)",
    re.DOTALL,
)

# What a step costs, measured with o200k on each kind of text. A word of so many letters; a longer
# one costs a little for each letter more.
_WORD_COSTS = (0.0, 1.0, 1.0, 1.01, 1.02, 1.03, 1.05, 1.08, 1.16, 1.16, 1.17, 1.23, 1.45, 1.5)
_LETTER_COST = 0.15

# A sign before a word costs the more the rarer, which is the longer, the word is.
_SIGN_BEFORE_COST = 0.055

# Capitals are rarer, so they come in smaller pieces.
_CAPITALS_COST = 0.16

# Signs come in pairs and triples that are common in code; after that they cost each by itself.
_SIGN_COSTS = (0.0, 1.0, 1.02, 1.3, 1.7)
_SIGN_COST = 0.75

# Per character. o200k knows the words of simplified Chinese best; whether a text is Japanese or in
# traditional characters is told by its kana, and by some of the most common words.
_HAN_COST = 0.68
_HAN_COST_JAPANESE = 0.85
_HAN_COST_TRADITIONAL = 0.95
_JAPANESE = re.compile(f"[{_KANA}]")
_TRADITIONAL = re.compile(
    "[\u500b\u5011\u4f86\u6642\u6703\u70ba\u767c\u8aaa\u9019\u904e\u9084\u9593\u6a94\u7121]"
)

# Letters of other scripts are those of Cyrillic, Greek, Arabic and the like.
_KANA_COST = 0.63
_HANGUL_COST = 0.7
_LETTERS_COST = 0.36

# An emoji or a symbol outside of ASCII, which may be cut into bytes. Full stops and brackets of
# Chinese and Japanese are tokens of their own.
_OTHER_COST = 1.5
_COMMON_OTHER = frozenset(
    "\u3001\u3002\u300c\u300d\uff0c\uff1a\uff08\uff09\uff01\uff1f\u2014\u2019\u201c\u201d\u2026\u2013\u2018"
)

# How much of a text `clip` gives up to end where a sentence or a line does.
_SLACK = 0.3

_CUT = re.compile(r"(?<=[.!?\u3002\uff01\uff1f])\s|\n")
_MARK = " [...]"


class _Tokenizer(Protocol):
    def count(self, text: str, /) -> int: ...


def count(text: str) -> int:
    """The tokens of `text`: o200k's when the extra `tokens` is installed, else the estimate."""
    return _counter()(text)


def is_exact() -> bool:
    """Whether `count` counts rather than estimates."""
    return _counter() is not estimate


def estimate(text: str) -> int:
    """About how many tokens `text` is; 0 for an empty one."""
    han_cost = _HAN_COST if text.isascii() else _han_cost(text)
    total = 0.0
    for step in _STEP.finditer(text):
        kind = cast("str", step.lastgroup)
        words = step.group()
        total += len(words) * han_cost if kind == "han" else _COSTS[kind](words)
    return round(total) or (1 if text else 0)


def clip(text: str, budget_tokens: int) -> str:
    """`text` if it is of at most `budget_tokens`; else its beginning, cut where a line, a sentence
    or at least a word ends, with a mark that something is missing. Empty when not even the mark
    fits."""
    if count(text) <= budget_tokens:
        return text
    if count(_MARK) > budget_tokens:
        return ""
    least, most = 0, len(text)
    while least < most:
        middle = (least + most + 1) // 2
        if count(text[:middle] + _MARK) <= budget_tokens:
            least = middle
        else:
            most = middle - 1
    # More characters can be fewer tokens, so that the search may end a token too far.
    end = _sensible_end(text, least)
    while end and count(text[:end].rstrip() + _MARK) > budget_tokens:
        end -= 1
    return text[:end].rstrip() + _MARK


def clip_beginning(text: str, budget_tokens: int, mark: str) -> str:
    """`text` if it is of at most `budget_tokens`; else its last lines that fit, below a line that
    says `mark`. Empty when not one line fits."""
    if count(text) <= budget_tokens:
        return text
    kept: list[str] = []
    left = budget_tokens - count(mark) - 1
    for line in reversed(text.strip("\n").split("\n")):
        # The end of a line is a token of its own at most.
        left -= count(line) + 1
        if left < 0:
            break
        kept.append(line)
    return "\n".join([mark, *reversed(kept)]) if kept else ""


def _sensible_end(text: str, end: int) -> int:
    """The last end of a line or sentence not far before `end`, else of a word, else `end`."""
    cuts = [cut.start() for cut in _CUT.finditer(text, int(end * (1 - _SLACK)), end)]
    if cuts:
        return cuts[-1]
    blank = text.rfind(" ", int(end * (1 - _SLACK)), end)
    return blank if blank > 0 else end


@lru_cache(maxsize=1)
def _counter() -> Callable[[str], int]:
    """What counts; the vocabulary takes a tenth of a second and is loaded when it is first used."""
    try:
        bpe = import_module("rs_bpe.bpe")
    except ImportError:
        return estimate
    return cast("_Tokenizer", bpe.openai.o200k_base()).count


def _han_cost(text: str) -> float:
    if _JAPANESE.search(text):
        return _HAN_COST_JAPANESE
    return _HAN_COST_TRADITIONAL if _TRADITIONAL.search(text) else _HAN_COST


def _word(step: str) -> float:
    word = step.lstrip(_BEFORE)
    length = len(word)
    cost = _WORD_COSTS[min(length, len(_WORD_COSTS) - 1)]
    cost += max(0, length - len(_WORD_COSTS) + 1) * _LETTER_COST
    if length > 2 and word.isupper():
        cost += (length - 2) * _CAPITALS_COST
    if length < len(step) and not step[0].isspace():
        cost += length * _SIGN_BEFORE_COST
    return cost


def _signs(step: str) -> float:
    signs = step.strip()
    length = len(signs)
    if length > 2 and signs == signs[0] * length:
        # A ruler of one sign is one token or two, however long.
        return 1.0 + length // 16
    extra = max(0, length - len(_SIGN_COSTS) + 1) * _SIGN_COST
    return _SIGN_COSTS[min(length, len(_SIGN_COSTS) - 1)] + extra


_BEFORE = "".join(map(chr, range(1, 65))) + "[\\]^_`{|}~"

_COSTS: dict[str, Callable[[str], float]] = {
    "kana": lambda step: len(step) * _KANA_COST,
    "hangul": lambda step: len(step.strip()) * _HANGUL_COST,
    "word": _word,
    "digits": lambda _: 1.0,
    "letters": lambda step: max(1.0, len(step.strip()) * _LETTERS_COST),
    "signs": _signs,
    "lines": lambda _: 1.0,
    "blanks": lambda _: 1.0,
    "other": lambda step: 1.0 if step in _COMMON_OTHER else _OTHER_COST,
}
