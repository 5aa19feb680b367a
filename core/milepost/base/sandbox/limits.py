"""What commands may reach, in terms that every method of holding them keeps."""

from __future__ import annotations

from dataclasses import dataclass

# Device files that programs write to: the plain ones, terminals, shared memory, and those for
# graphics and virtual machines, where the user may use them anyway. No disk is among them.
DEVICES = (
    "/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty", "/dev/ptmx",
    "/dev/pts", "/dev/shm", "/dev/mqueue", "/dev/fuse", "/dev/kvm", "/dev/dri", "/dev/nvidia0",  # noqa: S108
    "/dev/nvidiactl", "/dev/nvidia-uvm", "/dev/kfd",
)  # fmt: skip

# What root keeps of its powers, by capabilities(7): to use files of others, to become another user
# and to listen on low ports, as builds and tests do. To mount, to make devices, to load modules or
# to look into other processes would lead out again.
OF_ROOT = {
    "CAP_CHOWN": 0, "CAP_DAC_OVERRIDE": 1, "CAP_FOWNER": 3, "CAP_FSETID": 4, "CAP_KILL": 5,
    "CAP_SETGID": 6, "CAP_SETUID": 7, "CAP_NET_BIND_SERVICE": 10, "CAP_SYS_CHROOT": 18,
    "CAP_SETFCAP": 31,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Limits:
    """Where a command may write; what it may not read, though it may read all else; and what it may
    read though it lies in what is hidden. Of two paths the inner one decides, as far as the method
    can tell (its gaps say so). All are absolute, with links resolved; what is not there is passed
    over."""

    writable: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()
    shown: tuple[str, ...] = ()
    has_network: bool = True


def is_below(path: str, folder: str) -> bool:
    """Whether `path` is the folder or lies in it."""
    return path == folder or path.startswith(folder.rstrip("/") + "/")
