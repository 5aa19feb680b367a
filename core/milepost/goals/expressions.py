"""Regular expressions with a limit on their time: some run for ever on some texts.

Python's own engine cannot be stopped from outside, so a search has a process of its own, which is
killed when its time is over.
"""

from __future__ import annotations

import json
import subprocess
import sys

from milepost.base.errors import WorldError

# A sound expression needs milliseconds for a megabyte; one that backtracks needs for ever.
TIMEOUT_S = 5.0

_PROGRAM = (
    "import json, re, sys\n"
    "pattern, text = json.load(sys.stdin)\n"
    "sys.exit(0 if re.search(pattern, text, re.MULTILINE) else 3)\n"
)


def found(pattern: str, text: str, *, timeout_s: float = TIMEOUT_S) -> bool | None:
    """Whether `text` holds a match (`^` and `$` at each line); None when it took too long. Raises
    WorldError when nothing can be started."""
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-S", "-c", _PROGRAM],
            input=json.dumps([pattern, text]).encode(),
            capture_output=True,
            timeout=timeout_s,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return None
    except OSError as error:
        raise WorldError(f"cannot start Python to search ({error.strerror})") from error
    return done.returncode == 0
