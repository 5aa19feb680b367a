"""Keeps checkpoint.md: in the background, one at a time, while the worker goes on.

What code can know is filled in from the transcript and from what the session keeps; the rest is the
writer's. When the writer fails or there is none, what it said before stays, code's part is written
all the same, and the next writer sees everything that this one did not.
"""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

from milepost.agent.digest import Involved, happened
from milepost.agent.events import CheckpointWritten, Warned
from milepost.base.errors import MilepostError
from milepost.base.files import make_private_dir, write_durably
from milepost.checkpoints import summary, writer
from milepost.providers.provider import ModelError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from milepost.agent.budget import Spent
    from milepost.agent.events import Event
    from milepost.agent.record import Record
    from milepost.agent.state import Keeper
    from milepost.checkpoints.summary import Summary
    from milepost.providers.provider import Provider

# A rebuild waits so long for a writer that is at work; after that, code's part must do.
_PATIENCE_S = 60.0

# A file of ours that a person has grown beyond this is read no more.
_MAX_BYTES = 1024 * 1024


class Scribe:
    """Writes the checkpoint.md of one session."""

    def __init__(
        self,
        path: Path,
        record: Record,
        keeper: Keeper,
        provider: Provider | None,
        runtime: Callable[[], str],
        tell: Callable[[Event], None],
    ) -> None:
        """`provider` is the writer's, None without one; `runtime` tells branch and the like."""
        self.path = path
        self._record = record
        self._keeper = keeper
        self._provider = provider
        self._runtime = runtime
        self._tell = tell
        self._until = 0
        self._taken = 0
        # A writer that is cancelled leaves a thread behind that may still be reading.
        self._guard = threading.Lock()
        self._involved = Involved()
        self._task: asyncio.Task[None] | None = None
        self._is_wanted = False

    def start(self, spent: Spent) -> None:
        """Write in the background; when one is at work, once more after it."""
        if self._task is not None and not self._task.done():
            self._is_wanted = True
            return
        self._task = asyncio.create_task(self._write_on(spent))
        self._task.add_done_callback(_seen_off)

    async def be_level(self, spent: Spent) -> None:
        """See to it that checkpoint.md speaks of everything up to now, as far as that can be had in
        time."""
        self.start(spent)
        assert self._task is not None  # noqa: S101  (it was just made)
        await asyncio.wait([self._task], timeout=_PATIENCE_S)
        if not self._task.done():
            self._task.cancel()
            await asyncio.wait([self._task])
            await asyncio.to_thread(self._save_by_code)

    async def finish(self) -> None:
        """Write what is left when the run ends, without asking a model for it."""
        if self._task is not None and not self._task.done():
            self._task.cancel()
            await asyncio.wait([self._task])
        if self._record.last:
            await asyncio.to_thread(self._save_by_code)

    def read(self) -> Summary:
        """What checkpoint.md says now."""
        try:
            if self.path.stat().st_size > _MAX_BYTES:
                return summary.Summary()
            return summary.parse(self.path.read_text("utf-8", errors="replace"))
        except FileNotFoundError:
            return summary.Summary()

    async def _write_on(self, spent: Spent) -> None:
        self._is_wanted = True
        while self._is_wanted:
            self._is_wanted = False
            try:
                await self._write(spent)
            except MilepostError as error:
                self._tell(Warned(f"checkpoint.md was not written: {error}"))

    async def _write(self, spent: Spent) -> None:
        until = self._record.last
        new = await asyncio.to_thread(self._by_code)
        by_model = False
        if self._provider is not None:
            fresh = await asyncio.to_thread(self._record.items, self._until)
            try:
                written = await writer.write(
                    self._provider, new, happened(fresh), self._keeper.notes()
                )
                spent.add(written.usage, written.cost_usd)
                model = self._provider.model.name
                self._record.took("writer", model, written.usage, written.cost_usd)
                by_model = written.sections is not None
                new = new.plus(written.sections or {})
                if not by_model:
                    self._tell(Warned("the writer of checkpoint.md answered in no form of ours"))
            except ModelError as error:
                self._tell(Warned(f"checkpoint.md was written without its writer: {error}"))
        await asyncio.to_thread(self._save, new)
        if by_model:
            # Only what a writer has seen and answered for counts as summed up.
            self._until = until
        self._record.checkpoint(until, by_model=by_model)
        self._tell(CheckpointWritten(str(self.path), by_model))

    def _by_code(self) -> Summary:
        """What checkpoint.md says, with the sections that code knows brought up to now."""
        with self._guard:
            items = self._record.items(self._taken)
            self._involved.take(items)
            self._taken = items[-1].number if items else self._taken
        return self.read().plus(
            {
                "intent": "\n".join(f"- {words.text}" for words in self._record.said),
                "tasks": self._keeper.tasks(),
                "files": self._involved.files(),
                "commands": self._involved.commands(),
                "runtime": self._runtime(),
                "notes": self._keeper.notes(),
            }
        )

    def _save_by_code(self) -> None:
        try:
            self._save(self._by_code())
        except MilepostError as error:
            self._tell(Warned(f"checkpoint.md was not written: {error}"))

    def _save(self, new: Summary) -> None:
        make_private_dir(self.path.parent)
        write_durably(self.path, summary.render(new).encode("utf-8", "replace"))


def _seen_off(task: asyncio.Task[None]) -> None:
    """Whoever watched may be gone, so that they could not be told; the loop will find that out."""
    if not task.cancelled():
        task.exception()
