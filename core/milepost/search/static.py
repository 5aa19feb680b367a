"""Vectors from WordLlama's table: a text's is the weighed sum of its tokens' rows.

Only the table and the tokenizer's file of the package are read; the package itself is not imported,
which costs twice the time and memory, and whose own loading wants the network. A token that comes
often counts little more than once, and a rare one more than a common one: the tokenizer numbers
its tokens by how common they are, so the logarithm of the number does for a weight.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from milepost.search.packages import file_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray
    from tokenizers import Tokenizer

_TABLE = "weights/l2_supercat_256.safetensors"
_TOKENIZER = "tokenizers/l2_supercat_tokenizer_config.json"

# The table was trained so that the first columns say most; 64 rank as well as 256 (measured).
_COLUMNS = 64

# A text's meaning is in its first paragraphs; a whole file in a tool call would take a second.
_READ_CHARS = 8_000


class StaticEmbedder:
    """WordLlama's table in memory: 8 MB."""

    model = "wordllama-l2-supercat-64"
    weight = 0.8
    batch = 128

    def __init__(self, tokenizer: Tokenizer, table: NDArray[np.float32]) -> None:
        self._tokenizer = tokenizer
        self._table = table

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """One row for each text; zeros for a text without tokens."""
        import numpy as np  # noqa: PLC0415  (only the extra brings numpy)

        vectors = np.zeros((len(texts), _COLUMNS), np.float32)
        for place, text in enumerate(texts):
            ids = self._tokenizer.encode(text[:_READ_CHARS], add_special_tokens=False).ids
            tokens, times = np.unique(np.asarray(ids, np.int64), return_counts=True)
            weights = times / (times + 1.0) * np.log(2.0 + tokens)
            vectors[place] = weights.astype(np.float32) @ self._table[tokens]
        return vectors


def load() -> StaticEmbedder:
    """Read the table. Raises OSError or ValueError when the package is not as it was released."""
    from tokenizers import Tokenizer  # noqa: PLC0415  (heavy, and only there with the extra)

    tokenizer = Tokenizer.from_file(str(file_of("wordllama", _TOKENIZER)))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return StaticEmbedder(tokenizer, _table())


def _table() -> NDArray[np.float32]:
    """The first columns of the one tensor in a safetensors file: the length of a JSON header in
    eight bytes, the header, the numbers."""
    import numpy as np  # noqa: PLC0415  (see above)

    path = file_of("wordllama", _TABLE)
    with path.open("rb") as file:
        header_bytes = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(header_bytes))
    (tensor,) = (value for key, value in header.items() if key != "__metadata__")
    kind = {"F16": np.float16, "F32": np.float32}[tensor["dtype"]]
    numbers = np.memmap(path, kind, "r", 8 + header_bytes, tuple(tensor["shape"]))
    return np.ascontiguousarray(numbers[:, :_COLUMNS], np.float32)
