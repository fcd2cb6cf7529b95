"""Do sockets and messages reach Realtime under its tenant's name, and nobody its management?"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import httpx
import pytest

MakeInput = Callable[..., Any]
HOST = "realtime.supabase-abcdefghijklmnopqrst.svc.cluster.local"


@pytest.fixture(scope="module")
def live(make_input: MakeInput, gateway_for: Any) -> Iterator[httpx.Client]:
    """The gateway of a project with Realtime."""
    with (
        gateway_for(make_input({"realtime": {"enabled": True}})) as gateway,
        httpx.Client(base_url=gateway.url, timeout=60) as opened,
    ):
        yield opened


@pytest.mark.parametrize(
    ("path", "arrives_as"),
    [
        ("/realtime/v1/api/broadcast", "/api/broadcast"),
        ("/realtime/v1/websocket?vsn=1.0.0", "/socket/websocket?vsn=1.0.0"),
    ],
)
def test_a_key_reaches_realtime_whatever_host_the_client_asked_for(
    live: httpx.Client, keys: Mapping[str, str], path: str, arrives_as: str
) -> None:
    headers = {"apikey": keys["publishable"], "Host": "data.acme.test"}
    seen = live.get(path, headers=headers).json()
    assert (seen["service"], seen["path"]) == ("realtime", arrives_as)
    assert seen["headers"]["host"] == HOST
    assert seen["headers"]["x-forwarded-host"] == "data.acme.test"


@pytest.mark.parametrize("path", ["/realtime/v1/api/broadcast", "/realtime/v1/websocket"])
def test_without_a_key_there_is_neither_socket_nor_message(live: httpx.Client, path: str) -> None:
    assert live.get(path).status_code == 401


@pytest.mark.parametrize(
    "path",
    [
        "/realtime/v1/api/tenants",
        "/realtime/v1/api/tenants/realtime",
        "/realtime/v1//api/tenants",
        "/realtime/v1/x/../api/tenants/realtime",
        "/realtime/v1/api/openapi",
    ],
)
def test_the_management_of_tenants_is_closed_even_to_service_keys(
    live: httpx.Client, keys: Mapping[str, str], path: str
) -> None:
    request = live.build_request("GET", "/", headers={"apikey": keys["service"]})
    request.extensions["target"] = path.encode()
    answer = live.send(request)
    assert (answer.status_code, answer.json()) == (403, {"message": "Access is forbidden"})


def test_a_socket_opens_with_the_key_in_its_address(
    live: httpx.Client, keys: Mapping[str, str], role_of: Callable[[str], str]
) -> None:
    host, port = live.base_url.host, live.base_url.port
    assert port is not None
    with socket.create_connection((host, port), timeout=60) as connection:
        connection.sendall(
            f"GET /realtime/v1/websocket?apikey={keys['secret']}&vsn=1.0.0 HTTP/1.1\r\n"
            "Host: shop.example.com\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            "Sec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
        )
        stream = connection.makefile("rb")
        assert b" 101 " in stream.readline()
        while stream.readline() != b"\r\n":
            pass
        assert role_of(stream.readline().decode().strip()) == "service_role"
