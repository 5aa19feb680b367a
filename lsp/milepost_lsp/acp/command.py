"""`milepost acp`: the chat for editors that speak the Agent Client Protocol."""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from milepost_lsp.logs import log_to

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType

EXIT_USAGE = 2


def main(argv: Sequence[str] | None = None) -> int:
    """Serves one client over stdin and stdout. Returns the exit code."""
    options = _parser().parse_args(argv)
    try:
        log_to(options.log_file)
    except OSError as error:
        return _fail(f"cannot write the log file: {error}")
    project = options.project or os.environ.get("MILEPOST_PROJECT")
    if project and not Path(project).expanduser().is_dir():
        return _fail(f"there is no folder {project}")
    if sys.stdin is None or sys.stdout is None:
        return _fail("stdin or stdout is closed; an editor has to start this with both open")
    from milepost_lsp.acp.agent import Agent  # noqa: PLC0415  (after what can fail at once)
    from milepost_lsp.acp.wire import Wire  # noqa: PLC0415  (as above)

    signal.signal(signal.SIGTERM, _end)
    with contextlib.suppress(_Ended, KeyboardInterrupt):
        Agent(Wire(), project).serve()
    # Whatever thread still waits for the network or a child must not hold up the end.
    sys.stderr.flush()
    os._exit(0)


class _Ended(BaseException):
    """SIGTERM came; no error, so what makes words of errors does not make words of it."""


def _end(_signal: int, _frame: FrameType | None) -> None:
    # Another one must not cut short what is being closed.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise _Ended


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="milepost acp",
        description="Milepost as an agent for editors that speak the Agent Client Protocol.",
    )
    parser.add_argument("--project", metavar="DIR", help="work on this folder, whatever is open")
    parser.add_argument("--log-file", metavar="FILE", type=Path, help="write a log there")
    return parser


def _fail(message: str) -> int:
    sys.stderr.write(f"milepost acp: {message}\n")
    return EXIT_USAGE
