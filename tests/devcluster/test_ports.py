"""Which ports a cluster is given."""

from __future__ import annotations

import random
import socket

import pytest

from supaplane_devcluster import DevclusterError, ports


def test_every_name_gets_a_port_of_its_own_below_the_ephemeral_range() -> None:
    chosen = ports.choose(("api", "etcd", "tunnel"), (), random.Random(1))
    assert list(chosen) == ["api", "etcd", "tunnel"]
    assert len(set(chosen.values())) == 3
    assert all(port in ports.RANGE for port in chosen.values())


def test_a_port_of_another_cluster_is_not_chosen_even_while_that_is_down() -> None:
    first = ports.choose(("api",), (), random.Random(7))
    second = ports.choose(("api",), first.values(), random.Random(7))
    assert first["api"] != second["api"]


def test_a_port_that_somebody_listens_on_is_not_free() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        assert not ports.is_free(listener.getsockname()[1])


def test_nothing_wanted_is_nothing_chosen() -> None:
    assert ports.choose((), ports.RANGE, random.Random(1)) == {}


def test_running_out_of_ports_is_said_in_words() -> None:
    with pytest.raises(DevclusterError, match="fewer than 1 ports are free"):
        ports.choose(("api",), ports.RANGE, random.Random(1))
