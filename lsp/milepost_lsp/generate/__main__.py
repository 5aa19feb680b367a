"""`python -m milepost_lsp.generate [FOLDER]`: writes the generated files anew, here or there."""

from __future__ import annotations

import sys
from pathlib import Path

from milepost_lsp.generate.files import write

for path in write(Path(sys.argv[1] if len(sys.argv) > 1 else ".")):
    sys.stdout.write(f"{path}\n")
