"""A project's settings file, written to. All that it says otherwise stays as it is."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from milepost.base.errors import UserError, WorldError
from milepost.base.files import ChangedMeanwhileError, confined, replace_durably, signature
from milepost.config import settings

if TYPE_CHECKING:
    from pathlib import Path


def set_value(root: Path, name: str, value: str) -> Path:
    """Set a key of the project's settings file, made when there is none; the file's path.

    Raises UserError when the file is wrong, or written in a way that cannot be changed safely.
    """
    settings.load(root)
    _, path = settings.files(root)
    confined(path, root)
    try:
        path.parent.mkdir(exist_ok=True)
        before = signature(path)
        text = "" if before is None else path.read_text("utf-8")
    except OSError as error:
        raise WorldError(f"cannot use {path} ({error.strerror}); check its owner") from error
    changed = _with_value(text, name, value)
    from milepost.config.validation import validated  # noqa: PLC0415  (pydantic, and seldom)

    try:
        is_set = validated(path, changed).get(name) == value
    except UserError:
        is_set = False
    if not is_set:
        raise UserError(f"{path} is written in a way of its own; set {name} to {value!r} in it")
    try:
        replace_durably(path, changed.encode("utf-8"), before, is_ordinary=True)
    except ChangedMeanwhileError:
        raise WorldError(f"{path} was changed just now; look at it and try again") from None
    return path


def _with_value(text: str, name: str, value: str) -> str:
    table, _, key = name.partition(".")
    line = f"{key} = {json.dumps(value)}"
    lines = text.splitlines()
    here = ""
    for number, content in enumerate(lines):
        header = re.match(r"\s*\[\s*([\w.-]+)\s*\]", content)
        here = header[1] if header else here
        if here == table and re.match(rf"\s*{key}\s*=", content):
            lines[number] = line
            return "\n".join(lines) + "\n"
    for number, content in enumerate(lines):
        if re.match(rf"\s*\[\s*{table}\s*\]", content):
            lines.insert(number + 1, line)
            return "\n".join(lines) + "\n"
    gap = "\n" if text and not text.endswith("\n\n") else ""
    return f"{text}{gap}[{table}]\n{line}\n"
