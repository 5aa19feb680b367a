"""checkpoint.md as an editor shows it: what stands where, who filled it and when, what is odd about
it. It is the writer's file, so nothing is written here."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from milepost.api import run_views
from milepost.api.standing import SUMMARY
from milepost.checkpoints import summary

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from milepost.api.masking import Masking
    from milepost.api.scopes import Scopes
    from milepost.api.standing import Standing
    from milepost.history.transcript import Transcripts

# What the items of a section would be in memory. The others hold for their session alone.
_KINDS = {
    "constraints": "rule",
    "knowledge": "knowledge",
    "errors": "knowledge",
    "dead_ends": "knowledge",
    "decisions": "decision",
    "notes": "knowledge",
}

# A session has a handful of checkpoints for each window; a writer that failed so often in a row is
# as good as none.
_LOOKED_BACK = 100

# What a writer had not seen when the session went on; its own work leaves two or three items.
_SAID = frozenset({"user", "nudge", "assistant", "result"})
_LOOKED_AHEAD = 20


class Summaries:
    """The checkpoint.md of the sessions of one project."""

    def __init__(
        self,
        standing: Standing,
        scopes: Scopes,
        masking: Masking,
        transcripts: Callable[[], Transcripts | None],
    ) -> None:
        """`transcripts` is None when nothing was ever said."""
        self._standing = standing
        self._scopes = scopes
        self._masking = masking
        self._transcripts = transcripts

    @property
    def titles(self) -> tuple[str, ...]:
        """The headings of the file, in their order."""
        return tuple(summary.TITLES.values())

    def session_of(self, path: str) -> str | None:
        """The session whose checkpoint.md this is; None when it is none."""
        if Path(path).name != SUMMARY:
            return None
        real = Path(os.path.realpath(path))
        session = real.parent.name
        ours = os.path.realpath(self._standing.summary_path(session))
        return session if real == Path(ours) else None

    def sections(self, text: str) -> tuple[run_views.SummarySection, ...]:
        """The sections of a file's text, such as an unsaved buffer's, in its order."""
        return tuple(map(_shown, summary.placed(text)))

    def findings(self, text: str) -> tuple[run_views.SummaryFinding, ...]:
        """What is odd about a file's text: sections that are missing, repeated or none of ours,
        and secrets."""
        return tuple(sorted(self._findings(text), key=lambda each: each.line))

    def written(self, session: str) -> run_views.SummaryWritten:
        """When the file of a session was written, by whom, and what they had seen."""
        at = _changed_at(self._standing.summary_path(session))
        transcripts = self._transcripts()
        if transcripts is None:
            return run_views.SummaryWritten(at, None, None, is_level=False)
        marks = transcripts.newest_of(session, "checkpoint", _LOOKED_BACK)
        mark = next((each for each in marks if each.data["by_model"]), None)
        if mark is None:
            return run_views.SummaryWritten(at, None, None, is_level=False)
        until = mark.data["until"]
        later = transcripts.items(session, after=until, limit=_LOOKED_AHEAD)
        is_level = all(item.kind not in _SAID for item in later)
        return run_views.SummaryWritten(at, mark.at, until, is_level=is_level)

    def words(self, text: str) -> str:
        """What an item says, of its lines: without the bullet of its list."""
        return summary.without_bullet(text)

    def is_remembered(self, text: str) -> bool:
        """Whether an entry that is in play says the same in the same words."""
        words = self._masking.text(text).split()
        return any(
            entry.text.split() == words
            for store in self._scopes.in_play(None, None, None)
            if store.exists()
            for entry in store.similar(text, "")
        )

    def _findings(self, text: str) -> Iterator[run_views.SummaryFinding]:
        seen: set[str] = set()
        for section in summary.placed(text):
            title, line = section.title, section.line
            if not section.key:
                words = f"“{title}” is none of its sections; the writer keeps it at the end"
                yield run_views.SummaryFinding("unknown", words, line, line + 1)
            elif section.key in seen:
                words = f"“{title}” stands above already; the writer keeps this one at the end"
                yield run_views.SummaryFinding("repeated", words, line, line + 1)
            seen.add(section.key)
            for item in section.items:
                kinds = dict.fromkeys(each.kind for each in self._masking.redact(item.text).found)
                for kind in kinds:
                    words = f"holds a secret ({kind}): take it out, and change it where it counts"
                    yield run_views.SummaryFinding("secret", words, item.line, item.end_line)
        missing = [title for key, title in summary.TITLES.items() if key not in seen]
        if missing and text.strip():
            names = ", ".join(f"“{title}”" for title in missing)
            words = f"{names} {_is(missing)} missing; the next write brings {_it(missing)} back"
            yield run_views.SummaryFinding("missing", words, 0, 1)


def _shown(section: summary.Section) -> run_views.SummarySection:
    by = "user"
    if section.key:
        by = "code" if section.key in summary.BY_CODE else "writer"
    kind = _KINDS.get(section.key, "")
    return run_views.SummarySection(
        section.title,
        by,
        section.line,
        section.end_line,
        tuple(
            run_views.SummaryItem(item.text, item.line, item.end_line, kind)
            for item in section.items
        ),
    )


def _changed_at(path: Path) -> str | None:
    try:
        changed = path.stat().st_mtime
    except OSError:
        return None
    return datetime.fromtimestamp(changed, UTC).isoformat(timespec="seconds")


def _is(names: list[str]) -> str:
    return "is" if len(names) == 1 else "are"


def _it(names: list[str]) -> str:
    return "it" if len(names) == 1 else "them"
