"""A person's side: the real Neovim, with the real `milepost-lsp` as its language server.

Everything is done as a person does it: files are opened, text is selected, a code action is
chosen, a buffer is written. What Milepost says is read from the messages that Neovim shows.
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING
from unittest import mock

from tests.demo.steps import StepError
from tests.lsp.neovim import Neovim

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.demo.stage import Stage

# What an editor's configuration does with the notice that a memory file has changed on disk.
_RELOAD = """
vim.o.autoread = true
local told = vim.lsp.handlers['milepost/memory/didChange']
vim.lsp.handlers['milepost/memory/didChange'] = function(...)
  vim.cmd.checktime()
  return told(...)
end
"""


class Editor:
    """One running Neovim."""

    def __init__(self, neovim: Neovim, stage: Stage) -> None:
        self._neovim = neovim
        self._stage = stage

    def version(self) -> str:
        version = self._neovim.lua("return vim.version()")
        return f"Neovim {version['major']}.{version['minor']}.{version['patch']}"

    def process_id(self) -> int:
        return self._neovim.lua("return vim.fn.getpid()")

    def open(self, path: str) -> None:
        """Show a file, or a new buffer of that name."""
        self._neovim.open(self._stage.project / path)

    def act(self, title: str, *, first: int = 0, last: int = 0) -> str:
        """Choose a code action on whole lines, and return what Milepost then says."""
        end = len(self.text().split("\n")[last].encode())
        return self._neovim.apply_action(title, (first, 0), (last, end))

    def find(self, text: str) -> int:
        """The number, from zero, of the one line in the window that holds `text`."""
        lines = [n for n, line in enumerate(self.text().split("\n")) if text in line]
        if len(lines) != 1:
            raise StepError(f"{text!r} stands on {len(lines)} lines of {self._neovim.name()}")
        return lines[0]

    def type_lines(self, *lines: str) -> None:
        """Make these the buffer's lines; nothing is written to disk."""
        self._neovim.type(*lines)

    def replace(self, old: str, new: str) -> None:
        """Change the one line that holds `old`, and write the buffer."""
        lines = self.text().split("\n")
        number = self.find(old)
        lines[number] = lines[number].replace(old, new)
        self._neovim.type(*lines)
        self._neovim.write()

    def text(self) -> str:
        """What the window shows."""
        return self._neovim.text()

    def wait_for_text(self, text: str) -> None:
        """Until the window shows `text`."""
        self._neovim.wait(f"{text!r} in the window", lambda: text in self.text())


@contextlib.contextmanager
def start_editor(stage: Stage) -> Iterator[Editor]:
    """A Neovim without anyone's configuration, in the project; gone at the end."""
    # It inherits the environment at its start, and the server inherits Neovim's.
    with mock.patch.dict(os.environ, stage.environment, clear=True):
        neovim = Neovim(stage.project)
    with neovim:
        neovim.lua(_RELOAD)
        yield Editor(neovim, stage)
