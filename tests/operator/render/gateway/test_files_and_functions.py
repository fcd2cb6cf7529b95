"""Do keys arrive where the service decides: at Storage as a token, at functions beside what was
shown?"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import httpx
import pytest

RoleOf = Callable[[str], str]
MakeInput = Callable[..., Any]
SESSION = "Bearer eyJhbGciOiJFUzI1NiJ9.e30.c2ln"
SIGNED = "AWS4-HMAC-SHA256 Credential=a/b/c/s3/aws4_request, SignedHeaders=host, Signature=d"


@pytest.fixture(scope="module")
def open_(make_input: MakeInput, gateway_for: Any) -> Iterator[httpx.Client]:
    """The gateway of a project with Storage and functions."""
    spec = {"storage": {"enabled": True}, "functions": {"enabled": True}}
    with (
        gateway_for(make_input(spec)) as gateway,
        httpx.Client(base_url=gateway.url, timeout=60) as client,
    ):
        yield client


def headers_of(answer: httpx.Response) -> dict[str, str]:
    assert answer.status_code == 200, answer.text
    found: dict[str, str] = answer.json()["headers"]
    return found


def test_files_are_asked_for_without_a_key_and_storage_learns_its_own_address(
    open_: httpx.Client,
) -> None:
    answer = open_.get("/storage/v1/object/public/a/b.png?token=x")
    seen = answer.json()
    assert (seen["service"], seen["path"]) == ("storage", "/object/public/a/b.png?token=x")
    assert seen["headers"]["x-forwarded-prefix"] == "/storage/v1"
    assert "authorization" not in seen["headers"]


@pytest.mark.parametrize(
    ("key", "role"), [("anon", "anon"), ("publishable", "anon"), ("secret", "service_role")]
)
def test_a_key_that_is_shown_to_storage_arrives_as_its_token(
    open_: httpx.Client, keys: Mapping[str, str], role_of: RoleOf, key: str, role: str
) -> None:
    shown = keys[key]
    for headers in (
        {"apikey": shown},
        {"apikey": shown, "Authorization": f"Bearer {shown}"},
        {"Authorization": f"Bearer {shown}"},
        {"apikey": shown, "Authorization": ""},
    ):
        seen = headers_of(open_.get("/storage/v1/bucket", headers=headers))
        assert role_of(seen["authorization"].removeprefix("Bearer ")) == role
        assert "sb_" not in seen.get("apikey", "")


@pytest.mark.parametrize("authorization", [SESSION, SIGNED])
def test_a_session_and_a_signature_stay_what_they_are(
    open_: httpx.Client, keys: Mapping[str, str], authorization: str
) -> None:
    headers = {"apikey": keys["secret"], "Authorization": authorization}
    assert headers_of(open_.get("/storage/v1/s3/a", headers=headers))["authorization"] == (
        authorization
    )


def test_a_wrong_new_key_gets_no_token_and_storage_sees_that_it_is_none(
    open_: httpx.Client, keys: Mapping[str, str]
) -> None:
    headers = {"apikey": keys["anon"], "Authorization": "Bearer sb_secret_wrong"}
    seen = headers_of(open_.get("/storage/v1/bucket", headers=headers))
    assert seen["authorization"] == "Bearer sb_secret_wrong"


def test_an_empty_authorization_does_not_stand_in_the_way_of_a_signed_link(
    open_: httpx.Client,
) -> None:
    seen = headers_of(
        open_.get("/storage/v1/s3/a?X-Amz-Signature=x", headers={"Authorization": ""})
    )
    assert "authorization" not in seen


def test_a_function_sees_what_was_shown_and_the_router_the_token(
    open_: httpx.Client, keys: Mapping[str, str], role_of: RoleOf
) -> None:
    shown = keys["secret"]
    for headers in ({"apikey": shown}, {"apikey": shown, "Authorization": f"Bearer {shown}"}):
        answer = open_.post("/functions/v1/hello/deep?a=1", headers=headers)
        seen = headers_of(answer)
        assert (answer.json()["service"], answer.json()["path"]) == (
            "functions",
            "/hello/deep?a=1",
        )
        assert role_of(seen["sb-api-key"]) == "service_role"
        assert {k.lower(): v for k, v in headers.items()}.items() <= seen.items()


def test_nobody_but_the_gateway_says_which_token_a_key_stands_for(
    open_: httpx.Client, keys: Mapping[str, str], role_of: RoleOf
) -> None:
    forged = {"sb-api-key": keys["service"]}
    assert "sb-api-key" not in headers_of(open_.get("/functions/v1/hello", headers=forged))
    seen = headers_of(
        open_.get("/functions/v1/hello", headers=forged | {"apikey": keys["publishable"]})
    )
    assert role_of(seen["sb-api-key"]) == "anon"


@pytest.mark.parametrize(
    "headers",
    [
        {"apikey": "sb_secret_wrong"},
        {"Authorization": "Bearer sb_secret_wrong"},
    ],
)
def test_a_wrong_new_key_does_not_reach_a_function(
    open_: httpx.Client, headers: Mapping[str, str]
) -> None:
    answer = open_.get("/functions/v1/hello", headers=headers)
    assert (answer.status_code, answer.json()) == (401, {"message": "Invalid API key"})


def test_two_new_keys_that_differ_do_not_reach_a_function(
    open_: httpx.Client, keys: Mapping[str, str]
) -> None:
    headers = {"apikey": keys["publishable"], "Authorization": f"Bearer {keys['secret']}"}
    assert open_.get("/functions/v1/hello", headers=headers).status_code == 401


@pytest.mark.parametrize("headers", [{}, {"apikey": "whatever"}, {"Authorization": SESSION}])
def test_all_else_is_the_functions_own_affair(
    open_: httpx.Client, headers: Mapping[str, str]
) -> None:
    seen = headers_of(open_.get("/functions/v1/hello", headers=headers))
    assert "sb-api-key" not in seen
    assert seen.get("authorization") == headers.get("Authorization")
