"""Does a running Envoy take in what changes, and does nobody's connection end by it?"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import httpx
import pytest

MakeInput = Callable[..., Any]
ASKED = "/rest/v1/todos"


@pytest.fixture
def running(gateway_for: Any, make_input: MakeInput) -> Iterator[Any]:
    """A gateway of our own, to change."""
    with gateway_for(make_input()) as gateway:
        yield gateway


@pytest.fixture
def others(credentials: Mapping[str, str]) -> Mapping[str, str]:
    """The project's credentials after three of them were replaced."""
    new = {key: credentials[key][:-12] + "x" * 12 for key in ("publishable-key", "secret-key")}
    return {**credentials, **new, "dashboard-password": "another password"}


def until(holds: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline, what
        time.sleep(0.01)


def status(gateway: Any, key: str, path: str = ASKED) -> int:
    return httpx.get(gateway.url + path, headers={"apikey": key}).status_code


def test_a_new_key_opens_and_the_old_one_does_not_while_sockets_stay(
    running: Any,
    make_input: MakeInput,
    open_socket: Any,
    credentials: Mapping[str, str],
    others: Mapping[str, str],
) -> None:
    connection, stream = open_socket(running.url, credentials["publishable-key"])
    with connection, stream, httpx.Client(base_url=running.url) as before:
        stream.readline()
        assert before.get(ASKED, headers={"apikey": credentials["anon-key"]}).status_code == 200
        for key in ("publishable-key", "secret-key"):
            assert (status(running, credentials[key]), status(running, others[key])) == (200, 401)

        running.publish(make_input(credentials=others))
        while status(running, others["publishable-key"]) != 200:
            assert status(running, credentials["anon-key"]) == 200, "nobody else is kept waiting"
        for key in ("publishable-key", "secret-key"):
            assert (status(running, credentials[key]), status(running, others[key])) == (401, 200)
        assert status(running, others["secret-key"], "/pg/tables") == 200
        assert status(running, others["publishable-key"], "/pg/tables") == 403

        connection.sendall(b"still there\n")
        assert stream.readline() == b"still there\n"
        answer = before.get(ASKED, headers={"apikey": others["secret-key"]})
        assert answer.status_code == 200, "a connection that was open shows the new key"


def test_another_password_of_the_dashboard_is_asked_for(
    running: Any, make_input: MakeInput, credentials: Mapping[str, str], others: Mapping[str, str]
) -> None:
    def enters(password: str) -> bool:
        pair = (credentials["dashboard-username"], password)
        return httpx.get(f"{running.url}/project/default", auth=pair).status_code == 200

    old, new = credentials["dashboard-password"], others["dashboard-password"]
    assert (enters(old), enters(new)) == (True, False)
    running.publish(make_input(credentials=others))
    until(lambda: enters(new), "the new password")
    assert not enters(old)


def test_a_component_that_is_switched_on_or_off_has_its_route_while_sockets_stay(
    running: Any, make_input: MakeInput, open_socket: Any, keys: Mapping[str, str]
) -> None:
    def reaches(path: str) -> int:
        return status(running, keys["service"], path)

    connection, stream = open_socket(running.url, keys["anon"])
    with connection, stream:
        stream.readline()
        running.publish(make_input({"functions": {"enabled": False}}))
        until(lambda: reaches("/functions/v1/hello") == 404, "functions are gone")
        running.publish(make_input({}))
        until(lambda: reaches("/functions/v1/hello") == 200, "functions are back")
        connection.sendall(b"still there\n")
        assert stream.readline() == b"still there\n"


def test_what_envoy_cannot_take_in_changes_nothing_and_what_comes_after_counts(
    running: Any, make_input: MakeInput, credentials: Mapping[str, str], others: Mapping[str, str]
) -> None:
    def spoil(files: dict[str, Any]) -> None:
        files["rds.json"]["resources"][0]["virtual_hosts"][0]["routes"][0]["match"] = {}

    old, new = credentials["publishable-key"], others["publishable-key"]
    running.publish(make_input(credentials=others), edit=spoil)
    until(lambda: "rejected" in running.log.read_text(), "it says so")
    assert (status(running, old), status(running, new)) == (200, 401)
    running.publish(make_input(credentials=others))
    until(lambda: status(running, new) == 200, "the new key")
    assert status(running, old) == 401


def test_without_routes_nobody_gets_through(
    gateway_for: Any, make_input: MakeInput, keys: Mapping[str, str]
) -> None:
    def spoil(files: dict[str, Any]) -> None:
        files["rds.json"]["resources"] = []

    with gateway_for(make_input(), edit=spoil) as gateway:
        assert status(gateway, keys["service"]) == 401


def test_a_row_that_says_nothing_is_closed_to_everybody(
    gateway_for: Any, make_input: MakeInput, credentials: Mapping[str, str]
) -> None:
    def silence(files: dict[str, Any]) -> None:
        host = files["rds.json"]["resources"][0]["virtual_hosts"][0]
        for route in host["routes"]:
            route.pop("typed_per_filter_config", None)

    pair = (credentials["dashboard-username"], credentials["dashboard-password"])
    with gateway_for(make_input(), edit=silence) as gateway:
        for path in (ASKED, "/", "/pg/tables"):
            headers = {"apikey": credentials["service-role-key"]}
            answer = httpx.get(gateway.url + path, auth=pair, headers=headers)
            assert answer.status_code == 401
