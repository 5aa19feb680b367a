"""One thing in a session, and how the database keeps it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Mapping

# The columns of which `item_of` makes an item.
ITEM_COLUMNS = "number, session, at, kind, is_compressed, data"

# Shorter items do not become smaller.
_COMPRESSED_BYTES = 1_024


@dataclass(frozen=True, slots=True)
class Item:
    """One thing in a session, in the order of `number`, which grows across all sessions."""

    number: int
    session: str
    at: str
    kind: str
    data: dict[str, Any]


def packed(data: Mapping[str, object]) -> tuple[bool, bytes]:
    """The data of an item as it is stored, and whether it is compressed."""
    # JSON escapes half of a surrogate pair, which SQLite could not hold as text.
    body = json.dumps(data, ensure_ascii=True, separators=(",", ":")).encode()
    is_compressed = len(body) > _COMPRESSED_BYTES
    if is_compressed:
        import zstandard  # noqa: PLC0415  (short items need none)

        body = zstandard.ZstdCompressor(level=3).compress(body)
    return is_compressed, body


def item_of(row: tuple[int, str, str, str, int, bytes]) -> Item:
    """An item of its columns."""
    number, session, at, kind, is_compressed, body = row
    if is_compressed:
        import zstandard  # noqa: PLC0415  (as above)

        body = zstandard.ZstdDecompressor().decompress(body)
    return Item(number, session, at, kind, cast("dict[str, Any]", json.loads(body)))
