"""SIGKILL in the middle of writes: what was acknowledged is there, once, and nothing is torn.

The next server is the judge's witness, and so is the file itself, read here without Milepost.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import anyio
from mcp.shared.exceptions import MCPError

from tests.demo.agent import Agent, call, start_agent
from tests.demo.steps import expect

if TYPE_CHECKING:
    import random
    from pathlib import Path

    from tests.demo.stage import Stage

# Each writer has one call under way, so several writers keep the server's hands full.
WRITERS = 4

# The kill waits for some acknowledgements, so that it falls into the writing and not before it.
FEWEST_ACKNOWLEDGED, MOST_ACKNOWLEDGED = 5, 80

# A write takes a few milliseconds; a delay in this range ends anywhere within one.
LONGEST_DELAY_S = 0.02

_HEADING = re.compile(r"^## (.+)$", re.MULTILINE)


@dataclass(slots=True)
class Round:
    """One round of writing until the kill: the marks sent, and the ids of those acknowledged.

    `is_under_way` is set when `enough` of them are.
    """

    enough: int
    sent: list[str] = field(default_factory=list)
    acknowledged: dict[str, str] = field(default_factory=dict)
    is_under_way: anyio.Event = field(default_factory=anyio.Event)


def write_until_killed(stage: Stage, number: int, chance: random.Random) -> Round:
    """Write as fast as the server takes it, and kill the server at a random moment."""
    record = Round(enough=chance.randint(FEWEST_ACKNOWLEDGED, MOST_ACKNOWLEDGED))
    with start_agent(stage) as agent:
        agent.portal.call(_write_and_kill, agent, number, chance, record)
    return record


async def _write_and_kill(agent: Agent, number: int, chance: random.Random, record: Round) -> None:
    with anyio.fail_after(30):
        async with anyio.create_task_group() as writers:
            for writer in range(WRITERS):
                writers.start_soon(_write, agent, f"r{number}w{writer}", record)
            await record.is_under_way.wait()
            await anyio.sleep(chance.uniform(0, LONGEST_DELAY_S))
            agent.kill()


async def _write(agent: Agent, prefix: str, record: Round) -> None:
    """Save entry after entry until the connection is gone."""
    count = 0
    while True:
        count += 1
        mark = f"{prefix}n{count:04}"
        record.sent.append(mark)
        try:
            reply = await call(agent.client, "memory_save", {"text": f"Crash test {mark}"})
        except (MCPError, anyio.ClosedResourceError, anyio.BrokenResourceError):
            return
        record.acknowledged[mark] = reply["id"]
        if len(record.acknowledged) >= record.enough:
            record.is_under_way.set()


def check_memory(memory: Path, rounds: list[Round]) -> int:
    """MEMORY.md is whole: every acknowledged entry once, no other twice, no heading twice.

    Returns how many entries came through without an acknowledgement, which is allowed.
    """
    text = memory.read_bytes().decode("utf-8")
    expect("\0" not in text and text.endswith("\n"), f"{memory.name} is torn at its end")
    headings = _HEADING.findall(text)
    expect(len(headings) == len(set(headings)), f"a heading is there twice: {headings}")
    unacknowledged = 0
    for record in rounds:
        for mark in record.sent:
            times = text.count(f"Crash test {mark}")
            if mark in record.acknowledged:
                expect(times == 1, f"acknowledged entry {mark} is there {times} times")
                identity = record.acknowledged[mark]
                expect(text.count(identity) == 1, f"the id of {mark} is not there just once")
            else:
                expect(times <= 1, f"entry {mark} is there {times} times")
                unacknowledged += times
    return unacknowledged


def check_index(agent: Agent, rounds: list[Round]) -> None:
    """A new server finds every acknowledged entry, once, under the id that it had given."""
    for record in rounds:
        for mark, identity in record.acknowledged.items():
            found = agent.call("memory_search", query=mark)
            hits = [hit["id"] for hit in found["hits"] if mark in hit["text"]]
            expect(hits == [identity], f"search for {mark} found {hits}, not {identity}")
