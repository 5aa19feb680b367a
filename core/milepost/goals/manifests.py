"""Manifests read as text: the scripts of package.json, the recipes of a Makefile."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from pathlib import Path

PACKAGE_MANAGERS = frozenset({"npm", "pnpm", "yarn", "bun"})

# A manifest that a person wrote is smaller by far.
_MAX_MANIFEST_BYTES = 1024 * 1024


def npm_script(root: Path, name: str) -> str | None:
    """The text of a script in package.json."""
    try:
        content: object = json.loads(text_of(root / "package.json"))
    except (ValueError, RecursionError):
        return None
    package = cast("dict[str, object]", content) if isinstance(content, dict) else {}
    scripts = package.get("scripts")
    text = cast("dict[str, object]", scripts).get(name) if isinstance(scripts, dict) else None
    return text if isinstance(text, str) else None


def make_recipe(root: Path, target: str | None) -> str | None:
    """The recipe of a target in the Makefile; without a name, of the first."""
    for name in ("GNUmakefile", "makefile", "Makefile"):
        for found, recipe in recipes(text_of(root / name)).items():
            if target is None or found == target:
                return recipe
    return None


def recipes(makefile: str) -> dict[str, str]:
    """The recipes of a Makefile by target. Source: the GNU make manual, "Rule Syntax"."""
    found: dict[str, str] = {}
    targets: list[str] = []
    for line in makefile.replace("\\\n", " ").splitlines():
        if line.startswith("\t"):
            command = line.strip().lstrip("@+")
            # make goes on after such a line whatever it ended with.
            bare = f"{command.lstrip('@-+')} || true" if command.startswith("-") else command
            for target in targets:
                found[target] += bare + "\n"
            continue
        rule = re.match(r"([^\s#=:][^#=:]*?)\s*::?(?!=)", line)
        if rule and not rule[1].startswith("."):
            targets = rule[1].split()
            found.update((target, "") for target in targets if target not in found)
        elif line.strip() and not line.startswith("#"):
            targets = []
    return found


def script_of(words: list[str]) -> str | None:
    """The name of the package.json script that a command such as `npm test` runs."""
    if not words or words[0] not in PACKAGE_MANAGERS:
        return None
    rest = [word for word in words[1:] if not word.startswith("-")]
    if rest[:1] == ["run"] or rest[:1] == ["run-script"]:
        return rest[1] if len(rest) > 1 else None
    if rest[:1] in (["test"], ["t"]):
        return "test"
    is_own_word = rest[:1] and rest[0] not in {"exec", "install", "ci", "add", "dlx", "x"}
    return rest[0] if is_own_word and words[0] in {"yarn", "pnpm", "bun"} else None


def text_of(path: Path) -> str:
    """What a manifest holds, as much as a manifest may; empty when it cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(_MAX_MANIFEST_BYTES).decode("utf-8", "replace")
    except OSError:
        return ""
