"""The example in each code action's docstring, run as it stands."""

from __future__ import annotations

import importlib
import inspect
import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from milepost_lsp.actions import registry
from tests.lsp.client import EDITING, Client, span

MODULES = {action.run.__module__ for action in registry.ACTIONS}


@dataclass
class Example:
    """`text` with its marks taken out, the range they marked, and what is to happen."""

    text: str
    start: tuple[int, int]
    end: tuple[int, int]
    steps: list[tuple[str, str]] = field(default_factory=list)


@pytest.mark.parametrize("module", sorted(MODULES))
def test_the_example_in_the_docstring_is_true(module, client, project, other):
    check(importlib.import_module(module).__doc__, client, project, other)


@pytest.fixture
def client(connect, project: Path, tmp_path: Path, module: str) -> Client:
    """A server that serves the project, with a model if the example tells what it says."""
    steps = read_example(importlib.import_module(module).__doc__ or "").steps
    turns = [turn(what) for verb, what in steps if verb == "model"]
    script = tmp_path / "script.jsonl"
    script.write_text("".join(json.dumps(each) + "\n" for each in turns), encoding="utf-8")
    started = connect(env={"MILEPOST_MODEL": f"scripted:{script}" if turns else ""})
    proposes = any(verb == "proposed" for verb, _ in steps)
    known = {"experimental": {"milepost": {"proposals": True}}} if proposes else {}
    started.initialize(project, capabilities={**EDITING, **known})
    return started


def turn(what: str) -> dict[str, Any]:
    """What the model says, or the calls by which it edits."""
    verb, _, rest = what.partition(": ")
    if verb == "replace":
        old, new = rest.split(" -> ")
        return {"calls": [{"tool": "replace", "arguments": {"old": old, "new": new}}]}
    if verb == "append":
        return {"calls": [{"tool": "append", "arguments": {"text": rest}}]}
    return {"say": what}


def check(docstring: str, client: Client, project: Path, other) -> None:  # noqa: C901  (a verb each)
    """Opens the example's file as shop.py and walks through its steps."""
    example = read_example(docstring)
    (project / "pyproject.toml").unlink()
    (project / "shop.py").write_text(example.text, encoding="utf-8")
    uri = client.open(project / "shop.py")
    start, end = example.start, example.end
    client.answers = [what for verb, what in example.steps if verb == "answered"]
    chosen = None
    context: dict[str, Any] = {}
    for verb, what in example.steps:
        match verb:
            case "memory":
                kind, text = what.split(": ", 1)
                other.memory.add(text, kind=kind)
            case "cursor":
                memory = Path(other.memory.file())
                lines = memory.read_text(encoding="utf-8").splitlines()
                part = re.findall(r'"(.*)"', what)[0]
                uri = client.open(memory, language="markdown")
                start = end = next((i, 0) for i, line in enumerate(lines) if part in line)
            case "point":
                other.checkpoints.save(what)
            case "write":
                name, text = what.split(": ", 1)
                (project / name).write_text(text, encoding="utf-8")
            case "restored":
                client.command("milepost.checkpoint.goBack", {"id": int(what), "apply": True})
            case "goal":
                condition, command = what.split(" $ ")
                client.command("milepost.goal.set", {"condition": condition, "checks": [command]})
            case "model":
                pass  # it was told at the beginning
            case "diagnostic":
                context["diagnostics"] = [{"range": span(start, end), "message": what}]
            case "offered" | "proposed":
                actions = client.actions(uri, start, end, **context)
                chosen = next(action for action in actions if action["title"] == what)
                client.choose(chosen)
            case "edited":
                assert any(what in text for text in client.documents.values())
            case "said":
                assert what in client.messages()
            case "shown":
                shown = client.got("window/showDocument")[-1]["params"]["uri"]
                assert what in Path(shown.removeprefix("file://")).read_text(encoding="utf-8")
            case "answered":
                assert client.asked
            case _:
                raise AssertionError(f"an example cannot say {verb!r}")
    assert chosen, "an example offers its action"


def read_example(docstring: str) -> Example:
    body = docstring.split("An example, which is also this file's test:\n\n", 1)[1]
    text, steps = [], []
    for line in inspect.cleandoc(body).splitlines():
        verb = re.match(r"(\w+) {2,}(\S.*)", line)
        if verb:
            steps.append((verb[1], verb[2]))
        else:
            text.append(line)
    marked = "\n".join(text).strip() + "\n"
    before, _, rest = marked.partition("«") if "«" in marked else marked.partition("‸")
    inside, _, after = rest.partition("»") if "«" in marked else ("", "", rest)
    return Example(before + inside + after, place(before), place(before + inside), steps)


def place(before: str) -> tuple[int, int]:
    return before.count("\n"), len(before) - before.rfind("\n") - 1
