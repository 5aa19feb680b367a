"""What somebody gets who judges the work: what is kept, without the worker's own account of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from milepost.agent.loop import Verdict
    from milepost.agent.state import Keeper


class Apart:
    """A keeper that shows only what does not come from the worker."""

    def __init__(self, keeper: Keeper) -> None:
        self._keeper = keeper

    def rules(self, budget_tokens: int) -> str:
        """The rules that hold here."""
        return self._keeper.rules(budget_tokens)

    def goal(self) -> str:
        """The goal."""
        return self._keeper.goal()

    def memory(self, about: str, budget_tokens: int) -> str:
        """What memory knows about the matter."""
        return self._keeper.memory(about, budget_tokens)

    def checkpoint(self) -> str:
        """Nothing: it is drawn from what the worker said."""
        return ""

    def notes(self) -> str:
        """Nothing: they are the worker's."""
        return ""

    def tasks(self) -> str:
        """Nothing: the worker says itself which are done."""
        return ""


class Open:
    """The gate of a phase, which ends when its worker does."""

    async def look(self) -> Verdict | None:
        """Nothing holds it."""
        return None
