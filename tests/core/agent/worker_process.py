"""A session in a process of its own, to be killed.

Run as `python -m tests.core.agent.worker_process DIR`. What the model does depends on nothing but
how many turns there were, so that every run of the session, broken or not, should end with the same
files and the same transcript.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from milepost.history.transcript import Transcripts
from milepost.providers.catalogue import Model
from milepost.providers.scripted import ScriptedProvider, Turn
from tests.core.agent.workshop import Workshop

SESSION = "killed"
STEPS = 60
INSTRUCTION = "Build the files."


def turn(number: int) -> Turn:
    """What the model does at its turn of this number."""
    name = f"d{number % 5}/f{number % 9}.txt"
    if number == STEPS:
        return Turn("Built.")
    if number % 3 == 0:
        calls = [("write", {"path": f"new/{number}.txt", "text": f"{number}\n" * 20})]
        calls.append(("write", {"path": f"new/{number}b.txt", "text": f"{number} b\n"}))
        return Turn(f"Writing {number}.", tuple(calls))
    if number % 3 == 1:
        return Turn("", (("read", {"path": name}), ("grep", {"pattern": f"line {number}"})))
    # The file was read one turn before.
    name = f"d{(number - 1) % 5}/f{(number - 1) % 9}.txt"
    edit = {"path": name, "old": "last line", "new": f"line {number}\nlast line"}
    return Turn(f"Editing {number}.", (("edit", edit),))


def lay_out(folder: Path) -> None:
    """The files that the session begins with."""
    for one in range(5):
        (folder / "root" / f"d{one}").mkdir(parents=True)
        for other in range(9):
            path = folder / "root" / f"d{one}" / f"f{other}.txt"
            path.write_text(f"file {one} {other}\n" + "some words\n" * 30 + "last line\n")


async def _run(folder: Path) -> str:
    transcripts = Transcripts(folder / "data")
    known = {session.id for session in transcripts.page(10)}
    if SESSION not in known:
        transcripts.create("killed", "user:test", session_id=SESSION)
    items = transcripts.items(SESSION)
    transcripts.database.close()
    taken = sum(item.kind == "assistant" for item in items)
    if taken == STEPS + 1:
        return "met"
    model = Model("scripted", window_tokens=16_384, output_tokens=2_048)
    provider = ScriptedProvider(map(turn, range(taken, STEPS + 1)), model)
    workshop = Workshop(folder, provider=provider, session=SESSION)
    await workshop.agent.resume()
    outcome = await workshop.agent.work(None if items else INSTRUCTION)
    workshop.close()
    return outcome.state if outcome.state == "met" else outcome.reason


if __name__ == "__main__":
    print(asyncio.run(_run(Path(sys.argv[1]))), flush=True)
