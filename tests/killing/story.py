"""What the worker does in its sixty steps, and what becomes of the files."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from tests.core.model_server import Connection, openai_reply
from tests.killing.transcript import replies

STEPS = 60
INSTRUCTION = "Build the files."

# What the check waits for, so that a verification is long enough to be hit.
CHECK = f"command: sleep 0.4; test -f new/{STEPS - 6}/7.txt"

# Commands enter here that they ran. It is ignored, and so no part of the tree.
RAN = "ran.log"

Call = tuple[str, dict[str, object]]
Tree = dict[str, bytes]


def turn(number: int) -> tuple[str, tuple[Call, ...]]:
    """What the model says and calls at its turn of this number."""
    read, edited = _file(number), _file(number - 1)
    change: Call = ("edit", {"path": edited, "old": "the end", "new": f"line {number}\nthe end"})
    calls: dict[int, tuple[Call, ...]] = {
        0: tuple(_write(f"new/{number}/{part}.txt", 20) for part in range(8)),
        1: (("read", {"path": read}), ("grep", {"pattern": f"line {number - 5}"})),
        2: (change,),
        3: tuple(_write(f"large/{number}-{part}.txt", 100) for part in range(4)),
        4: (
            ("read", {"path": read}),
            ("shell", {"command": f"echo {number} >> {RAN}; sleep 0.1; wc -l {read}"}),
        ),
        5: (change, ("note", {"text": f"at {number}"}), ("task_add", {"title": f"Do {number}"})),
    }
    if number >= STEPS:
        return "Built.", ()
    return f"Step {number}.", calls[number % 6]


def _file(number: int) -> str:
    return f"d{number % 5}/f{number % 9}.txt"


def _write(path: str, lines: int) -> Call:
    return "write", {"path": path, "text": f"{path}\n" * lines}


def beginning() -> Tree:
    text = "".join(f"some words of line {line}\n" for line in range(110)) + "the end\n"
    files = {f"d{one}/f{other}.txt": text.encode() for one in range(5) for other in range(9)}
    return {".gitignore": f"{RAN}\n".encode(), **files}


def changes() -> list[tuple[str, Tree]]:
    """Each call that changes a file, as a restore point names it, and the tree after it."""
    tree = beginning()
    found: list[tuple[str, Tree]] = []
    for number in range(STEPS):
        for tool, given in turn(number)[1]:
            if tool not in {"write", "edit"}:
                continue
            path = str(given["path"])
            if tool == "write":
                tree = {**tree, path: str(given["text"]).encode()}
            else:
                old, new = str(given["old"]).encode(), str(given["new"]).encode()
                tree = {**tree, path: tree[path].replace(old, new)}
            found.append((f"{tool} {path}", tree))
    return found


class Model:
    """The model behind HTTP; `busy` are those that wait for an answer of it now. It thinks for
    `pause_s` seconds, and the writer of checkpoint.md for twice as long."""

    def __init__(self, pause_s: float) -> None:
        self.busy: list[str] = []
        self.transcript: Path | None = None
        self._pause_s = pause_s

    async def act(self, connection: Connection) -> None:
        """Answer the worker by what stands in the transcript, or the writer."""
        who = "writer" if "response_format" in connection.asked.body else "worker"
        self.busy.append(who)
        try:
            if who == "writer":
                await asyncio.sleep(self._pause_s * 2)
                form = connection.asked.body["response_format"]["json_schema"]["schema"]
                words = dict.fromkeys(form["required"], "as it was")
                await openai_reply(json.dumps(words))(connection)
                return
            await asyncio.sleep(self._pause_s)
            say, calls = turn(replies(self.transcript))
            await openai_reply(say, calls=calls)(connection)
        finally:
            self.busy.remove(who)
