"""`conclude`: the tool by which a phase of a composition decides about the work before it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from milepost.agent.phases import VERDICTS
from milepost.base.errors import UserError
from milepost.tools.tool import Arguments, Effect, Result, schema, words

if TYPE_CHECKING:
    import threading

    from milepost.agent.record import Record


class Conclude:
    """Keeps in the transcript what was decided."""

    name = "conclude"
    effect: Effect = "notes"
    description = (
        "Say what you decided. `pass`: it is as it should be. `back`: it has to be worked on "
        "again, and `reason` tells what is wrong and where, so that nobody has to ask."
    )
    parameters = schema(
        {"verdict": words(f"one of {', '.join(VERDICTS)}"), "reason": words("why, with evidence")},
        {},
    )

    def __init__(self, record: Record) -> None:
        self._record = record

    def subject(self, arguments: Arguments) -> str:
        """The verdict."""
        return arguments.text("verdict")

    def run(self, arguments: Arguments, stop: threading.Event) -> Result:
        """Keep the decision; the last one counts."""
        del stop
        verdict, reason = arguments.text("verdict"), arguments.text("reason").strip()
        if verdict not in VERDICTS or not reason:
            raise UserError(f"a verdict is one of {', '.join(VERDICTS)}, with a reason; say both")
        self._record.note("concluded", {"verdict": verdict, "reason": reason})
        return Result("Decided. End your turn now, in a sentence or two.")
