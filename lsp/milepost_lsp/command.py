"""The command `milepost-lsp`, also `milepost lsp`.

Nothing heavy is imported before it is needed: `--version` and a missing extra answer at once.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import ipaddress
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from milepost_lsp.logs import log_to

if TYPE_CHECKING:
    from collections.abc import Sequence

EXIT_USAGE = 2

# What `pip install "milepost[lsp]"` brings, and what that brings along.
EXTRA = frozenset({"pygls", "lsprotocol", "watchfiles", "attrs", "cattrs", "anyio"})


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the language server. Returns the exit code."""
    options = _parser().parse_args(argv)
    if options.version:
        from milepost import __version__  # noqa: PLC0415  (quick, but not needed to serve)

        sys.stdout.write(f"milepost-lsp {__version__}\n")
        return 0
    try:
        log_to(options.log_file)
    except OSError as error:
        return _fail(f"cannot write the log file: {error}")
    if options.project and not Path(options.project).expanduser().is_dir():
        return _fail(f"there is no folder {options.project}")
    if options.tcp is None and (sys.stdin is None or sys.stdout is None):
        return _fail("stdin or stdout is closed; an editor has to start this with both open")
    return _serve(options.project or os.environ.get("MILEPOST_PROJECT"), options.tcp)


def _serve(project: str | None, address: tuple[str, int] | None) -> int:
    # Nothing that is made while modules load is ever thrown away, so looking for garbage among it
    # only costs: a tenth of the start.
    gc.disable()
    try:
        from milepost_lsp import lazy_types  # noqa: PLC0415  (before anything imports the types)

        lazy_types.load()
        from milepost_lsp.early import build_server  # noqa: PLC0415  (pygls: most of our start)
        from milepost_lsp.transport import serve_stdio, serve_tcp  # noqa: PLC0415
    except ModuleNotFoundError as error:
        if error.name and error.name.split(".")[0] in EXTRA:
            return _fail('the language server needs its extra: pip install "milepost[lsp]"')
        raise
    server = build_server(project) if address is None else None
    gc.freeze()
    gc.enable()
    if server is not None:
        return asyncio.run(serve_stdio(server))
    assert address is not None  # noqa: S101  (else there is a server)
    try:
        return asyncio.run(serve_tcp(*address, lambda: build_server(project)))
    except OSError as error:
        return _fail(f"cannot listen on {address[0]}:{address[1]}: {error.strerror}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="milepost-lsp",
        description="Milepost's language server: memory, restore points and goals in an editor.",
    )
    wire = parser.add_mutually_exclusive_group()
    wire.add_argument("--stdio", action="store_true", help="speak over stdin and stdout (default)")
    wire.add_argument(
        "--tcp",
        type=_address,
        metavar="HOST:PORT",
        help="listen on a loopback address; any user of this machine may connect",
    )
    parser.add_argument("--project", metavar="DIR", help="serve this folder, whatever is open")
    parser.add_argument("--log-file", metavar="FILE", type=Path, help="write a log there")
    parser.add_argument("--version", action="store_true", help="say which version this is")
    return parser


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    host = host.strip("[]")
    try:
        is_loopback = host == "localhost" or ipaddress.ip_address(host).is_loopback
        number = int(port)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text} is not HOST:PORT") from None
    if not is_loopback:
        raise argparse.ArgumentTypeError("only loopback addresses, such as 127.0.0.1:7333")
    if not 0 <= number < 65_536:
        raise argparse.ArgumentTypeError(f"{port} is no port")
    return host, number


def _fail(message: str) -> int:
    sys.stderr.write(f"milepost-lsp: {message}\n")
    return EXIT_USAGE
