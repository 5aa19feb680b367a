"""Permission rules: allow, ask or deny, the last rule that matches deciding.

A rule names a tool and a subject, both as patterns in which `*` stands for anything: the subject is
the path that a tool touches, or the command that the shell runs. Commands that destroy what no
restore point brings back are asked for whatever the rules allow, unless the rule names the very
command; and where nobody can be asked, asking means no. So are all commands where no sandbox holds
them, until a rule of the tool `unsandboxed` allows them, as in `allow unsandboxed make *`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

from milepost.base.errors import UserError
from milepost.permissions import wording
from milepost.permissions.danger import dangers

if TYPE_CHECKING:
    from collections.abc import Sequence

Action = Literal["allow", "ask", "deny"]
ACTIONS: tuple[Action, ...] = ("allow", "ask", "deny")


@dataclass(frozen=True, slots=True)
class Rule:
    """Whether a tool may touch a subject; `*` in either stands for any characters."""

    action: Action
    tool: str
    subject: str = "*"

    def matches(self, tool: str, subject: str) -> bool:
        """Whether the rule is about this."""
        return bool(
            _pattern(self.tool).fullmatch(tool) and _pattern(self.subject).fullmatch(subject)
        )

    @property
    def is_exact(self) -> bool:
        """Whether it names one subject, and no more."""
        return "*" not in self.subject


@dataclass(frozen=True, slots=True)
class Decision:
    """What a rule or a danger decided. `reason` is why, as a clause for the worker and for logs;
    `why` the same in a sentence for the person who is asked."""

    action: Action
    reason: str
    why: str


# Reading is free, except for files that hold secrets by their name; writing inside the project can
# be taken back; a command may do anything.
DEFAULT: tuple[Rule, ...] = (
    Rule("ask", "*"),
    Rule("allow", "read"), Rule("allow", "find"), Rule("allow", "grep"),
    Rule("allow", "memory_*"), Rule("allow", "history_*"), Rule("allow", "note"),
    Rule("allow", "task*"), Rule("allow", "write"), Rule("allow", "edit"),
    *(
        Rule("ask", tool, pattern)
        for tool in ("read", "write", "edit", "grep")
        for pattern in (".env", ".env.*", "*/.env", "*/.env.*", "*.pem", "*.key", "*id_rsa*",
                        "*credentials*", ".milepost/*")
    ),
    Rule("deny", "write", ".git/*"), Rule("deny", "edit", ".git/*"),
    Rule("deny", "write", "*/.git/*"), Rule("deny", "edit", "*/.git/*"),
)  # fmt: skip

# The tool of rules for commands that nothing holds.
_UNSANDBOXED = "unsandboxed"

# For looking and planning: nothing is changed, whatever other rules say.
READ_ONLY: tuple[Rule, ...] = (
    Rule("deny", "write"), Rule("deny", "edit"), Rule("deny", "shell"),
)  # fmt: skip


def decide(rules: Sequence[Rule], tool: str, subject: str, caution: str = "") -> Decision:
    """What the rules say of `tool` touching `subject`. `caution` is why more than a rule for many
    subjects is needed here, as a clause."""
    last = next((rule for rule in reversed(rules) if rule.matches(tool, subject)), None)
    if last is None:
        return Decision("ask", "no rule speaks of it", wording.NO_RULE)
    subjects = "" if last.subject == "*" else f" {last.subject}"
    words = f"{last.action} {last.tool}{subjects}"
    is_broad = last.action == "allow" and not last.is_exact
    if tool == "shell" and is_broad:
        found = dangers(subject)
        if found:
            return Decision("ask", "; ".join(found), wording.of_dangers(found))
    if caution and is_broad and decide(rules, _UNSANDBOXED, subject).action != "allow":
        more = f"a rule may name the whole command, or say `allow {_UNSANDBOXED}`"
        return Decision("ask", f"{caution}; {more}", wording.of_caution(caution))
    return Decision(last.action, f"the rule `{words}`", _why(last, words, tool, subject))


def _why(rule: Rule, words: str, tool: str, subject: str) -> str:
    """Why a rule asks. What a command may destroy matters more than whose rule it was."""
    found = dangers(subject) if tool == "shell" and rule.action == "ask" else ()
    if found:
        return wording.of_dangers(found)
    return wording.of_default(tool, subject) if rule in DEFAULT else wording.of_own_rule(words)


def parse(text: str) -> Rule:
    """A rule from words: `allow shell make *`. Raises UserError."""
    action, _, rest = text.strip().partition(" ")
    tool, _, subject = rest.strip().partition(" ")
    for known in ACTIONS:
        if action == known and tool:
            return Rule(known, tool, subject.strip() or "*")
    message = f"{text!r} is no rule; write ACTION TOOL [SUBJECT], such as `allow shell make *`"
    raise UserError(f"{message}, with one of {', '.join(ACTIONS)}")


@lru_cache(maxsize=512)
def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(".*".join(map(re.escape, text.split("*"))), re.DOTALL)
