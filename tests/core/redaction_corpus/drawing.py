"""Random characters as the makers of tokens draw them, the same in every run."""

from __future__ import annotations

import base64
import json
import random
import string
import uuid

ALNUM = string.ascii_letters + string.digits
LOWER = string.ascii_lowercase + string.digits
UPPER = string.ascii_uppercase + string.digits
HEX = "0123456789abcdef"


class Draw:
    """A seeded source of random strings."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def of(self, alphabet: str, length: int) -> str:
        return "".join(self.random.choices(alphabet, k=length))

    def alnum(self, length: int) -> str:
        return self.of(ALNUM, length)

    def lower(self, length: int) -> str:
        return self.of(LOWER, length)

    def upper(self, length: int) -> str:
        return self.of(UPPER, length)

    def hex(self, length: int) -> str:
        return self.of(HEX, length)

    def digits(self, length: int) -> str:
        return self.of("123456789", length)

    def base64(self, size: int) -> str:
        return base64.b64encode(self.random.randbytes(size)).decode()

    def base64url(self, size: int) -> str:
        return base64.urlsafe_b64encode(self.random.randbytes(size)).decode().rstrip("=")

    def uuid(self) -> str:
        return str(uuid.UUID(bytes=self.random.randbytes(16), version=4))

    def json_base64(self, content: dict[str, object]) -> str:
        return base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")

    def lines(self, size: int, width: int = 64) -> list[str]:
        text = self.base64(size)
        return [text[at : at + width] for at in range(0, len(text), width)]
