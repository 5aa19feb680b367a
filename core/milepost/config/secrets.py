"""Where secrets may be known from: the environment and `.env` files; the key to mask them; and
whether another scanner is asked too."""

from __future__ import annotations

import os
import secrets
from typing import TYPE_CHECKING

from milepost.base.errors import UserError, WorldError
from milepost.base.files import make_private_dir
from milepost.config import paths

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_KEY_BYTES = 32

# A larger file of this name holds something else.
_MAX_DOTENV_BYTES = 256 * 1024


def environment() -> Mapping[str, str]:
    """The variables of this process."""
    return os.environ


def dotenv_texts(root: Path) -> list[str]:
    """The contents of the `.env` files in the project's root; one that cannot be read is passed
    over."""
    texts: list[str] = []
    for path in sorted(root.glob(".env*")):
        try:
            if path.is_file() and path.stat().st_size <= _MAX_DOTENV_BYTES:
                texts.append(path.read_text("utf-8", errors="replace"))
        except OSError:
            continue
    return texts


def wants_second_opinion() -> bool:
    """Whether the scanner of `milepost[secrets]` is used where it is installed; not, when
    `MILEPOST_SECRETS` is `own`. Raises UserError for any other word."""
    asked = os.environ.get("MILEPOST_SECRETS")
    if asked not in (None, "", "own"):
        message = f"MILEPOST_SECRETS is {asked!r}; set it to own, which asks no other scanner"
        raise UserError(f"{message}, or to nothing")
    return not asked


def rule_cache() -> Path:
    """Where that scanner keeps its compiled rules."""
    return paths.home() / "kingfisher"


def masking_key(data_dir: Path) -> bytes:
    """The project's own key for the hashes in placeholders, made at first use.

    Raises WorldError when it can be neither read nor made.
    """
    path = data_dir / "masking.key"
    try:
        make_private_dir(data_dir)
        beside = path.with_name(f".masking.key.{secrets.token_hex(4)}")
        if not path.exists():
            handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "wb") as file:
                file.write(secrets.token_bytes(_KEY_BYTES))
            try:
                # Whoever links first has made the key for everyone.
                os.link(beside, path)
            except FileExistsError:
                pass
            finally:
                beside.unlink()
        return path.read_bytes()
    except OSError as error:
        message = f"cannot use {path} ({error.strerror}); check its owner and its disk"
        raise WorldError(message) from error
