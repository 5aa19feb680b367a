"""`python -m tests.demo`: tells the story and exits with 0 only if every step is as it says."""

from __future__ import annotations

import contextlib
import platform
import signal
import sys
import traceback

from tests.demo.agent import start_agent
from tests.demo.editor import start_editor
from tests.demo.stage import TEST_COMMAND, Stage, open_stage
from tests.demo.steps import Steps, expect
from tests.demo.story import FAILING_TEST, Story


def main() -> int:
    # Ended from outside, the demo still takes its stage down.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    steps = Steps()
    steps.title(
        "Milepost, the main job",
        "An agent over MCP and a person in Neovim work on one project.\n"
        f"Python {platform.python_version()}, {platform.system()} {platform.machine()}.",
    )
    try:
        _play(steps)
    except Exception:  # noqa: BLE001  (whatever broke the story off, the table is shown)
        # A step that failed has said why; its error may arrive here in a group of companions.
        if not steps.failed:
            traceback.print_exc()
    steps.table()
    return 1 if steps.failed or not steps.is_finished else 0


def _play(steps: Steps) -> None:
    with open_stage() as stage:
        _look_at_the_project(steps, stage)
        with contextlib.ExitStack() as cast:
            with steps.step("The real servers start") as step:
                agent = cast.enter_context(start_agent(stage))
                tools = agent.tools()
                step.note(
                    f"milepost-mcp: {len(tools)} tools, protocol {agent.client.protocol_version}"
                )
                editor = cast.enter_context(start_editor(stage))
                step.note(f"milepost-lsp: in {editor.version()}")
                step.result = f"{len(tools)} tools"
            Story(steps, stage, agent, editor).tell()
        with steps.step("Nothing is left running") as step:
            running = stage.wait_for_the_end()
            expect(not running, f"still running: {running}")
            # The sandbox makes the folder of caches where there is none; it stays empty here.
            strays = [
                path.name
                for path in (stage.folder / "home").iterdir()
                if path.name != ".cache" or any(path.iterdir())
            ]
            expect(not strays, f"left in the home folder: {strays}")
            step.note("no process, and no file outside the data folder")
            step.result = "all gone"
    steps.is_finished = True


def _look_at_the_project(steps: Steps, stage: Stage) -> None:
    with steps.step("A real project with a bug in it") as step:
        done = stage.shell(TEST_COMMAND)
        summary = done.stdout.strip().splitlines()[-1]
        expect(done.returncode == 1, f"its tests end with {done.returncode}: {summary}")
        expect(FAILING_TEST in done.stdout, f"{FAILING_TEST} did not fail")
        step.note(f"{summary}: {FAILING_TEST}")
        step.result = "1 test fails"


if __name__ == "__main__":
    sys.exit(main())
