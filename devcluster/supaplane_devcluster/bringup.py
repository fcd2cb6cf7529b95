"""In which steps the parts of a cluster come up, and what is waited for between them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from . import readiness
from .client import ApiClient
from .members import Members
from .node import furniture
from .node.real import RealNode
from .plan import API_SERVER, CONTAINERD, ETCD, KUBELET, SPACE

SERVER = (ETCD, API_SERVER)

Apply = Callable[[Path], None]
"""Makes the objects in a file, or changes them to be like it."""


def start(members: Members, client: ApiClient, apply: Apply, images: Sequence[Path]) -> list[str]:
    """Start what is missing; returns which, when the cluster can be used. Raises DidNotStart.

    `images` are the archives of those that a real node has from the beginning.
    """
    started = _open_node(members) if members.node else []
    started += members.start_missing(SERVER)
    members.wait(SERVER, lambda: client.answers("/readyz"), lambda: "the API server")
    if members.node and KUBELET not in _alive(members):
        # Before the kubelet, which would look for the first pod's image at once.
        members.node.furnish(images)
        apply(furniture.ADDONS)
    started += members.start_missing(members.names)
    wait_until_usable(members, client)
    return started


def wait_until_usable(members: Members, client: ApiClient) -> None:
    """Raises DidNotStart."""
    members.wait(members.names, lambda: missing(members, client) is None,
                 lambda: missing(members, client))  # fmt: skip


def missing(members: Members, client: ApiClient) -> str | None:
    """What keeps a cluster whose components all run from being usable, in words."""
    return readiness.missing(client, members.nodes, has_dns=members.node is not None)


def _open_node(members: Members) -> list[str]:
    started = members.start_missing((SPACE,))
    members.wait((SPACE,), lambda: _node(members).is_furnished(), lambda: "its namespaces")
    started += members.start_missing((CONTAINERD,))
    members.wait(
        (SPACE, CONTAINERD), lambda: _node(members).containerd_answers(), lambda: "containerd"
    )
    return started


def _node(members: Members) -> RealNode:
    """Looked up each time: it is another after its first process was started."""
    node = members.node
    assert node is not None
    return node


def _alive(members: Members) -> set[str]:
    return {name for name, process in members.alive().items() if process}
