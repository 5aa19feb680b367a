"""Reaching a path without ever leaving a folder, whatever links are put in the way meanwhile.

Looking first and opening afterwards is a race that a hostile repository or a busy build can win. So
every folder on the way is opened from the one above it, refusing links, and the last name is used
relative to the folder that holds it.
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

# A file that takes another one's place is written under such a name first. One that was killed may
# leave it behind; no snapshot covers it.
TEMPORARY_PREFIX = b".milepost-restore-"

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


@contextlib.contextmanager
def parent(root: Path, path: bytes, *, make: bool = False) -> Generator[tuple[int, bytes]]:
    """The folder that holds `path` (relative to `root`), opened without following a link, and the
    path's last name; the descriptor is closed at the end. With `make`, missing folders are made.

    Raises NotADirectoryError when a link or a file is in the way, other OSErrors as they come.
    """
    *folders, name = path.split(b"/")
    if not name or b".." in folders or name == b"..":
        raise NotADirectoryError(20, "not a path inside the folder")
    handle = os.open(root, _FOLDER)
    try:
        for folder in folders:
            if make:
                with contextlib.suppress(FileExistsError):
                    os.mkdir(folder, 0o755, dir_fd=handle)
            inner = os.open(folder, _FOLDER | os.O_NOFOLLOW, dir_fd=handle)
            os.close(handle)
            handle = inner
        yield handle, name
    finally:
        os.close(handle)
