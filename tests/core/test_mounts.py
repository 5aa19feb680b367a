"""Projects on file systems that are unusual: believed only where every change is reported."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from milepost.checkpoints import inotify

_ALONE = ("unshare", "--user", "--map-root-user", "--mount", "--ipc")

# From linux/magic.h: what changes behind this kernel's back, or may.
_NOT_BELIEVED = {
    "NFS": 0x6969, "SMB": 0x517B, "CIFS": 0xFF534D42, "SMB 2": 0xFE534D42, "9p": 0x01021997,
    "FUSE, virtiofs": 0x65735546, "AFS": 0x5346414F, "Ceph": 0x00C36400, "proc": 0x9FA0,
    "vboxsf": 0x786F4256, "Lustre": 0x0BD00BD0, "mqueue": 0x19800202,
}  # fmt: skip


@pytest.mark.parametrize("name", _NOT_BELIEVED)
def test_no_file_system_is_believed_that_changes_behind_the_kernels_back(name: str) -> None:
    assert not inotify.is_reporting(_NOT_BELIEVED[name])


def test_an_overlay_is_followed_and_what_does_not_report_is_scanned(tmp_path: Path) -> None:
    may = shutil.which("unshare") and (
        subprocess.run([*_ALONE, "true"], check=False, capture_output=True).returncode == 0
    )
    if not may:
        # Without mounts of our own, the ones that every Linux has must do.
        assert not inotify.reports_changes(b"/proc")
        return
    done = subprocess.run(
        [*_ALONE, sys.executable, "-m", "tests.core.mounted", str(tmp_path)],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.stdout == "exact\n", done.stdout + done.stderr
