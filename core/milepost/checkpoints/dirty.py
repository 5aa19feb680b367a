"""What may have changed since the manifest was last level with the tree."""

from __future__ import annotations

from dataclasses import dataclass, field

from milepost.checkpoints.names import above


@dataclass(slots=True)
class Dirty:
    """Paths to look at, and folders to walk with all that is or was below them."""

    paths: set[bytes] = field(default_factory=set[bytes])
    trees: set[bytes] = field(default_factory=set[bytes])

    def __len__(self) -> int:
        return len(self.paths) + len(self.trees)

    def add(self, other: Dirty) -> None:
        """Take in another's."""
        self.paths |= other.paths
        self.trees |= other.trees

    def settled(self) -> Dirty:
        """The same without what lies below another of the trees."""
        if not self.trees:
            return self
        trees = {tree for tree in self.trees if self.trees.isdisjoint(above(tree))}
        return Dirty({path for path in self.paths if not self.holds_tree_of(path)}, trees)

    def holds_tree_of(self, path: bytes) -> bool:
        """Whether the path is, or lies below, one of the trees."""
        return path in self.trees or not self.trees.isdisjoint(above(path))

    def holds(self, path: bytes) -> bool:
        """Whether the path is to be looked at, by itself or with a tree."""
        return path in self.paths or self.holds_tree_of(path)
