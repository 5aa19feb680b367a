"""Which paths the rules on disk cover now, with the rules of each folder read once.

Whoever learns that an ignore file changed calls `forget`; the next question reads them anew. Not
for two threads at once.
"""

from __future__ import annotations

import os

from milepost.checkpoints.policy import (
    RULE_FILES,
    Rules,
    read_rules,
    reason_to_leave_out,
)


class Coverage:
    """The ignore rules of one project, by folder."""

    def __init__(self, root: bytes) -> None:
        self.root = root
        # The repository's own rules that stand in no file of its tree.
        self._exclude_path = os.path.join(root, b".git", b"info", b"exclude")
        self.exclude = read_rules(self._exclude_path)
        # None: the folder is left out, and all that is below it.
        self._rules: dict[bytes, Rules | None] = {}

    def reason(self, path: bytes, *, is_dir: bool) -> str | None:
        """Why a path in a covered folder is left out, or None."""
        folder, _, name = path.rpartition(b"/")
        reason = reason_to_leave_out(name, is_dir=is_dir)
        if reason is None:
            rules = self.rules_in(folder)
            if rules is None or rules.ignores(path, is_dir=is_dir):
                return "ignored"
        return reason

    def rules_in(self, folder: bytes) -> Rules | None:
        """The rules for what stands in a folder; None when the folder is left out."""
        if folder in self._rules:
            return self._rules[folder]
        if folder == b"":
            rules = self._with_own(Rules().plus(b"", self.exclude), folder)
        else:
            above = self.rules_in(folder.rpartition(b"/")[0])
            is_out = above is None or self.reason(folder, is_dir=True) is not None
            rules = None if is_out else self._with_own(above, folder)
        self._rules[folder] = rules
        return rules

    def keep(self, folder: bytes, rules: Rules) -> None:
        """Take the rules of a folder from one who has read them."""
        self._rules[folder] = rules

    def forget(self) -> None:
        """Read all rules anew."""
        self._rules.clear()

    def exclude_changed(self) -> bool:
        """Whether the rules that stand in no file of the tree have changed; they are read anew."""
        exclude = read_rules(self._exclude_path)
        if exclude == self.exclude:
            return False
        self.exclude = exclude
        self.forget()
        return True

    def _with_own(self, above: Rules | None, folder: bytes) -> Rules:
        """The rules of a folder from those above it and its own ignore files."""
        rules = above or Rules()
        for name in RULE_FILES:
            rules = rules.plus(folder, read_rules(os.path.join(self.root, folder, name)))
        return rules
