"""Whether a value looks like something a machine drew, a word a person reads, or a stand-in.

Entropy alone does not tell a key from a long name: `list_registered_handlers` has as many distinct
characters as many a token. So the neighbours count too. In words of English and in the names that
programmers make of them, seven of eight pairs of letters are among two hundred common ones; in
random letters less than one in three, and digits break up the rest.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from itertools import pairwise

# The commonest pairs of neighbouring letters among the 11,000 distinct words in the sources of
# Python's standard library; together 87 % of all pairs there.
_COMMON_PAIRS = frozenset(
    re.findall(
        r"\w\w",
        "ab ac ad ag ai al am an ap ar as at au ay ba be bi bl bo bu ca ce ch ci ck cl co cr ct cu "
        "da de di do dr ds du ea ec ed ee ef eg el em en ep er es et ev ew ex fa fe ff fi fl fo fr "
        "fu ge gi gn gr gs ha he hi ho ia ib ic id ie if ig il im in io ip ir is it iv iz ke ki la "
        "ld le li ll lo ls lt lu ly ma mb me mi mo mp na nc nd ne nf ng ni nk no ns nt nu nv ob oc "
        "od ol om on oo op or os ot ou ov ow pa pe pi pl po pp pr ps pt pu qu ra rc rd re rg ri rm "
        "rn ro rr rs rt ru ry sa sc se sh si sl so sp ss st su ta tc te th ti tl to tr ts tt tu ty "
        "ub ue ui ul um un up ur us ut va ve vi wa we wi xp xt yp ze",
    )
)

# Half of the pairs: names of code score 0.7 and more, random letters and digits 0.2 to 0.3, and
# random letters alone 0.3, with a spread that reaches 0.5 in one of twenty.
_WORDY = 0.5

# Bits per character. Sixteen random hex digits have 2.9 or more nine times of ten; `xxxxxxxx`,
# `0000-0000` and `1234123412341234` stay below.
_RANDOM_BITS = 2.7

# What people write where a secret would stand. A long random value may hold one of these words by
# chance or, like the keys in AWS's manual, on purpose; it is masked all the same.
_STAND_IN_WORDS = re.compile(
    r"(?i)change[-_ ]?me|example|placeholder|redacted|dummy|sample|your[-_ ]|my[-_ ]|insert"
    r"|replace|<|>|\{\{|\$\{|\$\(|todo|fixme|\*{3}|\.{3}|x{4}|secret:"
)
# These stand in real keys too: `test_key_1234567890abcdef`.
_MILD_WORDS = re.compile(
    r"(?i)(?<![a-z])(?:test|fake|mock|foo|bar|none|null|undefined|true|false|default|optional"
    r"|required|enter|hidden|masked)(?![a-z])"
)
# What a person adds to words to make them a key.
_DRAWN_PART = re.compile(r"\d{8}|(?=[a-f]{0,9}\d)(?=\d{0,9}[a-f])[0-9a-f]{10}")
_STAND_IN = re.compile(
    r"(?i)\$.*|%.*%?|[<{\[(].*|(?:the|my|your|some|new|old|db|user)?[-_ ]?"
    r"(?:pass(?:word|wd|phrase)?|pwd?|secret|token|(?:api|secret|access)?[-_ ]?key|value|arg"
    r"|user(?:name)?|admin|root|guest|login|credentials?)[-_ ]?\d{0,4}"
)
_ALGORITHM = re.compile(
    r"(?i)(?:hmac|rsa|aes|sha|md|utf|base|pbkdf|argon|bcrypt|scrypt|oauth|http|ed|x|es|hs|rs|ps|v"
    r"|latin|cp|iso|pkcs|tls|ssl|ipv|arg|param|step|field|column|line|value|item|node|level|tier"
    r"|phase|stage|version|group)[-_]?\d{1,4}(?:[-_.][\w.-]{0,12}|[a-z]{0,4}\d{0,4})"
)
_LETTERS_AND_DIGITS = re.compile(r"(?=.*[A-Za-z])(?=.*\d)", re.ASCII | re.DOTALL)

# A stand-in is short; from here on chance words inside of random characters are likelier.
_LONG = 28


def bits_per_character(value: str) -> float:
    """Shannon's entropy of the characters of `value`."""
    size = len(value)
    return -sum(n / size * math.log2(n / size) for n in Counter(value).values())


def share_of_word_pairs(value: str) -> float:
    """The share of common pairs among the neighbouring letters and digits of `value`, 0 to 1.

    Signs and runs of digits say nothing either way and are not counted.
    """
    common = counted = 0
    folded = value.lower()
    for one, other in pairwise(folded):
        if not (one.isalnum() and other.isalnum()) or (one.isdigit() and other.isdigit()):
            continue
        counted += 1
        common += (one + other) in _COMMON_PAIRS
    return common / counted if counted else 1.0


def is_random(value: str, least_length: int) -> bool:
    """Whether a machine drew `value`: long enough, varied, and made of no words."""
    return (
        len(value) >= least_length
        and value.isascii()
        and bits_per_character(value) >= _RANDOM_BITS
        and share_of_word_pairs(value) < _WORDY
    )


def is_stand_in(value: str) -> bool:
    """Whether `value` only stands where a secret will be: `changeme`, `<token>`, `${TOKEN}`."""
    if _STAND_IN.fullmatch(value) or _ALGORITHM.fullmatch(value) or len(set(value)) <= 3:
        return True
    if _MILD_WORDS.search(value) and not has_drawn_part(value):
        return not (len(value) >= _LONG and is_random(value, _LONG))
    return _STAND_IN_WORDS.search(value) is not None and not (
        len(value) >= _LONG and is_random(value, _LONG)
    )


def has_drawn_part(value: str) -> bool:
    """Whether some of `value` is drawn: eight digits in a row, or ten of hex."""
    return _DRAWN_PART.search(value) is not None


def mixes_letters_and_digits(value: str) -> bool:
    """Whether both stand in `value`, as in most passwords and in few names."""
    return _LETTERS_AND_DIGITS.match(value) is not None
