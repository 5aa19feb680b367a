"""checkpoint.md in an editor: what its features show of the state of a session.

The file is the writer's, so nothing is offered that would write it. What holds beyond the session
can be remembered, and then says whose words it holds.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from lsprotocol import types

from milepost import api
from milepost_lsp import archive, markdown
from milepost_lsp.convert import range_json
from milepost_lsp.features.mentions import Mention, mentioned_at, mentions
from milepost_lsp.protocol import commands
from milepost_lsp.text import split_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from milepost_lsp.session import Home
    from milepost_lsp.text import Text

T = TypeVar("T")

# More would fill the file rather than the margin; each is looked for in memory.
MOST_LENSES = 60

_KINDS = {"rule": "remember as a rule", "decision": "remember as a decision"}


@dataclass(frozen=True, slots=True)
class Odd:
    """Something that a person should know, with the columns in code points; `end` is None at the
    end of its last line."""

    kind: str
    message: str
    line: int
    start: int
    end_line: int
    end: int | None


def outline(home: Home, source: str) -> tuple[api.OutlineItem, ...]:
    """The headings and items, as those of a memory file."""
    items: list[api.OutlineItem] = []
    title = source.split("\n", 1)[0]
    if title.startswith("# "):
        items.append(api.OutlineItem(1, title[2:].strip(), 0, 1, None))
    for section in home.workspace.summaries.sections(source):
        items.append(api.OutlineItem(2, section.title, section.line, section.line + 1, None))
        items += (
            api.OutlineItem(0, item.text.split("\n", 1)[0], item.line, item.end_line, None)
            for item in section.items
        )
    return tuple(items)


def oddities(home: Home, source: str) -> tuple[Odd, ...]:
    """What is odd about the text: its sections, secrets, and files that are gone."""
    lines = split_lines(source)
    found = [
        Odd(each.kind, each.message, each.line, 0, max(each.line, each.end_line - 1), None)
        for each in home.workspace.summaries.findings(source)
    ]
    for each in mentions(lines):
        if each.kind == "file" and each.is_sure and _file(home, each.name) is None:
            words = f"{each.name} is gone from the project, or was never in it"
            found.append(Odd("gone", words, each.line, each.start, each.line, each.end))
    return tuple(sorted(found, key=lambda each: (each.line, each.start)))


def to_remember(home: Home, source: str) -> tuple[api.SummaryItem, ...]:
    """The items that may hold beyond the session and are not in memory."""
    summaries = home.workspace.summaries
    items = (item for each in summaries.sections(source) for item in each.items if item.kind)
    some = islice(items, MOST_LENSES)
    return tuple(item for item in some if not summaries.is_remembered(item.text))


def lenses(
    home: Home, uri: str, text: Text, items: tuple[api.SummaryItem, ...], *, has_chat: bool
) -> list[types.CodeLens]:
    """How to go on with the session, and what could be remembered of it. A client that `has_chat`
    goes on in that."""
    found: list[types.CodeLens] = []
    if not has_chat:
        again = {"sessionId": home.summary_session, "uri": uri}
        found.append(_lens(0, "go on with this session", commands.OPEN_CHAT, again))
    for item in items:
        title = _KINDS.get(item.kind, "remember this")
        span = range_json(text.whole_lines(item.line, item.end_line))
        about = {"uri": uri, "range": span, "kind": item.kind}
        found.append(_lens(item.line, title, commands.REMEMBER, about))
    return found


def links(home: Home, text: Text, *, opens_ours: bool) -> Iterator[types.DocumentLink]:
    """Where the words lead; to `milepost:` documents where the client `opens_ours`."""
    session = home.summary_session or ""
    if opens_ours and text.lines and text.lines[0].startswith("# "):
        span = types.Range(types.Position(0, 0), text.end_of_line(0))
        target = archive.uri_of(home.workspace, "sessions", session)
        yield types.DocumentLink(span, target, "what was said and done in the session")
    for each in mentions(text.lines):
        found = _target(home, each, opens_ours=opens_ours)
        if found is not None:
            span = types.Range(
                text.position(each.line, each.start), text.position(each.line, each.end)
            )
            yield types.DocumentLink(span, *found)


def hover(
    home: Home, text: Text, position: types.Position, *, plain: bool
) -> tuple[str, str, types.Range] | None:
    """A title and words on what is under the cursor: what an id stands for, else where the item
    comes from; with the range that it is about. `plain` for clients that show no Markdown."""
    column = len(text.before(position))
    named = mentioned_at(text.lines, position.line, column)
    told = None if named is None else _told(home, named, plain=plain)
    if named is not None and told is not None:
        start = text.position(named.line, named.start)
        return *told, types.Range(start, text.position(named.line, named.end))
    for section in home.workspace.summaries.sections(text.source):
        if section.line <= position.line < section.end_line:
            holding = (i for i in section.items if i.line <= position.line < i.end_line)
            item = next(holding, None)
            first = section.line if item is None else item.line
            last = section.line + 1 if item is None else item.end_line
            span = text.whole_lines(first, last)
            words = _provenance(home, section)
            return section.title, words if plain else markdown.inline(words), span
    return None


def _provenance(home: Home, section: api.SummarySection) -> str:
    written = home.workspace.summaries.written(home.summary_session or "")
    when = markdown.age(written.at) if written.at else "never"
    if section.by == "user":
        return "Under a heading of your own: the writer keeps it at the end."
    if section.by == "code":
        return f"Filled by code, from what was said, done and seen; written {when}."
    if written.writer_at is None or written.until is None:
        return "For the writer, a model of its own, to fill; none has been asked yet."
    since = "nothing was said after that" if written.is_level else "the session went on after that"
    return (
        f"Filled by the writer, a model of its own, {markdown.age(written.writer_at)}; it had seen "
        f"the session up to item {written.until}, and {since}."
    )


def _target(home: Home, named: Mention, *, opens_ours: bool) -> tuple[str, str] | None:
    """Where something that is named stands, and what that is."""
    space = home.workspace
    match named.kind:
        case "file":
            path = _file(home, named.name)
            line = "" if named.at is None else f"#L{named.at}"
            return None if path is None else (path.as_uri() + line, named.name)
        case "task":
            progress = Path(space.memory.file(task=named.name))
            return (progress.as_uri(), "the progress of this task") if progress.exists() else None
        case "item":
            target = archive.uri_of(space, "sessions", home.summary_session or "")
            is_there = opens_ours and _item(home, named) is not None
            return (target, "what was said and done in the session") if is_there else None
        case "point":
            point = _found(lambda: space.checkpoints.get(int(named.name)))
            target = archive.uri_of(space, "checkpoints", named.name)
            return (target, "the restore point") if point and opens_ours else None
        case "id":
            place = _found(lambda: space.memory.locate(named.name))
            if place is not None:
                return f"{Path(place.path).as_uri()}#L{place.line + 1}", "the entry of memory"
            target = archive.uri_of(space, "goals", named.name)
            is_there = opens_ours and _found(lambda: space.goals.get(named.name)) is not None
            return (target, "the goal") if is_there else None


def _told(home: Home, named: Mention, *, plain: bool) -> tuple[str, str] | None:
    """What stands behind something that is named: a title, and words."""
    space = home.workspace
    title, words = "", ""
    match named.kind:
        case "task":
            tasks = {task: about for task, *about in space.inspection.tasks()}
            if named.name in tasks:
                state, words = tasks[named.name]
                title = f"Task {named.name}, {state}"
        case "item":
            item = _item(home, named)
            if item is not None:
                title = f"Item {item.number}, {item.kind}, {markdown.age(item.at)}"
                words = item.text[:_SHOWN_CHARS]
        case "point":
            point = _found(lambda: space.checkpoints.get(int(named.name)))
            if point is not None:
                title = (
                    f"Restore point {point.id} by {point.actor}, {markdown.age(point.created_at)}"
                )
                words = point.label or "It has no label."
        case "id":
            entry = _found(lambda: space.memory.get(named.name))
            if entry is not None:
                return "Milepost remembers", markdown.entry(entry, plain=plain)
            goal = _found(lambda: space.goals.get(named.name))
            if goal is not None:
                title = f"Goal, {goal.state}, last verdict: {goal.verdict or 'none'}"
                words = goal.condition
        case "file":
            pass
    if not title:
        return None
    return title, words if plain else markdown.fence(words)


# A hover is glanced at; the transcript has the rest.
_SHOWN_CHARS = 1_000


def _item(home: Home, named: Mention) -> api.SessionItem | None:
    """An item of this very session."""
    around = _found(lambda: home.workspace.sessions().around(int(named.name), size=0))
    item = around[0] if around else None
    return item if item is not None and item.session == home.summary_session else None


def _file(home: Home, name: str) -> Path | None:
    """A file of the project that is there."""
    root = Path(home.workspace.project.root)
    path = root / name
    is_inside = ".." not in path.parts and path.is_relative_to(root)
    with contextlib.suppress(OSError, ValueError):
        return path if is_inside and path.exists() else None
    return None


def _found(look: Callable[[], T]) -> T | None:
    with contextlib.suppress(api.UserError):
        return look()
    return None


def _lens(line: int, title: str, command: str, argument: Mapping[str, object]) -> types.CodeLens:
    place = types.Range(types.Position(line, 0), types.Position(line, 0))
    return types.CodeLens(place, types.Command(title, command, arguments=[argument]))
