"""Secrets that are known by where they stand: in a URL, in a header, between two PEM lines."""

from __future__ import annotations

import base64
import binascii
import re
from functools import lru_cache
from typing import TYPE_CHECKING

from milepost.redaction.randomness import is_random, is_stand_in, mixes_letters_and_digits
from milepost.redaction.span import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

# RSA keys of 16384 bits make 13,000 characters, PGP secret keys with signatures up to 50,000.
_MAX_BLOCK = 64 * 1024

# A key has at least 32 bytes, 43 characters of base64; prose about PEM has no such run.
_KEY_LINE = r"[A-Za-z0-9+/=]{40}"

# Of a cut-off key, less; no English word is as long.
_CUT_KEY_LINE = re.compile(r"[A-Za-z0-9+/=]{16}")


def private_key_blocks(text: str) -> Iterator[Span]:
    """PEM, OpenSSH and PGP private keys, whole. A block without its end (a cut-off log) is
    masked as far as its base64 goes."""
    begin, key_line, truncated, end_line = _pem_patterns()
    at, end_at = 0, -1
    while (at := text.find("-----BEGIN ", at)) >= 0:
        head = begin.match(text, at)
        if head is None:
            at += 1
            continue
        if end_at < head.end():
            found = text.find("-----END ", head.end())
            end_at = found if found >= 0 else len(text)
        next_begin = text.find("-----BEGIN ", head.end(), min(end_at, head.end() + _MAX_BLOCK))
        tail = end_line.match(text, end_at)
        if (
            tail is not None
            and next_begin < 0
            and end_at - at <= _MAX_BLOCK
            and key_line.search(text, head.end(), end_at)
        ):
            end = tail.end()
        else:
            body = truncated.match(text, head.end())
            is_key = body is not None and _CUT_KEY_LINE.search(body.group())
            end = body.end() if body is not None and is_key else at
        if end > at:
            yield Span(at, end, 0, "private-key")
        at = max(end, at + 1)


def url_credentials(text: str) -> Iterator[Span]:
    """The password in `scheme://user:password@host`, or a token that stands alone before the `@`.
    Stand-ins and `postgres:postgres@` stay."""
    pair, alone = _url_patterns()
    at = 0
    while (at := text.find("://", at)) >= 0:
        at += 3
        found = pair.match(text, at)
        if found is not None:
            user, password = found.group("user", "password")
            if password != user and not is_stand_in(password) and not _is_code(password):
                yield Span(*found.span("password"), 1, "url-password")
            continue
        found = alone.match(text, at)
        if found is not None and is_random(found.group("user"), 16):
            yield Span(*found.span("user"), 1, "url-password")


def authorizations(text: str, folded: str) -> Iterator[Span]:
    """The credentials of `Authorization: Bearer ...`, of a scheme that stands alone, and of curl's
    `-u user:password`."""
    header, bearer, basic, user = _header_patterns()
    for mark, pattern, is_secret in (
        ("authorization", header, _is_credential),
        ("bearer", bearer, _is_bearer_token),
        ("basic ", basic, _holds_a_pair),
        (" -u ", user, mixes_letters_and_digits),
        ("--user ", user, mixes_letters_and_digits),
    ):
        at = 0
        while (at := folded.find(mark, at)) >= 0:
            at += len(mark)
            found = pattern.match(text, at)
            if found is not None:
                if is_secret(found.group("value")):
                    yield Span(*found.span("value"), 1, "authorization")
                at = found.end()  # never weigh the same characters twice: the text may be hostile


def _is_bearer_token(value: str) -> bool:
    return is_random(value, 16)


def _is_code(password: str) -> bool:
    """`://user:{password}@` in an f-string and its like in other languages."""
    return "{" in password or "$" in password[:2]


def _is_credential(value: str) -> bool:
    return not is_stand_in(value) and (
        is_random(value, 8)
        or (len(value) >= 10 and mixes_letters_and_digits(value))
        or _holds_a_pair(value)
    )


def _holds_a_pair(value: str) -> bool:
    """Whether the base64 `value` is `user:password`, as RFC 7617 has it."""
    try:
        plain = base64.b64decode(value + "=" * (-len(value) % 4), validate=True)
        return ":" in plain.decode("utf-8") and plain.decode("utf-8").isprintable()
    except (binascii.Error, ValueError):
        return False


@lru_cache(maxsize=1)
def _pem_patterns() -> tuple[re.Pattern[str], ...]:
    return (
        re.compile(r"-----BEGIN (?:[A-Z0-9]{1,20} ){0,4}PRIVATE KEY(?: BLOCK)?-----"),
        re.compile(_KEY_LINE),
        # Base64 with what a diff, a quotation or an escape puts between its lines.
        re.compile(
            r"(?:(?:[\s\"'`,+>#|*-]|\\[nrt]){0,12}+"
            r"(?:(?:Version|Comment|Proc-Type|DEK-Info):[^\n\\]*+|[A-Za-z0-9+/=]{8,}+)){1,2000}+"
        ),
        re.compile(r"-----END [A-Z0-9 ]{1,60}-----"),
    )


@lru_cache(maxsize=1)
def _url_patterns() -> tuple[re.Pattern[str], ...]:
    # A password with a bare `@` in it ends at the last one before the host; `/` must be encoded.
    word = r"[^\s/\"'`<>\\]{1,256}"
    return (
        re.compile(rf"(?P<user>[^\s:/@\"'`<>\\]{{0,128}}):(?P<password>{word})@(?=[\w\[{{$%-])"),
        re.compile(r"(?P<user>[^\s:/@\"'`<>\\?#]{16,256})@(?=[\w\[])"),
    )


@lru_cache(maxsize=1)
def _header_patterns() -> tuple[re.Pattern[str], ...]:
    value = r"(?P<value>[A-Za-z0-9._~+/=:|-]{8,8192}+)"
    return (
        re.compile(
            r"\\{0,3}[\"'`]?[\])]?\s{0,4}(?:[:=,]|=>)\s{0,4}[bfru]{0,2}\\{0,3}[\"'`]?"
            rf"(?:[A-Za-z][A-Za-z0-9-]{{1,20}}[ :]\s{{0,4}})?{value}"
        ),
        re.compile(rf"(?:\s{{1,4}}|%20|\+|[:=]\s?)(?:{value})"),
        re.compile(r"(?P<value>[A-Za-z0-9+/_-]{8,1024}+={0,2})"),
        re.compile(r"[\"']?(?=[^\s:]*[A-Za-z])[\w.@-]{1,64}:(?P<value>[^\s\"'`<>\\]{8,256}+)"),
    )
