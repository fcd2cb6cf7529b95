"""What becomes of keys, through Kong, on the way to Realtime, Storage and Functions?"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import httpx
import pytest

RoleOf = Callable[[str], str]
SESSION = "Bearer eyJhbGciOiJFUzI1NiJ9.e30.c2ln"


@pytest.fixture(scope="module")
def client(make_input: Callable[..., Any], client_for: Any) -> Iterator[httpx.Client]:
    """Before the Kong of a project with all that the gateway leads to."""
    spec = {name: {"enabled": True} for name in ("realtime", "storage", "functions")}
    with client_for(make_input({"gateway": {"kind": "kong"}, **spec})) as opened:
        yield opened


def test_a_socket_of_realtime_shows_its_key_in_the_query(
    client: httpx.Client, keys: Mapping[str, str], role_of: RoleOf
) -> None:
    path = f"/realtime/v1/websocket?apikey={keys['publishable']}&vsn=1.0.0"
    seen = client.get(path, headers={"Upgrade": "websocket"}).json()
    assert (seen["service"], seen["path"]) == ("realtime", "/socket/websocket?vsn=1.0.0")
    assert role_of(seen["headers"]["x-api-key"]) == "anon"
    assert client.get("/realtime/v1/websocket").status_code == 401


def test_realtime_finds_its_tenant_in_the_host(
    client: httpx.Client, keys: Mapping[str, str]
) -> None:
    for key in ("anon", "secret"):
        seen = client.post("/realtime/v1/api/broadcast", headers={"apikey": keys[key]}).json()
        assert seen["path"] == "/api/broadcast"
        assert seen["headers"]["host"].startswith("realtime.supabase-")


@pytest.mark.parametrize("path", ["/realtime/v1/api/tenants", "/realtime/v1/api/openapi"])
@pytest.mark.parametrize("as_bearer", [False, True])
def test_the_management_of_realtime_is_closed_to_every_key(
    client: httpx.Client, keys: Mapping[str, str], path: str, as_bearer: bool
) -> None:
    headers = {"apikey": keys["secret"]}
    if as_bearer:
        headers["Authorization"] = f"Bearer {keys['secret']}"
    for spelled in (path, f"{path}/x", path.replace("/api", "//api")):
        assert client.get(spelled, headers=headers).status_code == 403


def test_storage_is_open_to_links_that_it_judges_itself(client: httpx.Client) -> None:
    seen = client.get("/storage/v1/object/public/a/b.png?download=").json()
    assert (seen["service"], seen["path"]) == ("storage", "/object/public/a/b.png?download=")
    assert seen["headers"]["x-forwarded-prefix"] == "/storage/v1"
    assert "authorization" not in seen["headers"]


@pytest.mark.parametrize("show", ["apikey", "bearer", "both"])
def test_storage_gets_the_token_that_a_key_stands_for(
    client: httpx.Client, keys: Mapping[str, str], role_of: RoleOf, show: str
) -> None:
    headers = {}
    if show != "bearer":
        headers["apikey"] = keys["secret"]
    if show != "apikey":
        headers["Authorization"] = f"Bearer {keys['secret']}"
    seen = client.get("/storage/v1/bucket", headers=headers).json()["headers"]
    assert role_of(seen["authorization"].removeprefix("Bearer ")) == "service_role"
    assert role_of(seen["apikey"]) == "service_role"


def test_storage_gets_sessions_and_signatures_as_they_are(
    client: httpx.Client, keys: Mapping[str, str]
) -> None:
    for shown in (SESSION, "AWS4-HMAC-SHA256 Credential=a/b, SignedHeaders=host, Signature=c"):
        headers = {"apikey": keys["anon"], "Authorization": shown}
        seen = client.get("/storage/v1/s3/a", headers=headers).json()["headers"]
        assert seen["authorization"] == shown


@pytest.mark.parametrize("show", ["apikey", "Authorization"])
def test_functions_see_what_was_shown_and_beside_it_what_it_stands_for(
    client: httpx.Client, keys: Mapping[str, str], role_of: RoleOf, show: str
) -> None:
    shown = keys["secret"] if show == "apikey" else f"Bearer {keys['secret']}"
    seen = client.post("/functions/v1/hello", headers={show: shown}).json()
    assert (seen["service"], seen["path"]) == ("functions", "/hello")
    assert seen["headers"][show.lower()] == shown
    assert role_of(seen["headers"]["sb-api-key"]) == "service_role"


@pytest.mark.parametrize("key", [None, "anon", "wrong"])
def test_nobody_but_the_gateway_says_what_a_key_stands_for(
    client: httpx.Client, keys: Mapping[str, str], key: str | None
) -> None:
    headers = {"sb-api-key": "forged", "Authorization": SESSION}
    if key is not None:
        headers["apikey"] = keys[key]
    seen = client.post("/functions/v1/hello", headers=headers).json()["headers"]
    assert "sb-api-key" not in seen
    assert seen["authorization"] == SESSION


def test_a_wrong_key_of_the_new_kind_as_bearer_calls_no_function(
    client: httpx.Client, keys: Mapping[str, str]
) -> None:
    headers = {"apikey": keys["secret"], "Authorization": f"Bearer {keys['wrong']}"}
    assert client.post("/functions/v1/hello", headers=headers).status_code == 401
