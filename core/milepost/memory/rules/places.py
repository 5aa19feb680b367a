"""Which files are read as rules, and for whom they were written.

From the documentation of each agent, autumn 2026. Where agents differ in what they prefer to what,
nothing is preferred here: all that is there is read, and what is said twice is kept once.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from milepost.config.user_rules import UserFolder

# Who keeps a list of more files to read, in opencode.json.
LISTED_BY = "opencode"

_MARKDOWN = ("*.md",)
_INSTRUCTIONS = ("*.instructions.md",)
_MARKDOWN_OR_TEXT = ("*.md", "*.txt")


@dataclass(frozen=True, slots=True)
class Place:
    """A file, or with `names` a folder and what is read in it, relative to a root.

    `follows_imports` where an agent takes `@path` in the text for an import. `is_asked_for` where a
    file without patterns waits until it is named. `is_list` where the file names others to read.
    """

    path: str
    read_by: str
    names: tuple[str, ...] = ()
    is_deep: bool = False
    follows_imports: bool = False
    is_asked_for: bool = False
    is_list: bool = False


@dataclass(frozen=True, slots=True)
class Root:
    """A folder in which places are looked for. Nothing outside of `confines` is read; paths are
    shown from there on, after `shown`. `nested_in` is the folder below the project's root whose own
    these are."""

    folder: Path
    confines: Path
    shown: str
    places: tuple[Place, ...]
    nested_in: str = ""

    @property
    def name(self) -> str:
        """What it is called in a sentence."""
        return self.shown.rstrip("/") or "the project"

    def holds(self, path: Path) -> bool:
        """Whether `path` really lies where it may be read, links followed; never in `.git`."""
        real, bounds = os.path.realpath(path), os.path.realpath(self.confines)
        inside = PurePath(os.path.relpath(real, bounds)).parts
        return inside[:1] != (os.pardir,) and ".git" not in inside

    def shows(self, path: Path) -> str:
        """A path as people know it: below the project, or from `~`."""
        return self.shown + os.path.relpath(path, self.confines).replace(os.sep, "/")


# In every folder of a project: the nearest to a file counts most.
_ANYWHERE = (
    Place("AGENTS.override.md", "Codex"),
    Place("AGENTS.md", "most agents"),
    Place("CLAUDE.md", "Claude Code", follows_imports=True),
    Place("CLAUDE.local.md", "Claude Code", follows_imports=True),
    Place("GEMINI.md", "Gemini CLI", follows_imports=True),
)

_AT_THE_ROOT = (
    *_ANYWHERE,
    Place(".claude/CLAUDE.md", "Claude Code", follows_imports=True),
    Place("AGENT.md", "Zed and others"),
    Place("QWEN.md", "Qwen Code", follows_imports=True),
    Place(".rules", "Zed"),
    Place(".cursorrules", "Cursor"),
    Place(".windsurfrules", "Windsurf"),
    Place(".clinerules", "Cline"),
    Place(".roorules", "Roo Code"),
    Place(".goosehints", "goose", follows_imports=True),
    Place("CONVENTIONS.md", "aider"),
    Place(".junie/guidelines.md", "Junie"),
    Place(".junie/AGENTS.md", "Junie"),
    Place(".github/copilot-instructions.md", "Copilot"),
    Place(".claude/rules", "Claude Code", _MARKDOWN, is_deep=True, follows_imports=True),
    Place(".cursor/rules", "Cursor", ("*.mdc",), is_deep=True, is_asked_for=True),
    Place(".github/instructions", "Copilot", _INSTRUCTIONS, is_deep=True, is_asked_for=True),
    Place(".windsurf/rules", "Windsurf", _MARKDOWN),
    Place(".devin/rules", "Devin", _MARKDOWN),
    Place(".clinerules", "Cline", _MARKDOWN_OR_TEXT, is_deep=True),
    Place(".roo/rules", "Roo Code", _MARKDOWN_OR_TEXT, is_deep=True),
    Place("opencode.json", LISTED_BY, is_list=True),
)  # fmt: skip

_OF_THE_USER = {
    "claude": (
        Place("CLAUDE.md", "Claude Code", follows_imports=True),
        Place("rules", "Claude Code", _MARKDOWN, is_deep=True, follows_imports=True),
    ),
    "codex": (Place("AGENTS.override.md", "Codex"), Place("AGENTS.md", "Codex")),
    "gemini": (Place("GEMINI.md", "Gemini CLI", follows_imports=True),),
    "opencode": (Place("AGENTS.md", "opencode"),),
    "goose": (Place(".goosehints", "goose", follows_imports=True),),
    "copilot": (Place("copilot-instructions.md", "Copilot"),),
    "windsurf": (Place("global_rules.md", "Windsurf"),),
    "roo": (Place("rules", "Roo Code", _MARKDOWN_OR_TEXT, is_deep=True),),
}


def of_project(root: Path) -> Root:
    """The places at a project's root."""
    return Root(root, root, "", _AT_THE_ROOT)


def of_folder(root: Path, folder: str) -> Root:
    """The places in a folder (relative, with forward slashes) below a project's root."""
    return Root(root / folder, root, "", _ANYWHERE, folder)


def of_user(folders: Mapping[str, UserFolder]) -> tuple[Root, ...]:
    """The places in the folders of the user's agents, by the names of `config.user_rules`."""
    return tuple(
        Root(folders[name].path, folders[name].path, f"{folders[name].shown}/", places)
        for name, places in _OF_THE_USER.items()
        if name in folders
    )


def in_folder(root: Path, folder: str) -> tuple[Path, ...]:
    """Where a folder below a project's root has rules of its own, when it has any."""
    return tuple(root / folder / place.path for place in _ANYWHERE)
