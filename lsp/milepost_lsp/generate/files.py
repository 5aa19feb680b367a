"""The generated files: where each stands in the repository, and what it holds."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from milepost_lsp.generate import schema, tables, typescript
from milepost_lsp.generate.shapes import contract

if TYPE_CHECKING:
    from pathlib import Path

SCHEMA = "docs/protocol.schema.json"
TYPES = "editors/vscode/src"
PAGE = "docs/protocol.md"

_BLOCK = re.compile(r"(<!-- generated: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def expected(root: Path) -> dict[str, str]:
    """Each file as it should be; the page keeps the prose between its generated blocks."""
    known = contract()
    page = (root / PAGE).read_text(encoding="utf-8")
    return {
        SCHEMA: json.dumps(schema.schema(known), indent=2, ensure_ascii=False) + "\n",
        **{f"{TYPES}/{name}": text for name, text in typescript.types(known).items()},
        PAGE: _BLOCK.sub(lambda match: match[1] + tables.table(known, match[2]) + match[3], page),
    }


def write(root: Path) -> list[Path]:
    """Writes what is stale, and says which files those were."""
    written: list[Path] = []
    for name, text in expected(root).items():
        path = root / name
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            written.append(path)
    return written
