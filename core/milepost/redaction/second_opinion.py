"""What another scanner's rules find: Kingfisher's, when `milepost[secrets]` is installed.

It runs in this process and scans offline; asking the makers of credentials whether they are alive
is a thing of its own there, which is never called. Its rules take seconds to compile, once for a
machine, and a third of a second to read back: they are loaded in the background with the first
text, and until they are there our own rules stand alone.
"""

from __future__ import annotations

import atexit
import re
import threading
from importlib.util import find_spec
from typing import TYPE_CHECKING

from milepost.base.files import make_private_dir
from milepost.redaction.span import Span

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from kingfisher_sdk import Finding, Scanner

# Rules that take a maker's form for sure. With the less certain ones, one in two hundred texts
# without a secret was masked (measured), and every secret they add our own rules know.
_CONFIDENCE = "high"

# A text takes some microseconds; this is for one that was made to take long.
_SCAN_S = 1.0

# How long the end of the process waits for rules that are being loaded: native code that comes back
# to an interpreter which is gone aborts the process.
_EXITING_S = 30.0

# Below every rule of ours, so that where both find a secret, ours names it.
_RANK = 100

# The longest kind that a placeholder holds.
_KIND_CHARS = 24


def is_installed() -> bool:
    """Whether there is a second opinion to be had."""
    return find_spec("kingfisher_sdk") is not None


class SecondOpinion:
    """Kingfisher's rules; `cache` is a folder for their compiled form."""

    def __init__(self, cache: Path) -> None:
        self._cache = cache
        self._scanner: Scanner | None = None
        self._thread: threading.Thread | None = None
        self._guard = threading.Lock()

    @property
    def is_ready(self) -> bool:
        """Whether the rules are loaded."""
        return self._scanner is not None

    def find(self, text: str) -> list[Span]:
        """The secrets in `text`; none while the rules are being loaded, which this begins."""
        if self._scanner is None:
            self._begin()
            return []
        encoded = text.encode("utf-8", "surrogatepass")
        try:
            found = self._scanner.scan(encoded, timeout=_SCAN_S)
        except TimeoutError:
            return []
        return list(_spans(encoded, found))

    def load(self) -> None:
        """Load the rules now, however long it takes."""
        from kingfisher_sdk import Rules, Scanner  # noqa: PLC0415  (36 MB, of an extra)

        with self._guard:
            if self._scanner is None:
                make_private_dir(self._cache)
                rules = Rules(confidence=_CONFIDENCE, cache_dir=self._cache)
                # Our own rules look into base64 where they know the secret.
                self._scanner = Scanner(rules, base64=False)

    def _begin(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self.load, name="milepost-secrets", daemon=True)
            atexit.register(self._thread.join, _EXITING_S)
            self._thread.start()


def _spans(encoded: bytes, found: list[Finding]) -> Iterator[Span]:
    for finding in found:
        if not finding.visible:
            continue
        start, end = finding.location["start_offset"], finding.location["end_offset"]
        # The place may be that of a whole assignment.
        secret = finding.secret.encode("utf-8", "surrogatepass")
        at = encoded.find(secret, start, end) if secret else -1
        if at >= 0:
            start, end = at, at + len(secret)
        yield Span(_characters(encoded[:start]), _characters(encoded[:end]), _RANK, _kind(finding))


def _characters(encoded: bytes) -> int:
    """How many characters are encoded by these bytes."""
    return len(encoded.decode("utf-8", "surrogatepass"))


def _kind(finding: Finding) -> str:
    """`betterleaks.github-pat` and `veles.secrets/sendgrid` without their origin."""
    name = re.split(r"[./]", re.sub(r"\.\d+$", "", finding.rule_id))[-1].lower()
    kind = re.sub(r"[^a-z0-9]+", "-", name)[:_KIND_CHARS].strip("-")
    return kind if kind[:1].isalpha() else f"key-{kind}"[:_KIND_CHARS].strip("-")
