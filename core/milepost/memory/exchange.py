"""The exchange format: a memory as JSON lines, with every field of every entry.

The first line is a header that names format and version; each further line is an entry. The `json`
form is one object with the header's fields and `entries`. docs/exchange.md describes both.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

from milepost.base.clock import unix_time, utc_now
from milepost.base.errors import UserError
from milepost.base.ids import looks_like_id
from milepost.memory import entry as entries
from milepost.memory.document import each_entry, own_comment, visible
from milepost.memory.entry import SECTIONS, as_fields
from milepost.memory.imports.reading import Candidate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from milepost.memory.entry import Entry

NAME = "milepost-memory"

# Raised when a reader of the old number would misunderstand what is written; a new field is no
# reason, readers pass over what they do not know.
VERSION = 1

# Who wrote an entry: a name such as `mcp:codex`, not a text.
_MAX_SOURCE_CHARS = 200


def as_lines(found: Iterable[Entry]) -> Iterator[str]:
    """Header and entries, a line each, one by one."""
    yield _json(_header()) + "\n"
    for entry in found:
        yield _json(as_fields(entry)) + "\n"


def as_json(found: Iterable[Entry]) -> Iterator[str]:
    """One object with all entries, piece by piece."""
    yield _json(_header())[:-1] + ',"entries":['
    gap = "\n"
    for entry in found:
        yield gap + _json(as_fields(entry))
        gap = ",\n"
    yield "\n]}\n"


def as_markdown(text: str, mask: Callable[[str], str]) -> Iterator[str]:
    """A memory file's own text without its secrets, piece by piece."""
    at = 0
    for entry in each_entry(text):
        yield mask(visible(text[at : entry.block.start]))
        block = visible(text[entry.block.start : entry.block.end])
        # The comment holds ids and hashes that are none of the user's words.
        comment = own_comment(block)
        yield mask(block[: len(block) - len(comment)]) + comment
        at = entry.block.end
    yield mask(visible(text[at:]))


def is_header(item: object) -> bool:
    """Whether a JSON value begins an export. Raises UserError when its version is not ours."""
    if not isinstance(item, dict):
        return False
    header = cast("dict[str, Any]", item)
    if header.get("format") != NAME:
        return False
    if header.get("version") != VERSION:
        shown = str(header.get("version"))[:20]
        message = f"the export has version {shown} of the format and this is for {VERSION}"
        raise UserError(f"{message}; import it with the Milepost that wrote it, or a newer one")
    return True


def candidate(item: object, where: str) -> Candidate | str:
    """The entry of one JSON object, or why it is none. Unknown fields are passed over."""
    if not isinstance(item, dict):
        return "it is no object"
    fields = cast("dict[str, Any]", item)
    wrong = next((key for key, is_right in _FIELDS.items() if not is_right(fields.get(key))), None)
    if wrong is not None:
        return f"its {wrong} is not as the format wants it"
    try:
        anchors = entries.checked_anchors(tuple(fields.get("anchors") or ()))
    except UserError as error:
        return str(error)
    return Candidate(
        text=fields["text"],
        where=where,
        created_at=fields.get("created_at"),
        kind=fields["kind"],
        status=fields.get("status"),
        id=fields["id"],
        source=fields.get("source"),
        anchors=anchors,
        superseded_by=fields.get("superseded_by"),
        scope=fields.get("scope"),
    )


def _header() -> dict[str, object]:
    return {"format": NAME, "version": VERSION, "exported_at": utc_now()}


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _is_id(value: object) -> bool:
    return isinstance(value, str) and looks_like_id(value)


def _is_line(value: object) -> bool:
    return isinstance(value, str) and len(value) <= _MAX_SOURCE_CHARS and value.isprintable()


def _are_texts(value: object) -> bool:
    is_list = isinstance(value, list)
    return is_list and all(isinstance(each, str) for each in cast("list[Any]", value))


_FIELDS: dict[str, Callable[[object], bool]] = {
    "id": _is_id,
    "text": lambda value: isinstance(value, str),
    "kind": lambda value: value == "note" or value in SECTIONS,
    "status": lambda value: value is None or _is_line(value),
    "scope": lambda value: value is None or _is_line(value),
    "source": lambda value: value is None or _is_line(value),
    "created_at": lambda value: (
        value is None or (isinstance(value, str) and unix_time(value) is not None)
    ),
    "anchors": lambda value: value is None or _are_texts(value),
    "superseded_by": lambda value: value is None or _is_id(value),
}
