"""What is known of models: how much they take in, how much they write, what that costs.

A model that is not listed works with what the user declares of it, or else with limits that any
model of today can keep. Prices are US dollars per million tokens as their makers publish them;
a price that is not known is None, and then no cost is shown rather than a wrong one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from milepost.providers.message import Usage

# What an unknown model is trusted with: the smallest window and output limit among the models that
# servers offer for coding today. A user who knows better declares it.
DEFAULT_WINDOW_TOKENS = 32_768
DEFAULT_OUTPUT_TOKENS = 4_096


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars per million tokens."""

    input: float
    output: float
    cache_read: float
    cache_write: float


@dataclass(frozen=True, slots=True)
class Model:
    """A model: `window_tokens` is what conversation and reply may take together."""

    name: str
    window_tokens: int = DEFAULT_WINDOW_TOKENS
    output_tokens: int = DEFAULT_OUTPUT_TOKENS
    price: Price | None = None

    def cost_usd(self, usage: Usage) -> float | None:
        """What `usage` costs; None when the price is not known."""
        if self.price is None:
            return None
        plain = usage.input_tokens - usage.cache_read_tokens - usage.cache_write_tokens
        return (
            max(0, plain) * self.price.input
            + usage.cache_read_tokens * self.price.cache_read
            + usage.cache_write_tokens * self.price.cache_write
            + usage.output_tokens * self.price.output
        ) / 1_000_000


# By the beginning of the name, the longest match counting. The price is that of the very model: a
# name that goes on with anything but a date is another edition, with the same limits at best.
_DATE = re.compile(r"(-\d{8}|-\d{4}-\d\d-\d\d|-latest)?")

_KNOWN = {
    "claude-opus-4": Model("", 200_000, 32_000, Price(15.0, 75.0, 1.5, 18.75)),
    "claude-opus-4-1": Model("", 200_000, 32_000, Price(15.0, 75.0, 1.5, 18.75)),
    "claude-opus-4-5": Model("", 200_000, 64_000, Price(5.0, 25.0, 0.5, 6.25)),
    "claude-sonnet-4": Model("", 200_000, 64_000, Price(3.0, 15.0, 0.3, 3.75)),
    "claude-sonnet-4-5": Model("", 200_000, 64_000, Price(3.0, 15.0, 0.3, 3.75)),
    "claude-haiku-4-5": Model("", 200_000, 64_000, Price(1.0, 5.0, 0.1, 1.25)),
    "deepseek-chat": Model("", 128_000, 8_000),
    "deepseek-reasoner": Model("", 128_000, 64_000),
    "gpt-4.1": Model("", 1_047_576, 32_768, Price(2.0, 8.0, 0.5, 2.0)),
    "gpt-5": Model("", 400_000, 128_000, Price(1.25, 10.0, 0.125, 1.25)),
    "mimo-v2-flash": Model("", 256_000, 32_000),
    "qwen3-coder": Model("", 262_144, 65_536),
}


def declared(name: str, window_tokens: int, output_tokens: int) -> Model:
    """The model of this name within the limits that the user declares; 0 leaves what is known."""
    model = known(name)
    return replace(
        model,
        window_tokens=window_tokens or model.window_tokens,
        output_tokens=output_tokens or model.output_tokens,
    )


def known(name: str) -> Model:
    """What is known of the model of this name, which may carry its maker's (`maker/name`)."""
    bare = name.rsplit("/", 1)[-1].lower()
    best = max((key for key in _KNOWN if bare.startswith(key)), key=len, default=None)
    if best is None:
        return Model(name)
    found = _KNOWN[best]
    is_same = _DATE.fullmatch(bare, len(best)) is not None
    return replace(found, name=name, price=found.price if is_same else None)
