"""The options that several commands share."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse


def common(parser: argparse.ArgumentParser) -> None:
    """--project and --json."""
    parser.add_argument(
        "--project", metavar="DIR", help="the project's folder (else the one around this folder)"
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of words")


def count(parser: argparse.ArgumentParser, default: int) -> None:
    """-n, how many results at most."""
    parser.add_argument(
        "-n", type=int, default=default, metavar="N", help="at most N (%(default)s)"
    )
