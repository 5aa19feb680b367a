"""A method counts only where it really held a trial command."""

from __future__ import annotations

from pathlib import Path

import pytest

from milepost.base.errors import WorldError
from milepost.base.process import run_shell
from milepost.base.sandbox import bubblewrap, choice, seatbelt
from milepost.base.sandbox.choice import NONE, OFF, choose
from milepost.base.sandbox.limits import Limits

ANYTHING = Limits()


@pytest.fixture
def bwrap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program in the place of bubblewrap's, to be written by the test."""
    path = tmp_path / "bwrap"
    path.touch(mode=0o755)
    monkeypatch.setattr(bubblewrap, "_PLACES", (str(path),))
    for forgets in (bubblewrap._program, choice._tried):
        forgets.cache_clear()
    yield path
    for forgets in (bubblewrap._program, choice._tried):
        forgets.cache_clear()


def test_the_best_method_is_taken_and_off_is_off(tmp_path: Path) -> None:
    best = choose("auto", ANYTHING)
    assert (best.name, best.holds, best.why) == ("bubblewrap", True, "")
    off = choose(OFF, ANYTHING)
    assert (off.name, off.holds, off.gaps) == ("off", False, ())
    assert run_shell("exit 4", cwd=tmp_path, timeout_s=9, sandbox=off).exit_code == 4


def test_a_program_that_holds_nothing_is_found_out(bwrap: Path) -> None:
    bwrap.write_text('#!/bin/sh\nwhile [ "$1" != -- ]; do shift; done; shift; exec "$@"\n', "utf-8")
    found = choose("auto", ANYTHING)
    assert found.name == "landlock"
    assert "bubblewrap: a trial was not held" in found.why


def test_a_method_that_the_kernel_refuses_is_passed_over_with_its_words(bwrap: Path) -> None:
    words = "bwrap: setting up uid map: Permission denied"
    bwrap.write_text(f"#!/bin/sh\necho {words} >&2; exit 1\n", "utf-8")
    assert words in choose("auto", ANYTHING).why
    with pytest.raises(WorldError, match=r"uid map.*sandbox\.method"):
        choose("bubblewrap", ANYTHING)


def test_a_method_of_another_system_is_refused_when_it_is_asked_for() -> None:
    with pytest.raises(WorldError, match="it is macOS's"):
        choose("seatbelt", ANYTHING)


def test_where_no_method_works_there_is_none_and_the_reasons_are_told(
    bwrap: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bwrap.unlink()
    for name in ("bubblewrap", "landlock"):
        monkeypatch.delitem(choice._METHODS, name)
    monkeypatch.setattr(choice, "METHODS", ("seatbelt",))
    found = choose("auto", ANYTHING)
    assert (found.name, found.holds, found.why) == (NONE, False, "seatbelt: it is macOS's")


def test_the_profile_for_macos_lets_the_inner_path_decide() -> None:
    limits = Limits(("/tmp", "/h/data/project"), ("/h/data", '/h/a"b'), (), has_network=False)
    profile = seatbelt.profile(limits)
    assert profile.splitlines() == [
        "(version 1)", "(allow default)", "(deny file-write*)",
        '(allow file-read* file-write* (subpath "/dev"))',
        '(deny file-read* file-write* (subpath "/h/a\\"b"))',
        '(deny file-read* file-write* (subpath "/h/data"))',
        '(allow file-read* file-write* (subpath "/h/data/project"))',
        '(allow file-read* file-write* (subpath "/tmp"))',
        "(deny network*)", "(allow network* (local unix))",
    ]  # fmt: skip
