"""What a session keeps of itself, as it goes: the transcript, read and written in messages.

Everything is written down before anything is done about it, with secrets masked, so that a process
that dies at any point can be followed by another one that goes on where it stood.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from milepost.agent.state import UserWords
from milepost.base.ids import new_id
from milepost.history.transcript import WENT_BACK
from milepost.providers.message import (
    Message,
    Reply,
    Text,
    Thought,
    ToolCall,
    ToolResult,
    Usage,
)
from milepost.tools.tool import Planned, Result

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from milepost.history.item import Item
    from milepost.history.transcript import Transcripts
    from milepost.providers.message import Part
    from milepost.tools.seen import Seen

_NOT_RUN = (
    "The user went back to before this was done, so it counts as not done. Do not repeat it unless "
    "that is what is asked now."
)

# What the history takes of one result; the tools cut theirs far below.
_MAX_TEXT_CHARS = 400_000


@dataclass(frozen=True, slots=True)
class Past:
    """A session that is taken up again: the messages since the window was last rebuilt (all of
    them, when it never was), each with its number, the calls of its last reply when they have not
    all ended, how many replies there were, and what each request took, the writer's included.
    `closing` is the last message when it is a reply that calls nothing, with why it ended."""

    was_rebuilt: bool
    messages: tuple[tuple[int, Message], ...]
    open_calls: tuple[ToolCall, ...]
    closing: tuple[Message, str] | None
    steps: int
    taken: tuple[tuple[Usage, float | None], ...]


class Record:
    """The transcript of one session."""

    def __init__(
        self, transcripts: Transcripts, session_id: str, mask: Callable[[str], str], seen: Seen
    ) -> None:
        """`seen` is what the session's tools have seen of files, which is kept with the results."""
        self._seen = seen
        self.session_id = session_id
        self._transcripts = transcripts
        self._mask = mask
        self._begun: dict[str, Planned | None] = {}
        self._results: dict[str, ToolResult] = {}
        self._asked: dict[str, ToolCall] = {}
        self._used_ids: set[str] = set()
        self._put_away: set[int] = set()
        self.said: list[UserWords] = []
        self.last = 0

    def user(
        self, text: str, attached: str = "", about: Mapping[str, object] | None = None
    ) -> Message:
        """The user said something. `attached` is what goes with it to the model, such as a file;
        `about` is kept with it for whoever shows the session."""
        words = self._mask(text)
        data = {"text": words, "attached": self._mask(attached), **(about or {})}
        number = self._append("user", data, words)
        self.said.append(UserWords(number, words))
        return _user_message(data)

    def nudge(self, text: str) -> Message:
        """Milepost tells the worker something; it is not the user's word."""
        words = self._mask(text)
        self._append("nudge", {"text": words}, "")
        return Message("user", (Text(words),))

    def broken_off(self, text: str) -> None:
        """The worker was stopped, or failed, in the middle of its answer: so much it had said."""
        if not text.strip():
            return
        words = self._mask(text)
        nothing = _usage(Usage(is_estimate=True))
        parts = [_to_data(Text(words))]
        data = {"parts": parts, "stop": "broken_off", "usage": nothing, "cost_usd": 0.0}
        self._append("assistant", data, words)

    def settle(self) -> None:
        """Say of the calls that have not ended that they will not be run: the user has gone on, or
        their process died."""
        for call in self._asked.values():
            if call.id in self._results:
                continue
            text = "The turn was stopped before this was run."
            if call.id in self._begun:
                text = "The turn was stopped while this ran; look at what there is."
            self.end(call, Result(text, failed=True), None, None)

    def note(self, kind: str, data: Mapping[str, object]) -> int:
        """Keep something for whoever shows the session; the model is not told."""
        return self._append(kind, dict(data), "")

    def begin_phase(self, name: str, mark: int | None, *, is_fresh: bool) -> int:
        """A phase of a composition begins; its number. One that is fresh has a window of its own,
        in which nothing is that was said before."""
        return self._append("phase", {"phase": name, "mark": mark, "is_fresh": is_fresh}, "")

    def took(self, actor: str, model: str, usage: Usage, cost_usd: float | None) -> None:
        """A request of another one than the worker's ended, such as the writer's."""
        took = {"actor": actor, "model": model, "usage": _usage(usage), "cost_usd": cost_usd}
        self._append("took", took, "")

    def reply(self, reply: Reply, model: str = "") -> Message:
        """The worker answered; `model` is the name of its model."""
        parts = self._with_own_ids(map(self._masked, reply.message.parts))
        message = Message("assistant", parts)
        self._open(message)
        said = [part.text for part in parts if isinstance(part, Text)]
        asked = [f"{call.name} {call.arguments}" for call in message.calls]
        data = {
            "parts": list(map(_to_data, parts)),
            "stop": reply.stop,
            "usage": _usage(reply.usage),
            "cost_usd": reply.cost_usd,
            "model": model,
        }
        self._append("assistant", data, "\n".join([*said, *asked]))
        return message

    def begin(self, call: ToolCall, before: int | None, planned: Planned | None) -> None:
        """A call that may change something begins."""
        plan = None if planned is None else {"before": planned.before, "after": planned.after}
        self._append("began", {"call": call.id, "point": before, "planned": plan}, "")
        self._begun[call.id] = planned

    def end(
        self, call: ToolCall, result: Result, before: int | None, after: int | None
    ) -> ToolResult:
        """A call ended."""
        text = self._mask(result.text)[:_MAX_TEXT_CHARS]
        data = {
            "call": call.id,
            "tool": call.name,
            "text": text,
            "failed": result.failed,
            "paths": list(result.paths),
            "points": [before, after],
            "seen": self._seen.take_new(),
        }
        self._append("result", data, text if result.failed else "")
        kept = ToolResult(call.id, text, result.failed)
        self._results[call.id] = kept
        return kept

    def rebuilt(self, kept_from: int | None) -> None:
        """The window was rebuilt; the items from this number on are still in it (None: of those
        that were, none)."""
        self._append("rebuilt", {"from": kept_from or self.last + 1}, "")

    def checkpoint(self, until: int, *, by_model: bool) -> None:
        """checkpoint.md speaks of everything up to this number."""
        self._append("checkpoint", {"until": until, "by_model": by_model}, "")

    def result_of(self, call_id: str) -> ToolResult | None:
        """What came of a call; None when it did not end."""
        return self._results.get(call_id)

    def has_begun(self, call_id: str) -> bool:
        """Whether a call that may change something has begun."""
        return call_id in self._begun

    def planned_of(self, call_id: str) -> Planned | None:
        """What a call that has begun was going to do, when its tool could tell."""
        return self._begun.get(call_id)

    def items(self, after: int = 0) -> list[Item]:
        """The items behind this number, but for those that the session went back from."""
        items = self._transcripts.items(self.session_id, after=after)
        return [item for item in items if item.number not in self._put_away]

    def load(self) -> Past:
        """Read the whole session, and take it up where it stands."""
        everything = self._transcripts.items(self.session_id)
        items = self._transcripts.in_force(self.session_id)
        self._put_away = {item.number for item in everything} - {item.number for item in items}
        rebuilds = list(filter(None, map(_begins_anew, items)))
        messages: list[tuple[int, Message]] = []
        taken: list[tuple[Usage, float | None]] = []
        steps = 0
        stop = ""
        for item in items:
            self.last = item.number
            if item.kind == "user":
                self.said.append(UserWords(item.number, item.data["text"]))
            elif item.kind in {"assistant", "took"}:
                steps += item.kind == "assistant"
                taken.append((Usage(**item.data["usage"]), item.data["cost_usd"]))
            found = self._take(item)
            if found is not None and item.number >= max(rebuilds, default=0):
                messages.append((item.number, found))
                stop = item.data.get("stop", "")
        self._seen.take_new()
        calls = messages[-1][1].calls if messages else ()
        since = (item for item in everything if messages and item.number > messages[-1][0])
        if calls and any(item.kind == WENT_BACK for item in since):
            messages.append((self.last, self._not_run(calls)))
            calls = ()
        closes = bool(stop) and not calls and messages[-1][1].role == "assistant"
        closing = (messages[-1][1], stop) if closes else None
        return Past(bool(rebuilds), tuple(messages), calls, closing, steps, tuple(taken))

    def _not_run(self, calls: Iterable[ToolCall]) -> Message:
        """The results of calls that the session went back from, which are not to be run again."""
        for call in calls:
            if call.id not in self._results:
                self.end(call, Result(_NOT_RUN, failed=True), None, None)
        return Message("user", tuple(self._results[call.id] for call in calls))

    def _take(self, item: Item) -> Message | None:
        """Take in an item of before; the message that it is, or that it completes."""
        data = item.data
        if item.kind == "user":
            return _user_message(data)
        if item.kind == "nudge":
            return Message("user", (Text(data["text"]),))
        if item.kind == "assistant":
            message = Message("assistant", tuple(map(_from_data, data["parts"])))
            self._open(message)
            return message
        if item.kind == "began":
            plan = data["planned"]
            self._begun[data["call"]] = plan and Planned(plan["before"], plan["after"])
        elif item.kind == "result":
            self._results[data["call"]] = ToolResult(data["call"], data["text"], data["failed"])
            for name, mark in data["seen"].items():
                self._seen.note(name, mark)
            if self._results.keys() >= self._asked.keys():
                return Message("user", tuple(self._results[call] for call in self._asked))
        return None

    def _with_own_ids(self, parts: Iterable[Part]) -> tuple[Part, ...]:
        """The parts, each call with an id that no other call of the session has, which not every
        server gives."""
        taken = set(self._used_ids)
        made: list[Part] = []
        for part in parts:
            if isinstance(part, ToolCall):
                own = part.id if part.id and part.id not in taken else f"call_{new_id()}"
                taken.add(own)
                made.append(replace(part, id=own))
            else:
                made.append(part)
        return tuple(made)

    def _open(self, message: Message) -> None:
        """The calls of this message are the ones that results are waited for."""
        self._asked = {call.id: call for call in message.calls}
        self._used_ids.update(self._asked)
        self._begun.clear()
        self._results.clear()

    def _append(self, kind: str, data: dict[str, Any], words: str) -> int:
        self.last = self._transcripts.append(self.session_id, kind, data, words=words)
        return self.last

    def _masked(self, part: Part) -> Part:
        match part:
            case Text(text):
                return Text(self._mask(text))
            case Thought(text):
                # A signed thought goes back as it came, or not at all.
                masked = self._mask(text)
                return part if masked == text else Thought(masked)
            case ToolCall(_, _, arguments):
                return replace(part, arguments=self._mask(arguments))
            case ToolResult(_, text):
                return replace(part, text=self._mask(text))


def _user_message(data: Mapping[str, Any]) -> Message:
    """What the user said, with what goes with it."""
    return Message("user", (Text("\n\n".join(filter(None, (data["text"], data.get("attached"))))),))


def _begins_anew(item: Item) -> int | None:
    """From which item on a window holds what was said, when this one says so."""
    if item.kind == "rebuilt":
        return item.data["from"]
    return item.number if item.kind == "phase" and item.data["is_fresh"] else None


def _usage(usage: Usage) -> dict[str, object]:
    return {name: getattr(usage, name) for name in Usage.__slots__}


def _to_data(part: Part) -> dict[str, object]:
    fields = {name: getattr(part, name) for name in type(part).__slots__}
    return {"type": type(part).__name__, **fields}


def _from_data(data: dict[str, Any]) -> Part:
    fields = {key: value for key, value in data.items() if key != "type"}
    kinds = {"Text": Text, "Thought": Thought, "ToolCall": ToolCall, "ToolResult": ToolResult}
    return kinds[data["type"]](**fields)
