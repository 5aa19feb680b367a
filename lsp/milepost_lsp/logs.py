"""Where the server's log goes: a file or nowhere."""

from __future__ import annotations

import logging
import logging.handlers
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

# A log that is read is short, and a log that is not read must not fill a disk.
LOG_BYTES = 5_000_000


def log_to(file: Path | None) -> None:
    """Logs to the file or nowhere: a client that does not read stderr blocks who writes to it."""
    root = logging.getLogger()
    if file is None:
        root.addHandler(logging.NullHandler())
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    # Ours alone from its first byte: it may quote the user's code.
    os.close(os.open(file, os.O_CREAT | os.O_APPEND, 0o600))
    handler = logging.handlers.RotatingFileHandler(
        file, maxBytes=LOG_BYTES, backupCount=1, encoding="utf-8", errors="backslashreplace"
    )
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root.addHandler(handler)
    logging.getLogger("milepost_lsp").setLevel(logging.INFO)
