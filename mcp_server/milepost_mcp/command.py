"""`milepost mcp` and `milepost-mcp`: serve over stdio, or show what a client would see.

An agent waits about a second for a server and then goes on without it, so this path imports
nothing that an answer to `tools/list` does not need.
"""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Run the server with `argv` (sys.argv when None) until its client is gone."""
    words = sys.argv[1:] if argv is None else list(argv)
    if words[:1] in (["install"], ["uninstall"]):
        from milepost_mcp import install_command  # noqa: PLC0415  (a server never needs it)

        return install_command.main(words[0], words[1:])
    parser = argparse.ArgumentParser(
        prog="milepost mcp",
        description="Serve memory, restore points and goals over MCP (stdio).",
        epilog="`milepost mcp install CLIENT` adds this server to an agent or editor, and "
        "`milepost mcp uninstall CLIENT` takes it out again.",
    )
    parser.add_argument("--project", metavar="DIR", help="the project's folder (else the one here)")
    parser.add_argument(
        "--check", action="store_true", help="connect to this server as a client does, and report"
    )
    parser.add_argument("--version", action="store_true", help="print the version")
    options = parser.parse_args(words)
    if options.version:
        from milepost import __version__  # noqa: PLC0415

        print(f"milepost-mcp {__version__}")
        return 0
    if options.check:
        from milepost_mcp.sdk import check  # noqa: PLC0415  (the SDK takes a second to import)

        return check(options.project)
    from milepost_mcp.transports.stdio import serve  # noqa: PLC0415

    return serve(options.project)


if __name__ == "__main__":
    sys.exit(main())
