"""The bounds of the server, each with the reason for its value."""

from __future__ import annotations

# The SDK's own limit for a request body; a longer message is no tool call.
MAX_MESSAGE_BYTES = 4 * 1024 * 1024

# About 3,000 tokens: a model reads that much of a tool's answer before it loses the thread, and
# every tool pages.
MAX_REPLY_CHARS = 12_000

# How much of an entry a search shows; the whole is one memory_get away.
SNIPPET_CHARS = 400

# How many changed or refused paths a reply names; all are counted.
MAX_PATHS = 100

# The end of a failing check's output that goes into a reply: a test runner's summary fits.
TAIL_CHARS = 1_500

# Verifications and snapshots at once; agents call tools one after another.
MAX_SLOW_CALLS = 8

# How often a silent server looks whether its parent is still there.
PARENT_POLL_S = 5.0

# How long a cancelled or abandoned call may take to end before the process goes.
EXIT_GRACE_S = 5.0
