"""Can a key be shown in any way that lets more through than it should?"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import httpx

RoleOf = Callable[[str], str]
MakeInput = Callable[..., Any]


def test_a_session_keeps_its_own_token(client: httpx.Client, keys: Mapping[str, str]) -> None:
    session = "Bearer eyJhbGciOiJFUzI1NiJ9.e30.c2ln"
    headers = {"apikey": keys["publishable"], "Authorization": session}
    seen = client.get("/rest/v1/todos", headers=headers).json()
    assert seen["headers"]["authorization"] == session


def test_a_new_key_as_bearer_is_no_token_and_is_replaced(
    client: httpx.Client, keys: Mapping[str, str], role_of: RoleOf
) -> None:
    headers = {"apikey": keys["secret"], "Authorization": f"Bearer {keys['secret']}"}
    seen = client.get("/rest/v1/todos", headers=headers).json()
    token = seen["headers"]["authorization"].removeprefix("Bearer ")
    assert role_of(token) == "service_role"


def test_a_key_in_the_query_counts_and_does_not_reach_the_service(
    client: httpx.Client, keys: Mapping[str, str]
) -> None:
    query = f"select=*&apikey={keys['publishable']}&limit=1"
    seen = client.get(f"/rest/v1/todos?{query}").json()
    assert seen["path"] == "/todos?select=*&limit=1"
    assert client.get(f"/rest/v1/todos?apikey={keys['anon']}").json()["path"] == "/todos"
    assert client.get(f"/rest/v1/todos?apikey={keys['wrong']}").status_code == 401


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
    headers = {"Authorization": f"Bearer {credentials['service-role-key']}"}
    assert client.get("/pg/tables", headers=headers).status_code == 401


def test_the_log_holds_no_key(
    gateway: Any, client: httpx.Client, credentials: Mapping[str, str]
) -> None:
    client.get(f"/rest/v1/logged?apikey={credentials['publishable-key']}")
    client.get("/auth/v1/verify?token=one-time-token", headers={"User-Agent": "last"})
    deadline = time.monotonic() + 30
    while '"last"' not in (text := gateway.log.read_text()):
        assert time.monotonic() < deadline, text
        time.sleep(0.1)
    assert '"GET /rest/v1/logged HTTP/1.1"' in text
    for secret in (*credentials.values(), "one-time-token"):
        assert secret == credentials["dashboard-username"] or secret not in text
