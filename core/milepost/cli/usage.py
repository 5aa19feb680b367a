"""`milepost usage`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from milepost.cli import options as shared
from milepost.cli.main import open_workspace
from milepost.cli.reply import Reply

if TYPE_CHECKING:
    import argparse

    from milepost.api import UsageRow

_BY = ("day", "session", "model", "actor")


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "--by",
        default="day,model,actor",
        help=f"what to sum up by, of {','.join(_BY)} (%(default)s); with --json all of them",
    )
    parser.add_argument("--session", metavar="ID", help="of this session only")
    shared.common(parser)


def run(options: argparse.Namespace) -> Reply:
    """Say what was taken. Looking at it is not entered into the history."""
    by = _BY if options.json else tuple(options.by.split(","))
    rows = open_workspace(options).sessions().usage(by, session_id=options.session)
    lines = [_line(row, by) for row in rows]
    if len(rows) > 1:
        lines.append(f"in all: {sum(row.input_tokens for row in rows):,} tokens in, "
                     f"{sum(row.output_tokens for row in rows):,} out{_cost(rows)}")  # fmt: skip
    return Reply("\n".join(lines) or "No model was asked yet.", rows)


def _line(row: UsageRow, by: tuple[str, ...]) -> str:
    # What belongs to no session has none to name.
    keys = "  ".join(getattr(row, key) or "-" for key in by)
    guessed = f" ({row.estimated} not counted by their server)" if row.estimated else ""
    return (
        f"{keys}  {row.requests} requests{guessed}, {row.input_tokens:,} tokens in "
        f"({row.cache_read_tokens:,} from the cache), {row.output_tokens:,} out{_cost((row,))}"
    )


def _cost(rows: tuple[UsageRow, ...]) -> str:
    if any(row.cost_usd is None for row in rows):
        return ", cost not known"
    return f", {sum(row.cost_usd or 0 for row in rows):.4f} US dollars"
