"""The transcript of a run, read from its database, and compared with another one's."""

from __future__ import annotations

import json
import re
import sqlite3
from contextlib import closing
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

import zstandard

_RESULT_OF_DONE = "It was done; the session was interrupted right after."
_RESULT_OF_UNKNOWN = "The session was interrupted while this ran."

# What is compared of a transcript, and what differs of it in every run.
_COMPARED = {"user", "nudge", "assistant", "result"}
_DIFFERING = {"points", "usage", "seen"}

_QUOTED = re.compile(r'"(\w+)"')

Items = list[tuple[str, dict[str, Any]]]


def rows(path: Path | None, query: str) -> list[tuple[Any, ...]]:
    """The rows of a database; none where there is no such file or table yet."""
    if path is None or not path.exists():
        return []
    with closing(sqlite3.connect(path, timeout=15)) as connection:
        try:
            return connection.execute(query).fetchall()
        except sqlite3.OperationalError as error:
            if "no such table" not in str(error):
                raise
            return []


def replies(transcript: Path | None) -> int:
    """How many replies of the worker stand there."""
    counted = rows(transcript, "SELECT count(*) FROM item WHERE kind = 'assistant'")
    return counted[0][0] if counted else 0


def items_of(transcript: Path) -> Items:
    """All items, each with its kind."""
    query = "SELECT kind, is_compressed, data FROM item ORDER BY number"
    return [
        (kind, json.loads(zstandard.ZstdDecompressor().decompress(data) if packed else data))
        for kind, packed, data in rows(transcript, query)
    ]


def calls_of(items: Items) -> list[dict[str, Any]]:
    """The calls of tools, in their order."""
    parts = (part for kind, data in items if kind == "assistant" for part in data["parts"])
    return [part for part in parts if part["type"] == "ToolCall"]


def told(items: Items) -> list[tuple[str, str]]:
    """What was said and done, without what differs in every run: the ids of calls are their
    numbers, and calls that ran side by side end in their order."""
    names = {call["id"]: f"call {number:03}" for number, call in enumerate(calls_of(items))}
    found: list[tuple[str, str]] = []
    compared = ((kind, data) for kind, data in items if kind in _COMPARED)
    for kind, together in groupby(compared, key=itemgetter(0)):
        texts: list[str] = []
        for _, data in together:
            left = {key: data[key] for key in data if key not in _DIFFERING}
            text = json.dumps(left, sort_keys=True)
            texts.append(_QUOTED.sub(lambda word: f'"{names.get(word[1], word[1])}"', text))
        found += [(kind, text) for text in (sorted(texts) if kind == "result" else texts)]
    return found


def cut_short(expected: list[tuple[str, str]], found: list[tuple[str, str]]) -> int | None:
    """How many results say that a kill cut them short, where the history is the expected one but
    for them; None where it is another."""
    if len(expected) != len(found):
        return None
    excused = 0
    for (kind, theirs), (other, mine) in zip(expected, found, strict=True):
        if (kind, theirs) == (other, mine):
            continue
        one, two = json.loads(theirs), json.loads(mine)
        if not kind == other == "result" or one["call"] != two["call"] or one["failed"]:
            return None
        is_told = two["text"] == _RESULT_OF_DONE and not two["failed"]
        if not is_told and not (two["failed"] and two["text"].startswith(_RESULT_OF_UNKNOWN)):
            return None
        excused += 1
    return excused


def difference(expected: list[tuple[str, str]], found: list[tuple[str, str]]) -> str:
    """The first difference between two histories, in words."""
    pairs = zip(expected, found, strict=False)
    differing = (f"{theirs} became {mine}" for theirs, mine in pairs if theirs != mine)
    return next(differing, f"{len(expected)} items became {len(found)}")[:2_000]
