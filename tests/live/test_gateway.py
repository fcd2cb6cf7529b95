"""A project's gateway, in front of its services, to whoever comes over the network."""

from __future__ import annotations

import base64
import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jwt
import pytest
import yaml

from supaplane_contract import names

from .platform import HOME, MERGE, Platform
from .things import Project, Reply

TABLE = yaml.safe_load(
    (Path(__file__).parent.parent / "operator/render/gateway/table.yaml").read_text()
)
KEYED, SERVICE_ONLY = TABLE["keyed"], TABLE["serviceOnly"]
KEYS = {
    "anon-key": "anon",
    "publishable-key": "anon",
    "service-role-key": "service_role",
    "secret-key": "service_role",
}


def session(project: Project, *, seconds: int = 600, alg: str = "HS256") -> str:
    """A token as the auth server gives it to somebody who signs in."""
    claims = {
        "aud": "authenticated",
        "role": "authenticated",
        "sub": "7f3a1f2e-0000-4000-8000-000000000001",
        "exp": int(time.time()) + seconds,
    }
    if alg == "HS256":
        return jwt.encode(claims, project.keys["jwt-secret"], algorithm=alg)
    (key,) = (k for k in json.loads(project.keys["jwt-keys"]) if k["kty"] == "EC")
    signer = jwt.PyJWK(key)
    return jwt.encode(claims, signer.key, algorithm=alg, headers={"kid": key["kid"]})


def seen(reply: Reply) -> tuple[str, str]:
    """Which stand-in answered, and which path it was asked for."""
    answer = reply.json
    query = f"?{answer['query']}" if answer["query"] else ""
    return answer["standin"], answer["path"] + query


@pytest.mark.parametrize(("path", "service", "arrives_as"), TABLE["open"])
@pytest.mark.parametrize("key", [None, "wrong"])
def test_links_in_mails_lead_to_auth_with_any_key_and_with_none(
    platform: Platform, shop: Project, path: str, service: str, arrives_as: str, key: str | None
) -> None:
    reply = platform.ask(shop, path, headers={"apikey": key} if key else {})
    assert reply.status == 200
    if not arrives_as.endswith("jwks.json"):
        assert seen(reply) == (service, arrives_as)


@pytest.mark.parametrize("path", [path for path, *_ in KEYED + SERVICE_ONLY])
@pytest.mark.parametrize("key", [None, "wrong", "eyJhbGciOiJub25lIn0.e30."])
def test_a_keyed_route_is_closed_without_a_key_of_the_project(
    platform: Platform, shop: Project, path: str, key: str | None
) -> None:
    assert platform.ask(shop, path, key).status == 401


@pytest.mark.parametrize(("path", "service", "arrives_as"), KEYED)
@pytest.mark.parametrize(("key", "role"), KEYS.items())
def test_each_key_arrives_as_a_token_that_the_service_can_verify(
    platform: Platform,
    shop: Project,
    path: str,
    service: str,
    arrives_as: str,
    key: str,
    role: str,
) -> None:
    reply = platform.ask(shop, path, shop.keys[key])
    assert (reply.status, seen(reply)) == (200, (service, arrives_as))
    assert reply.json["role"] == role, reply.json["refused"]


@pytest.mark.parametrize("key", [key for key, role in KEYS.items() if role == "anon"])
@pytest.mark.parametrize("path", [path for path, *_ in SERVICE_ONLY])
def test_a_key_for_everybody_does_not_open_what_is_for_services(
    platform: Platform, shop: Project, path: str, key: str
) -> None:
    assert platform.ask(shop, path, shop.keys[key]).status == 403


@pytest.mark.parametrize("key", [key for key, role in KEYS.items() if role == "service_role"])
def test_a_service_key_reads_the_tables_through_postgres_meta_itself(
    platform: Platform, shop: Project, key: str
) -> None:
    reply = platform.ask(shop, "/pg/tables?include_system_schemas=true", shop.keys[key])
    assert reply.status == 200
    assert {"auth", "storage"} <= {table["schema"] for table in reply.json}


@pytest.mark.parametrize("path", TABLE["closed"])
def test_what_is_closed_stays_closed_with_every_key(
    platform: Platform, shop: Project, path: str
) -> None:
    assert platform.ask(shop, path, shop.service).status == 403


@pytest.mark.parametrize("alg", ["HS256", "ES256"])
@pytest.mark.parametrize("path", ["/rest/v1/todos", "/auth/v1/user", "/storage/v1/bucket"])
def test_a_signed_in_person_reaches_the_services_as_themselves(
    platform: Platform, shop: Project, path: str, alg: str
) -> None:
    token = session(shop, alg=alg)
    headers = {"apikey": shop.anon, "Authorization": f"Bearer {token}"}
    reply = platform.ask(shop, path, headers=headers)
    assert reply.status == 200, reply.body
    assert reply.json["role"] == "authenticated"
    assert reply.json["subject"] == "7f3a1f2e-0000-4000-8000-000000000001"


def test_a_session_that_ended_or_of_another_project_is_refused_by_the_service(
    platform: Platform, shop: Project
) -> None:
    forged = jwt.encode({"role": "service_role"}, "x" * 40, algorithm="HS256")
    for token in (session(shop, seconds=-60), forged):
        headers = {"apikey": shop.anon, "Authorization": f"Bearer {token}"}
        assert platform.ask(shop, "/rest/v1/todos", headers=headers).status == 401


def test_the_public_keys_are_published_and_nothing_that_signs(
    platform: Platform, shop: Project
) -> None:
    keys = platform.ask(shop, "/auth/v1/.well-known/jwks.json").json["keys"]
    assert [key["kty"] for key in keys] == ["EC"]
    public = jwt.PyJWK(keys[0]).key
    token = session(shop, alg="ES256")
    assert jwt.decode(token, public, algorithms=["ES256"], audience="authenticated")
    assert not {"d", "k"} & {member for key in keys for member in key}


def test_studio_asks_for_the_dashboards_name_and_password(
    platform: Platform, shop: Project
) -> None:
    assert platform.ask(shop, "/").status == 401
    pair = f"{shop.keys['dashboard-username']}:{shop.keys['dashboard-password']}"
    basic = {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}
    reply = platform.ask(shop, "/project/default", headers=basic)
    assert (reply.status, seen(reply)) == (200, ("studio", "/project/default"))
    assert "authorization" not in reply.json["headers"]


def test_a_page_elsewhere_may_call_after_asking_first(platform: Platform, shop: Project) -> None:
    ask = {
        "Origin": "https://shop.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "apikey,authorization,content-type",
    }
    reply = platform.ask(shop, "/rest/v1/todos", method="OPTIONS", headers=ask)
    assert reply.status in (200, 204)
    assert reply.headers["access-control-allow-origin"] in ("*", "https://shop.example")
    # to browsers `*` stands for every header but this one
    allowed = reply.headers["access-control-allow-headers"].replace(" ", "").split(",")
    assert {"*", "authorization"} <= set(allowed)


@contextmanager
def websocket(platform: Platform, project: Project, key: str) -> Iterator[Callable[[bytes], bytes]]:
    """A websocket to Realtime: a function that says a word and gives back what it hears."""
    with closing(platform.connection(platform.gateway(project))) as connection:
        path = f"/realtime/v1/websocket?apikey={key}&vsn=1.0.0"
        accept = base64.b64encode(os.urandom(16)).decode()
        upgrade = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"}
        connection.request("GET", path, headers={**upgrade, "Sec-WebSocket-Key": accept})
        sock, head = connection.sock, b""
        while b"\r\n\r\n" not in head:
            head += sock.recv(4096)
        assert head.startswith(b"HTTP/1.1 101 ")

        def said(word: bytes) -> bytes:
            mask = b"\1\2\3\4"
            masked = bytes(byte ^ mask[i % 4] for i, byte in enumerate(word))
            sock.sendall(bytes([0x81, 0x80 | len(word)]) + mask + masked)
            answer = sock.recv(100)
            return bytes(answer[2:])

        yield said


def test_a_websocket_goes_through_to_the_tenant_of_realtime(
    platform: Platform, shop: Project
) -> None:
    with websocket(platform, shop, shop.anon) as said:
        assert said(b"hello") == b"hello"


def test_a_websocket_without_a_key_is_refused(platform: Platform, shop: Project) -> None:
    upgrade = {
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(),
    }
    assert platform.ask(shop, "/realtime/v1/websocket", headers=upgrade).status == 401


def test_a_service_that_is_gone_is_503_and_is_found_again_when_it_is_back(
    platform: Platform, shop: Project
) -> None:
    path = f"/apis/{names.API_VERSION}/namespaces/{HOME}/{names.PLURAL}/{shop.name}"
    scale = f"/apis/apps/v1/namespaces/{shop.namespace}/deployments/rest"

    def hands_off(value: str | None) -> None:
        annotations = {names.ANNOTATION_RECONCILE: value}
        platform.kube(path, "PATCH", {"metadata": {"annotations": annotations}}, MERGE)

    hands_off(names.RECONCILE_PAUSED)
    try:
        platform.kube(scale, "PATCH", {"spec": {"replicas": 0}}, MERGE)
        ask = "/rest/v1/todos"
        platform.until(lambda: platform.ask(shop, ask, shop.anon).status == 503, "503")
        others = platform.ask(shop, "/storage/v1/bucket", shop.anon)
        assert others.status == 200, "its neighbours are not affected"
    finally:
        hands_off(None)
    platform.until(lambda: platform.ask(shop, ask, shop.anon).status == 200, "it is back")
    platform.until_phase(shop.name, "ACTIVE_HEALTHY")


def test_a_new_key_is_taken_in_and_neither_a_request_nor_a_websocket_is_lost(
    platform: Platform, apply: Callable[..., str], small: dict[str, Any]
) -> None:
    spec = {**small, "realtime": {"enabled": True}}
    project = platform.until_phase(apply("rekeyed", spec), "ACTIVE_HEALTHY")
    old = project.keys["publishable-key"]
    new = f"{old[:-12]}{'x' * 12}"
    pods = {pod["metadata"]["uid"] for pod in platform.pods(project, "gateway")}
    ask = "/rest/v1/todos"
    with websocket(platform, project, old) as said, asking(platform, project, ask) as answers:
        assert said(b"before") == b"before"
        platform.change_key(project.name, "publishable-key", new)
        started = time.monotonic()
        platform.until(lambda: platform.ask(project, ask, new).status == 200, "the new key opens")
        platform.times["a new key opens the gateway"] = time.monotonic() - started
        assert platform.ask(project, ask, old).status == 401
        assert said(b"after") == b"after"
    assert set(answers) == {200}
    assert {pod["metadata"]["uid"] for pod in platform.pods(project, "gateway")} == pods


@contextmanager
def asking(platform: Platform, project: Project, path: str) -> Iterator[list[int | str]]:
    """Somebody who asks all the while with a key that stays; what came of it."""
    address, done = platform.gateway(project), threading.Event()
    answers: list[int | str] = []

    def keep_asking() -> None:
        while not done.wait(0.02):
            try:
                shown = {"apikey": project.anon}
                answers.append(platform.request(address, "GET", path, headers=shown).status)
            except OSError as error:
                answers.append(repr(error))

    thread = threading.Thread(target=keep_asking)
    thread.start()
    try:
        yield answers
    finally:
        done.set()
        thread.join()


def test_the_address_that_people_are_told_is_the_one_that_services_are_told(
    platform: Platform, shop: Project
) -> None:
    told = urlsplit(platform.status(shop.name)["endpoints"]["api"])
    reply = platform.ask(shop, "/storage/v1/bucket", shop.anon, headers={"Host": told.netloc})
    assert reply.json["headers"]["x-forwarded-host"] == told.netloc
    assert reply.json["headers"]["x-forwarded-prefix"] == "/storage/v1"


def test_kong_in_the_place_of_envoy_leads_the_same_keys_to_the_same_services(
    platform: Platform, apply: Callable[..., str], small: dict[str, Any]
) -> None:
    name = apply("konged", {**small, "gateway": {"kind": "kong"}})
    project = platform.until_healthy(name, "with Kong's stand-in")
    found = {}
    for path, service, arrives_as in KEYED:
        assert platform.ask(project, path).status == 401
        assert platform.ask(project, path, "wrong").status == 401
        for key, role in KEYS.items():
            reply = platform.ask(project, path, project.keys[key])
            found[path, key] = (*seen(reply), reply.json["role"]) == (service, arrives_as, role)
    assert not [which for which, right in found.items() if not right]
    assert platform.ask(project, "/rest/v1/", project.anon).status == 403
    token = session(project, alg="ES256")
    headers = {"apikey": project.keys["publishable-key"], "Authorization": f"Bearer {token}"}
    reply = platform.ask(project, "/rest/v1/todos", headers=headers)
    assert reply.json["role"] == "authenticated"
