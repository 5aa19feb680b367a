"""An entry about code is suspect when the code is no longer what it was, and not before."""

from __future__ import annotations

from pathlib import Path

import pytest

from milepost import api

SHOP = '''\
"""A shop."""


def total(order):
    # Amounts are integer cents.
    return sum(order.cents)


class Cart:
    def ship(self, order):
        return total(order) > 0
'''


@pytest.fixture
def shop(project: Path) -> Path:
    path = project / "shop.py"
    path.write_text(SHOP, "utf-8")
    return path


def doubts(workspace: api.Workspace, entry: api.Entry) -> tuple[str, ...]:
    return workspace.memory.get(entry.id).doubts


def remember(workspace: api.Workspace, anchor: str) -> api.Entry:
    return workspace.memory.add("Amounts are integer cents.", kind="rule", anchors=(anchor,))


def test_an_entry_is_suspect_once_its_definition_changes(
    workspace: api.Workspace, shop: Path
) -> None:
    entry = remember(workspace, "shop.py#total")
    assert (entry.anchors, entry.doubts) == (("shop.py#total",), ())
    shop.write_text(SHOP.replace("order.cents", "order.floats"), "utf-8")
    assert doubts(workspace, entry) == ("shop.py#total has changed since",)
    (hit,) = workspace.memory.search("integer cents").hits
    assert hit.entry.doubts
    assert workspace.memory.about("total")[0].doubts


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"""A shop."""', '"""Another shop, far away."""'),
        ("total(order) > 0", "total(order) > 1"),
        ("    # Amounts", "\n    # Amounts"),
        ("    return sum(order.cents)", "    return sum(order.cents)   "),
    ],
)
def test_changes_elsewhere_and_of_blanks_are_none_of_its_business(
    workspace: api.Workspace, shop: Path, old: str, new: str
) -> None:
    entry = remember(workspace, "shop.py#total")
    shop.write_text(SHOP.replace(old, new), "utf-8")
    assert doubts(workspace, entry) == ()


def test_code_that_only_moved_within_its_file_is_not_suspect(
    workspace: api.Workspace, shop: Path
) -> None:
    entry = remember(workspace, "shop.py#ship")
    moved = "class Basket:\n    class Inner:\n" + SHOP.split("class Cart:\n")[1].replace(
        "    ", "        ", 1
    ).replace("        return", "            return")
    shop.write_text(moved, "utf-8")
    assert doubts(workspace, entry) == ()


def test_a_file_or_a_symbol_that_is_gone_is_said(workspace: api.Workspace, shop: Path) -> None:
    entry = remember(workspace, "shop.py#total")
    shop.write_text("nothing\n", "utf-8")
    assert doubts(workspace, entry) == ("total is gone from shop.py",)
    shop.unlink()
    assert doubts(workspace, entry) == ("shop.py is gone",)


def test_an_anchor_without_a_symbol_is_about_the_whole_file(
    workspace: api.Workspace, shop: Path
) -> None:
    entry = remember(workspace, "shop.py")
    shop.write_text(SHOP + "\nmore = 1\n", "utf-8")
    assert doubts(workspace, entry) == ("shop.py has changed since",)


def test_confirming_or_editing_an_entry_takes_the_doubt_away(
    workspace: api.Workspace, shop: Path
) -> None:
    entry = remember(workspace, "shop.py#total")
    shop.write_text(SHOP.replace("cents)", "floats)"), "utf-8")
    assert doubts(workspace, entry)
    workspace.memory.update(entry.id, status="confirmed")
    assert doubts(workspace, entry) == ()
    shop.write_text(SHOP, "utf-8")
    assert doubts(workspace, entry)
    workspace.memory.update(entry.id, text="Amounts are cents.")
    assert doubts(workspace, entry) == ()


def test_a_restore_of_the_code_takes_the_doubt_away(workspace: api.Workspace, shop: Path) -> None:
    entry = remember(workspace, "shop.py#total")
    point = workspace.checkpoints.save()
    shop.write_text("broken\n", "utf-8")
    assert doubts(workspace, entry)
    workspace.checkpoints.restore(point.id)
    assert doubts(workspace, entry) == ()


@pytest.mark.parametrize(
    "anchor", ["nowhere.py", "nowhere.py#x", "/etc/passwd", "../outside", "shop.py#no such", "."]
)
def test_an_anchor_that_names_nothing_here_is_kept_and_never_suspect(
    workspace: api.Workspace, shop: Path, anchor: str
) -> None:
    entry = remember(workspace, anchor)
    assert entry.anchors == (anchor,)
    if not anchor.startswith("shop.py"):
        assert doubts(workspace, entry) == ()


def test_no_file_outside_of_the_project_is_read_through_a_link(
    workspace: api.Workspace, project: Path, tmp_path: Path
) -> None:
    (tmp_path / "outside.py").write_text("secret = 1\n", "utf-8")
    (project / "link.py").symlink_to(tmp_path / "outside.py")
    remember(workspace, "link.py")
    assert "@" not in Path(workspace.memory.file()).read_text("utf-8").split("anchors=")[1]


def test_the_stamp_is_in_the_file_and_not_in_what_callers_see(
    workspace: api.Workspace, shop: Path
) -> None:
    entry = remember(workspace, "shop.py#total")
    assert "anchors=shop.py#total@" in Path(workspace.memory.file()).read_text("utf-8")
    assert workspace.memory.get(entry.id).anchors == ("shop.py#total",)
    assert workspace.memory.search("shop total").hits[0].entry.id == entry.id
