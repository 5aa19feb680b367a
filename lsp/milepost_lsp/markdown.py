"""Entries, verdicts and the like for reading: Markdown in which remembered text stays data.

An entry may come from anyone who could write to the repository or talk to an agent. In a fence it
cannot become a link, an image that phones home, or a heading that looks like ours.
"""

from __future__ import annotations

import re
import textwrap
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from milepost import api

# Editors do not wrap what stands in a fence; a hover window is about this wide.
FENCE_WIDTH = 88


def change(item: api.MemoryChange, entry_id: str | None) -> str:
    """A change of memory: who, what, when, and the words before and after."""
    undone = f", taken back by change {item.undone_by}" if item.undone_by else ""
    undoes = f" of change {item.undoes}" if item.undoes else ""
    head = f"{item.id}. {item.action}{undoes} by {item.actor}, {item.at}{undone}"
    parts = [f"**{inline(head)}**"]
    for revision in item.revisions:
        if entry_id is not None and entry_id not in _ids(revision):
            continue
        parts += [f"Before:\n\n{entry(revision.before)}"] if revision.before else []
        parts += [f"After:\n\n{entry(revision.after)}"] if revision.after else ["Gone."]
    return "\n\n".join(parts)


def _ids(revision: api.Revision) -> tuple[str, ...]:
    return tuple(each.id for each in (revision.before, revision.after) if each)


def entries(items: Sequence[api.Entry], *, plain: bool = False) -> str:
    """Each entry's text and where it comes from."""
    return "\n\n".join(entry(item, plain=plain) for item in items)


def entry(item: api.Entry, *, plain: bool = False, changes: int = 0, uses: int = 0) -> str:
    """One entry; `plain` for clients that show no Markdown, `changes` to say how many it has, and
    `uses` how often it was given out."""
    facts = [item.kind, item.status, f"from {item.source}" if item.source else ""]
    if item.scope != "project":
        facts.append(scope(item))
    if item.anchors:
        facts.append("about " + ", ".join(item.anchors))
    if item.created_at:
        facts.append(age(item.created_at))
    if uses:
        facts.append(f"used {count(uses, 'time')}")
    if changes:
        facts.append(f"{count(changes, 'change')} in its log")
    facts.extend(item.moved)
    facts.extend(f"suspect: {doubt}" for doubt in item.doubts)
    about = inline(" · ".join(fact for fact in facts if fact))
    return f"{item.text.strip()}\n({about})" if plain else f"{fence(item.text)}\n_{about}_"


def scope(item: api.Entry) -> str:
    """Where an entry holds, as a person would say it."""
    match item.scope:
        case "global":
            return "in all projects"
        case "worktree":
            return "in this worktree"
        case "session":
            return f"noted in session {item.within}"
        case "task":
            return f"of task {item.within}"
        case _:
            return "in this project"


def verdict(result: api.Verdict) -> str:
    """A verdict with what it stands on."""
    parts = [
        f"# {verdict_words(result.verdict)}",
        fence(result.goal.condition),
        inline(result.reason),
    ]
    if result.missing:
        parts.append("Missing:\n\n" + "\n".join(f"- {inline(each)}" for each in result.missing))
    return "\n\n".join((*parts, *map(evidence, result.evidence))) + "\n"


def evidence(piece: api.Evidence) -> str:
    """What was seen of one check."""
    outcome = "passed" if piece.passed else "failed"
    ended = "timed out" if piece.timed_out else f"exit code {piece.exit_code}"
    if piece.exit_code is None and not piece.timed_out:
        ended = "looked at"
    again = ", evidence reused" if piece.reused else ""
    held = f", sandbox {piece.sandbox}" if piece.sandbox else ""
    parts = [
        f"## {outcome}: {ended}, {piece.duration_ms} ms{held}{again}",
        fence("$ " + piece.command),
    ]
    if piece.results:
        parts.append(inline(piece.results))
    if piece.output_tail.strip():
        parts.append(fence(piece.output_tail, wrap=False))
    return "\n\n".join(parts)


def verdict_words(word: str) -> str:
    """A verdict as a person would say it."""
    return {"not_met": "Not met"}.get(word, word.capitalize())


def fence(text: str, *, wrap: bool = True) -> str:
    """Text that no Markdown in it can leave."""
    body = text.strip("\n")
    if wrap:
        body = "\n".join(piece for line in body.splitlines() for piece in _wrap(line))
    longest = max((len(run) for run in re.findall(r"`+", body)), default=0)
    marks = "`" * max(3, longest + 1)
    return f"{marks}text\n{body}\n{marks}"


def _wrap(line: str) -> list[str]:
    if len(line) <= FENCE_WIDTH:
        return [line]
    return textwrap.wrap(line, FENCE_WIDTH, break_long_words=False)


def inline(text: str) -> str:
    """Text on one line whose punctuation means nothing to Markdown."""
    return re.sub(r"([\\`*_\[\]<>!|])", r"\\\1", " ".join(text.split()))


def age(stamp: str, *, now: datetime | None = None) -> str:
    """`3 days ago (2026-11-20)` from an ISO time."""
    then = datetime.fromisoformat(stamp)
    days = ((now or datetime.now(UTC)).date() - then.date()).days
    match days:
        case _ if days <= 0:
            ago = "today"
        case 1:
            ago = "yesterday"
        case _:
            ago = f"{days} days ago"
    return f"{ago} ({then.date().isoformat()})"


def short(text: str, limit: int = 60) -> str:
    """Text on one line, cut at a word where it is long: for titles and messages."""
    return textwrap.shorten(" ".join(text.split()), limit, placeholder="…") or text[:limit]


def count(number: int, noun: str) -> str:
    """`1 file`, `2 files`, `2 entries`."""
    if number == 1:
        return f"1 {noun}"
    return f"{number} {noun[:-1]}ies" if noun.endswith("y") else f"{number} {noun}s"
