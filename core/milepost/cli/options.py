"""The options that several commands share."""

from __future__ import annotations

import argparse
import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

# No id or count of ours comes near, and beyond it readers of JSON lose digits.
_LARGEST = 2**53 - 1


def common(parser: argparse.ArgumentParser) -> None:
    """--project and --json."""
    parser.add_argument(
        "--project", metavar="DIR", help="the project's folder (else the one around this folder)"
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of words")


def count(parser: argparse.ArgumentParser, default: int) -> None:
    """-n, how many results at most."""
    parser.add_argument(
        "-n", type=whole(1), default=default, metavar="N", help="at most N (%(default)s)"
    )


def whole(least: int = 0) -> Callable[[str], int]:
    """What reads a whole number from `least` on."""

    def read(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            number = None
        if number is None or not least <= number <= _LARGEST:
            raise argparse.ArgumentTypeError(f"{text[:40]!r} is no whole number from {least} on")
        return number

    return read


def amount(text: str) -> float:
    """Reads a number that is not below 0."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 <= number < math.inf:
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is no number from 0 on")
    return number
