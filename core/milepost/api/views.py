"""What the guests see: frozen plain values, made of str, int, bool, float and tuples.

No room's own type passes this door, so a room can change its insides without the servers
noticing. Times are ISO 8601 in UTC to the second (`2026-11-22T09:30:00Z`); paths inside a project
are relative to its root with forward slashes; bytes that are not UTF-8 are shown with `\\xNN`.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Project:
    """The project a workspace was opened on."""

    id: str
    name: str
    root: str
    data_dir: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One remembered thing. `kind` is context, rule, decision, knowledge or note; `status` is
    stated, confirmed, unverified or superseded; `scope` is project, worktree, session, task or
    global, and `within` names the worktree, session or task. `doubts` say why the entry is suspect:
    code that it is about (`anchors`) has changed since it was last confirmed. `moved` tells
    of code that only moved, and where to, which makes nothing suspect. `masked` names the
    kinds of secrets that stand as placeholders in what was just saved. `version` names the words:
    given back with a change, it has the change refused when the words have become others meanwhile.
    `age` is how long ago it was made, in words. A `source` such as `file:AGENTS.md:12` is an
    agents' own file: such an entry is read only, and its `anchors` are the paths that it counts
    for."""

    id: str
    text: str
    kind: str
    status: str
    scope: str
    source: str
    created_at: str | None
    anchors: tuple[str, ...]
    superseded_by: str | None
    doubts: tuple[str, ...] = ()
    masked: tuple[str, ...] = ()
    version: str = ""
    within: str = ""
    age: str | None = None
    moved: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Location:
    """Where an entry stands: an absolute path and zero-based lines, `end_line` excluded."""

    path: str
    line: int
    end_line: int


@dataclass(frozen=True, slots=True)
class OutlineItem:
    """A heading (`level` 1 to 6) or an entry (`level` 0, with its id) of a memory file."""

    level: int
    title: str
    line: int
    end_line: int
    entry_id: str | None


@dataclass(frozen=True, slots=True)
class PlacedEntry:
    """An entry where it stands in a memory file's text, with what is said of it beside its words:
    `anchors` without stamps, each with the zero-based line and the columns (in code points) at
    which it stands in the comment."""

    id: str
    line: int
    end_line: int
    status: str
    superseded_by: str | None
    anchors: tuple[tuple[str, int, int, int], ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """Something about an entry that needs a person: `kind` is suspect, duplicate, contradiction or
    secret. `other_line` is where the entry stands that it is about as well."""

    entry_id: str
    kind: str
    message: str
    line: int
    end_line: int
    other_line: int | None = None


@dataclass(frozen=True, slots=True)
class Hit:
    """A search result: higher `score` is better, comparable within one search only. Of an entry
    that `is_shortened` only the beginning fitted the budget."""

    entry: Entry
    score: float
    is_shortened: bool = False


@dataclass(frozen=True, slots=True)
class SearchResult:
    """What a search found, and over how many entries it looked; `advice` is set when it found
    nothing and says how to widen. `left_out` more were found and did not fit the budget. `warnings`
    are sentences on files that need a person."""

    query: str
    hits: tuple[Hit, ...]
    entries_searched: int
    scopes: tuple[str, ...]
    advice: str | None
    left_out: int = 0
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RulesFile:
    """A file of agents' own rules that was found. `when` says when its rules count; of its `rules`,
    `repeated` stand elsewhere too; `notes` say what of it is not used, and why."""

    path: str
    read_by: str
    scope: str
    size: int
    tokens: int
    rules: int
    repeated: int
    is_used: bool
    when: str
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Omission:
    """An entry that is not in a brief, and why."""

    id: str
    why: str


@dataclass(frozen=True, slots=True)
class BriefEntry:
    """An entry of a brief. `group` is rules, task or background."""

    entry: Entry
    group: str
    is_shortened: bool


@dataclass(frozen=True, slots=True)
class Brief:
    """What is worth knowing at the beginning of a task, as `text` of `tokens` tokens, never more
    than `budget_tokens`. `left_out` names the first of `left_out_total` entries that are not in it,
    `files` the rules files of which something is not used."""

    text: str
    tokens: int
    budget_tokens: int
    entries: tuple[BriefEntry, ...]
    left_out: tuple[Omission, ...]
    left_out_total: int
    files: tuple[RulesFile, ...]


@dataclass(frozen=True, slots=True)
class EntryPage:
    """Part of the entries in file order; `next_offset` is None at the end."""

    entries: tuple[Entry, ...]
    total: int
    next_offset: int | None


@dataclass(frozen=True, slots=True)
class Revision:
    """One entry before and after a change: None before it was there, None after it was gone."""

    before: Entry | None
    after: Entry | None


@dataclass(frozen=True, slots=True)
class MemoryChange:
    """A change of memory. `action` is add, update, supersede, forget, import, follow (anchors after
    code that moved), undo, edit (by hand), back to a restore point, or move with where from or to;
    `undoes` is the change that this one took back, `undone_by` the one that took this one back."""

    id: int
    at: str
    actor: str
    action: str
    undoes: int | None
    undone_by: int | None
    revisions: tuple[Revision, ...]


@dataclass(frozen=True, slots=True)
class ImportPlace:
    """A store of another tool that is on this machine. `scope` is project or global, whichever its
    contents hold for; None where it does not say."""

    tool: str
    path: str
    scope: str | None


@dataclass(frozen=True, slots=True)
class LeftOut:
    """What an import did not take, where it stands in the source, and why."""

    where: str
    why: str


@dataclass(frozen=True, slots=True)
class Import:
    """What an import added, or would add when `change_id` is None. `near` names each added entry
    that says nearly what another one says, with that one; `masked` counts the entries in which a
    secret was masked."""

    scope: str
    files: tuple[str, ...]
    added: tuple[Entry, ...]
    left_out: tuple[LeftOut, ...]
    near: tuple[tuple[str, Entry], ...]
    masked: int
    change_id: int | None


@dataclass(frozen=True, slots=True)
class Relocation:
    """Where the project's memory went: the file that it is in now, how many entries came into it
    and how many were there already, the copy of the file that it was in, and the settings file that
    says so."""

    path: str
    moved: int
    present: int
    backup: str | None
    settings: str


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting as it holds: its value as TOML writes it, and where that comes from."""

    name: str
    value: str
    origin: str


@dataclass(frozen=True, slots=True)
class Check:
    """Something that Milepost can see for itself. `command` is the line that says it; `kind` is
    command, tests, file, no file, text, match, prints, json, clean or committed. What is run must
    end with `expect_exit` within `timeout_s` seconds."""

    command: str
    expect_exit: int
    timeout_s: float
    kind: str = "command"


@dataclass(frozen=True, slots=True)
class Evidence:
    """What Milepost saw when it looked at a check. `exit_code` is None when the command was stopped
    or nothing was run. `problem` says what speaks against the check; `results` are the counts of a
    test run, and how they were had; `sandbox` names what held the command, if one was run."""

    id: str
    command: str
    exit_code: int | None
    passed: bool
    timed_out: bool
    duration_ms: int
    output_tail: str
    output_bytes: int
    output_sha256: str
    tree_hash: str
    started_at: str
    reused: bool
    problem: str | None = None
    results: str = ""
    sandbox: str = ""


@dataclass(frozen=True, slots=True)
class Goal:
    """A condition for "done". `state` is active, paused, blocked, budget-limited, met or
    abandoned; `verdict` is the newest one, or None before the first verification. A budget of None
    has no limit. `not_allowed` are commands that an agent brought and the user has not allowed."""

    id: str
    condition: str
    checks: tuple[Check, ...]
    state: str
    source: str
    created_at: str
    verdict: str | None
    max_verifications: int | None = None
    max_seconds: float | None = None
    not_allowed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Sign:
    """Something that was to judge the work and was changed since the goal was set. `kind` is tests,
    skipped, configuration, checker, environment or baseline; `is_accepted` tells that the user
    takes it for an honest change."""

    id: str
    kind: str
    words: str
    is_accepted: bool


@dataclass(frozen=True, slots=True)
class Verdict:
    """`verdict` is met, not_met, impossible or unverifiable; `missing` says what it lacks to be
    met."""

    goal: Goal
    verdict: str
    reason: str
    missing: tuple[str, ...]
    evidence: tuple[Evidence, ...]
    signs: tuple[Sign, ...] = ()


@dataclass(frozen=True, slots=True)
class HistoryEvent:
    """Something that was done in the project: a tool call, an editor command, a CLI command."""

    id: int
    at: str
    session: str
    actor: str
    action: str
    request: str
    reply: str
    failed: bool


@dataclass(frozen=True, slots=True)
class HistoryResult:
    """What a history search found, newest first, and how many events were searched."""

    query: str
    events: tuple[HistoryEvent, ...]
    events_searched: int
    advice: str | None


@dataclass(frozen=True, slots=True)
class VectorUse:
    """The model whose vectors help the searches of the servers, `static` or `semantic`; None when
    none does. `asked` is the user's setting, `failure` why the model cannot be loaded."""

    asked: str | None
    model: str | None
    failure: str | None
