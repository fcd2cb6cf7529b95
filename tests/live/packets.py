"""Packets that leave from inside a pod, whatever its image has in it, and whether they arrive."""

from __future__ import annotations

import contextlib
import errno
import selectors
import socket
import time
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from supaplane_devcluster import linux

Target = tuple[str, int]
"""An address and a TCP port."""

ARRIVED = (0, errno.ECONNREFUSED)
"""Both are answers: somebody was reached, whether or not they listen there."""
LOSS = 1.5
"""Seconds after which a packet that was not answered counts as dropped: answers take milliseconds.
A first packet that was lost by chance is sent again after one."""
PATIENCE = 15.0
"""Seconds for the answers that are awaited, on a busy machine."""


def process_in(pod: Mapping[str, Any]) -> int:
    """A process, as this machine counts, in one of the pod's containers."""
    ids = [c["containerID"].rpartition("/")[2] for c in pod["status"]["containerStatuses"]]
    for path in Path("/proc").glob("[0-9]*/cgroup"):
        with contextlib.suppress(OSError):
            text = path.read_text(encoding="utf-8")
            if any(container in text for container in ids):
                return int(path.parent.name)
    raise AssertionError(f"no process of pod {pod['metadata']['name']} is on this machine")


def send(
    pods: Mapping[str, Mapping[str, Any]],
    targets: Mapping[str, Collection[Target]],
    awaited: Collection[tuple[str, str]],
) -> set[tuple[str, str]]:
    """Which pods reach which targets, by their names, at one of their ports at least.

    From every pod to every target at once. Those awaited are given time; the others are not.
    """
    reached: set[tuple[str, str]] = set()
    with contextlib.ExitStack() as opened, selectors.DefaultSelector() as selector:
        for source, pod in pods.items():
            with linux.network_of(process_in(pod)):
                for target, address in _pairs(targets):
                    connection = opened.enter_context(socket.socket())
                    connection.setblocking(False)
                    begun = connection.connect_ex(address)
                    if begun == errno.EINPROGRESS:
                        pair = (source, target)
                        selector.register(connection, selectors.EVENT_WRITE, pair)
                    elif begun in ARRIVED:
                        reached.add((source, target))
        started = time.monotonic()
        while selector.get_map() and not _over(started, set(awaited) <= reached):
            for key, _ in selector.select(timeout=0.1):
                selector.unregister(key.fileobj)
                assert isinstance(key.fileobj, socket.socket)
                if key.fileobj.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) in ARRIVED:
                    reached.add(key.data)
    return reached


def _pairs(targets: Mapping[str, Collection[Target]]) -> Iterator[tuple[str, Target]]:
    for name, addresses in targets.items():
        for address in addresses:
            yield name, address


def _over(started: float, have_awaited: bool) -> bool:
    passed = time.monotonic() - started
    return passed > (LOSS if have_awaited else PATIENCE)
