"""Secrets that are known by their names: `DB_PASSWORD=...`, `"api_key": "..."`, `--token ...`.

A name promises a secret, the value must keep the promise: most of what is assigned to a `token` in
source code is another name, a call, a type or a stand-in. How much a value must show depends on
the name (people think up passwords, machines draw tokens) and on whether it is written where only
a value can stand: in quotes, or after `NAME=` at the start of a line.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from milepost.redaction.randomness import (
    has_drawn_part,
    is_random,
    is_stand_in,
    mixes_letters_and_digits,
    share_of_word_pairs,
)
from milepost.redaction.span import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

# What a name of a secret has in it. They are looked for one after the other, in lower case.
_CORES = (
    *("pass", "pwd", "secret", "token", "key", "credential", "_auth"),
    *('"auth', "identified by"),  # Docker's config.json and SQL
)

# What people name the secrets that they think up, so that words and a digit are enough.
_THOUGHT_UP = ("pass", "pwd", "secret", "identified by")

# What makes a key secret. Of itself a key is where something is found.
_SECRET_KEY = re.compile(
    r"(?:api|app|access|secret|private|priv|encrypt(?:ion)?|decrypt(?:ion)?|sign(?:ing)?|master"
    r"|account|auth|service|shared|storage|license|deploy|admin|session|client|hmac|jwt|aes|cookie"
    r"|webhook|subscription|root|fernet|consumer|integration|write|ingest(?:ion)?|routing|dd|sas"
    r"|security|vault|unseal|host|function|cosmos|search|openai|anthropic|gemini|mistral|stripe"
    r"|datadog|algolia|crypt|x|token|user)[ _.-]?$"
)

# Names that only sound like it.
_HARMLESS_NAME = re.compile(
    r"(?:public|public[ _-]?key|pub|page|next|prev|previous|cursor|continuation|resume|sort"
    r"|primary|foreign|partition|cache|idempotency|dedupe|csrf|xsrf|by"
    r"|bos|eos|pad|unk|sep|cls|mask|com"
    r"|sur|over|under|tres)[ _.-]?$"
)

# Names longer than this are looked at in their last part only.
_MAX_NAME = 48

# A password has six characters at the least nearly everywhere, a token ten.
_LEAST_PASSWORD = 6
_LEAST_TOKEN = 10

# What stands at a name that the user gave is a secret by their word; a PIN has four digits.
_LEAST_NAMED = 4

# So much of a value is weighed; when it is a secret, all of it is masked.
_MOST_WEIGHED = 1024

# Longer ones come from a machine and are random.
_MOST_PASSWORD = 64

# Names of things have this share of common pairs of letters, and nearly always more.
_WORD_LIKE = 0.6

_CODE = re.compile(r"[A-Za-z_$][\w$]*(?:(?:\.|->|::|\?\.)[A-Za-z_$][\w$]*)*", re.ASCII)
_WORDS = re.compile(r"[A-Za-z]+(?:[-_. /][A-Za-z]+)*")
_WORDS_OF_FORMS = frozenset(
    ("password", "field", "secret", "token", "user", "name", "input", "form", "label", "error")
)
_ENV_NAME = re.compile(r"(?:export )?[A-Z0-9_]*")
_ENV_VALUE = re.compile(r"[^\s\"'`\\]{1,1024}+")
_KINDS = {"pass": "password", "pwd": "password", "identified by": "password"} | dict.fromkeys(
    ("_auth", '"auth'), "token"
)
_JOINT = re.compile(r"[-_./ ]")
_SIGN_BETWEEN = re.compile(r"[A-Za-z0-9][^\w\s./-]+[A-Za-z0-9]")
_PATH = re.compile(r"(?:[A-Za-z]:)?[\\/][\w.-]+[\\/]")
# Numbers, digests with their names, URLs, times, files, and text with spaces.
_NO_VALUE = re.compile(
    r"[+-]?[\d_.,:/]*\d(?:[eE][+-]?\d+)?%?$(?<!\d{8})|sha\d{1,3}[:-]|md5[:-]|[a-z][a-z0-9+.-]*+://"
    r"|\d{4}-\d\d-\d\dT|\S+\s|0x[0-9a-fA-F]{1,8}$|~/|\.{1,2}/"
    r"|[\w./-]{1,80}\.(?:py|js|ts|json|ya?ml|txt|toml|pem|key|crt|env|md|go|rs|sh)$"
)


def assignments(text: str, folded: str, names: tuple[str, ...] = ()) -> Iterator[Span]:
    """The values that are given to names of secrets in `text`; `folded` is `text` in lower case, as
    are `names`, which the user holds for names of secrets too."""
    assigned, run = _patterns()
    for core in (*_CORES, *names):
        at = 0
        while (at := folded.find(core, at)) >= 0:
            found = assigned.match(text, at + len(core))
            if found is None:
                at += len(core)
                continue
            span = _span(found, text, folded, at, core)
            # A value that was weighed is not weighed again, or `token=token=token=...` would cost
            # the square of its length. Quotes may hold further assignments, though.
            at = found.end("operator")
            if found.lastgroup == "bare":
                at = max(at, found.end())
            if span is not None:
                if span.end - span.start >= _MOST_WEIGHED and (rest := run.match(text, span.end)):
                    span = span._replace(end=rest.end())
                at = span.end
                yield span


def _span(found: re.Match[str], text: str, folded: str, at: int, core: str) -> Span | None:
    group = found.lastgroup or "bare"
    value = found.group(group)
    if not _names_a_secret(folded, at, core):
        return None
    quoted = group != "bare"
    if found.group("operator").isspace() and not _is_flag(text, at):
        # Netrc's `password value` and prose; in most prose anything may follow a name.
        is_password = folded.startswith(("passw", "identified by"), at)
        if not (is_password and mixes_letters_and_digits(value)) and not is_random(value, 12):
            return None
    if not quoted:
        line = _rest_of_line(found, text, at)
        value = line or value.rstrip(".,;:!?*")
        if not line and text[found.end() : found.end() + 1] in ("(", "["):
            return None
        quoted = line is not None or _stands_alone(found, text, at)
        if _is_expression(value) and ("." in value or not quoted):
            return None
    if not _is_secret(value, core, quoted=quoted):
        return None
    start = found.start(group)
    return Span(start, start + len(value), 2, _kind(folded, at, core))


def _names_a_secret(folded: str, at: int, core: str) -> bool:
    before = folded[max(0, at - _MAX_NAME) : at]
    if core not in _CORES:
        return not before[-1:].isalnum()
    if core == "key":
        return _SECRET_KEY.search(before) is not None
    if _HARMLESS_NAME.search(before):
        return False
    # `pass` is an English word and a part of many; `compass: 30` is no password.
    return core != "pass" or not before[-1:].isalpha() or folded.startswith("passw", at)


def _kind(folded: str, at: int, core: str) -> str:
    line = folded[max(0, at - _MAX_NAME) : at + _MAX_NAME]
    if "aws" in line and "secret" in line:
        return "aws"
    return core if core in ("secret", "token", "key", "credential") else _KINDS.get(core, "secret")


def _rest_of_line(found: re.Match[str], text: str, at: int) -> str | None:
    """The value of a line of a .env file, which may hold signs that end it elsewhere."""
    if found.group("operator") != "=" or found.group("bare").startswith("$"):
        return None
    begin = max(0, at - _MAX_NAME)
    line = text.rfind("\n", begin, at) + 1 or begin
    if (line == begin and begin > 0) or not _ENV_NAME.fullmatch(text, line, at):
        return None
    whole = _ENV_VALUE.match(text, found.start("bare"))
    value = whole.group() if whole is not None else ""
    return None if value.endswith((")", "]", "}", ";", ",")) else value or None


def _is_flag(text: str, at: int) -> bool:
    """Whether the name at `at` is that of an option, `--password VALUE`."""
    begin = text.rfind("-", max(0, at - _MAX_NAME), at + 1)
    name = re.search(r"(?:^|[\s\"'`=])--?[\w-]*$", text[max(0, at - _MAX_NAME) : at])
    return begin >= 0 and name is not None


def _stands_alone(found: re.Match[str], text: str, at: int) -> bool:
    """Whether only a value can stand here: `NAME=value` or `name: value` fill their line, or the
    value follows an option or stands in a query."""
    operator = found.group("operator")
    line = max(text.rfind("\n", max(0, at - 80), at), text.rfind("\\n", max(0, at - 80), at) + 1)
    before = text[max(line + 1, at - 80) : at]
    ends = text[found.end() : found.end() + 1] in ("", "\n", "\r", "\\", " ", "&", '"', "'")
    if not ends:
        return False
    if operator == "=":
        return re.search(r"(?:^|[?&\s\"';])-{0,2}[\w.-]*$", before) is not None
    if operator.strip() in (":", "=") or operator.isspace():
        return (
            re.fullmatch(r"(?:\s|[-*>#]\s)*(?:export |ENV |\S* )?-{0,2}[\w. -]*", before)
            is not None
        )
    return operator.strip() in ("is", "was", "to", "->", "|", ">")


def _is_expression(value: str) -> bool:
    """`config.api_key`, `self._token`, `os.environ`, `str`: code, not a value."""
    return _CODE.fullmatch(value) is not None and share_of_word_pairs(value) >= 0.5


def _is_secret(value: str, core: str, *, quoted: bool) -> bool:
    if core not in _CORES:
        return len(value) >= _LEAST_NAMED and (value.isdigit() or not is_stand_in(value))
    if len(value) < _LEAST_PASSWORD or is_stand_in(value) or _NO_VALUE.match(value):
        return False
    if is_random(value, _LEAST_TOKEN):
        return True
    if quoted and has_drawn_part(value):
        return True
    can_be_thought_up = quoted and core in _THOUGHT_UP and len(value) <= _MOST_PASSWORD
    return can_be_thought_up and _is_thought_up(value.rstrip(":.!?*,;"), core)


def _is_thought_up(value: str, core: str) -> bool:
    """Whether a person may have made `value` up as a password."""
    if value.isdigit():
        return len(value) >= 8
    if _WORDS.fullmatch(value):
        return core != "secret" and (_is_passphrase(value) or _is_jumbled(value))
    if _PATH.match(value):
        return False
    if core == "secret" and (
        len(value) < 8 or (_JOINT.search(value) and share_of_word_pairs(value) >= _WORD_LIKE)
    ):
        return False  # the name of a secret: `db-credentials-v2`
    return mixes_letters_and_digits(value) or _SIGN_BETWEEN.search(value) is not None


def _is_passphrase(value: str) -> bool:
    """Four words joined, as in `correct-horse-battery-staple`, none of them a word of forms."""
    words = value.lower().split("-")
    return len(words) >= 4 and not _WORDS_OF_FORMS & set(words)


def _is_jumbled(value: str) -> bool:
    """Letters alone, but with capitals where no name has them: `GAniEMMRAcnWAJ`."""
    parts = re.findall(r"[A-Z]?[a-z]+|[A-Z]+", value)
    return value.isalpha() and len(value) >= 12 and len(value) < 3 * len(parts)


@lru_cache
def _patterns() -> tuple[re.Pattern[str], re.Pattern[str]]:
    # What may follow in the name: `passwd`, `SECRET_KEY_BASE`, `TOKEN_PROD`, `password2`. Anything
    # else says what about the secret is meant: `token_count`, `password_file`.
    tail = (
        r"(?i:(?:w(?:or)?d|phrase|s|ed|[ _.-]?(?:\d{1,3}|value|base|prod(?:uction)?|dev|stage"
        r"|staging|stg|live|main|old|new|current|primary|secondary|default|root|admin"
        r"|string|text|plain"
        r"|plaintext|raw|b64|base64|salt|ci|local|key)(?![a-z])){0,3})"
    )
    annotation = (
        r"(?:\s{0,2}:\s{0,2}[A-Za-z][\w.]{0,30}(?:\[\w{1,20}\])?(?:\s\|\sNone)?(?=\s{0,2}=[^=]))?"
    )
    operator = (
        r"(?P<operator>\s{0,8}(?:=>|:=|:|=(?!=)|==(?=\s{0,2}[\"']))\s{0,8}"
        r"|\s(?:is|was|to)(?:\s|:\s{0,2})|\s{0,3}(?:->|\|)\s{0,3}|>(?=[^<\s]{1,200}</)"
        r"|\s{1,4}value\s?=\s?(?=\")|\s{1,4}(?=[^\s=:]))"
    )
    bare = r"[^\s\"'`<>,;&|(){}\[\]\\]{1,1024}+"
    values = (
        r"(?:[bruf@]{0,2}\"(?P<double>(?:[^\"\\\r\n]|\\[^\r\n]){1,1024}+)\""
        r"|[bruf@]{0,2}'(?P<single>[^'\\\r\n]{1,1024}+)'"
        r"|`(?P<back>[^`\\\r\n]{1,1024}+)`"
        r"|\\{1,3}[\"'](?P<escaped>[^\"'\\\s]{1,1024}+)\\{1,3}[\"']"
        rf"|[\"'`]?(?P<bare>{bare}))"
    )
    return (
        re.compile(
            tail + r"(?:\*{2})?\\{0,3}[\"'`]?[\])]?(?:\*{2})?" + annotation + operator + values,
            re.ASCII,
        ),
        re.compile(r"[^\s\"'`<>,;&|(){}\[\]\\]{1,}+"),
    )
