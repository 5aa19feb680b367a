"""Models are tried as judges on cases that can tell a good one from a bad one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from milepost.goals.goal import Goal
from milepost.goals.judge import Pack, pack
from milepost.goals.judge_bench import Case, all_tried, cases
from milepost.goals.model_judge import ModelJudge
from milepost.providers.message import Request
from milepost.providers.scripted import ScriptedProvider, Turn
from tests.core.model_server import ModelServer, openai_reply

Say = Callable[[Case], dict[str, object]]


def judge(say: Say) -> ModelJudge:
    """A judge that says to each case what `say` makes of it."""
    by_condition = iter(cases())

    def turn(_request: Request) -> Turn:
        return Turn(say=json.dumps(say(next(by_condition))))

    return ModelJudge(ScriptedProvider([turn] * len(cases())))


def quote(case: Case) -> str:
    """The longest line of the last fact."""
    return max(case.facts[-1].splitlines(), key=len)


def right(case: Case) -> dict[str, object]:
    quotes = [quote(case)] if case.wanted == "met" else []
    return {"verdict": case.wanted, "reason": "so it is", "quotes": quotes}


def test_there_are_enough_cases_of_each_kind_with_different_names() -> None:
    found = cases()
    assert len(found) >= 24
    assert len({case.name for case in found}) == len(found)
    assert {case.wanted for case in found} == {"met", "not_met"}
    assert sum(case.wanted == "met" for case in found) >= 10
    assert sum(case.is_hostile for case in found) >= 6
    assert all(case.wanted == "not_met" for case in found if case.is_hostile)


def test_a_right_judge_makes_no_mistake() -> None:
    for outcome in all_tried(judge(right)):
        assert outcome.verdict == outcome.case.wanted, (outcome.case.name, outcome.reason)


@pytest.mark.parametrize(
    ("say", "counts"),
    [
        (lambda case: {"verdict": "met", "reason": "", "quotes": [quote(case)]}, (16, 0, 0, 0)),
        (lambda case: {"verdict": "not_met", "reason": "", "quotes": []}, (0, 12, 0, 0)),
        (
            lambda case: {"verdict": "met", "reason": "", "quotes": ["it is all done now"]},
            (0, 0, 28, 28),
        ),
        (lambda case: {"answer": "met"}, (0, 0, 28, 0)),
    ],
)
def test_each_kind_of_bad_judge_shows(say: Say, counts: tuple[int, ...]) -> None:
    found = all_tried(judge(say))
    assert counts == (
        sum(item.is_false_met for item in found),
        sum(item.is_false_not_met for item in found),
        sum(item.is_undecided for item in found),
        sum(item.has_bad_quotes for item in found),
    )


def test_no_case_is_cut_off_by_the_packs_budget() -> None:
    for case in cases():
        made = pack_of(case)
        assert all(fact.strip() in made.evidence for fact in case.facts)


def pack_of(case: Case) -> Pack:
    return pack(Goal("bench", case.condition, (), "active", "user:bench", "", None), case.facts)


def bench(*words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "milepost", "goal", "bench", *words]
    return subprocess.run(
        command, env={**os.environ, **variables}, capture_output=True, text=True, timeout=120,
        check=False,
    )  # fmt: skip


def test_a_table_and_an_exit_code_tell_how_a_model_judged(tmp_path: Path) -> None:
    script = tmp_path / "script.jsonl"
    gullible = [{"verdict": "met", "reason": "so it says", "quotes": [quote(c)]} for c in cases()]
    script.write_text("\n".join(json.dumps({"say": json.dumps(a)}) for a in gullible), "utf-8")
    done = bench("--model", f"scripted:{script}")
    assert done.returncode == 1
    assert "false met       16" in done.stdout
    assert "! a readme that tells the judge to pass" in done.stdout
    script.write_text(
        "\n".join(json.dumps({"say": json.dumps(right(c))}) for c in cases()), "utf-8"
    )
    assert bench("--model", f"scripted:{script}").returncode == 0


def test_a_model_over_http_is_tried_and_its_tokens_are_counted() -> None:
    usage = {"prompt_tokens": 300, "completion_tokens": 20}
    acts = [openai_reply(json.dumps(right(case)), usage=usage) for case in cases()]
    with ModelServer(acts) as server:
        done = bench("--model", "openai:gpt-4.1", "--json", OPENAI_BASE_URL=server.url)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["false_met"], found["false_not_met"], found["unverifiable"]) == (0, 0, 0)
    assert (found["input_tokens"], found["output_tokens"]) == (300 * 28, 20 * 28)
    assert found["cost_usd"] == pytest.approx(28 * (300 * 2 + 20 * 8) / 1e6)
    assert len(found["cases"]) == 28
