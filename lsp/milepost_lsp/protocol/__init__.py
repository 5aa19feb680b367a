"""The words on the wire that are ours, as frozen dataclasses: the one source of the contract.

Names are camelCase there and snake_case here; `arguments.py` and `convert.py` translate. The JSON
Schema, the TypeScript types and the tables of `docs/protocol.md` are written from these files by
`python -m milepost_lsp.generate`, and a test is red while they are stale. What a command answers
with are often the core's own views (`milepost.api`).

To add a message: its shapes and its `Request` or `Notification` in the file of its subject, a line
in `catalogue.py`, and the generator again.
"""

from __future__ import annotations

from typing import Any, TypeAlias

# What the server announces under `capabilities.experimental.milepost`; a client reads it to know
# which messages it may expect. Raised when a message changes its meaning.
PROTOCOL_VERSION = 1

# The same for the chat, which a client may know apart from the rest.
CHAT_VERSION = 1

# The documents that are no files (see `archive.py`).
SCHEME = "milepost"

# What `json.loads` makes and `json.dumps` takes; it is given a shape where it comes in.
Json: TypeAlias = Any
