"""Installing into real configuration files, and taking it back exactly."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from milepost_mcp.install import jsonc
from milepost_mcp.install.clients import CLIENTS

_MILEPOST = Path(sys.executable).with_name("milepost")
_COMMAND = [str(_MILEPOST), "mcp"]

_SETTINGS = """\
// My settings; do not touch.
{
    "theme": "dark", /* really */
    "fonts": ["a", "b",],
    "%s": {
        "other": { "command": "other", "args": [] }, // the other one
    },
}
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("HOME", str(folder))
    for name in ("XDG_CONFIG_HOME", "CODEX_HOME", "CLAUDE_CONFIG_DIR"):
        monkeypatch.delenv(name, raising=False)
    return folder


def _milepost(*words: str, at: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [_MILEPOST, "mcp", *words],
        check=False,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        cwd=at,
        timeout=60,
    )


def _parsed(client: str, text: str) -> dict[str, object]:
    return tomllib.loads(text) if CLIENTS[client].format == "toml" else jsonc.parse(text)


def _member(client: str, text: str) -> object:
    found: object = _parsed(client, text)
    for key in CLIENTS[client].key:
        found = found[key]  # type: ignore[index]
    return found


_clients = pytest.mark.parametrize("client", sorted(CLIENTS))


@_clients
def test_an_install_makes_the_file_and_an_uninstall_takes_it_away(client: str, home: Path) -> None:
    path = CLIENTS[client].user_file()
    assert path.is_relative_to(home)
    done = _milepost("install", client, "--yes")
    assert done.returncode == 0, done.stderr
    assert _member(client, path.read_text("utf-8")) == CLIENTS[client].entry(_COMMAND)
    assert path.stat().st_mode & 0o777 == 0o600
    again = _milepost("install", client, "--yes")
    assert "has this server already" in again.stdout
    assert _milepost("uninstall", client, "--yes").returncode == 0
    assert [found for found in home.rglob("*") if found.is_file()] == []


@_clients
def test_what_was_there_stays_and_comes_back_byte_for_byte(client: str, home: Path) -> None:
    path = CLIENTS[client].user_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    if CLIENTS[client].format == "toml":
        before = b'# mine\nmodel = "x"\n\n[mcp_servers.other]\ncommand = "other"'
    else:
        before = (_SETTINGS % CLIENTS[client].key[0]).replace("\n", "\r\n").encode()
    path.write_bytes(before)
    path.chmod(0o640)
    done = _milepost("install", client, "--yes")
    assert done.returncode == 0, done.stderr
    after = path.read_text("utf-8")
    expected = _parsed(client, before.decode())
    holder = expected[CLIENTS[client].key[0]]
    holder["milepost"] = CLIENTS[client].entry(_COMMAND)  # type: ignore[index]
    assert _parsed(client, after) == expected
    for line in before.decode().splitlines():
        assert line.rstrip(",") in after
    assert path.stat().st_mode & 0o777 == 0o640
    assert _milepost("uninstall", client, "--yes").returncode == 0
    assert path.read_bytes() == before
    assert [found for found in path.parent.iterdir() if found.is_file()] == [path]


@_clients
def test_a_file_that_was_edited_since_loses_our_member_and_nothing_else(
    client: str, home: Path
) -> None:
    path = CLIENTS[client].user_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    is_toml = CLIENTS[client].format == "toml"
    first = 'model = "x"\n' if is_toml else _SETTINGS % CLIENTS[client].key[0]
    path.write_text(first, encoding="utf-8")
    assert _milepost("install", client, "--yes").returncode == 0
    edited = path.read_text("utf-8").replace("dark", "light").replace('"x"', '"y"')
    path.write_text(edited + ("" if is_toml else "// more\n"), encoding="utf-8")
    assert _milepost("uninstall", client, "--yes").returncode == 0
    left = path.read_text("utf-8")
    expected = first.replace("dark", "light").replace('"x"', '"y"')
    assert _parsed(client, left) == _parsed(client, expected)
    assert "milepost" not in left
    assert is_toml or "// the other one" in left


def test_nobody_to_agree_or_a_no_changes_nothing_and_shows_the_diff(home: Path) -> None:
    done = _milepost("install", "cursor")
    assert done.returncode == 1
    assert '+    "milepost": {' in done.stdout
    assert "--yes" in done.stderr
    assert not (home / ".cursor").exists()
    assert _milepost("install", "cursor", "--dry-run").returncode == 0
    assert not (home / ".cursor").exists()
    for answer, code in (("n\n", 1), ("y\n", 0)):
        leader, follower = pty.openpty()
        child = subprocess.Popen(
            [_MILEPOST, "mcp", "install", "cursor"],
            stdin=follower,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        os.write(leader, answer.encode())
        output, _ = child.communicate(timeout=60)
        os.close(leader)
        os.close(follower)
        assert child.returncode == code, output
        assert (home / ".cursor" / "mcp.json").exists() == (code == 0)


def test_a_project_gets_a_command_that_its_team_has_too(home: Path, tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    done = _milepost("install", "vscode", "--project", "--yes", at=project)
    assert done.returncode == 0, done.stderr
    found = json.loads((project / ".vscode" / "mcp.json").read_text("utf-8"))
    entry = {"type": "stdio", "command": "milepost", "args": ["mcp"]}
    assert found == {"servers": {"milepost": entry}}
    assert list(home.iterdir()) == []


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{nope", "is no JSON"),
        ("[1]", "the file is no object"),
        ('{"mcpServers": []}', "holds no servers"),
        ('{"mcpServers": {"milepost": {"command": "else"}}}', "another server named milepost"),
        ("{" * 100_000, "is no JSON"),
        ('{"a": 1} x', "something follows"),
        ("/* open", "a comment has no end"),
    ],
)
def test_a_file_that_is_not_understood_is_left_alone(content: str, words: str, home: Path) -> None:
    path = home / ".cursor" / "mcp.json"
    path.parent.mkdir()
    path.write_text(content, encoding="utf-8")
    done = _milepost("install", "cursor", "--yes")
    assert done.returncode == 1
    assert words in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert path.read_text("utf-8") == content


def test_an_inline_table_that_cannot_be_added_to_is_told_with_what_to_type(home: Path) -> None:
    path = home / ".codex" / "config.toml"
    path.parent.mkdir()
    path.write_text("mcp_servers = {}\n", encoding="utf-8")
    done = _milepost("install", "codex", "--yes")
    assert done.returncode == 1
    assert "add {" in done.stderr
    assert path.read_text("utf-8") == "mcp_servers = {}\n"


def test_a_settings_file_that_is_a_link_stays_one(home: Path, tmp_path: Path) -> None:
    real = tmp_path / "dotfiles.json"
    real.write_text("{}", encoding="utf-8")
    path = home / ".cursor" / "mcp.json"
    path.parent.mkdir()
    path.symlink_to(real)
    assert _milepost("install", "cursor", "--yes").returncode == 0
    assert path.is_symlink()
    assert "milepost" in real.read_text("utf-8")


def _written(value: object, draw: st.DrawFn) -> str:
    """`value` as a person might write it: with comments, blanks and trailing commas."""
    gap = draw(st.sampled_from(["", " ", "\n  ", "\t", " // it, is: {\n", '/* } " */', "\r\n"]))
    if isinstance(value, dict):
        items = [
            f"{gap}{json.dumps(key)}{gap}:{gap}{_written(v, draw)}" for key, v in value.items()
        ]
        comma = "," if items and draw(st.booleans()) else ""
        return "{" + ",".join(items) + comma + gap + "}"
    if isinstance(value, list):
        items = [gap + _written(item, draw) + gap for item in value]
        comma = "," if items and draw(st.booleans()) else ""
        return "[" + ",".join(items) + comma + gap + "]"
    return json.dumps(value, ensure_ascii=draw(st.booleans()))


_scalars = st.none() | st.booleans() | st.integers() | st.text(max_size=8)
_values = st.recursive(
    _scalars,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=8,
)
_keys = st.sampled_from(["a", "servers", "mcpServers", "x y", ""])


@st.composite
def _files(draw: st.DrawFn) -> tuple[dict[str, object], str]:
    value = draw(st.dictionaries(_keys, _values, max_size=4))
    lead = draw(st.sampled_from(["", "\ufeff", "// first\n", "\n\n"]))
    return value, lead + _written(value, draw) + draw(st.sampled_from(["", "\n", "\n// last"]))


@given(_files(), st.lists(_keys, min_size=1, max_size=3), _values)
def test_any_file_keeps_its_meaning_and_its_comments(
    file: tuple[dict[str, object], str], path: list[str], value: object
) -> None:
    data, text = file
    assert jsonc.parse(text) == data
    expected = json.loads(json.dumps(data))
    holder = expected
    for key in path[:-1]:
        holder = holder.setdefault(key, {}) if isinstance(holder, dict) else None
    if not isinstance(holder, dict) or path[-1] in holder:
        with pytest.raises(jsonc.JsoncError):
            jsonc.with_member(text, tuple(path), value)
        return
    holder[path[-1]] = value
    changed = jsonc.with_member(text, tuple(path), value)
    assert jsonc.parse(changed) == expected
    assert changed.count("//") >= text.count("//")
    del holder[path[-1]]
    assert jsonc.parse(jsonc.without_member(changed, tuple(path))) == expected
