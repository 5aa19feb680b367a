"""Secrets go, everything else stays as it is, whatever the text."""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import sys
import time
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from milepost.redaction.marks import _RUN
from milepost.redaction.redactor import Redactor
from milepost.redaction.rules import RULES
from milepost.redaction.values import values_of_dotenv, values_of_environment
from tests.core.redaction_corpus.drawing import Draw
from tests.core.redaction_corpus.negatives import negatives
from tests.core.redaction_corpus.planted import TOKENS, Planted, named, tokens

_KEY = b"a key of this project"
_SEEDS = (1, 2, 3)

# Linear work on a megabyte takes 2.6 s at the worst on a laptop core, when every few characters are
# a secret; quadratic work would take hours. The room between is for slow machines.
_HOSTILE_SIZE = 200_000
_HOSTILE_LIMIT_S = 8.0


def redactor(*values: str) -> Redactor:
    return Redactor(_KEY, values)


def check(text: str, expected: str) -> None:
    """`expected` writes each placeholder as `[kind]`."""
    shown = re.sub(r"\[secret:([a-z-]+):[0-9a-f]{6}\]", r"[\1]", redactor().redact(text).text)
    assert shown == expected


def planted(seed: int) -> list[Planted]:
    return tokens(seed) + named(seed)


def survives(case: Planted) -> bool:
    text = redactor().redact(case.text).text
    return any(part in text for part in case.parts)


# The measure


def test_the_corpus_is_as_large_as_was_promised() -> None:
    cases = planted(1)
    assert len(cases) >= 120
    assert len({case.kind for case in cases}) >= 40
    assert len(negatives(1)) >= 200


@pytest.mark.parametrize("seed", _SEEDS)
def test_of_a_hundred_planted_secrets_at_least_95_are_masked(seed: int) -> None:
    cases = planted(seed)
    missed = [case for case in cases if survives(case)]
    assert len(missed) <= 0.05 * len(cases), missed


@pytest.mark.parametrize("kind", sorted(TOKENS))
def test_every_makers_token_is_masked_wherever_it_stands(kind: str) -> None:
    cases = [case for seed in range(10) for case in tokens(seed) if case.kind == kind]
    assert [case.text for case in cases if survives(case)] == []


@pytest.mark.parametrize("seed", _SEEDS)
def test_of_a_hundred_look_alikes_at_most_one_is_masked(seed: int) -> None:
    texts = negatives(seed)
    wrong = [text for text in texts if redactor().redact(text).found]
    assert len(wrong) <= 0.01 * len(texts), wrong


# What is masked, and how much of it


def test_only_the_password_of_a_url_is_masked() -> None:
    password = "tr0ub" + "4dor"
    check(
        f"postgres://app:{password}@db:5432/shop?x=1",
        "postgres://app:[url-password]@db:5432/shop?x=1",
    )


def test_only_the_value_of_an_assignment_is_masked() -> None:
    value = Draw(5).alnum(24)
    check(f'  "api_key": "{value}",', '  "api_key": "[key]",')
    check(f"export API_TOKEN={value} && make", "export API_TOKEN=[token] && make")
    check(f"?access_token={value}&page=2", "?access_token=[token]&page=2")


def test_a_makers_mark_names_the_kind_even_under_a_telling_name() -> None:
    token = "gh" + "p_" + Draw(5).alnum(36)
    check(f"MY_TOKEN={token}", "MY_TOKEN=[github]")
    check(f"Authorization: Bearer {token}", "Authorization: Bearer [github]")


def test_a_private_key_becomes_one_placeholder() -> None:
    head, tail = (f"-----{word} PRIVATE " + "KEY-----" for word in ("BEGIN", "END"))
    check("\n".join(("a", head, *Draw(5).lines(400), tail, "b")), "a\n[private-key]\nb")


def test_a_secret_that_was_named_once_is_masked_without_its_name_too() -> None:
    value = Draw(6).alnum(24)
    check(
        f"api_token={value}\nthe server logged {value}.",
        "api_token=[token]\nthe server logged [env].",
    )


def test_what_was_masked_is_told_without_the_secret() -> None:
    token = "gh" + "p_" + Draw(5).alnum(36)
    done = redactor().redact(f"{token} and {token}")
    assert [found.kind for found in done.found] == ["github"]
    assert done.text == f"{done.found[0].placeholder} and {done.found[0].placeholder}"
    assert token not in repr(done)


# Placeholders


def test_equal_secrets_get_equal_placeholders_and_others_do_not() -> None:
    draw = Draw(7)
    one, other = ("gh" + "p_" + draw.alnum(36) for _ in range(2))
    first = redactor().redact(one).text
    assert redactor().redact(f"x {one}").text == f"x {first}"
    assert redactor().redact(other).text != first


def test_another_project_gives_the_same_secret_another_placeholder() -> None:
    token = "gh" + "p_" + Draw(7).alnum(36)
    assert Redactor(b"another key").redact(token).text != redactor().redact(token).text


def test_a_text_without_secrets_comes_back_as_the_same_object() -> None:
    text = "The worker renews its lease at 20 of 30 seconds. " * 20
    assert redactor().redact(text).text is text
    assert redactor().redact(text).found == ()


def test_json_stays_json() -> None:
    for case in planted(4):
        text = json.dumps({"said": case.text, "n": 1, "password": 1.5e22})
        assert json.loads(redactor().redact(text).text)["n"] == 1


# Values that are known


def test_secrets_of_the_environment_are_those_with_a_telling_name_and_a_fitting_value() -> None:
    secret, url_secret = Draw(8).alnum(20), Draw(9).alnum(16)
    found = values_of_environment(
        {
            "STAGING_PASSWORD": secret,
            "DATABASE_URL": f"postgres://app:{url_secret}@db/shop",
            "PWD": "/home/ana/project",
            "SSH_AUTH_SOCK": "/tmp/ssh-x/agent.1",
            "TOKEN_FILE": "/run/secrets/token",
            "AUTH_URL": "https://login.host.io/realms/main",
            "MAX_TOKENS": "128000000",
            "AUTH_ENABLED": "true",
            "SECRET_BACKEND": "development",
            "API_KEY": "changeme-please",
            "GPG_KEY": Draw(8).hex(40),
            "HOME_PAGE": Draw(8).alnum(20),
        }
    )
    assert set(found) == {secret, url_secret}


def test_a_dotenv_file_is_read_with_its_quotes_comments_and_long_values() -> None:
    draw = Draw(10)
    plain, quoted, single, long = (draw.alnum(16) for _ in range(4))
    content = (
        f'# local\nexport API_TOKEN={plain} # of Ana\nDB_PASSWORD="{quoted} x"\nnonsense\n'
        f"OTHER_SECRET='{single}#y'\nPORT=8080\nSIGN_KEY=\"{long}\nsecond line\"\nEMPTY_KEY=\n"
        'OPEN_KEY="never closed'
    )
    expected = {plain, f"{quoted} x", f"{single}#y", f"{long}\nsecond line", '"never closed'}
    assert set(values_of_dotenv(content)) == expected


@settings(max_examples=150)
@given(
    secret=st.text(min_size=8, max_size=60),
    before=st.text(max_size=12),
    after=st.text(max_size=12),
)
def test_a_known_value_survives_in_no_form(secret: str, before: str, after: str) -> None:
    safe = secret.encode("utf-8", "replace").decode()
    whole = f"{before}{safe}{after}".encode("utf-8", "replace")
    forms = [
        safe,
        quote(safe, safe=""),
        quote_plus(safe),
        json.dumps(safe)[1:-1],
        base64.b64encode(safe.encode()).decode(),
        base64.urlsafe_b64encode(safe.encode()).decode(),
        base64.b64encode(whole).decode(),
    ]
    mask = redactor(safe)
    for form in forms:
        text = mask.redact(f"<< {form} >>").text
        assert text.startswith("<< ")
        assert text.endswith(" >>")
        assert form not in text


def test_too_many_and_too_long_values_are_bounded() -> None:
    draw = Draw(11)
    many = redactor(*(draw.alnum(20) for _ in range(5000)), draw.alnum(1_000_000))
    started = time.process_time()
    many.redact("nothing here " * 5000)
    assert time.process_time() - started < _HOSTILE_LIMIT_S


# Any text

_FRAGMENTS = st.one_of(
    st.text(st.characters(), max_size=20),
    st.sampled_from(
        [
            *("password=", "token: ", '"', "'", "\\n", "://", "@", ":", "=", " ", "\n", "\ud800"),
            *("[secret:", "[secret:token:abcdef]", "]", "-----BEGIN PRIVATE KEY-----", "bearer "),
            *("Authorization: ", "key", "Zq9hunterx42", "WnE5aHVudGVyeDQy", "aB3dE9xKaB3kE9xKaB3d"),
        ]
    ),
    st.integers(0, 400).map(lambda seed: planted(7)[seed % 200].text),
)
_TEXTS = st.lists(_FRAGMENTS, max_size=8).map("".join)


@settings(max_examples=200)
@given(_TEXTS)
def test_redacting_again_changes_nothing(text: str) -> None:
    mask = redactor("Zq9hunterx42")
    once = mask.redact(text).text
    assert mask.redact(once).text is once


@settings(max_examples=200)
@given(_TEXTS)
def test_nothing_outside_of_the_masked_places_changes(text: str) -> None:
    done = redactor("Zq9hunterx42").redact(text)
    marks = "|".join(re.escape(found.placeholder) for found in done.found) or r"(?!)"
    first, *rest = re.split(marks, done.text)
    assert text.startswith(first)
    at = len(first)
    for piece in rest[:-1]:
        at = text.index(piece, at) + len(piece)
    assert not rest or (text.endswith(rest[-1]) and len(text) - len(rest[-1]) >= at)


@pytest.mark.parametrize(
    "piece",
    [
        *("token=", 'token="', "password: ", "key=", "authorization:", "Authorization: Bearer "),
        *("bearer a", "basic QQ", "://", "://a:", "://a:b", "eyJ"),
        *("eyJaaaaaaaaa.", "%20eyJ", "\\neyJ"),
        *("-----BEGIN ", "-----BEGIN RSA PRIVATE " + "KEY-----", "[secret:"),
        *('\\\\"token\\\\": \\\\"',),
        *("-----BEGIN RSA PRIVATE " + "KEY-----\nAAAAAAAAAAAAAAAAAAAAAAAA\n",),
        *("token\n\n\n", "--token "),
        *("discord M", "twilio SK", "MMMMMMMM.", " ", "\n", "a"),
        *("-", "\ud800", "password=é", "[secret:token:abcdef]"),
        *("Zq9hunterx42", "WnE5aHVudGVyeDQy", 'password="Ab1!xyzq" ', "x=Ab1!", "password is "),
    ],
)  # fmt: skip
def test_a_hostile_text_costs_no_more_than_its_length(piece: str) -> None:
    text = piece * (_HOSTILE_SIZE // len(piece))
    mask = redactor("Zq9hunterx42")
    started = time.process_time()
    mask.redact(text)
    assert time.process_time() - started < _HOSTILE_LIMIT_S


def test_no_mark_repeated_costs_more_than_its_length() -> None:
    mask = redactor()
    for mark in {mark for rule in RULES for mark in rule.marks}:
        for piece in (mark, f"{mark}x1"):
            started = time.process_time()
            mask.redact(piece * (50_000 // len(piece)))
            assert time.process_time() - started < _HOSTILE_LIMIT_S, mark


def test_every_mark_can_stand_in_the_long_words_that_are_looked_through() -> None:
    for rule in RULES:
        for mark in rule.marks:
            assert _RUN.fullmatch(mark + "x" * 15), mark


def test_importing_compiles_no_rule() -> None:
    code = (
        "import re; seen = []; real = re.compile\n"
        "re.compile = lambda pattern, *a: (seen.append(pattern), real(pattern, *a))[1]\n"
        "import milepost.redaction.redactor\n"
        "from milepost.redaction.rules import RULES\n"
        "print(sum(rule.pattern in seen for rule in RULES))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env=dict(os.environ),
    )
    assert done.stdout.strip() == "0"
