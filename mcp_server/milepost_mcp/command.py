"""`milepost mcp` and `milepost-mcp`: serve over stdio or HTTP, or show what a client would see.

An agent waits about a second for a server and then goes on without it, so this path imports
nothing that an answer to `tools/list` does not need.
"""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

# Nobody else's by IANA's list, and below the ports that systems give out by themselves.
_PORT = 7741


def main(argv: Sequence[str] | None = None) -> int:
    """Run the server with `argv` (sys.argv when None) until its client is gone."""
    words = sys.argv[1:] if argv is None else list(argv)
    if words[:1] in (["install"], ["uninstall"]):
        from milepost_mcp import install_command  # noqa: PLC0415  (a server never needs it)

        return install_command.main(words[0], words[1:])
    parser = argparse.ArgumentParser(
        prog="milepost mcp",
        description="Serve memory, restore points and goals over MCP, on stdio or over HTTP.",
        epilog="`milepost mcp install CLIENT` adds this server to an agent or editor, and "
        "`milepost mcp uninstall CLIENT` takes it out again.",
    )
    parser.add_argument("--project", metavar="DIR", help="the project's folder (else the one here)")
    parser.add_argument(
        "--check", action="store_true", help="connect to this server as a client does, and report"
    )
    _add_http_options(parser)
    parser.add_argument("--version", action="store_true", help="print the version")
    options = parser.parse_args(words)
    if options.version:
        from milepost import __version__  # noqa: PLC0415

        print(f"milepost-mcp {__version__}")
        return 0
    if options.check:
        from milepost_mcp.sdk import check  # noqa: PLC0415  (the SDK takes a second to import)

        return check(options.project)
    if options.http:
        return _serve_http(options)
    if sys.stdin is None or sys.stdout is None:
        words = "stdin or stdout is closed; a client has to start this with both open"
        print(f"milepost: {words}", file=sys.stderr)
        return 1
    from milepost_mcp.transports.stdio import serve  # noqa: PLC0415

    return serve(options.project)


def _add_http_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("over HTTP")
    group.add_argument("--http", action="store_true", help="serve Streamable HTTP, not stdio")
    group.add_argument("--host", default="127.0.0.1", help="the address (127.0.0.1)")
    group.add_argument("--port", type=int, default=_PORT, help=f"the port ({_PORT}; 0: any)")
    group.add_argument(
        "--token-file", metavar="FILE", help="ask for a token of FILE, which is made if missing"
    )
    group.add_argument(
        "--any-project", action="store_true", help="let clients name any folder, in a header"
    )
    group.add_argument(
        "--allow-host",
        metavar="NAME",
        action="append",
        default=[],
        help="a further name that clients may call the server by",
    )


def _serve_http(options: argparse.Namespace) -> int:
    from milepost.api import MilepostError  # noqa: PLC0415  (stdio does not need it)
    from milepost_mcp.sdk import is_installed  # noqa: PLC0415

    if not is_installed("HTTP"):
        return 1
    from milepost_mcp.transports.http.serve import Options, serve  # noqa: PLC0415  (the SDK)

    try:
        return serve(
            Options(
                project=options.project,
                host=options.host,
                port=options.port,
                token_file=options.token_file,
                is_any_project=options.any_project,
                hosts=tuple(options.allow_host),
            )
        )
    except MilepostError as error:
        print(f"milepost: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
