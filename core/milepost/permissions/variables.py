"""Which variables of the environment a worker's commands do not get.

A variable whose name tells of a secret is kept back unless a rule names it: the tool of such a rule
is `variable`, its subject the name, as in `allow variable GITHUB_TOKEN`. All others are passed on
unless a rule denies them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from milepost.permissions.rules import decide
from milepost.redaction.values import names_a_secret

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from milepost.permissions.rules import Rule

_TOOL = "variable"


def withheld(names: Iterable[str], rules: Sequence[Rule]) -> frozenset[str]:
    """Those of `names` that are kept back."""
    return frozenset(name for name in names if _is_withheld(name, rules))


def _is_withheld(name: str, rules: Sequence[Rule]) -> bool:
    action = decide(rules, _TOOL, name).action
    return action == "deny" or (action == "ask" and names_a_secret(name))
