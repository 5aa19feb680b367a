"""Memory that comes from elsewhere or goes there: exports, imports from other tools, an editor."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from milepost.api import data_views, views
from milepost.api.showing import shown
from milepost.base.errors import UserError
from milepost.base.files import ChangedMeanwhileError, make_private_dir, write_pieces_durably
from milepost.config import agents, editor
from milepost.memory import exchange
from milepost.memory.document import damaged
from milepost.memory.imports import codex, markdown, milepost, notes, server_memory
from milepost.memory.imports.plan import Terms, planned
from milepost.memory.imports.reading import Reading, read_lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from milepost.api.masking import Masking
    from milepost.api.scopes import Scopes
    from milepost.config.agents import Place
    from milepost.memory.entry import Entry
    from milepost.memory.store import MemoryStore

FORMATS = ("markdown", "json", "jsonl")
TOOLS = ("claude-code", "codex", "gemini-cli", "server-memory", "milepost", "markdown")

# An import reads many files and writes one change; so many entries at once are a person's life.
MAX_ENTRIES = 100_000


class Exchange:
    """The exchange of one project's memory."""

    def __init__(self, scopes: Scopes, root: Path, actor: str, masking: Masking) -> None:
        self._scopes = scopes
        self._root = root
        self._actor = actor
        self._masking = masking

    def export(self, *, scope: str | None = None, form: str = "jsonl") -> Iterator[str]:
        """The memory of a scope, or of all, piece by piece: as the `markdown` of its file, as one
        `json` object, or as `jsonl`. Raises UserError for an unknown scope or form."""
        stores = self._scoped(scope)
        if form not in FORMATS:
            raise UserError(f"there is no format {form!r}; use one of {', '.join(FORMATS)}")
        if form == "markdown":
            return self._markdown(stores)
        found = (self._masked(entry) for store in stores for entry in store.each())
        return exchange.as_json(found) if form == "json" else exchange.as_lines(found)

    def export_to(
        self, target: str, *, scope: str | None = None, form: str = "jsonl", force: bool = False
    ) -> data_views.DataFile:
        """`export` into a file, durably. Raises UserError when something is there already and
        `force` does not say that it may go."""
        path = Path(target)
        if path.exists() and not (force and path.is_file()):
            advice = "name another, or give --force" if path.is_file() else "name a file"
            raise UserError(f"{target} is there already; {advice}")
        pieces = (piece.encode("utf-8") for piece in self.export(scope=scope, form=form))
        try:
            write_pieces_durably(path, pieces, may_replace=force)
        except ChangedMeanwhileError:
            raise UserError(f"{target} is there already; name another, or give --force") from None
        return data_views.DataFile(
            str(path.absolute()), path.stat().st_size, "an export of the memory"
        )

    def found(self) -> tuple[views.ImportPlace, ...]:
        """The stores of other tools on this machine, for this project or for all of them."""
        return tuple(
            views.ImportPlace(place.tool, str(place.path), place.scope)
            for place in agents.places(self._root)
        )

    def take(
        self,
        tool: str | None,
        path: str | None = None,
        *,
        scope: str = "project",
        kind: str | None = None,
        is_stated: bool = False,
        is_applied: bool = True,
    ) -> views.Import:
        """Copy a tool's memory into ours: that at `path`, or that of the places where it keeps
        what holds in `scope`. The source is only read. With `is_applied` false it says what it
        would add. One import is one change, which one undo takes back.

        Raises UserError when there is nothing to read, or it cannot be read.
        """
        (store,) = self._scoped(scope)
        if tool is not None and tool not in TOOLS:
            raise UserError(f"there is no reader for {tool!r}; use one of {', '.join(TOOLS)}")
        reading = Reading()
        if path is not None:
            tool = self._read_path(tool, Path(path).expanduser(), reading)
        else:
            self._read_places(tool, scope, reading)
        if len(reading.candidates) > MAX_ENTRIES:
            count = len(reading.candidates)
            message = f"the source holds {count} entries and an import takes {MAX_ENTRIES}"
            raise UserError(f"{message}; import it in parts")
        plan = planned(
            reading,
            store,
            Terms(store.scope, f"import:{tool}", is_stated, kind),
            taken_ids=self._ids_elsewhere(store) if reading.candidates else set(),
            redact=self._redact,
        )
        change = None
        if plan.added and is_applied:
            change = store.add_all(plan.added, self._actor).id
        return views.Import(
            scope=store.label,
            files=tuple(reading.files),
            added=tuple(map(self._shown, plan.added)),
            left_out=tuple(views.LeftOut(each.where, each.why) for each in plan.left_out),
            near=tuple((one.id, self._shown(other)) for one, other in plan.near),
            masked=plan.masked,
            change_id=change,
        )

    def editor(self) -> tuple[str, ...]:
        """The user's editor as a command. Raises UserError when none is named."""
        return editor.command()

    def file_to_edit(self, scope: str) -> str:
        """The path of a scope's memory file, made when it was not there yet."""
        (store,) = self._scoped(scope)
        store.ensure()
        return str(store.path)

    def damage(self, scope: str) -> tuple[str, ...]:
        """A sentence for each comment of ours in a scope's file that cannot be read any more."""
        (store,) = self._scoped(scope)
        return tuple(damaged(store.content()))

    def kept_copy(self, entry: views.Entry) -> str:
        """The path of a new private file in the project's data, with the entry's words in it, for
        an editor. Whoever is done with it deletes it."""
        (store,) = self._scoped("project")
        folder = store.folder / "edits"
        make_private_dir(folder)
        number = 1
        while True:
            path = folder / f"{entry.id}-{number}.md"
            try:
                write_pieces_durably(path, [f"{entry.text}\n".encode()], may_replace=False)
            except ChangedMeanwhileError:
                number += 1
            else:
                return str(path)

    def _scoped(self, scope: str | None) -> tuple[MemoryStore, ...]:
        return self._scopes.in_play(scope, None, None)

    def _shown(self, entry: Entry) -> views.Entry:
        return shown(entry, self._masking)

    def _markdown(self, stores: Iterable[MemoryStore]) -> Iterator[str]:
        for store in stores:
            yield from exchange.as_markdown(store.content(), self._masking.text)

    def _masked(self, entry: Entry) -> Entry:
        text = self._masking.text(entry.text)
        return entry if text is entry.text else replace(entry, text=text)

    def _redact(self, text: str) -> tuple[str, bool]:
        redacted = self._masking.redact(text)
        return redacted.text, bool(redacted.found)

    def _ids_elsewhere(self, store: MemoryStore) -> set[str]:
        others = (other for other in self._scopes.kept() if other is not store)
        return {entry.id for other in others for entry in other.each()}

    def _read_places(self, tool: str | None, scope: str, reading: Reading) -> None:
        if tool in ("milepost", "markdown", None):
            raise UserError(f"name the file to import{f' from {tool}' if tool else ''}")
        places = [place for place in agents.places(self._root) if place.tool == tool]
        wanted = "global" if scope == "global" else "project"
        chosen = [place for place in places if place.scope in (None, wanted)]
        if not chosen:
            other = " for this scope" if places else ""
            raise UserError(f"no memory of {tool} was found{other}; name its file or folder")
        for place in chosen:
            try:
                self._read(place, reading)
            except UserError as error:
                reading.leave_out(str(place.path), str(error))

    def _read(self, place: Place, reading: Reading) -> None:
        match place.shape:
            case "markdown":
                markdown.read(place.path, reading, inside=place.inside)
            case "notes":
                notes.read(place.path, reading, inside=place.inside)
            case "codex-handbook":
                codex.read_handbook(place.path, reading, self._root)
            case "codex-summary":
                codex.read_summary(place.path, reading)
            case "server-memory":
                server_memory.read(place.path, reading)

    def _read_path(self, tool: str | None, path: Path, reading: Reading) -> str:
        """Read what is at `path`, by the name of its tool or by what it looks like; the tool."""
        if path.is_dir():
            if not any(path.glob("*.md")):
                raise UserError(f"there are no notes in {path}; name the folder with the .md files")
            notes.read(path, reading)
            return tool or "markdown"
        tool = tool or _guessed(path)
        if tool == "milepost":
            milepost.read(path, reading)
        elif tool == "server-memory":
            server_memory.read(path, reading)
        elif tool == "codex" and path.name == "MEMORY.md":
            codex.read_handbook(path, reading, self._root)
        elif tool == "codex" and path.name == "memory_summary.md":
            codex.read_summary(path, reading)
        else:
            markdown.read(path, reading)
        return tool


def _guessed(path: Path) -> str:
    """The format of a file by its first line."""
    _, first = next(read_lines(path, Reading()), ("", ""))
    if milepost.is_export(first):
        return "milepost"
    return "server-memory" if first.startswith("{") else "markdown"
