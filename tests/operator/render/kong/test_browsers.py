"""Which pages may ask Kong what?"""

from __future__ import annotations

from collections.abc import Mapping

import httpx
import pytest


def _preflight(client: httpx.Client, path: str, origin: str) -> httpx.Response:
    return client.options(
        path,
        headers={
            "Origin": origin,
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "authorization,apikey,x-client-info",
        },
    )


@pytest.mark.parametrize("path", ["/rest/v1/todos", "/auth/v1/token", "/auth/v1/verify", "/mcp"])
def test_pages_everywhere_may_ask_before_they_have_a_key(client: httpx.Client, path: str) -> None:
    answer = _preflight(client, path, "https://shop.test")
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "authorization" in answer.headers["access-control-allow-headers"]
    assert "POST" in answer.headers["access-control-allow-methods"]
    assert answer.headers["access-control-max-age"] == "3600"


def test_a_refusal_can_be_read_by_the_page_that_caused_it(client: httpx.Client) -> None:
    answer = client.get("/rest/v1/todos", headers={"Origin": "https://shop.test"})
    assert answer.status_code == 401
    assert answer.headers["access-control-allow-origin"] == "*"


def test_pages_may_read_every_header_of_an_answer(
    client: httpx.Client, keys: Mapping[str, str]
) -> None:
    headers = {"apikey": keys["anon"], "Origin": "https://shop.test"}
    answer = client.get("/rest/v1/todos", headers=headers)
    assert answer.headers["access-control-expose-headers"] == "*"


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("https://abcdefghijklmnopqrst.example.com", True),
        ("https://studio-abcdefghijklmnopqrst.example.com", True),
        ("http://localhost:3000", True),
        ("https://shop.test", False),
        ("http://localhost.evil.test", False),
        ("https://abcdefghijklmnopqrst.example.com.evil.test", False),
    ],
)
def test_only_the_projects_own_pages_may_reach_the_database_tools(
    client: httpx.Client, origin: str, allowed: bool
) -> None:
    answer = _preflight(client, "/pg/tables", origin)
    assert (answer.headers.get("access-control-allow-origin") == origin) is allowed


def test_no_page_elsewhere_may_use_somebodys_sign_in_to_studio(client: httpx.Client) -> None:
    answer = _preflight(client, "/api/platform/profile", "https://shop.test")
    assert "access-control-allow-origin" not in answer.headers
