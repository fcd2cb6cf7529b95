"""Does the gateway pass requests on as services and clients expect it?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import httpx
import pytest

RoleOf = Callable[[str], str]
MakeInput = Callable[..., Any]


def test_services_learn_under_which_name_they_were_called(
    client: httpx.Client, keys: Mapping[str, str]
) -> None:
    headers = {"apikey": keys["anon"], "Host": "shop.example.com"}
    seen = client.get("/auth/v1/settings", headers=headers).json()["headers"]
    assert seen["x-forwarded-host"] == "shop.example.com"
    assert seen["x-forwarded-port"] == "443"
    assert seen["x-forwarded-prefix"] == "/auth/v1/"
    assert seen["x-forwarded-for"]


def test_without_one_nobody_can_say_who_they_are(
    client: httpx.Client, keys: Mapping[str, str]
) -> None:
    headers = {"apikey": keys["anon"], "X-Forwarded-Proto": "https"}
    seen = client.get("/rest/v1/todos", headers=headers).json()["headers"]
    assert seen["x-forwarded-proto"] == "http"


def test_headers_with_underscores_are_refused(
    client: httpx.Client, keys: Mapping[str, str]
) -> None:
    headers = {"apikey": keys["anon"], "X_Role": "service_role"}
    assert client.get("/rest/v1/todos", headers=headers).status_code == 400


def test_large_headers_of_sessions_in_cookies_get_through(
    client: httpx.Client, keys: Mapping[str, str]
) -> None:
    headers = {"apikey": keys["anon"], "Cookie": "session=" + "x" * 60_000}
    assert client.get("/rest/v1/todos", headers=headers).status_code == 200


def test_a_socket_carries_the_token_both_ways(
    gateway: Any, open_socket: Any, keys: Mapping[str, str], role_of: RoleOf
) -> None:
    connection, stream = open_socket(gateway.url, keys["publishable"])
    with connection, stream:
        assert role_of(stream.readline().decode().strip()) == "anon"
        connection.sendall(b"still there\n")
        assert stream.readline() == b"still there\n"


def test_a_quiet_socket_outlives_the_timeout_of_its_route(
    make_input: MakeInput, gateway_for: Any, open_socket: Any, keys: Mapping[str, str]
) -> None:
    with gateway_for(make_input(), edit=_shorten_timeouts) as gateway:
        connection, stream = open_socket(gateway.url, keys["anon"])
        with connection, stream:
            stream.readline()
            connection.settimeout(2)
            with pytest.raises(TimeoutError):
                connection.recv(1)


def _shorten_timeouts(files: dict[str, Any]) -> None:
    for route in files["rds.json"]["resources"][0]["virtual_hosts"][0]["routes"]:
        if "route" in route:
            route["route"]["timeout"] = "1s"


def test_a_service_that_is_away_is_a_503_in_json(
    make_input: MakeInput, gateway_for: Any, keys: Mapping[str, str]
) -> None:
    with gateway_for(make_input(), away=True) as gateway:
        answer = httpx.get(f"{gateway.url}/rest/v1/todos", headers={"apikey": keys["anon"]})
    assert answer.status_code == 503
    assert answer.json() == {"message": "The service is not available at the moment"}


def test_behind_an_ingress_the_client_is_whom_the_ingress_says(
    make_input: MakeInput, gateway_for: Any, keys: Mapping[str, str]
) -> None:
    headers = {
        "apikey": keys["anon"],
        "X-Forwarded-For": "203.0.113.7",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": "shop.test",
    }
    with gateway_for(make_input({"ingress": {"kind": "Ingress"}})) as gateway:
        seen = httpx.get(f"{gateway.url}/rest/v1/todos", headers=headers).json()["headers"]
    assert seen["x-forwarded-for"].startswith("203.0.113.7,")
    assert seen["x-forwarded-proto"] == "https"
    assert seen["x-forwarded-host"] == "shop.test"


def test_envoy_finds_nothing_to_warn_of(gateway: Any) -> None:
    assert "[warning]" not in gateway.log.read_text()


def test_health_shows_on_its_own_port_only(gateway: Any) -> None:
    assert httpx.get(f"{gateway.health_url}/ready").text == "ready\n"
    assert httpx.get(f"{gateway.health_url}/config_dump").status_code == 404
    assert httpx.get(f"{gateway.url}/ready").status_code == 401
