"""What installing or uninstalling does to one file: worked out first, shown, then done.

A backup lies beside the file, so that taking us out again gives back the very bytes that were
there, as long as nobody has edited the file since. If somebody has, only our member is cut out.
"""

from __future__ import annotations

import difflib
import json
import os
import secrets
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

from milepost.api import UserError, WorldError
from milepost_mcp.install import jsonc

if TYPE_CHECKING:
    from collections.abc import Iterator

    from milepost_mcp.install.clients import Client

_BACKUP = ".before-milepost"

# A settings file beyond this is none.
_MAX_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Change:
    """A file before and after (None: it is not there). `backup` is written when installing and
    deleted when uninstalling."""

    path: Path
    before: bytes | None
    after: bytes | None
    backup: Path | None

    @property
    def is_nothing(self) -> bool:
        """Whether all is as it should be already."""
        return self.before == self.after

    def diff(self) -> str:
        """The change as a unified diff."""
        old, new = (
            (data or b"").decode("utf-8", "replace").splitlines(keepends=True)
            for data in (self.before, self.after)
        )
        name = str(self.path)
        return "".join(_whole_lines(difflib.unified_diff(old, new, name, name)))


def to_install(client: Client, path: Path, command: list[str]) -> Change:
    """The change that puts us into the file at `path`.

    Raises UserError when the file cannot be understood or has another server under our name.
    """
    before = _read(path)
    entry = client.entry(command)
    text = (before or b"").decode("utf-8", "surrogateescape")
    present = _member(client, path, text)
    if present is not None:
        if present == entry:
            return Change(path, before, before, None)
        again = f"milepost mcp uninstall {client.name}"
        raise UserError(f"{path} has another server named milepost; take it out with `{again}`")
    after = _with(client, path, text, entry)
    data = after.encode("utf-8", "surrogateescape")
    return Change(path, before, data, None if before is None else _backup_of(path))


def to_uninstall(client: Client, path: Path) -> Change:
    """The change that takes us out of the file at `path`. Raises UserError as `to_install`."""
    before = _read(path)
    text = (before or b"").decode("utf-8", "surrogateescape")
    present = _member(client, path, text)
    if before is None or present is None:
        return Change(path, before, before, None)
    backup = _backup_of(path)
    kept = _read(backup)
    original = (kept or b"").decode("utf-8", "surrogateescape")
    if _made_from(client, path, original, present) == text:
        return Change(path, before, kept, backup if kept is not None else None)
    after = _without(client, path, text, present)
    data = after.encode("utf-8", "surrogateescape")
    return Change(path, before, data, backup if kept is not None else None)


def apply(change: Change, *, is_install: bool) -> None:
    """Write the change. Raises UserError when the file has changed since, WorldError when it
    cannot be written; nothing was changed then."""
    if _read(change.path) != change.before:
        raise UserError(f"{change.path} changed in the meantime; try again")
    if is_install and change.backup is not None and change.before is not None:
        _write(change.backup, change.before, like=change.path)
    if change.after is None:
        change.path.unlink()
    else:
        _write(change.path, change.after, like=change.path)
    if not is_install and change.backup is not None:
        change.backup.unlink(missing_ok=True)


def _backup_of(path: Path) -> Path:
    return path.with_name(path.name + _BACKUP)


def _read(path: Path) -> bytes | None:
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise UserError(f"{path} is too large for a settings file; look what it is")
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        message = f"cannot read {path} ({error.strerror}); check its owner and mode"
        raise WorldError(message) from error


def _write(path: Path, data: bytes, *, like: Path) -> None:
    """Replace the file whole; a link is followed, so that it stays one."""
    target = Path(os.path.realpath(path))
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        mode = like.stat().st_mode & 0o777 if like.exists() else 0o600
        target.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as to:
            to.write(data)
            to.flush()
            os.fchmod(to.fileno(), mode)
            os.fsync(to.fileno())
        temporary.replace(target)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        message = f"cannot write {path} ({error.strerror}); nothing was changed"
        raise WorldError(message) from error


def _member(client: Client, path: Path, text: str) -> object:
    """Our member in the file, or None."""
    holder = _parsed(client, path, text)
    for key in client.key[:-1]:
        inner = holder.get(key, {})
        if not isinstance(inner, dict):
            place = ".".join(client.key[:-1])
            raise UserError(f"{place} in {path} holds no servers; correct the file first")
        holder = cast("dict[str, object]", inner)
    return holder.get(client.key[-1])


def _parsed(client: Client, path: Path, text: str) -> dict[str, object]:
    try:
        return tomllib.loads(text) if client.format == "toml" else jsonc.parse(text)
    except (ValueError, RecursionError) as error:
        kind = client.format.upper()
        raise UserError(f"{path} is no {kind} ({error}); correct it first") from error


def _made_from(client: Client, path: Path, original: str, entry: object) -> str | None:
    """What an install would have made of `original`; None when it could not."""
    try:
        return _with(client, path, original, entry)
    except UserError:
        return None


def _with(client: Client, path: Path, text: str, entry: object) -> str:
    wanted = _parsed(client, path, text)
    holder = wanted
    for key in client.key[:-1]:
        holder = cast("dict[str, object]", holder.setdefault(key, {}))
    holder[client.key[-1]] = entry
    try:
        if client.format == "toml":
            gap = "" if not text else "\n" if text.endswith("\n") else "\n\n"
            after = text + gap + _toml(client, entry)
        else:
            after = jsonc.with_member(text, client.key, entry)
        if _parsed(client, path, after) == wanted:
            return after
    except (jsonc.JsoncError, UserError):
        pass
    by_hand = json.dumps({client.key[-1]: entry})
    place = ".".join(client.key[:-1])
    raise UserError(f"cannot add to {path} without rewriting it; add {by_hand} to {place} yourself")


def _without(client: Client, path: Path, text: str, entry: object) -> str:
    wanted = _parsed(client, path, text)
    holder = wanted
    for key in client.key[:-1]:
        holder = cast("dict[str, object]", holder[key])
    del holder[client.key[-1]]
    if client.format == "toml":
        after = text.replace("\n" + _toml(client, entry), "", 1).replace(_toml(client, entry), "")
        if not holder:
            wanted = {key: value for key, value in wanted.items() if key != client.key[0]}
    else:
        after = jsonc.without_member(text, client.key)
    if _parsed(client, path, after) != wanted:
        place = ".".join(client.key)
        raise UserError(f"cannot cut {place} out of {path} cleanly; delete it there yourself")
    return after


def _toml(client: Client, entry: object) -> str:
    """Our table. A JSON string is a TOML basic string as long as it has no odd escapes."""
    lines = [
        f"{key} = {json.dumps(value, ensure_ascii=True)}"
        for key, value in cast("dict[str, object]", entry).items()
    ]
    return "\n".join([f"[{'.'.join(client.key)}]", *lines]) + "\n"


def _whole_lines(lines: Iterator[str]) -> Iterator[str]:
    """The lines of a diff, with a mark where a file has no line end at its end."""
    for line in lines:
        yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
