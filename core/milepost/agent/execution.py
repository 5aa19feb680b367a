"""Running the tools that a reply calls: in order, with permission, so that a kill loses nothing.

Before a tool that changes something runs, the transcript says that it begins; when it has run, what
came of it. A process that dies in between finds the beginning without an end, and asks the tool
itself how far it got. Calls that only read run side by side. When a call fails, the calls behind it
in the same reply are not run, because the model wrote them believing in what was to come before.
"""

from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, TypeVar

from milepost.agent.events import CallBegan, CallEnded, Warned
from milepost.base.errors import MilepostError, Stopped, UserError
from milepost.permissions.rules import decide
from milepost.tools.tool import Cautious, Repeatable, Result, Traceable, checked

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence

    from milepost.agent.events import Event
    from milepost.agent.record import Record
    from milepost.permissions.rules import Decision, Rule
    from milepost.providers.message import ToolCall, ToolResult
    from milepost.tools.tool import Arguments, Planned, Tool

T = TypeVar("T")

# How many calls that only read run at once: enough to keep a disk busy.
_SIDE_BY_SIDE = 8

# How many calls of one reply are run. The most careful of plans asks for some dozens; what is more
# was not thought about, and its results would fill the window.
MOST_CALLS = 128


@dataclass(frozen=True, slots=True)
class Question:
    """A call that needs someone's permission, and why, in a sentence for that person."""

    tool: str
    subject: str
    reason: str
    call_id: str = ""


@dataclass(frozen=True, slots=True)
class Begun:
    """A change of files that is under way: what ends it, and the restore point before it."""

    action: int
    before: int


class Points(Protocol):
    """Makes restore points around calls that may change files, so that the changes between them
    are known to be the worker's."""

    def begin(self, label: str) -> Begun:
        """A restore point of the files as they are. Raises MilepostError."""
        ...

    def finish(self, begun: Begun, label: str) -> int:
        """The restore point after the change; its id. Raises MilepostError."""
        ...


@dataclass(frozen=True, slots=True)
class _Call:
    """A call that may run: its tool, its arguments, and what it is about."""

    call: ToolCall
    tool: Tool
    arguments: Arguments
    subject: str


class Execution:
    """Runs the calls of one session."""

    def __init__(
        self,
        tools: Mapping[str, Tool],
        rules: Sequence[Rule],
        record: Record,
        points: Points,
        tell: Callable[[Event], None],
        ask: Callable[[Question], Awaitable[bool]] | None,
    ) -> None:
        """`ask` is None where nobody can be asked, which means no."""
        self._tools = tools
        self._rules = rules
        self._record = record
        self._points = points
        self._tell = tell
        self._ask = ask

    async def run(self, calls: Sequence[ToolCall]) -> tuple[ToolResult, ...]:
        """Run the calls of a reply, also of one whose process died: what ended is kept, what began
        is looked at. A result for each call, in their order."""
        results: list[ToolResult] = []
        failed: str | None = None
        while len(results) < len(calls):
            call = calls[len(results)]
            known = self._record.result_of(call.id)
            if known is not None:
                ended = [known]
            elif len(results) >= MOST_CALLS:
                text = f"not run, because only {MOST_CALLS} calls are run at once; ask for it again"
                ended = [self._finish(call, Result(text, failed=True))]
            elif failed is not None:
                text = f"not run, because {failed} failed before it; look at that first"
                ended = [self._finish(call, Result(text, failed=True))]
            elif self._record.has_begun(call.id):
                ended = [await self._look_again(call)]
            else:
                group = self._side_by_side(calls[:MOST_CALLS], len(results))
                ended = await asyncio.gather(*map(self._run, group))
            for result in ended:
                if result.failed and failed is None:
                    failed = calls[len(results)].name
                results.append(result)
        return tuple(results)

    def _side_by_side(self, calls: Sequence[ToolCall], start: int) -> list[ToolCall]:
        """The call at `start`, with those behind it that may run at the same time."""
        group = [calls[start]]
        for call in calls[start + 1 : start + _SIDE_BY_SIDE]:
            is_new = self._record.result_of(call.id) is None
            if not (is_new and self._only_reads(group[-1]) and self._only_reads(call)):
                break
            group.append(call)
        return group

    def _only_reads(self, call: ToolCall) -> bool:
        tool = self._tools.get(call.name)
        return tool is not None and tool.effect == "reads"

    async def _run(self, call: ToolCall) -> ToolResult:
        try:
            ready = self._ready(call)
            await self._must_be_allowed(ready)
        except MilepostError as error:
            return self._finish(call, Result(str(error), failed=True))
        self._tell(CallBegan(call.id, call.name, ready.subject))
        before = after = None
        if ready.tool.effect in {"writes", "runs"}:
            result, before, after, is_cancelled = await self._do_between_points(ready)
        else:
            if isinstance(ready.tool, Traceable) and ready.tool.effect == "notes":
                self._record.begin(call, None, None)
            result, is_cancelled = await self._do(ready)
        kept = self._finish(call, result, before, after)
        if is_cancelled:
            raise asyncio.CancelledError
        return kept

    async def _do_between_points(self, ready: _Call) -> tuple[Result, int | None, int | None, bool]:
        """Run the tool with a restore point before and after it. What came of it, the points, and
        whether we were cancelled: also then, what it had done is between the two."""
        what = f"{ready.call.name} {ready.subject}"
        prepared = asyncio.to_thread(self._prepare, ready, what)
        (begun, planned), is_cancelled = await to_its_end(prepared)
        before = None if begun is None else begun.before
        result = Result("It was stopped before it began.", failed=True)
        if not is_cancelled:
            self._record.begin(ready.call, before, planned)
            result, is_cancelled = await self._do(ready)
        if begun is None:
            return result, None, None, is_cancelled
        after, is_late = await to_its_end(asyncio.to_thread(self._end, begun, what))
        return result, before, after, is_cancelled or is_late

    async def _look_again(self, call: ToolCall) -> ToolResult:
        """Find out what became of a call that began before its process died."""
        try:
            ready = self._ready(call)
            if isinstance(ready.tool, Traceable):
                said = await asyncio.to_thread(ready.tool.trace, ready.arguments)
                return await self._run(call) if said is None else self._finish(call, Result(said))
        except MilepostError as error:
            return self._finish(call, Result(str(error), failed=True))
        planned = self._record.planned_of(call.id)
        outcome = await asyncio.to_thread(_outcome, ready, planned)
        if outcome == "undone":
            return await self._run(call)
        if outcome == "done":
            text = "It was done; the session was interrupted right after."
            return self._finish(call, Result(text, paths=(ready.subject,)))
        text = (
            "The session was interrupted while this ran. It was not run again, because it may have "
            "done its work, or a part of it; look at what there is, and then decide."
        )
        return self._finish(call, Result(text, failed=True))

    def _ready(self, call: ToolCall) -> _Call:
        tool = self._tools.get(call.name)
        if tool is None:
            raise UserError(f"there is no tool {call.name[:60]!r}; use {', '.join(self._tools)}")
        arguments = checked(tool, call.parsed())
        return _Call(call, tool, arguments, tool.subject(arguments))

    async def _must_be_allowed(self, ready: _Call) -> None:
        decision = await self._decision(ready)
        if decision.action == "allow":
            return
        if decision.action == "ask" and self._ask is not None:
            question = Question(ready.tool.name, ready.subject, decision.why, ready.call.id)
            if await self._ask(question):
                return
            raise UserError(f"the user said no to {ready.tool.name} {ready.subject}")
        raise UserError(_refusal(ready, decision))

    async def _decision(self, ready: _Call) -> Decision:
        decision = decide(self._rules, ready.tool.name, ready.subject)
        if decision.action == "allow" and isinstance(ready.tool, Cautious):
            caution = await asyncio.to_thread(ready.tool.caution)
            return decide(self._rules, ready.tool.name, ready.subject, caution)
        return decision

    async def _do(self, ready: _Call) -> tuple[Result, bool]:
        """Run the tool on a thread; when we are cancelled, it is told and waited for."""
        stop = threading.Event()
        return await to_its_end(asyncio.to_thread(_act, ready, stop), stop)

    def _prepare(self, ready: _Call, what: str) -> tuple[Begun | None, Planned | None]:
        return self._begin(what), _planned(ready)

    def _begin(self, what: str) -> Begun | None:
        try:
            return self._points.begin(f"before {what}")
        except MilepostError as error:
            self._tell(Warned(f"no restore point was made: {error}"))
            return None

    def _end(self, begun: Begun, what: str) -> int | None:
        try:
            return self._points.finish(begun, f"after {what}")
        except MilepostError as error:
            self._tell(Warned(f"no restore point was made: {error}"))
            return None

    def _finish(
        self, call: ToolCall, result: Result, before: int | None = None, after: int | None = None
    ) -> ToolResult:
        kept = self._record.end(call, result, before, after)
        self._tell(
            CallEnded(call.id, call.name, kept.text, kept.failed, result.paths, before, after)
        )
        return kept


async def to_its_end(
    call: Coroutine[object, object, T], stop: threading.Event | None = None
) -> tuple[T, bool]:
    """What a call on a thread returned, and whether we were cancelled while it ran: then `stop` is
    set, and it is waited for all the same. Raises what the call raises."""
    work = asyncio.ensure_future(call)
    try:
        return await asyncio.shield(work), False
    except asyncio.CancelledError:
        if stop is not None:
            stop.set()
        await asyncio.wait([work])
        return work.result(), True


def _act(ready: _Call, stop: threading.Event) -> Result:
    try:
        return ready.tool.run(ready.arguments, stop)
    except Stopped:
        return Result("It was stopped.", failed=True)
    except MilepostError as error:
        return Result(str(error), failed=True)


def _planned(ready: _Call) -> Planned | None:
    if not isinstance(ready.tool, Repeatable):
        return None
    try:
        return ready.tool.planned(ready.arguments)
    except MilepostError:
        # It will fail the same way when it runs.
        return None


def _outcome(ready: _Call, planned: Planned | None) -> Literal["done", "undone", "unknown"]:
    """How far a call got that was cut short."""
    if planned is None or not isinstance(ready.tool, Repeatable):
        return "unknown"
    try:
        now = ready.tool.mark(ready.arguments)
    except MilepostError:
        return "unknown"
    if now == planned.after:
        ready.tool.settle(ready.arguments, planned)
        return "done"
    return "undone" if now == planned.before else "unknown"


def _refusal(ready: _Call, decision: Decision) -> str:
    what = f"{ready.tool.name} {ready.subject}"
    if decision.action == "deny":
        return f"{what} is not permitted here ({decision.reason}); find another way"
    return (
        f"{what} needs permission ({decision.reason}) and nobody is here to give it; "
        "find another way, or leave it to the user"
    )
