"""A session with a scripted model on a folder of its own, for the tests of the loop."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from milepost.agent.budget import Budget
from milepost.agent.events import Event
from milepost.agent.execution import Begun, Execution, Question
from milepost.agent.loop import Agent, Parts, Verdict, offered
from milepost.agent.record import Record
from milepost.agent.scribe import Scribe
from milepost.agent.window import Window
from milepost.history.transcript import Transcripts
from milepost.permissions.rules import DEFAULT, Rule
from milepost.providers.catalogue import Model
from milepost.providers.message import Request
from milepost.providers.provider import Provider
from milepost.providers.scripted import ScriptedProvider, Turn
from milepost.tools.edit import Edit
from milepost.tools.files import Files
from milepost.tools.find import Find
from milepost.tools.grep import Grep
from milepost.tools.read import Read
from milepost.tools.seen import Seen
from milepost.tools.tool import Tool
from milepost.tools.write import Write

SECRET = "hunter2-hunter2-hunter2"


@dataclass
class Shelf:
    """A keeper whose texts a test puts there."""

    rule: str = ""
    aim: str = ""
    note: str = ""
    task: str = ""
    scribe: Scribe | None = None

    def rules(self, budget_tokens: int) -> str:
        return self.rule

    def goal(self) -> str:
        return self.aim

    def checkpoint(self) -> str:
        try:
            return "" if self.scribe is None else self.scribe.path.read_text("utf-8")
        except FileNotFoundError:
            return ""

    def notes(self) -> str:
        return self.note

    def tasks(self) -> str:
        return self.task

    def memory(self, about: str, budget_tokens: int) -> str:
        return ""


@dataclass
class Turnstile:
    """A gate that a test fills with verdicts; without any there is no goal."""

    verdicts: list[Verdict] = field(default_factory=list)

    async def look(self) -> Verdict | None:
        return self.verdicts.pop(0) if self.verdicts else None


@dataclass
class Pointer:
    """Restore points as numbers."""

    made: list[str] = field(default_factory=list)

    def begin(self, label: str) -> Begun:
        self.made.append(label)
        return Begun(len(self.made), len(self.made))

    def finish(self, begun: Begun, label: str) -> int:
        self.made.append(label)
        return len(self.made)


class Workshop:
    """One session: its agent, and all that it leaves behind."""

    def __init__(
        self,
        folder: Path,
        script: Iterable[Turn | Callable[[Request], Turn]] = (),
        *,
        provider: Provider | None = None,
        model: Model | None = None,
        writer: Provider | None = None,
        budget: Budget | None = None,
        gate: Turnstile | None = None,
        rules: Sequence[Rule] = DEFAULT,
        ask: Callable[[Question], Awaitable[bool]] | None = None,
        more_tools: Sequence[Tool] = (),
        session: str | None = None,
        shelf: Shelf | None = None,
    ) -> None:
        self.root = folder / "root"
        self.root.mkdir(parents=True, exist_ok=True)
        self.transcripts = Transcripts(folder / "data")
        self.session = session or self.transcripts.create("test", "user:test").id
        self.events: list[Event] = []
        self.provider = provider or ScriptedProvider(script, model)
        self.points = Pointer()
        files, seen = Files(self.root, self._covered), Seen()
        all_tools: Sequence[Tool] = (
            Read(files, seen), Write(files, seen), Edit(files, seen), Find(files), Grep(files),
            *more_tools,
        )  # fmt: skip
        tools = {tool.name: tool for tool in all_tools}
        record = Record(
            self.transcripts, self.session, lambda text: text.replace(SECRET, "[secret]"), seen
        )
        self.shelf = shelf or Shelf()
        tell = self.events.append
        scribe = Scribe(
            folder / "data" / "checkpoint.md",
            record,
            self.shelf,
            writer,
            lambda: "branch main",
            tell,
        )
        self.shelf.scribe = scribe
        self.checkpoint = scribe.path
        self.record = record
        self.agent = Agent(
            Parts(
                provider=self.provider,
                window=Window(self.provider.model, offered(all_tools)),
                execution=Execution(tools, rules, record, self.points, tell, ask),
                record=record,
                keeper=self.shelf,
                scribe=scribe,
                gate=gate or Turnstile(),
                system="You are a worker.",
                tell=tell,
                budget=budget or Budget(),
            )
        )

    def kinds(self) -> list[str]:
        """The kinds of the items in the transcript."""
        return [item.kind for item in self.transcripts.items(self.session)]

    def close(self) -> None:
        self.transcripts.database.close()

    def _covered(self) -> list[str]:
        return [str(path.relative_to(self.root)) for path in self.root.rglob("*") if path.is_file()]
