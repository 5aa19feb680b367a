"""What a worker tells while it works, as the guests see it."""

from __future__ import annotations

from milepost.agent import events
from milepost.api import run_views


def seen(event: events.Event) -> run_views.RunEvent:  # noqa: PLR0911  (a line for each kind)
    """An event of the worker's as a view."""
    match event:
        case events.Said(text, is_thought):
            return run_views.RunEvent("thought" if is_thought else "said", text)
        case events.TookBack(reason):
            return run_views.RunEvent("took_back", reason)
        case events.CallBegan(call_id, tool, subject):
            return run_views.RunEvent("call_began", call_id=call_id, tool=tool, subject=subject)
        case events.CallEnded():
            return run_views.RunEvent(
                "call_ended",
                event.text,
                event.call_id,
                event.tool,
                failed=event.failed,
                paths=event.paths,
                before_id=event.before_id,
                after_id=event.after_id,
            )
        case events.StepEnded(step, usage, cost_usd, window_share):
            return run_views.RunEvent(
                "step_ended",
                step=step,
                input_tokens=usage.input_tokens,
                output_tokens=usage.output_tokens,
                cost_usd=cost_usd,
                window_share=round(window_share, 3),
            )
        case events.CheckpointWritten(path, by_model):
            by = "by its writer" if by_model else "without its writer"
            return run_views.RunEvent("checkpoint_written", f"{path} was written {by}")
        case events.WindowRebuilt(before, after):
            return run_views.RunEvent("window_rebuilt", f"{before} tokens became {after}")
        case events.Warned(text):
            return run_views.RunEvent("warned", text)
        case events.Judged(verdict, reason):
            return run_views.RunEvent("judged", f"{verdict}: {reason}")
        case events.PhaseBegan(name, round_number):
            return run_views.RunEvent("phase_began", subject=name, round=round_number)
        case events.PhaseEnded(name, verdict, reason):
            return run_views.RunEvent("phase_ended", f"{verdict} {reason}".strip(), subject=name)
