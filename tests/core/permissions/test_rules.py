"""Rules, and which of them decides."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from milepost.base.errors import UserError
from milepost.permissions.rules import DEFAULT, READ_ONLY, Rule, decide, parse


@pytest.mark.parametrize(
    ("tool", "subject", "action"),
    [
        ("read", "src/a.py", "allow"),
        ("read", ".env", "ask"),
        ("read", "conf/.env.local", "ask"),
        ("read", "keys/server.pem", "ask"),
        ("write", "src/a.py", "allow"),
        ("edit", ".git/config", "deny"),
        ("write", "sub/.git/hooks/pre-commit", "deny"),
        ("shell", "make test", "ask"),
        ("web_fetch", "https://example.com", "ask"),
        ("memory_search", "ports", "allow"),
    ],
)
def test_the_defaults_let_work_go_on_and_ask_for_the_rest(
    tool: str, subject: str, action: str
) -> None:
    assert decide(DEFAULT, tool, subject).action == action


def test_the_last_rule_that_matches_decides() -> None:
    rules = [*DEFAULT, Rule("allow", "shell", "make *"), Rule("deny", "shell", "make deploy*")]
    assert decide(rules, "shell", "make test").action == "allow"
    assert decide(rules, "shell", "make deploy-all").action == "deny"
    assert decide([*rules, *READ_ONLY], "shell", "make test").action == "deny"
    assert decide([], "read", "x").action == "ask"


def test_a_destructive_command_is_asked_for_unless_a_rule_names_it_whole() -> None:
    rules = [Rule("allow", "shell", "*")]
    found = decide(rules, "shell", "rm -rf build")
    assert (found.action, found.reason) == ("ask", "it deletes folders with all that is in them")
    assert decide([*rules, Rule("allow", "shell", "rm -rf build")], "shell", "rm -rf build") == (
        decide([Rule("allow", "shell", "rm -rf build")], "shell", "rm -rf build")
    )
    assert (
        decide([Rule("allow", "shell", "rm -rf build")], "shell", "rm -rf build").action == "allow"
    )


def test_what_no_sandbox_holds_is_asked_for_unless_a_rule_says_so_or_names_it_whole() -> None:
    rules = [*DEFAULT, Rule("allow", "shell", "make *"), Rule("deny", "shell", "make deploy")]
    found = decide(rules, "shell", "make test", "nothing holds it")
    assert found.action == "ask"
    assert found.reason.startswith("nothing holds it; a rule may name the whole command, or say")
    free = [*rules, Rule("allow", "unsandboxed")]
    assert decide(free, "shell", "make test", "nothing holds it").action == "allow"
    assert decide(free, "shell", "make deploy", "nothing holds it").action == "deny"
    assert decide(free, "shell", "ls", "nothing holds it").action == "ask"
    exact = [*rules, Rule("allow", "shell", "make test")]
    assert decide(exact, "shell", "make test", "nothing holds it").action == "allow"


def test_who_is_asked_is_told_why_in_words_that_need_no_rule() -> None:
    own = [*DEFAULT, Rule("allow", "shell", "rm *"), Rule("ask", "shell", "make *")]
    told = {
        ("shell", "ls"): "A command can change a lot, so each is asked for until you allow it.",
        ("shell", "make test"): "Your rule `ask shell make *` wants you to be asked.",
        ("shell", "rm -r build"): "Take care: it deletes folders with all that is in them. "
        "Going back may not undo all of it.",
        ("read", ".env"): "Files of this name often hold passwords or keys, and the model gets to "
        "see what is in it.",
        ("edit", "keys/a.pem"): "It changes a file of a name under which passwords or keys are "
        "kept.",
        ("write", ".milepost/config.toml"): "It writes the settings of Milepost itself.",
        ("fetch", "http://x"): "This is not done without asking you.",
    }
    for (tool, subject), sentence in told.items():
        found = decide(own, tool, subject)
        assert (found.action, found.why) == ("ask", sentence)
    assert (
        decide([], "read", "x").why
        == "Nothing says yet whether this may be done without asking you."
    )
    held = decide([Rule("allow", "shell")], "shell", "ls", "no sandbox holds commands here")
    assert held.why.startswith("Take care: no sandbox holds commands here, so it could do")


def test_rules_are_read_from_words() -> None:
    assert parse("allow shell make *") == Rule("allow", "shell", "make *")
    assert parse(" deny  write ") == Rule("deny", "write", "*")
    for wrong in ("", "allow", "permit shell", "shell make"):
        with pytest.raises(UserError, match="is no rule"):
            parse(wrong)


@given(st.text(max_size=30), st.text(max_size=30))
def test_a_pattern_without_a_star_matches_itself_only(subject: str, other: str) -> None:
    rule = Rule("deny", "write", subject)
    if "*" not in subject:
        assert rule.matches("write", subject)
        assert rule.matches("write", other) == (other == subject)
