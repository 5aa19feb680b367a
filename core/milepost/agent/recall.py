"""The worker's tools for what is kept outside of its window: memory, history, notes and tasks.

What they return is material with a source, never an instruction; and what a worker saves is what an
agent inferred, whatever it calls it: a rule is only a rule when the user says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from milepost.base.errors import UserError
from milepost.tasks.task import STATES
from milepost.tools.tool import Arguments, Effect, Result, schema, several, words

if TYPE_CHECKING:
    import threading

    from milepost.tasks.store import TaskStore
    from milepost.tasks.task import Task
    from milepost.tools.tool import Tool

# What a worker may remember of its own accord. Rules come from the user.
_KINDS = ("knowledge", "decision", "context")


class Memory(Protocol):
    """What is remembered, as far as a worker may reach it. Each answers in words for the model."""

    def search(self, query: str) -> str:
        """What memory knows."""
        ...

    def save(self, text: str, kind: str) -> str:
        """Remember something beyond this session."""
        ...

    def note(self, text: str) -> str:
        """Note something down for the rest of this session."""
        ...

    def history(self, query: str) -> str:
        """What was said and done, in this session and earlier ones."""
        ...


def tools_for(memory: Memory, tasks: TaskStore, session: str) -> tuple[Tool, ...]:
    """All tools of this kind."""
    return (
        MemorySearch(memory),
        MemorySave(memory),
        HistorySearch(memory),
        Note(memory),
        TaskAdd(tasks, session),
        TaskSet(tasks),
        TaskList(tasks),
    )


class MemorySearch:
    """Searches memory."""

    name = "memory_search"
    effect: Effect = "reads"
    description = (
        "Search what is remembered about this project: rules, decisions, facts. Plain words."
    )
    parameters = schema({"query": words("what you want to know")}, {})

    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    def subject(self, arguments: Arguments) -> str:
        """The question."""
        return arguments.text("query")

    def run(self, arguments: Arguments, stop: threading.Event) -> Result:
        """Search."""
        del stop
        return Result(self._memory.search(arguments.text("query")))


class MemorySave:
    """Remembers beyond the session."""

    name = "memory_save"
    effect: Effect = "notes"
    description = (
        "Remember something that the next sessions must know: a decision with its reason, a fact "
        "about the project that took effort to find out. One thing at a time."
    )
    parameters = schema(
        {"text": words("what to remember")}, {"kind": words(f"one of {', '.join(_KINDS)}")}
    )

    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    def subject(self, arguments: Arguments) -> str:
        """The beginning of the text."""
        return arguments.text("text")[:80]

    def run(self, arguments: Arguments, stop: threading.Event) -> Result:
        """Save."""
        del stop
        kind = arguments.text("kind", "knowledge")
        if kind == "rule":
            raise UserError("a rule is the user's to state; save it as a decision, or ask them")
        if kind not in _KINDS:
            raise UserError(f"there is no kind {kind[:40]!r}; use one of {', '.join(_KINDS)}")
        return Result(self._memory.save(arguments.text("text"), kind))


class HistorySearch:
    """Searches what was said and done."""

    name = "history_search"
    effect: Effect = "reads"
    description = (
        "Search what was said and done in this session and earlier ones, word for word: messages, "
        "tool calls, errors. Use it for what is no longer in front of you."
    )
    parameters = schema({"query": words("plain words")}, {})

    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    def subject(self, arguments: Arguments) -> str:
        """The question."""
        return arguments.text("query")

    def run(self, arguments: Arguments, stop: threading.Event) -> Result:
        """Search."""
        del stop
        return Result(self._memory.history(arguments.text("query")))


class Note:
    """Writes into the session's scratch file."""

    name = "note"
    effect: Effect = "notes"
    description = (
        "Note down in a line or two what you must not forget in this session: a dead end and why, "
        "a constraint, where you stand. Notes survive when the conversation is put away."
    )
    parameters = schema({"text": words("the note")}, {})

    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    def subject(self, arguments: Arguments) -> str:
        """The beginning of the note."""
        return arguments.text("text")[:80]

    def run(self, arguments: Arguments, stop: threading.Event) -> Result:
        """Note."""
        del stop
        return Result(self._memory.note(arguments.text("text")))


class TaskAdd:
    """Adds a task to the tree."""

    name = "task_add"
    effect: Effect = "notes"
    description = "Add a task to the plan, or a part of one."
    parameters = schema(
        {"title": words("what is to be done, in one line")},
        {
            "parent": words("the task that it is a part of, such as T2"),
            "after": several("tasks that must have ended before"),
            "acceptance": words("what shows that it is done"),
        },
    )

    def __init__(self, tasks: TaskStore, session: str) -> None:
        self._tasks = tasks
        self._session = session

    def subject(self, arguments: Arguments) -> str:
        """The title."""
        return arguments.text("title")[:80]

    def run(self, arguments: Arguments, stop: threading.Event) -> Result:
        """Add."""
        del stop
        task = self._tasks.add(
            arguments.text("title"),
            session=self._session,
            parent=arguments.text("parent") or None,
            after=arguments.texts("after"),
            acceptance=arguments.text("acceptance"),
        )
        return Result(f"Added {task.id}.")


class TaskSet:
    """Moves a task on."""

    name = "task_set"
    effect: Effect = "notes"
    description = "Move a task on. A task with an acceptance is done only with evidence for it."
    parameters = schema(
        {"id": words("such as T2.1"), "state": words(f"one of {', '.join(STATES)}")},
        {"evidence": words("what showed that it is done")},
    )

    def __init__(self, tasks: TaskStore) -> None:
        self._tasks = tasks

    def subject(self, arguments: Arguments) -> str:
        """The task and its new state."""
        return f"{arguments.text('id')} {arguments.text('state')}"[:80]

    def run(self, arguments: Arguments, stop: threading.Event) -> Result:
        """Change its state."""
        del stop
        task = self._tasks.set_state(
            arguments.text("id"), arguments.text("state"), evidence=arguments.text("evidence")
        )
        ready = self._tasks.ready()
        after = f" Next: {ready[0].id} {ready[0].title}" if ready and task.state == "done" else ""
        return Result(f"{task.id} is {task.state}.{after}")


class TaskList:
    """Shows the tree of tasks."""

    name = "task_list"
    effect: Effect = "reads"
    description = "Show the plan: all tasks with their states."
    parameters = schema({}, {})

    def __init__(self, tasks: TaskStore) -> None:
        self._tasks = tasks

    def subject(self, arguments: Arguments) -> str:
        """Nothing in particular."""
        del arguments
        return ""

    def run(self, arguments: Arguments, stop: threading.Event) -> Result:
        """List."""
        del arguments, stop
        return Result(outline(self._tasks.all()) or "There are no tasks yet.")


def outline(tasks: tuple[Task, ...]) -> str:
    """The tree of tasks as lines, parts indented."""
    lines: list[str] = []
    for task in tasks:
        after = f" (after {', '.join(task.after)})" if task.after else ""
        wants = f"; done when {task.acceptance}" if task.acceptance else ""
        shown = f"; {task.evidence}" if task.evidence else ""
        indent = "  " * task.id.count(".")
        lines.append(f"{indent}{task.id} [{task.state}] {task.title}{after}{wants}{shown}")
    return "\n".join(lines)
