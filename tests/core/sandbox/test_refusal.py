"""What programs print of a refusal is told from what else may go wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from milepost.base.sandbox.choice import Sandbox
from milepost.base.sandbox.limits import Limits
from milepost.base.sandbox.refusal import Refusal, refusal

PRINTED = [
    "PermissionError: [Errno 13] Permission denied: '{path}'",
    "OSError: [Errno 30] Read-only file system: '{path}'",
    "/bin/sh: 1: cannot create {path}: Permission denied",
    "touch: cannot touch '{path}': Read-only file system",
    "bash: {path}: Read-only file system",
    "Error: EACCES: permission denied, mkdir '{path}'",
    "npm error code EROFS\nnpm error syscall mkdir\nnpm error path {path}\nnpm error errno EROFS",
    "go: could not create module cache: mkdir {path}: permission denied",
    "error: failed to create directory `{path}`\n\nCaused by:\n  Permission denied (os error 13)",
    "java.nio.file.AccessDeniedException: {path}",
    "> java.io.FileNotFoundException: {path} (Read-only file system)",
    "mkdir: {path}: Operation not permitted",
]


def held(root: Path, **more: object) -> Sandbox:
    return Sandbox("landlock", Limits((str(root),), **more))


@pytest.mark.parametrize("printed", PRINTED)
def test_a_refused_write_is_found_with_its_path(
    printed: str, tmp_path: Path, outside: Path
) -> None:
    output = "12 passed\n" + printed.format(path=outside / "a" / "b") + "\nmake: *** Error 1\n"
    found = refusal(output, held(tmp_path), tmp_path)
    assert found == Refusal("write", str(outside / "a" / "b"))


def test_a_path_that_is_told_from_the_root_is_found(tmp_path: Path, outside: Path) -> None:
    up = "/".join([".."] * (len(tmp_path.parts) - 1))
    output = f"sh: cannot create {up}{outside}/x: Permission denied"
    assert refusal(output, held(tmp_path), tmp_path) == Refusal("write", str(outside / "x"))


def test_a_hidden_file_is_found(tmp_path: Path, outside: Path) -> None:
    limits = held(tmp_path, hidden=(str(outside),))
    output = f"cat: {outside}/id: Permission denied"
    assert refusal(output, limits, tmp_path) == Refusal("read", f"{outside}/id")


@pytest.mark.parametrize(
    "output",
    [
        "1 failed, 3 passed",
        "PermissionError: [Errno 13] Permission denied: '{root}/locked'",
        "AssertionError: expected 'Permission denied' for {root}/a",
        "cat: /proc/1/environ: Permission denied",
        "E   ConnectionRefusedError: [Errno 111] Connection refused",
        "curl: (6) Could not resolve host: example.invalid",
    ],
)
def test_what_the_sandbox_has_nothing_to_do_with_is_not_laid_at_its_door(
    output: str, tmp_path: Path
) -> None:
    assert refusal(output.format(root=tmp_path), held(tmp_path), tmp_path) is None


def test_a_refusal_of_nothing_that_is_named_is_told_as_a_doubt(tmp_path: Path) -> None:
    output = "fatal: Permission denied"
    assert refusal(output, held(tmp_path), tmp_path) == Refusal("something")
    assert refusal(output, Sandbox("off", Limits()), tmp_path) is None


@pytest.mark.parametrize(
    "output",
    [
        "curl: (6) Could not resolve host: packages.example.org",
        "Error: getaddrinfo EAI_AGAIN packages.example.org",
        "OSError: [Errno 101] Network is unreachable",
        "PermissionError: [Errno 13] Permission denied",
    ],
)
def test_a_network_that_is_shut_is_named(output: str, tmp_path: Path) -> None:
    assert refusal(output, held(tmp_path, has_network=False), tmp_path) == Refusal("network")


@given(st.text(max_size=300))
def test_no_output_breaks_its_reader(output: str) -> None:
    refusal(f"{output} permission denied /{output}", held(Path("/nowhere")), Path("/nowhere"))
