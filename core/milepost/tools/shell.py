"""`shell`: a command, run to its end within limits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from milepost.base.errors import UserError, WorldError
from milepost.base.files import make_private_dir
from milepost.base.process import run_shell
from milepost.base.sandbox.refusal import refusal
from milepost.config.sandbox import advice
from milepost.tools.tool import Arguments, Effect, Result, count, schema, words

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from milepost.base.process import Outcome
    from milepost.base.sandbox.choice import Sandbox

_DEFAULT_S = 120
_MAX_S = 1_800

# What the model sees: the beginning says what ran, the end how it went. About 5,000 tokens.
_HEAD_CHARS = 4_000
_TAIL_CHARS = 12_000

# What is kept on disk of one command's output; beyond it only the end is of use to anyone.
_KEEP_BYTES = 8 * 1024 * 1024


class Shell:
    """Runs a command in the project's root, under a supervisor that leaves nothing behind."""

    name = "shell"
    effect: Effect = "runs"
    description = (
        "Run a command with /bin/sh in the project's root and see its output and exit code. It "
        "gets no input. Long output is cut in the middle; the whole is kept in a file that the "
        f"answer names. It is killed after {_DEFAULT_S} seconds unless you give it more."
    )
    parameters = schema(
        {"command": words("the command line")},
        {"timeout_s": count(f"seconds it may take, at most {_MAX_S}")},
    )

    def __init__(
        self,
        root: Path,
        outputs: Path,
        mask: Callable[[str], str],
        sandbox: Callable[[], Sandbox],
        variables: Callable[[], Mapping[str, str]],
    ) -> None:
        """`outputs` is the folder for what was too long to show, kept with secrets masked.
        `sandbox` gives what holds a command, `variables` the environment that it gets."""
        self._root = root
        self._outputs = outputs
        self._mask = mask
        self._sandbox = sandbox
        self._variables = variables

    def subject(self, arguments: Arguments) -> str:
        """The command."""
        return arguments.text("command")

    def caution(self) -> str:
        """Whether a command could do whatever the user can."""
        held = self._sandbox()
        return "" if held.holds else f"no sandbox holds commands here: {held.why}"

    def run(self, arguments: Arguments, stop: threading.Event) -> Result:
        """Run it. A command that fails is a failed result with its output."""
        command = arguments.text("command").strip()
        if not command or "\0" in command:
            raise UserError("there is no command; give one that /bin/sh understands")
        seconds = min(arguments.number("timeout_s", _DEFAULT_S), _MAX_S)
        held = self._sandbox()
        outcome = run_shell(
            command,
            cwd=self._root,
            timeout_s=seconds,
            stop=stop,
            keep_bytes=_KEEP_BYTES,
            sandbox=held,
            environment=self._variables(),
        )
        text = self._shown(outcome)
        if outcome.timed_out:
            return Result(f"It was killed after {seconds} seconds.\n{text}", failed=True)
        if outcome.exit_code:
            words = f"It ended with exit code {outcome.exit_code}.\n{text}"
            refused = refusal(text, held, self._root)
            if refused is not None:
                words += f"\nNote: {advice(refused, self._root)}."
            return Result(words, failed=True)
        return Result(text or "It ended well and printed nothing.")

    def _shown(self, outcome: Outcome) -> str:
        output = outcome.output.decode("utf-8", "replace").strip("\n")
        if len(output) <= _HEAD_CHARS + _TAIL_CHARS:
            return output
        kept = self._kept(output, outcome)
        left_out = outcome.output_bytes - _HEAD_CHARS - _TAIL_CHARS
        middle = f"\n... ({left_out:,} bytes left out; {kept}) ...\n"
        return output[:_HEAD_CHARS] + middle + output[-_TAIL_CHARS:]

    def _kept(self, output: str, outcome: Outcome) -> str:
        """Keep long output on disk, and say where."""
        path = self._outputs / f"{outcome.output_sha256[:16]}.txt"
        try:
            make_private_dir(self._outputs)
            path.touch(mode=0o600)
            path.write_text(self._mask(output), encoding="utf-8")
        except (OSError, WorldError):
            return "it could not be kept on disk"
        end = "the whole" if outcome.output_bytes <= _KEEP_BYTES else "the end of it"
        return f"{end} is in {path}"
