"""The core's views as text and data for a model: compact, and each complete alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from milepost_mcp.limits import MAX_PATHS, SNIPPET_CHARS, TAIL_CHARS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from milepost.api import (
        Change,
        Check,
        Checkpoint,
        Entry,
        Evidence,
        Goal,
        PartChange,
        Refusal,
    )


def entry_text(entry: Entry, *, whole: bool) -> str:
    """One entry as lines: what it is, then its words, indented."""
    about = f", about {', '.join(entry.anchors)}" if entry.anchors else ""
    since = f", {entry.age} ({entry.created_at})" if entry.age else ""
    replaced = f", superseded by {entry.superseded_by}" if entry.superseded_by else ""
    head = (
        f"[{entry.id}] {entry.kind}, {entry.status}, {f'{entry.scope} {entry.within}'.strip()}, "
        f"by {entry.source}{since}{about}{replaced}"
    )
    head += "".join(
        f"\n  SUSPECT: {doubt}; check, then confirm or correct it" for doubt in entry.doubts
    )
    head += "".join(f"\n  MOVED: {moved}" for moved in entry.moved)
    if entry.masked:
        head += f"\n  MASKED: {', '.join(entry.masked)}; secrets are never stored"
    body = entry.text if whole else snippet(entry.text)
    return head + "\n  " + body.replace("\n", "\n  ")


def entry_data(entry: Entry, *, whole: bool) -> dict[str, object]:
    """One entry as data; what is empty is left out."""
    fields: dict[str, object] = {
        "id": entry.id,
        "text": entry.text if whole else snippet(entry.text),
        "kind": entry.kind,
        "status": entry.status,
        "scope": entry.scope,
        "within": entry.within or None,
        "source": entry.source,
        "created_at": entry.created_at,
        "age": entry.age,
        "about": list(entry.anchors),
        "superseded_by": entry.superseded_by,
        "suspect": list(entry.doubts),
        "moved": list(entry.moved),
        "masked": list(entry.masked),
    }
    return {key: value for key, value in fields.items() if value not in (None, [])}


def snippet(text: str) -> str:
    """The beginning of a long text, and how much more there is."""
    if len(text) <= SNIPPET_CHARS:
        return text
    return f"{text[:SNIPPET_CHARS]}... ({len(text) - SNIPPET_CHARS} characters more)"


def checkpoint_text(point: Checkpoint) -> str:
    """One restore point on a line."""
    label = point.label or "(no label)"
    changed = f"{point.files_changed} changed of {point.files_total} files"
    return f"{point.id}  {point.created_at}  {label}  [{changed}, by {point.actor}]"


def checkpoint_data(point: Checkpoint) -> dict[str, object]:
    """One restore point as data."""
    return {
        "id": point.id,
        "label": point.label,
        "actor": point.actor,
        "created_at": point.created_at,
        "files_changed": point.files_changed,
        "files_total": point.files_total,
        "not_covered": point.not_covered_total,
    }


def changes_text(changes: Sequence[Change]) -> str:
    """Changed paths, a line each, and how many more there are."""
    lines = [f"  {change.kind:<8} {change.path}" for change in changes[:MAX_PATHS]]
    if len(changes) > MAX_PATHS:
        lines.append(f"  ... and {len(changes) - MAX_PATHS} more")
    return "\n".join(lines)


def changes_data(changes: Sequence[Change]) -> dict[str, object]:
    """Changed paths by kind of change; all are counted."""
    by_kind: dict[str, list[str]] = {}
    for change in changes[:MAX_PATHS]:
        by_kind.setdefault(change.kind, []).append(change.path)
    return {"total": len(changes), **by_kind}


def part_changes_text(changes: Sequence[PartChange]) -> str:
    """What changes beside the files, a line each, and how much more there is."""
    lines = [f"  {part_change_text(change)}" for change in changes[:MAX_PATHS]]
    if len(changes) > MAX_PATHS:
        lines.append(f"  ... and {len(changes) - MAX_PATHS} more")
    return "\n".join(lines)


def part_change_text(change: PartChange) -> str:
    """One change beside the files."""
    return f"{change.kind} {change.part}: {change.what}"


def refusals_text(refused: Sequence[Refusal]) -> str:
    """What was left alone, a line each, with the reason."""
    lines = [f"  {item.path}: {item.reason}" for item in refused[:MAX_PATHS]]
    if len(refused) > MAX_PATHS:
        lines.append(f"  ... and {len(refused) - MAX_PATHS} more")
    return "\n".join(lines)


def goal_text(goal: Goal) -> str:
    """A goal with its checks, and what the user must do before they may be run."""
    checks = "".join(f"\n  check: {_check(check)}" for check in goal.checks)
    if goal.not_allowed:
        checks += f"\n  NOT ALLOWED YET: the user must type: milepost goal allow {goal.id}"
    return f"[{goal.id}] {goal.state}: {goal.condition}{checks}"


def goal_data(goal: Goal) -> dict[str, object]:
    """A goal as data."""
    data: dict[str, object] = {
        "id": goal.id,
        "condition": goal.condition,
        "checks": [check.command for check in goal.checks],
        "state": goal.state,
        "verdict": goal.verdict or "none yet",
    }
    if goal.not_allowed:
        data["not_allowed"] = list(goal.not_allowed)
        data["user_must_type"] = f"milepost goal allow {goal.id}"
    return data


def evidence_text(evidence: Evidence) -> str:
    """What was seen of one check; the end of its output when it failed."""
    seen = "seen before in this very state" if evidence.reused else f"{evidence.duration_ms} ms"
    mark = "passed" if evidence.passed else "FAILED"
    held = f", sandbox {evidence.sandbox}" if evidence.sandbox else ""
    ended = f"{_ending(evidence)}, {seen}{held}, evidence {evidence.id}"
    line = f"  {mark}: {evidence.command} ({ended})"
    if evidence.results:
        line += f"\n    {evidence.results}"
    if evidence.passed:
        return line
    line += f"\n    {evidence.problem}"
    tail = _tail(evidence.output_tail).replace("\n", "\n    | ")
    return f"{line}\n    | {tail}" if tail else line


def evidence_data(evidence: Evidence) -> dict[str, object]:
    """What was seen of one check, as data."""
    data: dict[str, object] = {
        "id": evidence.id,
        "command": evidence.command,
        "passed": evidence.passed,
        "exit_code": _ending(evidence) if evidence.timed_out else evidence.exit_code,
        "duration_ms": evidence.duration_ms,
        "tree_hash": evidence.tree_hash[:16],
        "output_sha256": evidence.output_sha256[:16],
        "reused": evidence.reused,
    }
    if evidence.sandbox:
        data["sandbox"] = evidence.sandbox
    if evidence.exit_code is None and not evidence.timed_out:
        del data["exit_code"]  # nothing was run
    if evidence.results:
        data["results"] = evidence.results
    if not evidence.passed:
        data["problem"] = evidence.problem
        data["output_tail"] = _tail(evidence.output_tail)
    return data


def _tail(output: str) -> str:
    output = output.strip()
    return output if len(output) <= TAIL_CHARS else f"...{output[-TAIL_CHARS:]}"


def _ending(evidence: Evidence) -> str:
    if evidence.timed_out:
        return "stopped at its limit"
    return "looked at" if evidence.exit_code is None else f"exit {evidence.exit_code}"


def _check(check: Check) -> str:
    counted = ", tests are counted" if check.kind == "tests" else ""
    return f"{check.command} (within {check.timeout_s:g} s{counted})"
