"""How search may be helped: by vectors of a model on this machine, or not."""

from __future__ import annotations

import os
from typing import Literal, cast, get_args

from milepost.base.errors import UserError

Vectors = Literal["off", "static", "semantic"]


def vectors() -> Vectors | None:
    """Which vectors the user asks for by `MILEPOST_VECTORS`; None: the best that is installed.

    This is the one place that decides it. Raises UserError for any other word.
    """
    asked = os.environ.get("MILEPOST_VECTORS")
    if not asked:
        return None
    if asked not in get_args(Vectors):
        raise UserError(f"MILEPOST_VECTORS is {asked!r}; set it to off, static or semantic")
    return cast("Vectors", asked)
