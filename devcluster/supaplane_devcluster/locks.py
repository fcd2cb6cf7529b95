"""Who may change a cluster or build a binary right now."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from .errors import DevclusterError


@contextlib.contextmanager
def folder_lock(
    folder: Path, timeout: float, waiting: Callable[[], None] | None = None
) -> Iterator[None]:
    """Hold the folder itself as the lock: it ends with its holder, and leaves no file behind."""
    descriptor = _acquire(folder, time.monotonic() + timeout, waiting)
    try:
        yield
    finally:
        os.close(descriptor)


def _acquire(folder: Path, deadline: float, waiting: Callable[[], None] | None) -> int:
    while True:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with contextlib.suppress(FileNotFoundError):
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            if _try_lock(descriptor, folder):
                return descriptor
            os.close(descriptor)
        if time.monotonic() > deadline:
            raise DevclusterError(f"another command has been busy with {folder} for too long")
        if waiting:
            waiting()
        time.sleep(0.05)


def _try_lock(descriptor: int, folder: Path) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    # The folder may have been removed and made again meanwhile: then we hold one nobody sees.
    try:
        return os.path.samestat(os.fstat(descriptor), folder.stat())
    except FileNotFoundError:
        return False
