"""The command line: report, invoice, add."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from hourglass import report, storage
from hourglass.model import Month
from hourglass.parser import parse_line


def main(argv: Sequence[str] | None = None) -> int:
    arguments = _parser().parse_args(argv)
    try:
        return arguments.run(arguments)
    except (ValueError, KeyError, OSError) as error:
        message = error.args[0] if isinstance(error, KeyError) else error
        print(f"hourglass: {message}", file=sys.stderr)
        return 1


def _report(arguments: argparse.Namespace) -> int:
    print(report.summary(storage.load(arguments.sheet), arguments.month))
    return 0


def _invoice(arguments: argparse.Namespace) -> int:
    rates = storage.load_rates(arguments.rates or arguments.sheet.with_name("rates.csv"))
    entries = storage.load(arguments.sheet)
    print(report.invoice(entries, arguments.client, arguments.month, rates))
    return 0


def _add(arguments: argparse.Namespace) -> int:
    entry = parse_line(arguments.line)
    if entry is None:
        raise ValueError("nothing to add")
    storage.append(arguments.sheet, entry)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="hourglass", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    command = commands.add_parser("report", help="hours by client")
    command.add_argument("sheet", type=Path)
    command.add_argument("--month", type=Month.parse, required=True)
    command.set_defaults(run=_report)

    command = commands.add_parser("invoice", help="what a client owes for a month")
    command.add_argument("sheet", type=Path)
    command.add_argument("client")
    command.add_argument("--month", type=Month.parse, required=True)
    command.add_argument("--rates", type=Path, help="default: rates.csv beside the sheet")
    command.set_defaults(run=_invoice)

    command = commands.add_parser("add", help="append a line to a sheet")
    command.add_argument("sheet", type=Path)
    command.add_argument("line")
    command.set_defaults(run=_add)
    return parser
