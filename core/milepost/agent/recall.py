"""The worker's tools for what is kept outside of its window: memory, history, notes and tasks.

What they return is material with a source, never an instruction; and what a worker saves is what an
agent inferred, whatever it calls it: a rule is only a rule when the user says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from milepost.base.errors import UserError
from milepost.tasks.task import STATES
from milepost.tools.tool import Arguments, Effect, Result, schema, several, words

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Mapping

    from milepost.tasks.store import TaskStore
    from milepost.tasks.task import Task
    from milepost.tools.tool import Tool

# What a worker may remember of its own accord. Rules come from the user.
_KINDS = ("knowledge", "decision", "context")

# What a person who watches sees of a call.
_SUBJECT_CHARS = 80


class Memory(Protocol):
    """What is remembered, as far as a worker may reach it. Each answers in words for the model."""

    def search(self, query: str) -> str:
        """What memory knows."""
        ...

    def save(self, text: str, kind: str) -> str:
        """Remember something beyond this session."""
        ...

    def saved(self, text: str) -> str | None:
        """What `save` said, if this is remembered."""
        ...

    def note(self, text: str) -> str:
        """Note something down for the rest of this session."""
        ...

    def noted(self, text: str) -> str | None:
        """What `note` said, if this was noted."""
        ...

    def history(self, query: str) -> str:
        """What was said and done, in this session and earlier ones."""
        ...


def tools_for(memory: Memory, tasks: TaskStore, session: str) -> tuple[Tool, ...]:
    """All tools of this kind."""

    def save(arguments: Arguments) -> str:
        kind = arguments.text("kind", "knowledge")
        if kind == "rule":
            raise UserError("a rule is the user's to state; save it as a decision, or ask them")
        if kind not in _KINDS:
            raise UserError(f"there is no kind {kind[:40]!r}; use one of {', '.join(_KINDS)}")
        return memory.save(arguments.text("text"), kind)

    def add_task(arguments: Arguments) -> str:
        task = tasks.add(
            arguments.text("title"),
            session=session,
            parent=arguments.text("parent") or None,
            after=arguments.texts("after"),
            acceptance=arguments.text("acceptance"),
        )
        return f"Added {task.id}."

    def added_task(arguments: Arguments) -> str | None:
        title, parent = " ".join(arguments.text("title").split()), arguments.text("parent") or None
        wanted = (session, parent, title, "open")
        for task in tasks.all():
            if (task.session, task.parent, task.title, task.state) == wanted:
                return f"Added {task.id}."
        return None

    def set_task(arguments: Arguments) -> str:
        task = tasks.set_state(
            arguments.text("id"), arguments.text("state"), evidence=arguments.text("evidence")
        )
        ready = tasks.ready()
        after = f" Next: {ready[0].id} {ready[0].title}" if ready and task.state == "done" else ""
        return f"{task.id} is {task.state}.{after}"

    return (
        _Kept(
            "memory_search",
            "reads",
            "Search what is remembered about this project: rules, decisions, facts. Plain words.",
            schema({"query": words("what you want to know")}, {}),
            lambda arguments: memory.search(arguments.text("query")),
            about="query",
        ),
        _Kept(
            "memory_save",
            "notes",
            "Remember something that the next sessions must know: a decision with its reason, a "
            "fact about the project that took effort to find out. One thing at a time.",
            schema(
                {"text": words("what to remember")}, {"kind": words(f"one of {', '.join(_KINDS)}")}
            ),
            save,
            about="text",
            seek=lambda arguments: memory.saved(arguments.text("text")),
        ),
        _Kept(
            "history_search",
            "reads",
            "Search what was said and done in this session and earlier ones, word for word: "
            "messages, tool calls, errors. Use it for what is no longer in front of you.",
            schema({"query": words("plain words")}, {}),
            lambda arguments: memory.history(arguments.text("query")),
            about="query",
        ),
        _Kept(
            "note",
            "notes",
            "Note down in a line or two what you must not forget in this session: a dead end and "
            "why, a constraint, where you stand. Notes survive when the conversation is put away.",
            schema({"text": words("the note")}, {}),
            lambda arguments: memory.note(arguments.text("text")),
            about="text",
            seek=lambda arguments: memory.noted(arguments.text("text")),
        ),
        _Kept(
            "task_add",
            "notes",
            "Add a task to the plan, or a part of one.",
            schema(
                {"title": words("what is to be done, in one line")},
                {
                    "parent": words("the task that it is a part of, such as T2"),
                    "after": several("tasks that must have ended before"),
                    "acceptance": words("what shows that it is done"),
                },
            ),
            add_task,
            about="title",
            seek=added_task,
        ),
        _Kept(
            "task_set",
            "notes",
            "Move a task on. A task with an acceptance is done only with evidence for it.",
            schema(
                {"id": words("such as T2.1"), "state": words(f"one of {', '.join(STATES)}")},
                {"evidence": words("what showed that it is done")},
            ),
            set_task,
            about="id",
        ),
        _Kept(
            "task_list",
            "reads",
            "Show the plan: all tasks with their states.",
            schema({}, {}),
            lambda _: outline(tasks.all()) or "There are no tasks yet.",
        ),
    )


@dataclass(frozen=True, slots=True)
class _Kept:
    """A tool for what is kept; `about` names the argument that tells what a call is about. One that
    adds something says by `seek` what it said, if that is there."""

    name: str
    effect: Effect
    description: str
    parameters: Mapping[str, object]
    act: Callable[[Arguments], str]
    about: str = ""
    seek: Callable[[Arguments], str | None] = lambda _: None

    def subject(self, arguments: Arguments) -> str:
        """The beginning of what the call is about."""
        return arguments.text(self.about)[:_SUBJECT_CHARS] if self.about else ""

    def run(self, arguments: Arguments, stop: threading.Event) -> Result:
        """Do it; none of these takes long enough to be stopped."""
        del stop
        return Result(self.act(arguments))

    def trace(self, arguments: Arguments) -> str | None:
        """What it said when it added this, if it did."""
        return self.seek(arguments)


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
