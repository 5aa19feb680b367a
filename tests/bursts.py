"""Bursts of shell commands that do to a folder what agents do: the fuzz of the restore points."""

from __future__ import annotations

import random
import shlex
import subprocess
from collections.abc import Iterable
from pathlib import Path

_NAMES = ("a", "b", "c", "d e", "f.py", "g.txt", "é漢", "-h", "n\nl")


class Bursts:
    """Random changes to one folder, the same for the same seed."""

    def __init__(self, root: Path, seed: int, *, with_rules: bool) -> None:
        self.root = root
        self._with_rules = with_rules
        self._random = random.Random(seed)
        self._count = 0

    def burst(self) -> None:
        """One shell that runs a few commands; each may fail, as such commands do."""
        self._run(self._command() for _ in range(self._random.randint(1, 8)))

    def fill(self, files: int) -> None:
        """A tree to begin with."""
        self._run(self._write() for _ in range(files))

    def _run(self, commands: Iterable[str]) -> None:
        script = "\n".join(f"{{ {command} ; }} 2>/dev/null || true" for command in commands)
        subprocess.run(["/bin/sh", "-c", script], cwd=self.root, check=True, timeout=60)

    def _command(self) -> str:
        makers = (
            self._write, self._write, self._write, self._append, self._append, self._remove,
            self._remove, self._remove, self._move, self._move, self._copy, self._archive,
            self._link, self._mode, self._swap, self._folder, self._in_place, self._many,
        )  # fmt: skip
        rules = (self._rules, self._rules) if self._with_rules else ()
        return self._random.choice((*makers, *rules))()

    def _path(self) -> str:
        depth = self._random.choice((1, 1, 2, 2, 3, 4))
        parts = [self._random.choice(_NAMES) for _ in range(depth)]
        return shlex.quote("./" + "/".join(parts))

    def _text(self) -> str:
        self._count += 1
        return f"{self._count}-{self._random.randint(0, 10**9)}"

    def _write(self) -> str:
        path = self._path()
        lines = self._random.choice((0, 1, 5, 300))
        content = f"echo {self._text()}; seq {lines}"
        return f"mkdir -p -- $(dirname -- {path}); {{ {content}; }} > {path}"

    def _append(self) -> str:
        return f"echo {self._text()} >> {self._path()}"

    def _remove(self) -> str:
        return f"rm -rf -- {self._path()}"

    def _move(self) -> str:
        return f"mv -f -- {self._path()} {self._path()}"

    def _copy(self) -> str:
        return f"cp -a -- {self._path()} {self._path()}"

    def _archive(self) -> str:
        # Bounded, for each time can double the tree.
        path = self._path()
        small = "[ $(find . | head -n 300 | wc -l) -lt 300 ]"
        pack, unpack = "tar --exclude=.git -cf ../t.tar .", f"tar -C {path} -xf ../t.tar"
        return f"{small} && {pack} && mkdir -p {path} && {unpack}"

    def _link(self) -> str:
        return self._random.choice(
            (
                f"ln -s {self._text()} {self._path()}",
                f"ln -sfn {self._path()} {self._path()}",
                f"ln {self._path()} {self._path()}",
            )
        )

    def _mode(self) -> str:
        mode = self._random.choice(("600", "644", "755", "700", "444"))
        return f"chmod {mode} {self._path()}"

    def _swap(self) -> str:
        one, other = self._path(), self._path()
        return f"mv {one} ../swap && mv {other} {one}; mv ../swap {other}"

    def _folder(self) -> str:
        return f"mkdir -p {self._path()}"

    def _in_place(self) -> str:
        return f"printf {self._text()} | dd of={self._path()} conv=notrunc status=none"

    def _rules(self) -> str:
        rules = self._random.choice(("", "*.txt", "b/", "/a/", "!f.py\\n*.py", "c"))
        where = self._random.choice((".", ".", "a", "a/b"))
        name = self._random.choice((".gitignore", ".milepostignore"))
        return f"printf '{rules}\\n' > {where}/{name}"

    def _many(self) -> str:
        path = self._path()
        return f"mkdir -p {path} && for i in $(seq 40); do echo {self._text()} > {path}/$i; done"
