"""The few system calls of namespaces that Python 3.11 does not have by itself. Linux only."""

from __future__ import annotations

import contextlib
import ctypes
import os
from collections.abc import Iterator
from pathlib import Path

# <sys/mount.h>, <linux/sched.h>
_BIND, _RECURSIVE, _SHARED = 0x1000, 0x4000, 1 << 20
_NEW_CGROUPS, _NEW_NETWORK = 0x02000000, 0x40000000


def mount_tmpfs(target: Path) -> None:
    """An empty folder in memory over `target`. Raises OSError."""
    _mount(b"tmpfs", target, b"tmpfs", 0, b"mode=755")


def bind(source: Path | int, target: Path) -> None:
    """What is at `source` (a path, or an open file of it) appears at `target`. Raises OSError."""
    path = f"/proc/self/fd/{source}" if isinstance(source, int) else str(source)
    _mount(os.fsencode(path), target, None, _BIND | _RECURSIVE, None)


def share_mounts() -> None:
    """Later mounts appear in the mount namespaces that containers have, and the other way round."""
    _mount(b"none", Path("/"), None, _SHARED | _RECURSIVE, None)


def unshare_cgroups() -> None:
    """The cgroups that this process is in become the roots that it and its children see."""
    _check(_libc().unshare(_NEW_CGROUPS), "cgroup namespace")


@contextlib.contextmanager
def network_of(pid: int) -> Iterator[None]:
    """This thread is in the network of a process; what it opens there stays there. Needs root."""
    own = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    try:
        other = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY)
        try:
            _enter(other)
        finally:
            os.close(other)
        try:
            yield
        finally:
            _enter(own)
    finally:
        os.close(own)


def _mount(source: bytes, target: Path, kind: bytes | None, flags: int, data: bytes | None) -> None:
    where = os.fsencode(target)
    _check(_libc().mount(source, where, kind, ctypes.c_ulong(flags), data), str(target))


def _enter(descriptor: int) -> None:
    _check(_libc().setns(descriptor, _NEW_NETWORK), "network namespace")


def _check(result: int, what: str) -> None:
    if result:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), what)


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)
