"""An entry: one remembered thing, with where it came from and how far it can be trusted."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Literal

from milepost.base.errors import UserError
from milepost.base.unicode import fits_utf8
from milepost.memory.document import visible

if TYPE_CHECKING:
    from milepost.memory.document import EntryBlock

Scope = Literal["project", "global", "worktree", "session", "task"]

# In the order in which an id is looked for: most are the project's.
SCOPES: tuple[Scope, ...] = ("project", "global", "worktree", "session", "task")

# The headings are fixed, so that every tool and every person finds a rule in the same place.
SECTIONS = {
    "context": "Project context",
    "rule": "Rules",
    "decision": "Architecture decisions",
    "knowledge": "Discovered knowledge",
}

_KINDS = {section.lower(): kind for kind, section in SECTIONS.items()}

# What a caller may set; `superseded` comes by superseding only.
STATUSES = ("stated", "confirmed", "unverified")

# Two pages of prose. A longer text is a document, and belongs into the project.
MAX_TEXT_CHARS = 8_000

MAX_ANCHORS = 16
MAX_ANCHOR_CHARS = 400


@dataclass(frozen=True, slots=True)
class Entry:
    """A remembered thing as the file has it. `kind` is a key of SECTIONS, or note for what stands
    under a heading of the user's own; `source` is file for what a person wrote by hand."""

    id: str
    text: str
    kind: str
    status: str
    scope: Scope
    source: str
    created_at: str | None
    anchors: tuple[str, ...]
    superseded_by: str | None


def from_block(found: EntryBlock, scope: Scope) -> Entry:
    """Read an entry from its block. What a person wrote by hand counts as stated by them."""
    metadata = found.metadata
    by = metadata.get("superseded-by")
    return Entry(
        id=found.id,
        text=visible(found.text),
        kind=_KINDS.get(found.block.section.strip().lower(), "note"),
        status="superseded" if by else metadata.get("status", "stated"),
        scope=scope,
        source=metadata.get("source", "file"),
        created_at=metadata.get("at"),
        anchors=tuple(part for part in metadata.get("anchors", "").split("\n") if part),
        superseded_by=by,
    )


_FIELDS = tuple(field.name for field in fields(Entry))


def as_fields(entry: Entry) -> dict[str, object]:
    """What it holds, by the names of its fields. All are plain values, of which `asdict` would make
    copies."""
    return {name: getattr(entry, name) for name in _FIELDS}


def to_metadata(entry: Entry) -> dict[str, str]:
    """The metadata that goes into the file; what says nothing is left out."""
    fields = {
        "id": entry.id,
        "status": entry.status,
        "source": entry.source,
        "at": entry.created_at or "",
        "anchors": "\n".join(entry.anchors),
        "superseded-by": entry.superseded_by or "",
    }
    return {key: value for key, value in fields.items() if value}


def version_of(text: str) -> str:
    """What names these words of an entry: whoever saw them gives it back with a change of theirs,
    which is refused when the words have become others."""
    import hashlib  # noqa: PLC0415  (OpenSSL: 4 MB that a search can do without)

    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def status_of_words(source: str) -> str:
    """How far words are trusted by who wrote them, when they do not say themselves."""
    return "stated" if source.startswith("user:") else "unverified"


def checked_text(text: str) -> str:
    """`text` if it can be remembered. Raises UserError when it is empty, too long, or not text."""
    if not text.strip():
        raise UserError("there is nothing to remember; give the entry a text")
    if len(text) > MAX_TEXT_CHARS:
        message = f"the text has {len(text)} characters and an entry holds {MAX_TEXT_CHARS}"
        raise UserError(f"{message}; keep the long form in a file and remember where it is")
    if "\0" in text or not fits_utf8(text):
        message = "the text holds a NUL or half of a surrogate pair (an emoji cut in two?)"
        raise UserError(f"{message}; send whole characters")
    return text


def checked_kind(kind: str) -> str:
    """`kind` if it is one. Raises UserError."""
    if kind not in SECTIONS:
        raise UserError(f"there is no kind {kind!r}; use one of {', '.join(SECTIONS)}")
    return kind


def checked_status(status: str) -> str:
    """`status` if a caller may set it. Raises UserError."""
    if status not in STATUSES:
        raise UserError(f"there is no status {status!r}; use one of {', '.join(STATUSES)}")
    return status


def checked_anchors(anchors: tuple[str, ...]) -> tuple[str, ...]:
    """`anchors` if each is a short path, or path#symbol. Raises UserError."""
    if len(anchors) > MAX_ANCHORS:
        raise UserError(f"an entry has at most {MAX_ANCHORS} anchors; keep those that matter")
    for anchor in anchors:
        if not anchor.strip():
            raise UserError("an anchor is empty; name a path, or path#symbol")
        checked_text(anchor)
        if len(anchor) > MAX_ANCHOR_CHARS or "\n" in anchor or "\r" in anchor:
            message = f"an anchor is one line of at most {MAX_ANCHOR_CHARS} characters"
            raise UserError(f"{message}, a path or path#symbol")
    return anchors
