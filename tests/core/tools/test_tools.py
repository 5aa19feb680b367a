"""The agent's hands on a real project."""

from __future__ import annotations

import os
import socket
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from milepost.base.errors import Stopped, UserError
from milepost.tools.edit import Edit
from milepost.tools.files import Files
from milepost.tools.find import Find
from milepost.tools.grep import Grep
from milepost.tools.read import Read
from milepost.tools.seen import Seen
from milepost.tools.tool import Tool, checked
from milepost.tools.write import Write


class _Hands:
    """All tools over one folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        files = Files(root, self._covered)
        seen = Seen()
        tools: tuple[Tool, ...] = (
            Read(files, seen), Write(files, seen), Edit(files, seen), Find(files), Grep(files),
        )  # fmt: skip
        self._tools = {tool.name: tool for tool in tools}

    def __call__(self, name: str, **given: object) -> str:
        tool = self._tools[name]
        return tool.run(checked(tool, given), threading.Event()).text

    def _covered(self) -> list[str]:
        return [
            str(path.relative_to(self.root))
            for path in self.root.rglob("*")
            if path.is_file() and "ignored" not in path.parts
        ]


@pytest.fixture
def hands(tmp_path: Path) -> _Hands:
    root = tmp_path / "root"
    (root / "src").mkdir(parents=True)
    (root / "src" / "a.py").write_text("def f():\n    return 1\n\n\ndef g():\n    return 1\n")
    (root / "ignored").mkdir()
    (root / "ignored" / "b.py").write_text("def f(): ...\n")
    (tmp_path / "outside.txt").write_text("secret")
    return _Hands(root)


def test_a_file_is_read_with_numbers_and_in_parts(hands: _Hands) -> None:
    assert hands("read", path="src/a.py").splitlines()[:2] == [
        "     1\tdef f():",
        "     2\t    return 1",
    ]
    part = hands("read", path="src/a.py", offset=5, limit=1)
    assert part == "     5\tdef g():\n(lines 5 to 5 of 6)"
    assert hands("read", path=".") == "ignored/\nsrc/"
    with pytest.raises(UserError, match="has 6 lines"):
        hands("read", path="src/a.py", offset=99)


def test_long_files_and_long_lines_are_cut_and_said_to_be(hands: _Hands) -> None:
    (hands.root / "long.txt").write_text("".join(f"{n}\n" for n in range(5_000)))
    assert "(lines 1 to 1000 of 5000)" in hands("read", path="long.txt")
    (hands.root / "wide.txt").write_text("x" * 100_000)
    assert "99000 characters more" in hands("read", path="wide.txt")


def test_an_edit_replaces_exactly_what_stands_there_once(hands: _Hands) -> None:
    hands("read", path="src/a.py")
    answer = hands(
        "edit", path="src/a.py", old="def g():\n    return 1", new="def g():\n    return 2"
    )
    assert answer == "Replaced 1 in src/a.py (line 5)."
    assert (hands.root / "src" / "a.py").read_text().endswith("def g():\n    return 2\n")
    with pytest.raises(UserError, match=r"nearest is at line 2: '    return 1'"):
        hands("edit", path="src/a.py", old="  retrun 1", new="x")
    hands("edit", path="src/a.py", old="def ", new="async def ", all=True)
    assert (hands.root / "src" / "a.py").read_text().count("async def") == 2
    with pytest.raises(UserError, match=r"stands 2 times in src/a\.py \(lines 1, 5\)"):
        hands("edit", path="src/a.py", old="async def", new="def")


def test_what_was_not_read_is_not_changed(hands: _Hands) -> None:
    with pytest.raises(UserError, match="was not read yet"):
        hands("edit", path="src/a.py", old="def f", new="def h")
    with pytest.raises(UserError, match="read it before you replace it"):
        hands("write", path="src/a.py", text="gone")


def test_what_someone_changed_since_it_was_read_is_not_written_over(hands: _Hands) -> None:
    hands("read", path="src/a.py")
    (hands.root / "src" / "a.py").write_text("a person's work\n")
    with pytest.raises(UserError, match="has changed since it was read"):
        hands("write", path="src/a.py", text="mine\n")
    assert (hands.root / "src" / "a.py").read_text() == "a person's work\n"


def test_a_file_is_made_with_its_folders_and_keeps_its_mode_when_replaced(hands: _Hands) -> None:
    assert (
        hands("write", path="new/deep/run.sh", text="#!/bin/sh\n")
        == "Made new/deep/run.sh (2 lines)."
    )
    made = hands.root / "new" / "deep" / "run.sh"
    made.chmod(0o755)
    hands("write", path="new/deep/run.sh", text="#!/bin/sh\nexit 0\n")
    assert made.stat().st_mode & 0o777 == 0o755
    assert sorted(os.listdir(made.parent)) == ["run.sh"]


def test_line_ends_and_bytes_that_are_no_text_survive_an_edit(hands: _Hands) -> None:
    path = hands.root / "dos.txt"
    path.write_bytes(b"one\r\ntwo \xff\r\nthree\r\n")
    hands("read", path="dos.txt")
    hands("edit", path="dos.txt", old="one\n", new="ONE\nand a half\n")
    assert path.read_bytes() == b"ONE\r\nand a half\r\ntwo \xff\r\nthree\r\n"


@pytest.mark.parametrize(
    "path", ["../outside.txt", "/etc/passwd", "src/../../outside.txt", "link", "folder/outside.txt"]
)
def test_nothing_outside_the_project_is_reached(hands: _Hands, path: str) -> None:
    (hands.root / "link").symlink_to(hands.root.parent / "outside.txt")
    (hands.root / "folder").symlink_to(hands.root.parent)
    for name, more in (("read", {}), ("write", {"text": "x"}), ("edit", {"old": "s", "new": "t"})):
        with pytest.raises(UserError, match="outside the project"):
            hands(name, path=path, **more)
    assert (hands.root.parent / "outside.txt").read_text() == "secret"


def test_links_inside_the_project_are_followed_to_what_they_mean(hands: _Hands) -> None:
    (hands.root / "alias.py").symlink_to("src/a.py")
    assert "def f" in hands("read", path="alias.py")
    hands("edit", path="alias.py", old="def f", new="def h")
    assert (hands.root / "alias.py").is_symlink()
    assert (hands.root / "src" / "a.py").read_text().startswith("def h")


def test_what_is_no_plain_file_is_told(hands: _Hands) -> None:
    os.mkfifo(hands.root / "pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(hands.root / "socket"))
        for path in ("pipe", "socket", "missing.py", "src/a.py/x", "\0", "x" * 5_000):
            with pytest.raises(UserError):
                hands("read", path=path)
    (hands.root / "data.bin").write_bytes(b"\0\1\2")
    with pytest.raises(UserError, match="binary"):
        hands("read", path="data.bin")
    with pytest.raises(UserError, match="is a folder"):
        hands("write", path="src/", text="x")


def test_files_are_found_by_pattern_and_lines_by_expression(hands: _Hands) -> None:
    assert hands("find", pattern="*.py") == "src/a.py"
    assert hands("find", pattern="nope*") == "No file has such a path."
    assert hands("grep", pattern=r"def \w\(") == "src/a.py:1: def f():\nsrc/a.py:5: def g():"
    assert hands("grep", pattern="DEF G", ignore_case=True, context=1) == (
        "src/a.py-4- \nsrc/a.py:5: def g():\nsrc/a.py-6-     return 1"
    )
    assert hands("grep", pattern="def", files="*.md") == "No line matches."
    with pytest.raises(UserError, match="no regular expression"):
        hands("grep", pattern="(")


def test_an_expression_that_explodes_and_a_stopped_search_end(hands: _Hands) -> None:
    (hands.root / "evil.txt").write_text("a" * 200 + "b\n")
    with pytest.raises(UserError, match="takes too long"):
        hands("grep", pattern=r"(a|aa|a?a)+$(?<=x)c|(a+)+$")
    stop = threading.Event()
    stop.set()
    files = Files(hands.root, lambda: ["src/a.py"])
    tool = Grep(files)
    with pytest.raises(Stopped):
        tool.run(checked(tool, {"pattern": "x"}), stop)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (None, "no JSON object"),
        ({}, "path is missing; read takes path, offset?, limit?"),
        ({"path": 3}, "path must be text"),
        ({"path": "a", "offset": 0}, "offset must be a whole number from 1"),
        ({"path": "a", "limit": True}, "limit must be a whole number"),
        ({"path": "a", "lines": 3}, "there is no argument 'lines'"),
        ({"path": "\ud800"}, "path must be text"),
    ],
)
def test_wrong_arguments_are_told_with_what_the_tool_takes(
    hands: _Hands, given: dict[str, object] | None, words: str
) -> None:
    tool = Read(Files(hands.root, list), Seen())
    with pytest.raises(UserError) as caught:
        checked(tool, given)
    assert words in str(caught.value)


@settings(max_examples=40)
@given(
    text=st.text(alphabet="ab \n\té", max_size=40), old=st.text(alphabet="ab \n", min_size=1),
    new=st.text(alphabet="xy\n"),
)  # fmt: skip
def test_an_edit_changes_one_place_or_nothing(
    tmp_path_factory: pytest.TempPathFactory, text: str, old: str, new: str
) -> None:
    hands = _Hands(tmp_path_factory.mktemp("edit"))
    path = hands.root / "f"
    path.write_bytes(text.encode())
    hands("read", path="f")
    try:
        hands("edit", path="f", old=old, new=new)
    except UserError:
        assert path.read_bytes() == text.encode()
        assert text.count(old) != 1 or old == new
    else:
        assert text.count(old) == 1
        assert path.read_bytes().decode() == text.replace(old, new)
