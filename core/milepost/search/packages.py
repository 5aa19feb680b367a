"""Files of installed packages, found without importing the packages."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path


def has(*names: str) -> bool:
    """Whether all these packages are installed."""
    return all(find_spec(name) is not None for name in names)


def file_of(package: str, name: str) -> Path:
    """The path of a file inside a package. Raises FileNotFoundError."""
    spec = find_spec(package)
    for folder in (spec and spec.submodule_search_locations) or ():
        path = Path(folder) / name
        if path.is_file():
            return path
    raise FileNotFoundError(f"the package {package} has no file {name}")
