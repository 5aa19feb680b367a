"""What the guests see of the data that is kept, as files and as texts."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DataFile:
    """A file of the project's data: its absolute path, its size, and what it holds."""

    path: str
    size_bytes: int
    holds: str


@dataclass(frozen=True, slots=True)
class KeptSecret:
    """A secret that is kept: where, and of which kind. Never the secret itself."""

    place: str
    kind: str


@dataclass(frozen=True, slots=True)
class DataScan:
    """The secrets among so many kept texts, and whether a second scanner looked too."""

    found: tuple[KeptSecret, ...]
    texts: int
    has_second_opinion: bool
