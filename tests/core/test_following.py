"""Code that moved is followed: unchanged it makes nothing suspect, changed it is said where to."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from milepost import api
from milepost.base.repository import repository_around
from milepost.cli.main import main
from milepost.memory.anchors import Anchors
from tests.conftest import git

LOADER = '''\
"""Loads."""

import json


class Loader:
    def parse_config(self, text):
        # The file is JSON.
        found = json.loads(text)
        return found["settings"]


def save(settings):
    text = json.dumps(settings)
    with open("settings", "w") as file:
        file.write(text)
'''


@pytest.fixture
def code(project: Path) -> Path:
    (project / "src").mkdir()
    (project / "src" / "loader.py").write_text(LOADER, "utf-8")
    commit(project)
    return project


def commit(project: Path) -> None:
    git(project, "add", "-A")
    git(project, "commit", "-qm", "Go on")


def remember(workspace: api.Workspace, anchor: str) -> api.Entry:
    return workspace.memory.add("Settings are JSON.", kind="rule", anchors=(anchor,))


def found(workspace: api.Workspace, entry: api.Entry) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Doubts and moves of an entry, once lost code was searched for."""
    workspace.memory.suspects()
    now = workspace.memory.get(entry.id)
    return now.doubts, now.moved


def moved(anchor: str, target: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return (), (f"{anchor} moved to {target}",)


@pytest.mark.parametrize("is_committed", [True, False])
@pytest.mark.parametrize(
    ("anchor", "target"),
    [
        ("src/loader.py", "lib/config/load.py"),
        ("src/loader.py#save", "lib/config/load.py#save"),
        ("src/loader.py#Loader.parse_config", "lib/config/load.py#Loader.parse_config"),
    ],
)
def test_a_moved_file_takes_its_entries_along(
    workspace: api.Workspace, code: Path, anchor: str, target: str, is_committed: bool
) -> None:
    entry = remember(workspace, anchor)
    (code / "lib" / "config").mkdir(parents=True)
    git(code, "mv", "src/loader.py", "lib/config/load.py")
    if is_committed:
        commit(code)
    assert found(workspace, entry) == moved(anchor, target)


def test_a_move_that_git_was_not_told_of_is_found(workspace: api.Workspace, code: Path) -> None:
    entry = remember(workspace, "src/loader.py#save")
    (code / "src").rename(code / "source")
    assert found(workspace, entry) == moved("src/loader.py#save", "source/loader.py#save")


def test_a_move_without_any_git_is_found(tmp_path: Path) -> None:
    (tmp_path / "plain").mkdir()
    (tmp_path / "plain" / "loader.py").write_text(LOADER, "utf-8")
    workspace = api.open_workspace(str(tmp_path / "plain"), actor="user:test")
    entry = remember(workspace, "loader.py#save")
    (tmp_path / "plain" / "deep").mkdir()
    (tmp_path / "plain" / "loader.py").rename(tmp_path / "plain" / "deep" / "Loader.py")
    assert found(workspace, entry) == moved("loader.py#save", "deep/Loader.py#save")
    workspace.close()


def test_code_that_moved_and_changed_is_suspect_and_said_where(
    workspace: api.Workspace, code: Path
) -> None:
    entry = remember(workspace, "src/loader.py#Loader.parse_config")
    whole = remember(workspace, "src/loader.py")
    git(code, "mv", "src/loader.py", "src/reader.py")
    changed = LOADER.replace('found["settings"]', 'found["config"]')
    (code / "src" / "reader.py").write_text(changed, "utf-8")
    commit(code)
    assert found(workspace, entry)[0] == (
        "Loader.parse_config moved to src/reader.py and has changed since",
    )
    assert found(workspace, whole)[0] == (
        "src/loader.py moved to src/reader.py and has changed since",
    )
    workspace.memory.update(entry.id, status="confirmed")
    assert workspace.memory.get(entry.id).anchors == ("src/reader.py#Loader.parse_config",)
    assert found(workspace, entry) == ((), ())


def test_a_file_renamed_twice_is_followed_through_its_history(code: Path) -> None:
    for old, new in (("src/loader.py", "src/a.py"), ("src/a.py", "src/b.py")):
        git(code, "mv", old, new)
        commit(code)
    git(code, "mv", "src/b.py", "src/c.py")
    repository = repository_around(code)
    assert repository is not None
    (rename,) = repository.whereabouts(["src/loader.py"]).renames
    assert (rename.new, rename.similarity) == ("src/c.py", 100)


def test_a_symbol_that_left_its_file_is_found_though_it_is_still_used_there(
    workspace: api.Workspace, code: Path
) -> None:
    kept = remember(workspace, "src/loader.py#Loader.parse_config")
    left = remember(workspace, "src/loader.py#save")
    head, _, tail = LOADER.partition("def save")
    (code / "src" / "loader.py").write_text(f"from src.saver import save\n{head}", "utf-8")
    (code / "src" / "saver.py").write_text(f"import json\n\n\ndef save{tail}", "utf-8")
    assert found(workspace, kept) == ((), ())
    assert found(workspace, left) == moved("src/loader.py#save", "src/saver.py#save")


def test_a_symbol_of_another_name_and_the_same_body_is_followed(
    workspace: api.Workspace, code: Path
) -> None:
    entry = remember(workspace, "src/loader.py#save")
    (code / "src" / "loader.py").write_text(LOADER.replace("def save", "def store"), "utf-8")
    assert found(workspace, entry) == moved("src/loader.py#save", "src/loader.py#store")
    (shown,) = workspace.memory.about("store", path="src/loader.py")
    assert shown.id == entry.id


def test_a_short_body_proves_nothing_about_another_name(
    workspace: api.Workspace, code: Path
) -> None:
    (code / "src" / "loader.py").write_text("def a(x):\n    return x\n", "utf-8")
    entry = remember(workspace, "src/loader.py#a")
    (code / "src" / "loader.py").write_text("def b(x):\n    return x\n", "utf-8")
    assert found(workspace, entry)[0] == ("a is gone from src/loader.py",)


def test_several_places_with_the_same_code_are_named_and_none_is_chosen(
    workspace: api.Workspace, code: Path
) -> None:
    entry = remember(workspace, "src/loader.py#save")
    (code / "src" / "loader.py").unlink()
    for name in ("one.py", "two.py"):
        (code / name).write_text(LOADER, "utf-8")
    ((doubt,), shown) = found(workspace, entry)
    assert doubt == "src/loader.py is gone; it may be in one.py or two.py now"
    assert shown == ()


def test_what_is_gone_for_good_is_said_to_be_gone(workspace: api.Workspace, code: Path) -> None:
    entry = remember(workspace, "src/loader.py#save")
    (code / "src" / "loader.py").unlink()
    (code / "src" / "loader.py").mkdir()
    assert found(workspace, entry)[0] == ("src/loader.py is gone",)


def test_another_branch_shows_the_code_where_it_is_there(
    workspace: api.Workspace, code: Path
) -> None:
    branch = git(code, "symbolic-ref", "--short", "HEAD").strip()
    git(code, "checkout", "-qb", "other")
    git(code, "mv", "src/loader.py", "src/other.py")
    commit(code)
    entry = remember(workspace, "src/other.py#save")
    git(code, "checkout", "-q", branch)
    assert found(workspace, entry) == moved("src/other.py#save", "src/loader.py#save")
    git(code, "checkout", "-q", "other")
    assert found(workspace, entry) == ((), ())


def test_reading_rewrites_nothing_and_the_next_change_does(
    workspace: api.Workspace, code: Path
) -> None:
    entry = remember(workspace, "src/loader.py#save")
    git(code, "mv", "src/loader.py", "src/new.py")
    memory = Path(workspace.memory.file())
    before = memory.read_bytes()
    assert found(workspace, entry)[1]
    workspace.memory.search("settings JSON")
    assert memory.read_bytes() == before
    workspace.memory.update(entry.id, kind="knowledge")
    assert workspace.memory.get(entry.id).anchors == ("src/new.py#save",)
    assert found(workspace, entry) == ((), ())


def test_all_that_moved_is_rewritten_as_one_change_that_can_be_undone(
    workspace: api.Workspace, code: Path
) -> None:
    one = remember(workspace, "src/loader.py#save")
    two = remember(workspace, "src/loader.py#Loader")
    gone = remember(workspace, "src/loader.py#Loader.parse_config")
    assert workspace.memory.follow() is None
    changed = LOADER.replace("class Loader", "class Reader").replace("JSON.", "XML.")
    (code / "src" / "new.py").write_text(changed, "utf-8")
    (code / "src" / "loader.py").unlink()
    change = workspace.memory.follow()
    assert change is not None
    assert (change.action, len(change.revisions)) == ("follow", 1)
    assert workspace.memory.get(one.id).anchors == ("src/new.py#save",)
    assert workspace.memory.get(two.id).doubts
    assert workspace.memory.get(gone.id).doubts
    workspace.memory.undo()
    assert workspace.memory.get(one.id).anchors == ("src/loader.py#save",)


@pytest.mark.parametrize(
    "rewrite",
    [
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.replace("    ", "\t"),
        lambda text: text.replace("    ", "  "),
        lambda text: text.replace("\n\n", "\n\n\n"),
    ],
)
def test_line_ends_and_the_width_of_indentation_are_no_change(
    workspace: api.Workspace, code: Path, rewrite
) -> None:
    entries = [remember(workspace, f"src/loader.py{end}") for end in ("", "#save", "#Loader")]
    (code / "src" / "loader.py").write_bytes(rewrite(LOADER).encode())
    assert [workspace.memory.get(entry.id).doubts for entry in entries] == [(), (), ()]


def test_a_file_that_is_not_utf_8_is_followed_too(workspace: api.Workspace, code: Path) -> None:
    (code / "src" / "latin.py").write_bytes(b"def gru\xdf():\n    return 'l\xe4rm'\n")
    entry = remember(workspace, "src/latin.py")
    (code / "src" / "latin.py").rename(code / "latin1.py")
    assert found(workspace, entry) == moved("src/latin.py", "latin1.py")


def test_a_folder_that_links_out_of_the_project_is_not_read(
    workspace: api.Workspace, code: Path, tmp_path: Path
) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "loader.py").write_text(LOADER, "utf-8")
    (code / "linked").symlink_to(tmp_path / "outside")
    (code / "inside").symlink_to(code / "src")
    remember(workspace, "linked/loader.py#save")
    remember(workspace, "inside/loader.py#save")
    text = Path(workspace.memory.file()).read_text("utf-8")
    assert "linked/loader.py#save@" not in text
    assert "inside/loader.py#save@" in text


def test_a_search_soon_knows_what_is_found_in_the_background(
    workspace: api.Workspace, code: Path
) -> None:
    entry = remember(workspace, "src/loader.py#save")
    git(code, "mv", "src/loader.py", "src/new.py")
    deadline = time.monotonic() + 30
    while not (hit := workspace.memory.search("settings").hits[0].entry).moved:
        assert time.monotonic() < deadline
    assert (hit.id, hit.doubts) == (entry.id, ())


def test_a_thousand_anchors_in_a_renamed_folder_are_followed_at_once(project: Path) -> None:
    (project / "old").mkdir()
    for file in range(20):
        text = "".join(f"def f{file}_{n}(a):\n    return a + {n}\n\n" for n in range(50))
        (project / "old" / f"m{file}.py").write_text(text, "utf-8")
    commit(project)
    anchors = Anchors(project)
    stamped = [anchors.stamped(f"old/m{n // 50}.py#f{n // 50}_{n % 50}") for n in range(1000)]
    assert all("@" in anchor for anchor in stamped)
    git(project, "mv", "old", "new")
    anchors.prepare(stamped)
    looks = [anchors.look(anchor) for anchor in stamped]
    assert all(look.doubt is None for look in looks)
    assert looks[999].moved_to == "new/m19.py#f19_49"


@settings(max_examples=8)
@given(
    moves=st.lists(
        st.tuples(
            st.integers(0, 2),
            st.sampled_from(["", "lib/", "lib/deep/", "Src/"]),
            st.sampled_from(["one", "Two", "three"]),
            st.booleans(),
        ),
        max_size=4,
    )
)
def test_no_sequence_of_moves_without_a_change_makes_an_entry_suspect(moves) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        git(root, "init", "-q")
        places = [f"{name}.py" for name in "abc"]
        for number, place in enumerate(places):
            body = f"def f{number}(x):\n    y = x + {number}\n    return y\n"
            (root / place).write_text(f"# {number}\n{body}", "utf-8")
        commit(root)
        anchors = Anchors(root)
        stamped = [anchors.stamped(place) for place in places]
        stamped += [anchors.stamped(f"{place}#f{n}") for n, place in enumerate(places)]
        for number, into, name, is_committed in moves:
            target = root / f"{into}{name}.py"
            if not target.exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                (root / places[number]).rename(target)
                places[number] = f"{into}{name}.py"
                if is_committed:
                    commit(root)
        anchors.prepare(stamped)
        assert [anchors.look(anchor).doubt for anchor in stamped] == [None] * 6


def test_the_terminal_lists_what_is_suspect_and_follows_what_moved(
    workspace: api.Workspace, code: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one = remember(workspace, "src/loader.py#save")
    two = remember(workspace, "src/loader.py#Loader.parse_config")
    changed = LOADER.replace('found["settings"]', "found")
    (code / "src" / "new.py").write_text(changed, "utf-8")
    (code / "src" / "loader.py").unlink()
    assert main(["memory", "check", "--project", str(code)]) == 0
    shown = capsys.readouterr().out
    assert "moved    src/loader.py#save moved to src/new.py#save" in shown
    assert "SUSPECT  Loader.parse_config moved to src/new.py and has changed since" in shown
    assert "milepost memory confirm|update|forget ID" in shown
    assert main(["memory", "check", "--follow", "--project", str(code)]) == 0
    assert "Followed moved code in 1 entry; undo takes it back." in capsys.readouterr().out
    assert workspace.memory.get(one.id).anchors == ("src/new.py#save",)
    assert workspace.memory.get(two.id).anchors == ("src/loader.py#Loader.parse_config",)


def test_what_is_about_a_method_is_found_quickly_in_a_large_memory(
    workspace: api.Workspace, code: Path
) -> None:
    entry = remember(workspace, "src/loader.py#Loader.parse_config")
    memory = Path(workspace.memory.file())
    others = "".join(f"- Fact {n} about thing{n} in `m{n}`.\n" for n in range(10_000))
    memory.write_text(f"{memory.read_text('utf-8')}\n## Notes\n\n{others}", "utf-8")
    workspace.memory.refresh()
    git(code, "mv", "src/loader.py", "src/new.py")
    workspace.memory.suspects()
    took: list[float] = []
    for _ in range(20):
        started = time.process_time()
        (found_entry,) = workspace.memory.about("parse_config", path="src/new.py")
        took.append(time.process_time() - started)
        assert found_entry.id == entry.id
    # A hover that takes a tenth of a second is noticed; this takes a few milliseconds.
    assert sorted(took)[10] < 0.05
