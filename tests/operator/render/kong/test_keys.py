"""Can a key be shown to Kong in any way that lets more through than it should?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import httpx
import pytest

RoleOf = Callable[[str], str]
MakeInput = Callable[..., Any]
KONG = {"gateway": {"kind": "kong"}}
EVERYTHING = {name: {"enabled": True} for name in ("realtime", "storage", "functions")}


def test_a_session_keeps_its_own_token(client: httpx.Client, keys: Mapping[str, str]) -> None:
    session = "Bearer eyJhbGciOiJFUzI1NiJ9.e30.c2ln"
    headers = {"apikey": keys["publishable"], "Authorization": session}
    seen = client.get("/rest/v1/todos", headers=headers).json()
    assert seen["headers"]["authorization"] == session


def test_the_token_is_the_one_that_envoy_would_give(
    client: httpx.Client, keys: Mapping[str, str], credentials: Mapping[str, str]
) -> None:
    stands_for = {
        "anon": "anon-key",
        "publishable": "anon-key-asymmetric",
        "service": "service-role-key",
        "secret": "service-role-key-asymmetric",
    }
    for key, token in stands_for.items():
        seen = client.get("/rest/v1/todos", headers={"apikey": keys[key]}).json()["headers"]
        assert seen["apikey"] == seen["x-api-key"] == credentials[token]
        assert seen["authorization"] == f"Bearer {credentials[token]}"


def test_a_key_in_the_query_counts_and_does_not_reach_the_service(
    client: httpx.Client, keys: Mapping[str, str]
) -> None:
    query = f"select=*&apikey={keys['publishable']}&limit=1"
    seen = client.get(f"/rest/v1/todos?{query}").json()
    assert seen["path"] == "/todos?select=*&limit=1"
    assert client.get(f"/rest/v1/todos?apikey={keys['wrong']}").status_code == 401


@pytest.mark.parametrize("header", ["apikey", "Authorization"])
def test_a_key_in_the_query_beside_one_in_a_header_reaches_no_service(
    client: httpx.Client, keys: Mapping[str, str], header: str
) -> None:
    shown = keys["publishable"] if header == "apikey" else f"Bearer {keys['publishable']}"
    seen = client.get(f"/rest/v1/todos?apikey={keys['secret']}", headers={header: shown}).json()
    assert seen["path"] == "/todos"


def test_the_query_does_not_lift_a_header_to_a_higher_role(
    client: httpx.Client, keys: Mapping[str, str]
) -> None:
    answer = client.get(f"/pg/tables?apikey={keys['service']}", headers={"apikey": keys["anon"]})
    assert answer.status_code == 403


def test_two_keys_at_once_are_refused(client: httpx.Client, keys: Mapping[str, str]) -> None:
    both = [("apikey", keys["anon"]), ("apikey", keys["service"])]
    assert client.get("/pg/tables", headers=both).status_code == 401


def test_a_token_of_the_services_is_no_key_when_shown_as_authorization(
    client: httpx.Client, credentials: Mapping[str, str]
) -> None:
    for token in ("service-role-key", "service-role-key-asymmetric"):
        headers = {"Authorization": f"Bearer {credentials[token]}"}
        assert client.get("/pg/tables", headers=headers).status_code == 401


def test_a_wrong_key_of_the_new_kind_as_bearer_is_refused(
    client: httpx.Client, keys: Mapping[str, str]
) -> None:
    headers = {"apikey": keys["anon"], "Authorization": f"Bearer {keys['wrong']}"}
    assert client.get("/rest/v1/todos", headers=headers).status_code == 401


def test_the_row_of_a_path_does_not_depend_on_the_bearer_token(
    make_input: MakeInput, kong_for: Any
) -> None:
    """A route with a header outranks all without: a row that had none would be passed by."""
    kong = kong_for(make_input(KONG | EVERYTHING))
    patterns = {path for _, route in kong.routes for path in route["paths"] if ".*" not in path}
    spelled = [
        pattern[1:].removesuffix("(?:/|$)").removesuffix("$").replace("\\", "")
        for pattern in patterns
    ]
    assert "/mcp" in spelled
    for path in [*spelled, *(f"{p}/x" for p in spelled), "/rest/v1/a%2Fb"]:
        plain = kong.resolve(path, {})[1]["name"]
        bearer = kong.resolve(path, {"Authorization": "Bearer sb_secret_x"})[1]["name"]
        assert bearer == f"{plain}-bearer", path


@pytest.mark.parametrize(
    "same",
    [
        {"publishable-key": "anon-key"},
        {"secret-key": "service-role-key"},
        {"publishable-key": "secret-key"},
        {"publishable-key": ""},
        {"anon-key": "", "service-role-key": ""},
    ],
)
def test_no_credential_is_there_twice_or_empty(
    make_input: MakeInput,
    configuration: Any,
    credentials: Mapping[str, str],
    same: Mapping[str, str],
) -> None:
    changed = {key: credentials.get(other, "") for key, other in same.items()}
    config = configuration(make_input(KONG | EVERYTHING, credentials={**credentials, **changed}))
    shown = [k["key"] for c in config["consumers"] for k in c.get("keyauth_credentials", [])]
    assert len(shown) == len(set(shown))
    assert not {"", "Bearer "} & set(shown)
    named = {p["consumer"] for r in _routes(config) for p in r["plugins"] if "consumer" in p}
    assert named <= {c["username"] for c in config["consumers"]}


def _routes(config: Mapping[str, Any]) -> list[Any]:
    return config["routes"] + [r for service in config["services"] for r in service["routes"]]
