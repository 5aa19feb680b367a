"""Serves the model's file that it is given, with llama.cpp's own server, until its input ends.

It runs in the environment that `make model` makes, and imports nothing of Milepost.
"""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

# Of the conversation and the reply together; the model was trained with no more.
_WINDOW_TOKENS = 8192


def main() -> None:
    """Print the address, and stay."""
    (path,) = Path(sys.prefix).rglob("SmolLM2-135M-Instruct*.gguf")
    llama = import_module("xllamacpp")
    wanted = llama.CommonParams()
    wanted.model.path = str(path)
    wanted.n_ctx, wanted.n_parallel = _WINDOW_TOKENS, 1
    # More threads would spin against everything else that runs here.
    wanted.cpuparams.n_threads = wanted.cpuparams_batch.n_threads = 1
    server = llama.Server(wanted)
    print(server.listening_address, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
