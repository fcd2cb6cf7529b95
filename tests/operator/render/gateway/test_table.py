"""Does every row of the gateway's table lead where it should, for whom it should?"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

RoleOf = Callable[[str], str]
MakeInput = Callable[..., Any]
TABLE = yaml.safe_load(Path(__file__).with_name("table.yaml").read_text())
KEYED, SERVICE_ONLY = TABLE["keyed"], TABLE["serviceOnly"]


@pytest.mark.parametrize(("path", "service", "arrives_as"), TABLE["open"])
def test_whoever_follows_a_link_from_a_mail_needs_no_key(
    client: httpx.Client, path: str, service: str, arrives_as: str
) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    assert (answer.json()["service"], answer.json()["path"]) == (service, arrives_as)
    assert "apikey" not in answer.json()["headers"]


@pytest.mark.parametrize(("path", "service", "arrives_as"), KEYED)
@pytest.mark.parametrize(
    ("key", "role"),
    [
        ("anon", "anon"),
        ("publishable", "anon"),
        ("service", "service_role"),
        ("secret", "service_role"),
    ],
)
def test_each_of_the_four_keys_opens_a_keyed_route_as_its_role(
    client: httpx.Client,
    keys: Mapping[str, str],
    path: str,
    service: str,
    arrives_as: str,
    key: str,
    role: str,
    role_of: RoleOf,
) -> None:
    seen = client.get(path, headers={"apikey": keys[key]}).json()
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
    assert answer.headers["content-type"].startswith("application/json")
    expected = "Invalid API key" if key in ("wrong", "internal") else "No API key found in request"
    assert answer.json() == {"message": expected}


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


@pytest.mark.parametrize("path", [path for path, *_ in SERVICE_ONLY])
@pytest.mark.parametrize("key", ["anon", "publishable"])
def test_an_anonymous_key_does_not(
    client: httpx.Client, keys: Mapping[str, str], path: str, key: str
) -> None:
    answer = client.get(path, headers={"apikey": keys[key]})
    assert answer.status_code == 403
    assert "message" in answer.json()


@pytest.mark.parametrize("path", TABLE["serviceOnlyToo"])
def test_another_spelling_of_a_guarded_path_is_guarded_too(
    client: httpx.Client, keys: Mapping[str, str], path: str
) -> None:
    request = client.build_request("GET", "/", headers={"apikey": keys["anon"]})
    request.extensions["target"] = path.encode()
    assert client.send(request).status_code == 403


@pytest.mark.parametrize("path", TABLE["encodedSlashes"])
def test_an_encoded_slash_is_refused(client: httpx.Client, path: str) -> None:
    request = client.build_request("GET", "/")
    request.extensions["target"] = path.encode()
    assert client.send(request).status_code == 400


@pytest.mark.parametrize("path", TABLE["needsAKey"])
def test_what_only_begins_like_an_open_path_needs_a_key(client: httpx.Client, path: str) -> None:
    assert client.get(path).status_code == 401


def test_graphql_is_asked_for_in_its_own_schema(
    client: httpx.Client, keys: Mapping[str, str]
) -> None:
    headers = {"apikey": keys["anon"], "Content-Profile": "public"}
    seen = client.post("/graphql/v1", headers=headers, json={"query": "{}"}).json()
    assert seen["headers"]["content-profile"] == "graphql_public"
    assert json.loads(seen["body"]) == {"query": "{}"}


@pytest.mark.parametrize("path", TABLE["closed"])
def test_the_tools_for_language_models_are_closed_to_everybody(
    client: httpx.Client, credentials: Mapping[str, str], path: str
) -> None:
    sign_in = (credentials["dashboard-username"], credentials["dashboard-password"])
    headers = {"apikey": credentials["service-role-key"]}
    answer = client.get(path, auth=sign_in, headers=headers)
    assert (answer.status_code, answer.json()) == (403, {"message": "Access is forbidden"})


OFF = ("realtime", "storage", "functions")


@pytest.fixture(scope="module")
def before_few(make_input: MakeInput, gateway_for: Any) -> Iterator[httpx.Client]:
    """Before the gateway of a project without some of what it could lead to."""
    spec = {name: {"enabled": False} for name in OFF}
    with (
        gateway_for(make_input(spec)) as running,
        httpx.Client(base_url=running.url, timeout=60) as opened,
    ):
        yield opened


@pytest.mark.parametrize(
    "path",
    ["/storage/v1/object", "/realtime/v1/websocket", "/functions/v1/hello", "/auth/v1", "/rest/v1"],
)
def test_an_api_that_is_not_there_is_a_404_and_no_request_for_a_password(
    before_few: httpx.Client, keys: Mapping[str, str], path: str
) -> None:
    answer = before_few.get(path, headers={"apikey": keys["service"]})
    assert answer.status_code == 404
    assert "www-authenticate" not in answer.headers
    assert "message" in answer.json()


def test_studio_asks_for_name_and_password(client: httpx.Client) -> None:
    answer = client.get("/project/default")
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Basic")


def test_studio_never_sees_the_password(
    client: httpx.Client, credentials: Mapping[str, str]
) -> None:
    sign_in = (credentials["dashboard-username"], credentials["dashboard-password"])
    seen = client.get("/project/default?x=1", auth=sign_in).json()
    assert (seen["service"], seen["path"]) == ("studio", "/project/default?x=1")
    assert "authorization" not in seen["headers"]


@pytest.mark.parametrize("password", ["", "wrong"])
def test_a_wrong_password_does_not_open_studio(client: httpx.Client, password: str) -> None:
    assert client.get("/", auth=("supabase", password)).status_code == 401


def test_a_key_does_not_open_studio(client: httpx.Client, keys: Mapping[str, str]) -> None:
    assert client.get("/", headers={"apikey": keys["service"]}).status_code == 401


def test_a_project_without_studio_has_nothing_at_its_door(
    make_input: MakeInput, gateway_for: Any, keys: Mapping[str, str]
) -> None:
    lean = {"studio": {"enabled": False}, "meta": {"enabled": False}}
    with gateway_for(make_input(lean)) as gateway:
        for path in ("/", "/project/default", "/pg/tables", "/mcp"):
            answer = httpx.get(gateway.url + path, headers={"apikey": keys["service"]})
            assert (path, answer.status_code) == (path, 404)
