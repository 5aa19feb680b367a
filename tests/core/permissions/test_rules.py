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
