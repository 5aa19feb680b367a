"""The token file: who may talk to a server over HTTP."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import stat
import sys
from pathlib import Path

from milepost.api import UserError

# 256 bits, as text that goes into a header as it is.
_TOKEN_BYTES = 32

# A shorter token can be guessed over a network.
_MIN_CHARS = 16


class Tokens:
    """The tokens of a file, one a line; empty lines and lines that begin with # are none."""

    def __init__(self, tokens: list[str]) -> None:
        self._digests = [_digest(token) for token in tokens]

    def holder(self, authorization: str | None) -> str | None:
        """Which token an Authorization header bears, by the number of its line; None for none.

        All are compared, each in constant time, so that the time tells nothing.
        """
        scheme, _, token = (authorization or "").partition(" ")
        given = _digest(token.strip())
        found = None
        for number, known in enumerate(self._digests):
            if hmac.compare_digest(given, known):
                found = f"token-{number}"
        return found if scheme.lower() == "bearer" else None


def tokens_in(name: str) -> Tokens:
    """The tokens in a file, which is made with a random one when it is not there.

    Raises UserError when others may read it, or it holds no token.
    """
    path = Path(name).expanduser()
    try:
        with path.open(encoding="utf-8") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            lines = [line.strip() for line in file.read(64 * 1024).splitlines()]
    except FileNotFoundError:
        return Tokens([_make(path)])
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"cannot read the token file {path} ({error})") from error
    if os.name == "posix" and mode & 0o077:
        raise UserError(
            f"the token file {path} has mode {mode:04o}, so others may read it; chmod 600 it, "
            "and put a new token in if others could have read the old one"
        )
    tokens = [line for line in lines if line and not line.startswith("#")]
    if not tokens:
        raise UserError(f"the token file {path} holds no token; delete it to have one made")
    if any(len(token) < _MIN_CHARS for token in tokens):
        raise UserError(f"a token in {path} has fewer than {_MIN_CHARS} characters; make it longer")
    return Tokens(tokens)


def _make(path: Path) -> str:
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(f"{token}\n")
    except OSError as error:
        raise UserError(f"cannot make the token file {path} ({error.strerror})") from error
    print(f"milepost: made a token in {path}", file=sys.stderr)  # noqa: T201
    return token


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()
