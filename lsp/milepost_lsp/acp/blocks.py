"""The content blocks of a prompt of ACP, as those of the chat."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from milepost import api
from milepost_lsp.acp.wire import INVALID_PARAMS, Params, Wrong

if TYPE_CHECKING:
    from collections.abc import Sequence


def read_blocks(parts: Sequence[Params], root: str) -> list[api.Block]:
    """The blocks of a prompt. Raises Wrong for kinds that were not announced."""
    return [_block(part, root) for part in parts]


def _block(part: Params, root: str) -> api.Block:
    kind = part.text("type")
    if kind == "text":
        return api.TextBlock(part.text("text"))
    if kind == "resource_link":
        uri = part.text("uri")
        path = _path(uri, root)
        if path is None:
            return api.TextBlock(f"(see {part.maybe_text('name') or uri}: {uri})")
        return api.FileBlock(path)
    if kind == "resource":
        return _embedded(part.part("resource"), root)
    raise Wrong(INVALID_PARAMS, f"Milepost takes text and files, not {kind[:40]}")


def _embedded(resource: Params, root: str) -> api.Block:
    uri, text = resource.text("uri"), resource.maybe_text("text")
    if text is None:
        raise Wrong(INVALID_PARAMS, f"Milepost takes texts only; {uri[:200]} is binary")
    path = _path(uri, root)
    if path is None:
        return api.TextBlock(f"{uri}:\n\n{text}")
    return api.FileBlock(path, text=text)


def _path(uri: str, root: str) -> str | None:
    """The path of a file of the project, relative to its root."""
    parts = urlsplit(uri)
    if parts.scheme != "file" or parts.netloc not in {"", "localhost"}:
        return None
    whole = os.path.realpath(unquote(parts.path))
    base = os.path.realpath(root)
    return os.path.relpath(whole, base) if whole.startswith(base.rstrip("/") + "/") else None
