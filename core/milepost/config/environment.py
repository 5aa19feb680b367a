"""The environment that commands inherit from us, as one hash: what they do may depend on it."""

from __future__ import annotations

import hashlib
import os
import re

# They differ from terminal to terminal and from minute to minute, and decide no check. Whatever is
# not named here counts.
_PASSING = re.compile(
    r"_|PWD|OLDPWD|SHLVL|TERM\w*|COLORTERM|COLUMNS|LINES|WINDOWID|DISPLAY|WAYLAND_DISPLAY|"
    r"SSH_\w+|XDG_SESSION_\w+|TMUX\w*|STY|NVIM\w*|VIM\w*|VSCODE_\w+|PYTEST_CURRENT_TEST|"
    r"PYTEST_XDIST_\w+|MILEPOST_\w+|LS_COLORS|DBUS_SESSION_BUS_ADDRESS|INVOCATION_ID|"
    r"JOURNAL_STREAM|MANAGERPID|SYSTEMD_EXEC_PID|HISTFILE|PS1"
)


def fingerprint() -> str:
    """The hash of all variables but those that change by themselves."""
    digest = hashlib.sha256()
    for name, value in sorted(os.environ.items()):
        if not _PASSING.fullmatch(name):
            digest.update(f"{name}={value}\0".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()
