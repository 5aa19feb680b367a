"""Secrets whose very value is known, masked wherever they stand: no rule can catch a password that
a log prints without its name.

They come from the environment and from .env files. What merely lies in a variable with a telling
name (a path, a switch, a word) is left alone: masking `postgres` everywhere would ruin the text.
"""

from __future__ import annotations

import base64
import json
import re
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

from milepost.redaction.randomness import is_stand_in
from milepost.redaction.span import Span

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

# A shorter value stands by chance in ordinary text.
_LEAST_VALUE = 8

# An RSA key of 8192 bits in PEM has 6,400 characters; what is longer is a document.
_MAX_VALUE = 8192

# A developer's environment holds a dozen secrets. Each costs some passes over every text.
_MAX_VALUES = 128

# .env files have a page or two; what is larger is something else.
_MAX_DOTENV = 1024 * 1024

# A base64 run around a known value is masked whole, up to this far to either side.
_MAX_RUN = 4096

_SECRET_PARTS = frozenset(
    re.findall(
        r"\w+",
        "PASSWORD PASSWD PASS PASSPHRASE PWD SECRET SECRETS TOKEN TOKENS KEY APIKEY APITOKEN "
        "CREDENTIAL CREDENTIALS CREDS AUTH PAT DSN PSK PGPASSWORD AUTHTOKEN WEBHOOK COOKIE SALT "
        "SIGNATURE",
    )
)
# Last parts of a name that say what about the secret is meant. GPG_KEY and its like hold a
# fingerprint that everybody may know.
_HARMLESS_LAST = frozenset(
    re.findall(
        r"\w+",
        "ID FILE PATH DIR NAME TYPE SOCK URL URI HOST PORT USER EMAIL LENGTH SIZE TTL EXPIRES "
        "EXPIRY ENABLED METHOD MODE ALGORITHM VERSION COUNT LIMIT REGION PROVIDER HEADER FORMAT",
    )
)
_HARMLESS = frozenset(("PWD", "OLDPWD", "GPG_KEY", "PUBLIC_KEY", "SSH_PUBLIC_KEY", "LS_KEY"))

_NO_SECRET = re.compile(
    r"[-+]?[\d_.,]+|(?i:true|false|yes|no|on|off|enabled|disabled|none|null)|[~./\\].*"
    r"|[A-Za-z]:[\\/].*|[A-Za-z]{1,15}|(?:/[\w.-]+){2,}|[a-z][a-z0-9+.-]*://.*|unix:.*",
    re.DOTALL,
)
_URL_PASSWORD = re.compile(
    r"[a-z][a-z0-9+.-]{0,30}://[^\s:/@]{0,128}:([^\s/]{1,256})@", re.IGNORECASE
)
_DOTENV_NAME = re.compile(r"\s{0,16}(?:export\s{1,4})?([A-Za-z_][\w.-]{0,127})\s{0,8}=\s{0,8}")
_BASE64_RUN = re.compile(r"[A-Za-z0-9+/_-]{0,4096}+={0,2}")


def values_of_environment(environment: Mapping[str, str]) -> tuple[str, ...]:
    """The secrets among the variables: those with a telling name and a value that can be one, and
    the passwords in URLs."""
    found: dict[str, None] = {}
    for name, value in environment.items():
        password = _URL_PASSWORD.match(value)
        if password is not None and _can_be_masked(password.group(1)):
            found[password.group(1)] = None
        if names_a_secret(name) and _can_be_masked(value.strip()):
            found[value.strip()] = None
    return tuple(found)


def values_of_dotenv(content: str) -> tuple[str, ...]:
    """The secrets in the content of a .env file; lines that are none are passed over."""
    return values_of_environment(_dotenv(content[:_MAX_DOTENV]))


class KnownValues:
    """A bounded set of values and of the forms in which they are looked for."""

    def __init__(self, values: Iterable[str], *, encoded: bool = True) -> None:
        self._plain: list[tuple[str, str]] = []
        self._base64: list[tuple[str, str]] = []
        # The longest first: when there are too many, the short ones are the least sure.
        distinct = sorted(
            {v for v in values if _LEAST_VALUE <= len(v) <= _MAX_VALUE}, key=_by_length
        )
        for value in distinct[:_MAX_VALUES]:
            forms = _plain_forms(value) if encoded else {value}
            self._plain += [(form, value) for form in sorted(forms)]
            if encoded:
                self._base64 += [(form, value) for form in sorted(_base64_forms(value))]

    def find(self, text: str) -> Iterator[Span]:
        """Where the values stand in `text`."""
        for form, value in self._plain:
            at = text.find(form)
            while at >= 0:
                yield Span(at, at + len(form), 3, "env", value)
                at = text.find(form, at + len(form))
        for form, value in self._base64:
            at = text.find(form)
            while at >= 0:
                start, end = _run_around(text, at, at + len(form))
                yield Span(start, end, 3, "env", value)
                at = text.find(form, end)


def _by_length(value: str) -> tuple[int, str]:
    return (-len(value), value)


def names_a_secret(name: str) -> bool:
    """Whether a variable of this name holds a secret, as far as its name tells."""
    upper = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name[:128]).upper()
    parts = re.split(r"[_.-]", upper)
    if upper in _HARMLESS or parts[-1] in _HARMLESS_LAST or "PUBLIC" in parts:
        return False
    return any(part in _SECRET_PARTS for part in parts)


def _can_be_masked(value: str) -> bool:
    return (
        len(value) >= _LEAST_VALUE
        and _NO_SECRET.fullmatch(value) is None
        and not is_stand_in(value)
        and "[secret:" not in value
    )


def _plain_forms(value: str) -> set[str]:
    """The value as it is, in JSON, in a URL's path and in its query."""
    safe = value.encode("utf-8", "replace").decode()
    percent = quote(safe, safe="")
    return {
        value,
        json.dumps(value)[1:-1],
        json.dumps(value, ensure_ascii=False)[1:-1],
        percent,
        quote(safe),
        quote_plus(safe),
        re.sub(r"%[0-9A-F]{2}", lambda match: match.group().lower(), percent),
    }


def _base64_forms(value: str) -> set[str]:
    """What every base64 of a text that holds the value has in it: the value at each of the three
    places within a group of three bytes, without the characters that its neighbours share."""
    content = value.encode("utf-8", "replace")
    forms: set[str] = set()
    for lead in range(3):
        encoded = base64.b64encode(bytes(lead) + content).decode("ascii").rstrip("=")
        first = (0, 2, 3)[lead]
        last = (lead + len(content)) * 8 // 6
        core = encoded[first:last]
        forms |= {core, core.replace("+", "-").replace("/", "_")}
    return forms


def _run_around(text: str, start: int, end: int) -> tuple[int, int]:
    """The whole base64 run that has `text[start:end]` in it."""
    floor = max(0, start - _MAX_RUN)
    while start > floor and (text[start - 1].isalnum() or text[start - 1] in "+/_-"):
        start -= 1
    match = _BASE64_RUN.match(text, end)
    return start, match.end() if match is not None else end


def _dotenv(content: str) -> dict[str, str]:
    variables: dict[str, str] = {}
    at = 0
    while at < len(content):
        line_end = content.find("\n", at)
        line_end = len(content) if line_end < 0 else line_end
        name = _DOTENV_NAME.match(content, at, line_end)
        if name is not None:
            value, at = _dotenv_value(content, name.end(), line_end)
            variables[name.group(1)] = value
        at = max(at, line_end) + 1
    return variables


def _dotenv_value(content: str, at: int, line_end: int) -> tuple[str, int]:
    """The value that begins at `at` and where it ends. Quoted values may go on over lines."""
    mark = content[at : at + 1]
    if mark in ("'", '"'):
        end = content.find(mark, at + 1, at + _MAX_VALUE + 2)
        while mark == '"' and end > 0 and content[end - 1] == "\\":
            end = content.find(mark, end + 1, at + _MAX_VALUE + 2)
        if end > 0:
            raw = content[at + 1 : end]
            return (raw if mark == "'" else raw.replace("\\n", "\n").replace('\\"', '"')), end
    value = content[at:line_end]
    comment = value.find(" #")
    return (value if comment < 0 else value[:comment]).strip(), line_end
