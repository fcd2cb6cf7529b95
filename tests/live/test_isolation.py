"""Who reaches whom? Real packets between real pods, against what the components declare."""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from supaplane_contract import names
from supaplane_contract.spec import ComponentName
from supaplane_devcluster.images import Images
from supaplane_operator.render.components import PARTS

from . import packets
from .packets import Target
from .platform import Platform, Project

# Of a range that is kept for documentation (RFC 5737), so to policies it is the internet.
OUTSIDE = ("203.0.113.7", 443)
API_SERVER = ("10.96.0.1", 443)
API_SERVER_AT_ITS_NODE = "10.250.0.1"
DNS = ("10.96.0.10", 53)
STRANGER = "stranger"


@pytest.fixture(scope="module")
def pods(platform: Platform, shop: Project) -> dict[str, dict[str, Any]]:
    """One pod of each component of a project that has nearly everything."""
    return by_component(platform, shop)


@pytest.fixture(scope="module")
def stranger(platform: Platform) -> Iterator[dict[str, Any]]:
    """A pod of somebody else, in a namespace without any policy."""
    platform.cluster.import_images(Images().build("tools"))
    platform.cluster.kubectl("create", "namespace", STRANGER)
    run = ("-n", STRANGER, "run", "pod", "--image=localhost/tools:1", "--command", "--")
    platform.cluster.kubectl(*run, "sleep", "infinity")
    platform.cluster.kubectl(
        "-n", STRANGER, "wait", "--for=condition=Ready", "pod/pod", "--timeout=60s"
    )
    yield json.loads(
        platform.cluster.kubectl("-n", STRANGER, "get", "pod", "pod", "-o", "json").stdout
    )
    platform.cluster.kubectl("delete", "namespace", STRANGER, "--wait=false")


def by_component(platform: Platform, project: Project) -> dict[str, dict[str, Any]]:
    return {pod["metadata"]["labels"][names.LABEL_COMPONENT]: pod for pod in platform.pods(project)}


def doors(pods: Mapping[str, Mapping[str, Any]]) -> dict[str, list[Target]]:
    """The addresses of pods, with every port that their component declares."""
    return {
        name: [(pod["status"]["podIP"], port) for port in PARTS[ComponentName(name)].ports.values()]
        for name, pod in pods.items()
    }


def declared(on: Mapping[str, Any]) -> set[tuple[str, str]]:
    """(caller, called), of components that are there."""
    return {
        (name, other.value)
        for name in on
        for other in PARTS[ComponentName(name)].needs | PARTS[ComponentName(name)].calls
        if other.value in on
    }


def test_each_component_reaches_those_that_it_declares_and_no_other(
    pods: dict[str, dict[str, Any]],
) -> None:
    wanted = declared(pods)
    reached = packets.send(pods, doors(pods), wanted)
    assert {(a, b) for a, b in reached if a != b} == wanted
    assert len(pods) > 8
    assert len(wanted) > 10


def test_no_component_reaches_one_of_another_project(
    platform: Platform, pods: dict[str, dict[str, Any]], other: Project
) -> None:
    theirs = by_component(platform, other)
    assert set(theirs) == set(pods)
    assert packets.send(pods, doors(theirs), ()) == set()
    assert packets.send(theirs, doors(pods), ()) == set()


def test_a_stranger_reaches_the_gateway_and_nothing_behind_it(
    pods: dict[str, dict[str, Any]], stranger: dict[str, Any]
) -> None:
    public = {(STRANGER, name) for name in pods if PARTS[ComponentName(name)].public}
    assert packets.send({STRANGER: stranger}, doors(pods), public) == public
    assert public == {(STRANGER, "gateway")}


def test_no_component_reaches_the_api_server(
    platform: Platform, pods: dict[str, dict[str, Any]], stranger: dict[str, Any]
) -> None:
    port = int(platform.cluster.server.rpartition(":")[2])
    server = {"the API server": [API_SERVER, (API_SERVER_AT_ITS_NODE, port)]}
    # That somebody reaches it shows that it is there.
    everybody = {**pods, STRANGER: stranger}
    seen = {(STRANGER, "the API server")}
    assert packets.send(everybody, server, seen) == seen


def test_every_component_asks_the_clusters_dns_server(pods: dict[str, dict[str, Any]]) -> None:
    wanted = {(name, "DNS") for name in pods}
    assert packets.send(pods, {"DNS": [DNS]}, wanted) == wanted


@contextlib.contextmanager
def a_server_outside(platform: Platform) -> Iterator[None]:
    """Something that answers at an address that is nobody's in the cluster."""
    address = f"{OUTSIDE[0]}/32"

    def ip(verb: str) -> subprocess.CompletedProcess[str]:
        return platform.cluster.run(["ip", "address", verb, address, "dev", "node0"])

    assert ip("add").returncode == 0
    try:
        with platform.cluster.network():
            listening = socket.create_server(OUTSIDE)
        with listening:
            yield
    finally:
        ip("del")


def test_only_those_that_need_the_internet_reach_it(
    platform: Platform, pods: dict[str, dict[str, Any]]
) -> None:
    wanted = {(name, "outside") for name in pods if PARTS[ComponentName(name)].internet}
    assert {name for name, _ in wanted} == {"auth", "functions"}
    with a_server_outside(platform):
        assert packets.send(pods, {"outside": [OUTSIDE]}, wanted) == wanted


@contextlib.contextmanager
def with_network(platform: Platform, project: Project, wish: Mapping[str, bool]) -> Iterator[None]:
    """While a project wants its network to be otherwise."""
    platform.patch(project.name, {"network": wish})
    try:
        platform.until_done(project.name)
        yield
    finally:
        platform.patch(project.name, {"network": None})
        platform.until_done(project.name)


def test_a_project_that_wants_no_way_out_has_none(
    platform: Platform, tiny: Project, stranger: dict[str, Any]
) -> None:
    everybody = {**by_component(platform, tiny), STRANGER: stranger}
    reachable = {"outside": [OUTSIDE]}
    seen, before = {(STRANGER, "outside")}, {(STRANGER, "outside"), ("auth", "outside")}
    with a_server_outside(platform):
        assert packets.send(everybody, reachable, before) == before
        with with_network(platform, tiny, {"egressAllowed": False}):
            closed = lambda: packets.send(everybody, reachable, seen) == seen  # noqa: E731
            platform.until(closed, "the way out is closed")


def test_a_project_without_restrictions_reaches_itself_and_is_reached(
    platform: Platform, tiny: Project, stranger: dict[str, Any]
) -> None:
    theirs = by_component(platform, tiny)
    everybody = {(STRANGER, name) for name in theirs}
    with with_network(platform, tiny, {"restrict": False}):
        reached = lambda: packets.send({STRANGER: stranger}, doors(theirs), everybody)  # noqa: E731
        platform.until(lambda: reached() == everybody, "everybody is let in")
