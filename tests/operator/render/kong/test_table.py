"""Does Kong mean by every row of the gateway's table what Envoy means by it?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

RoleOf = Callable[[str], str]
MakeInput = Callable[..., Any]
FILE = Path(__file__).parents[1] / "gateway" / "table.yaml"
TABLE = yaml.safe_load(FILE.read_text())
KEYED, SERVICE_ONLY = TABLE["keyed"], TABLE["serviceOnly"]
KEYS = [
    ("anon", "anon"),
    ("publishable", "anon"),
    ("service", "service_role"),
    ("secret", "service_role"),
]


@pytest.mark.parametrize(("path", "service", "arrives_as"), TABLE["open"])
@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer sb_publishable_x"}])
def test_whoever_follows_a_link_from_a_mail_needs_no_key(
    client: httpx.Client, path: str, service: str, arrives_as: str, headers: dict[str, str]
) -> None:
    answer = client.get(path, headers=headers)
    assert answer.status_code == 200
    assert (answer.json()["service"], answer.json()["path"]) == (service, arrives_as)


@pytest.mark.parametrize(("path", "service", "arrives_as"), KEYED)
@pytest.mark.parametrize(("key", "role"), KEYS)
@pytest.mark.parametrize("as_bearer", [False, True])
def test_each_of_the_four_keys_opens_a_keyed_route_as_its_role(
    client: httpx.Client,
    keys: Mapping[str, str],
    path: str,
    service: str,
    arrives_as: str,
    key: str,
    role: str,
    as_bearer: bool,
    role_of: RoleOf,
) -> None:
    headers = {"apikey": keys[key]}
    if as_bearer:
        # as supabase-js does where nobody has signed in
        headers["Authorization"] = f"Bearer {keys[key]}"
    seen = client.get(path, headers=headers).json()
    assert (seen["service"], seen["path"]) == (service, arrives_as)
    scheme, _, token = seen["headers"]["authorization"].partition(" ")
    assert scheme == "Bearer"
    assert role_of(token) == role
    assert role_of(seen["headers"]["apikey"]) == role


@pytest.mark.parametrize("path", [path for path, *_ in KEYED + SERVICE_ONLY])
@pytest.mark.parametrize("key", [None, "", "wrong", "internal"])
def test_no_key_and_a_wrong_key_are_told_so_in_json(
    client: httpx.Client, keys: Mapping[str, str], path: str, key: str | None
) -> None:
    headers = {} if key is None else {"apikey": keys.get(key, key)}
    answer = client.get(path, headers=headers)
    assert answer.status_code == 401
    assert "message" in answer.json()


@pytest.mark.parametrize(("path", "service", "arrives_as"), SERVICE_ONLY)
@pytest.mark.parametrize("key", ["service", "secret"])
def test_a_service_key_sees_the_description_of_the_database(
    client: httpx.Client,
    keys: Mapping[str, str],
    path: str,
    service: str,
    arrives_as: str,
    key: str,
) -> None:
    seen = client.get(path, headers={"apikey": keys[key]}).json()
    assert (seen["service"], seen["path"]) == (service, arrives_as)


@pytest.mark.parametrize("path", [path for path, *_ in SERVICE_ONLY] + TABLE["serviceOnlyToo"])
@pytest.mark.parametrize("key", ["anon", "publishable"])
@pytest.mark.parametrize("as_bearer", [False, True])
def test_an_anonymous_key_does_not_however_the_path_is_spelled(
    client: httpx.Client, keys: Mapping[str, str], path: str, key: str, as_bearer: bool
) -> None:
    headers = {"apikey": keys[key]}
    if as_bearer:
        headers["Authorization"] = f"Bearer {keys[key]}"
    answer = _raw(client, path, headers)
    assert answer.status_code == 403


@pytest.mark.parametrize("path", TABLE["encodedSlashes"])
@pytest.mark.parametrize("bearer", ["", "Bearer sb_secret_x"])
def test_an_encoded_slash_is_refused(client: httpx.Client, path: str, bearer: str) -> None:
    assert _raw(client, path, {"Authorization": bearer}).status_code == 400


@pytest.mark.parametrize("path", TABLE["needsAKey"])
def test_what_only_begins_like_an_open_path_needs_a_key(client: httpx.Client, path: str) -> None:
    assert client.get(path).status_code == 401


@pytest.mark.parametrize("key", ["anon", "secret"])
def test_graphql_is_asked_for_in_its_own_schema(
    client: httpx.Client, keys: Mapping[str, str], key: str
) -> None:
    headers = {"apikey": keys[key], "Content-Profile": "public"}
    seen = client.post("/graphql/v1", headers=headers, json={"query": "{}"}).json()
    assert seen["headers"]["content-profile"] == "graphql_public"
    assert (
        client.post("/graphql/v1", headers={"apikey": keys[key]}).json()["headers"][
            "content-profile"
        ]
        == "graphql_public"
    )


@pytest.mark.parametrize("path", TABLE["closed"])
@pytest.mark.parametrize("bearer", [False, True])
def test_the_tools_for_language_models_are_closed_to_everybody(
    client: httpx.Client, keys: Mapping[str, str], path: str, bearer: bool
) -> None:
    headers = {"apikey": keys["service"]}
    if bearer:
        headers["Authorization"] = f"Bearer {keys['secret']}"
    answer = client.get(path, headers=headers)
    assert (answer.status_code, answer.json()) == (403, {"message": "Access is forbidden"})


@pytest.mark.parametrize("path", ["/realtime/v1/websocket", "/auth/v1", "/rest/v1"])
def test_an_api_that_is_not_there_is_a_404_and_no_request_for_a_password(
    make_input: MakeInput, client_for: Any, keys: Mapping[str, str], path: str
) -> None:
    spec = {"gateway": {"kind": "kong"}, "realtime": {"enabled": False}}
    with client_for(make_input(spec)) as client:
        answer = client.get(path, headers={"apikey": keys["service"]})
    assert answer.status_code == 404
    assert "www-authenticate" not in answer.headers
    assert "message" in answer.json()


@pytest.mark.parametrize("password", [None, "", "wrong"])
def test_studio_asks_for_name_and_password(client: httpx.Client, password: str | None) -> None:
    sign_in = None if password is None else ("supabase", password)
    answer = client.get("/project/default", auth=sign_in)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Basic")


def test_studio_never_sees_the_password(
    client: httpx.Client, credentials: Mapping[str, str]
) -> None:
    sign_in = (credentials["dashboard-username"], credentials["dashboard-password"])
    seen = client.get("/project/default?x=1", auth=sign_in).json()
    assert (seen["service"], seen["path"]) == ("studio", "/project/default?x=1")
    assert "authorization" not in seen["headers"]


@pytest.mark.parametrize("bearer", [False, True])
def test_a_key_does_not_open_studio(
    client: httpx.Client, keys: Mapping[str, str], bearer: bool
) -> None:
    headers = {"apikey": keys["service"]}
    if bearer:
        headers["Authorization"] = f"Bearer {keys['secret']}"
    assert client.get("/", headers=headers).status_code == 401


def test_a_project_without_studio_has_nothing_at_its_door(
    make_input: MakeInput, client_for: Any, keys: Mapping[str, str]
) -> None:
    lean = {"studio": {"enabled": False}, "meta": {"enabled": False}, "gateway": {"kind": "kong"}}
    with client_for(make_input(lean)) as client:
        for path in ("/", "/project/default", "/pg/tables", "/mcp"):
            answer = client.get(path, headers={"apikey": keys["service"]})
            assert (path, answer.status_code) == (path, 404)


def _raw(client: httpx.Client, path: str, headers: Mapping[str, str]) -> httpx.Response:
    """Without the client's own ideas of how a path is spelled."""
    request = client.build_request("GET", "/", headers=headers)
    request.extensions["target"] = path.encode()
    return client.send(request)
