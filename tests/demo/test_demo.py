"""The bundled project is what the demo says it is, and the demo's own measure is a true one."""

from __future__ import annotations

import os

from tests.demo.stage import BUNDLED, TEST_COMMAND, open_stage
from tests.demo.story import BUG, FAILING_TEST, FIX
from tests.tree import differences, fingerprint


def test_the_bundled_project_has_one_failing_test_and_one_line_mends_it():
    with open_stage() as stage:
        before = stage.shell(TEST_COMMAND)
        assert before.returncode == 1
        assert [line for line in before.stdout.splitlines() if line.startswith("FAILED")] == [
            line for line in before.stdout.splitlines() if f"::{FAILING_TEST} " in line
        ]
        assert "1 failed, 56 passed" in before.stdout

        model = stage.project / "hourglass" / "model.py"
        text = model.read_text(encoding="utf-8")
        assert text.count(BUG) == 1
        model.write_text(text.replace(BUG, FIX), encoding="utf-8")
        after = stage.shell(TEST_COMMAND)
        assert after.returncode == 0
        assert "57 passed" in after.stdout


def test_the_bundled_project_ships_its_modes_and_its_link():
    assert os.access(BUNDLED / "scripts" / "month-end.sh", os.X_OK)
    assert (BUNDLED / "sheets" / "current.txt").is_symlink()


def test_the_stage_leaves_nothing_behind():
    with open_stage() as stage:
        assert stage.shell("git status --porcelain").stdout == ""
    assert not stage.folder.exists()


def test_a_difference_is_seen_in_content_mode_kind_and_presence(tmp_path):
    for name in ("changed", "mode", "kind", "deleted"):
        (tmp_path / name).write_text("before", encoding="utf-8")
    before = fingerprint(tmp_path)
    assert differences(before, fingerprint(tmp_path)) == []

    (tmp_path / "changed").write_text("after", encoding="utf-8")
    (tmp_path / "mode").chmod(0o755)
    (tmp_path / "kind").unlink()
    (tmp_path / "kind").symlink_to("mode")
    (tmp_path / "deleted").unlink()
    (tmp_path / "added").mkdir()
    assert [line.split()[0] for line in differences(before, fingerprint(tmp_path))] == [
        "added:",
        "changed:",
        "deleted:",
        "kind:",
        "mode:",
    ]
