"""Files are replaced whole, and never over what someone else has just written."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from milepost.base import files
from milepost.base.errors import WorldError
from milepost.base.exchange import exchange


def known_file(folder: Path) -> tuple[Path, files.Signature]:
    path = folder / "f"
    path.write_text("known\n")
    known = files.signature(path)
    assert known is not None
    return path, known


def test_two_files_trade_places(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_text("1")
    two.write_text("2")
    assert exchange(one, two)
    assert (one.read_text(), two.read_text()) == ("2", "1")
    with pytest.raises(FileNotFoundError):
        exchange(one, tmp_path / "gone")


def test_a_file_that_changed_since_it_was_read_is_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_text("known")
    known = files.signature(path)
    path.write_text("theirs")
    with pytest.raises(files.ChangedMeanwhileError):
        files.replace_durably(path, b"ours", known)
    assert path.read_text() == "theirs"
    assert os.listdir(tmp_path) == ["f"]


@pytest.mark.parametrize("times", [1, 2, 3])
def test_what_is_written_at_the_very_last_moment_is_put_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    path = tmp_path / "f"
    path.write_text("known")
    known = files.signature(path)
    written = 0

    def late(one: Path, other: Path) -> bool:
        """Someone renames a file of theirs into place right before each exchange."""
        nonlocal written
        if written < times:
            written += 1
            beside = tmp_path / "theirs"
            beside.write_text(f"theirs {written}")
            beside.replace(path)
        return exchange(one, other)

    monkeypatch.setattr(files, "exchange", late)
    with pytest.raises(files.ChangedMeanwhileError):
        files.replace_durably(path, b"ours", known)
    assert path.read_text() == f"theirs {times}"
    assert os.listdir(tmp_path) == ["f"]


def test_a_file_made_meanwhile_is_not_overwritten_by_a_new_one(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_text("theirs")
    with pytest.raises(files.ChangedMeanwhileError):
        files.replace_durably(path, b"ours", None)
    assert path.read_text() == "theirs"


def test_where_nothing_can_be_exchanged_a_rename_does_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "f"
    path.write_text("known")
    monkeypatch.setattr(files, "exchange", lambda _one, _other: False)
    assert files.replace_durably(path, b"ours", files.signature(path)) == files.signature(path)
    assert path.read_bytes() == b"ours"


def test_a_link_to_a_file_stays_a_link(tmp_path: Path) -> None:
    real, link = tmp_path / "real", tmp_path / "link"
    real.write_text("old")
    link.symlink_to(real)
    files.replace_durably(link, b"new", files.signature(link))
    assert link.is_symlink()
    assert real.read_bytes() == b"new"


def test_an_addition_to_a_file_that_became_another_is_not_made(tmp_path: Path) -> None:
    path, known = known_file(tmp_path)
    after = files.append_durably(path, b"more\n", known)
    assert after == files.signature(path)
    assert files.append_durably(path, b"again\n", known) is None
    assert path.read_text() == "known\nmore\n"


def test_what_is_done_meanwhile_is_done_between_the_write_and_the_end_of_the_sync(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, known = known_file(tmp_path)
    seen: list[str] = []
    real = os.fsync
    monkeypatch.setattr(os, "fsync", lambda handle: (real(handle), seen.append("synced")))
    files.append_durably(path, b"more\n", known, lambda: seen.append(path.read_text()))
    assert seen == ["known\nmore\n", "synced"]


def test_an_addition_that_the_disk_does_not_take_is_taken_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, known = known_file(tmp_path)

    def fail(_handle: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(WorldError, match="nothing was changed"):
        files.append_durably(path, b"more\n", known)
    assert path.read_text() == "known\n"


def test_new_folders_are_private_and_old_ones_keep_their_mode(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir(mode=0o755)
    files.make_private_dir(tmp_path / "old" / "a" / "b")
    modes = [(tmp_path / name).stat().st_mode & 0o777 for name in ("old", "old/a", "old/a/b")]
    assert modes == [0o755, 0o700, 0o700]
