"""Does the real Envoy, with the configuration that we render, let in whom it should?"""

from __future__ import annotations

import base64
import json
import socket
import subprocess
import sysconfig
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, BinaryIO

import httpx
import jwt
import pytest

from supaplane_operator.render import RenderInput, project

MakeInput = Callable[..., RenderInput]
ENVOY = str(Path(sysconfig.get_path("scripts")) / "envoy")
UPSTREAMS = ("auth", "rest", "meta", "studio")


class Echo(BaseHTTPRequestHandler):
    """Answers with what it was asked, so that a test sees what a service would."""

    protocol_version = "HTTP/1.1"

    def _answer(self) -> None:
        if self.headers.get("Upgrade", "").lower() == "websocket":
            self._talk()
            return
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length).decode()
        headers = {k.lower(): v for k, v in self.headers.items()}
        name = self.server.component  # type: ignore[attr-defined]
        seen = {"service": name, "method": self.command, "path": self.path, "headers": headers}
        answer = json.dumps(seen | {"body": body}).encode()
        self.send_response(200)
        # services answer preflights and origins by themselves too
        self.send_header("Access-Control-Allow-Origin", "https://upstream.invalid")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _answer

    def _talk(self) -> None:
        """A socket that says whose key it saw and repeats every line."""
        self.send_response(101)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        self.end_headers()
        self.wfile.write((self.headers.get("x-api-key", "-") + "\n").encode())
        for line in self.rfile:
            self.wfile.write(line)
        self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:
        pass


@dataclass(frozen=True)
class Gateway:
    """A running Envoy."""

    url: str
    health_url: str
    log: Path
    upstreams: Mapping[str, ThreadingHTTPServer]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _config(input: RenderInput) -> dict[str, Any]:
    secret = next(
        m
        for m in project(input).manifests
        if m["kind"] == "Secret" and m["metadata"]["name"] == "gateway"
    )
    loaded: dict[str, Any] = json.loads(base64.b64decode(secret["data"]["envoy.json"]))
    return loaded


def _move_to_loopback(config: dict[str, Any], ports: Mapping[str, int]) -> None:
    """Other addresses, nothing else: what listens and what is behind it."""
    for listener in config["static_resources"]["listeners"]:
        address = listener["address"]["socket_address"]
        address |= {"address": "127.0.0.1", "port_value": ports[listener["name"]]}
    for cluster in config["static_resources"]["clusters"]:
        endpoint = cluster["load_assignment"]["endpoints"][0]["lb_endpoints"][0]["endpoint"]
        address = endpoint["address"]["socket_address"]
        address |= {"address": "127.0.0.1", "port_value": ports[cluster["name"]]}


def _start(config: dict[str, Any], ports: Mapping[str, int], folder: Path) -> Iterator[str]:
    _move_to_loopback(config, ports)
    file = folder / "envoy.json"
    file.write_text(json.dumps(config))
    log = folder / "envoy.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [ENVOY, "--config-path", str(file), "--concurrency", "1", "--disable-hot-restart",
             "--log-level", "warning"],
            stdout=out,
            stderr=subprocess.STDOUT,
        )  # fmt: skip
        try:
            _wait(f"http://127.0.0.1:{ports['health']}/ready", process, log)
            yield f"http://127.0.0.1:{ports['public']}"
        finally:
            process.terminate()
            process.wait(timeout=20)


def _wait(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text()
        try:
            if httpx.get(url).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    raise AssertionError(f"Envoy is not ready: {log.read_text()}")


@pytest.fixture(scope="module")
def gateway(make_input: MakeInput, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """Envoy in front of an echo for each component, all but the last of which are up."""
    servers = {}
    for name in UPSTREAMS:
        servers[name] = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
        servers[name].component = name  # type: ignore[attr-defined]
        servers[name].daemon_threads = True
        threading.Thread(target=servers[name].serve_forever, daemon=True).start()
    ports = {name: server.server_port for name, server in servers.items()}
    ports |= {"public": _free_port(), "health": _free_port()}
    folder = tmp_path_factory.mktemp("envoy")
    starting = _start(_config(make_input()), ports, folder)
    url = next(starting)
    health = f"http://127.0.0.1:{ports['health']}"
    try:
        yield Gateway(url, health, folder / "envoy.log", servers)
    finally:
        next(starting, None)
        for server in servers.values():
            server.shutdown()
            server.server_close()


@pytest.fixture(scope="module")
def client(gateway: Gateway) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=gateway.url, timeout=10) as opened:
        yield opened


@pytest.fixture(scope="module")
def keys(credentials: Mapping[str, str]) -> Mapping[str, str]:
    """Everything that somebody may show as a key, by what it is."""
    return {
        "anon": credentials["anon-key"],
        "publishable": credentials["publishable-key"],
        "service": credentials["service-role-key"],
        "secret": credentials["secret-key"],
        "wrong": "sb_publishable_aaaaaaaaaaaaaaaaaaaaaa_aaaaaaaa",
        "internal": credentials["service-role-key-asymmetric"],
    }


def role_of(token: str, credentials: Mapping[str, str]) -> str:
    """Whom a token that reached a service stands for; it must be signed by the project."""
    ring = {key["alg"]: key for key in json.loads(credentials["jwt-jwks"])["keys"]}
    algorithm = jwt.get_unverified_header(token)["alg"]
    key = jwt.PyJWK(ring[algorithm]).key
    claims = jwt.decode(token, key, algorithms=[algorithm], options={"verify_exp": False})
    return str(claims["role"])


OPEN = [
    ("/auth/v1/verify?token=x", "/verify?token=x"),
    ("/verify?token=x", "/verify?token=x"),
    ("/auth/v1/callback?code=x", "/callback?code=x"),
    ("/auth/v1/authorize?provider=x", "/authorize?provider=x"),
    ("/auth/v1/.well-known/jwks.json", "/.well-known/jwks.json"),
    (
        "/.well-known/oauth-authorization-server/auth/v1",
        "/.well-known/oauth-authorization-server",
    ),
    ("/auth/v1/sso/saml/acs", "/sso/saml/acs"),
    ("/auth/v1/sso/saml/metadata", "/sso/saml/metadata"),
]
KEYED = [
    ("/auth/v1/signup", "auth", "/signup"),
    ("/rest/v1/todos?select=*", "rest", "/todos?select=*"),
    ("/graphql/v1", "rest", "/rpc/graphql"),
]
SERVICE_ONLY = [
    ("/rest/v1/", "rest", "/"),
    ("/pg/tables?limit=1", "meta", "/tables?limit=1"),
]


@pytest.mark.parametrize(("path", "arrives_as"), OPEN)
def test_whoever_follows_a_link_from_a_mail_needs_no_key(
    client: httpx.Client, path: str, arrives_as: str
) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    assert (answer.json()["service"], answer.json()["path"]) == ("auth", arrives_as)
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
    credentials: Mapping[str, str],
    path: str,
    service: str,
    arrives_as: str,
    key: str,
    role: str,
) -> None:
    seen = client.get(path, headers={"apikey": keys[key]}).json()
    assert (seen["service"], seen["path"]) == (service, arrives_as)
    scheme, _, token = seen["headers"]["authorization"].partition(" ")
    assert scheme == "Bearer"
    assert role_of(token, credentials) == role
    assert role_of(seen["headers"]["apikey"], credentials) == role


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


@pytest.mark.parametrize(
    "path", ["/rest/v1//", "/rest/v1/?x=1", "/rest/v1/.", "/rest/v1/a/..", "/pg//tables"]
)
def test_another_spelling_of_a_guarded_path_is_guarded_too(
    client: httpx.Client, keys: Mapping[str, str], path: str
) -> None:
    request = client.build_request("GET", "/", headers={"apikey": keys["anon"]})
    request.extensions["target"] = path.encode()
    assert client.send(request).status_code == 403


@pytest.mark.parametrize("path", ["/rest/v1%2Ftodos", "/pg%2ftables"])
def test_an_encoded_slash_is_refused(client: httpx.Client, path: str) -> None:
    request = client.build_request("GET", "/")
    request.extensions["target"] = path.encode()
    assert client.send(request).status_code == 400


def test_a_session_keeps_its_own_token(client: httpx.Client, keys: Mapping[str, str]) -> None:
    session = "Bearer eyJhbGciOiJFUzI1NiJ9.e30.c2ln"
    headers = {"apikey": keys["publishable"], "Authorization": session}
    seen = client.get("/rest/v1/todos", headers=headers).json()
    assert seen["headers"]["authorization"] == session


def test_a_new_key_as_bearer_is_no_token_and_is_replaced(
    client: httpx.Client, keys: Mapping[str, str], credentials: Mapping[str, str]
) -> None:
    headers = {"apikey": keys["secret"], "Authorization": f"Bearer {keys['secret']}"}
    seen = client.get("/rest/v1/todos", headers=headers).json()
    token = seen["headers"]["authorization"].removeprefix("Bearer ")
    assert role_of(token, credentials) == "service_role"


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


@pytest.mark.parametrize("path", ["/auth/v1/verify-not", "/auth/v1/callbacks", "/auth/v1/admin"])
def test_what_only_begins_like_an_open_path_needs_a_key(client: httpx.Client, path: str) -> None:
    assert client.get(path).status_code == 401


def test_graphql_is_asked_for_in_its_own_schema(
    client: httpx.Client, keys: Mapping[str, str]
) -> None:
    headers = {"apikey": keys["anon"], "Content-Profile": "public"}
    seen = client.post("/graphql/v1", headers=headers, json={"query": "{}"}).json()
    assert seen["headers"]["content-profile"] == "graphql_public"
    assert json.loads(seen["body"]) == {"query": "{}"}


@pytest.mark.parametrize("path", ["/api/mcp", "/api/mcp/x", "/mcp"])
def test_the_tools_for_language_models_are_closed_to_everybody(
    client: httpx.Client, credentials: Mapping[str, str], path: str
) -> None:
    sign_in = (credentials["dashboard-username"], credentials["dashboard-password"])
    headers = {"apikey": credentials["service-role-key"]}
    answer = client.get(path, auth=sign_in, headers=headers)
    assert (answer.status_code, answer.json()) == (403, {"message": "Access is forbidden"})


@pytest.mark.parametrize(
    "path",
    ["/storage/v1/object", "/realtime/v1/websocket", "/functions/v1/hello", "/auth/v1", "/rest/v1"],
)
def test_an_api_that_is_not_there_is_a_404_and_no_request_for_a_password(
    client: httpx.Client, keys: Mapping[str, str], path: str
) -> None:
    answer = client.get(path, headers={"apikey": keys["service"]})
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


def _preflight(client: httpx.Client, path: str, origin: str) -> httpx.Response:
    return client.options(
        path,
        headers={
            "Origin": origin,
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "authorization,apikey,x-client-info",
        },
    )


@pytest.mark.parametrize("path", ["/rest/v1/todos", "/auth/v1/token", "/auth/v1/verify"])
def test_pages_everywhere_may_ask_before_they_have_a_key(client: httpx.Client, path: str) -> None:
    answer = _preflight(client, path, "https://shop.test")
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "https://shop.test"
    allowed = [h.strip() for h in answer.headers["access-control-allow-headers"].split(",")]
    assert "*" in allowed
    assert "authorization" in allowed
    assert "POST" in answer.headers["access-control-allow-methods"]
    assert answer.headers["access-control-max-age"] == "3600"


def test_the_answer_names_one_origin_only(client: httpx.Client, keys: Mapping[str, str]) -> None:
    headers = {"apikey": keys["anon"], "Origin": "https://shop.test"}
    answer = client.get("/rest/v1/todos", headers=headers)
    assert answer.headers.get_list("access-control-allow-origin") == ["https://shop.test"]
    assert answer.headers["access-control-expose-headers"] == "*"


def test_a_refusal_can_be_read_by_the_page_that_caused_it(client: httpx.Client) -> None:
    answer = client.get("/rest/v1/todos", headers={"Origin": "https://shop.test"})
    assert answer.status_code == 401
    assert answer.headers["access-control-allow-origin"] == "https://shop.test"


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


def test_services_learn_under_which_name_they_were_called(
    client: httpx.Client, keys: Mapping[str, str]
) -> None:
    headers = {"apikey": keys["anon"], "Host": "shop.example.com"}
    seen = client.get("/auth/v1/settings", headers=headers).json()["headers"]
    assert seen["x-forwarded-host"] == "shop.example.com"
    assert seen["x-forwarded-port"] == "443"
    assert seen["x-forwarded-prefix"] == "/auth/v1/"
    assert seen["x-forwarded-for"]


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


def _open_socket(url: str, key: str) -> tuple[socket.socket, BinaryIO]:
    """A websocket's connection behind the handshake."""
    host, _, port = url.removeprefix("http://").partition(":")
    connection = socket.create_connection((host, int(port)), timeout=10)
    request = (
        f"GET /rest/v1/socket?apikey={key} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n"
        "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    connection.sendall(request.encode())
    stream = connection.makefile("rb")
    assert b" 101 " in stream.readline()
    while stream.readline() != b"\r\n":
        pass
    return connection, stream


def test_a_socket_carries_the_token_both_ways(
    gateway: Gateway, keys: Mapping[str, str], credentials: Mapping[str, str]
) -> None:
    connection, stream = _open_socket(gateway.url, keys["publishable"])
    with connection, stream:
        assert role_of(stream.readline().decode().strip(), credentials) == "anon"
        connection.sendall(b"still there\n")
        assert stream.readline() == b"still there\n"


def test_a_quiet_socket_outlives_the_timeout_of_its_route(
    make_input: MakeInput, gateway: Gateway, keys: Mapping[str, str], tmp_path: Path
) -> None:
    config = _config(make_input())
    manager = config["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]
    for route in manager["typed_config"]["route_config"]["virtual_hosts"][0]["routes"]:
        if "route" in route:
            route["route"]["timeout"] = "1s"
    ports = {name: server.server_port for name, server in gateway.upstreams.items()}
    ports |= {"public": _free_port(), "health": _free_port()}
    for url in _start(config, ports, tmp_path):
        connection, stream = _open_socket(url, keys["anon"])
        with connection, stream:
            stream.readline()
            connection.settimeout(2)
            with pytest.raises(TimeoutError):
                connection.recv(1)


def test_a_service_that_is_away_is_a_503_in_json(
    make_input: MakeInput, keys: Mapping[str, str], tmp_path: Path
) -> None:
    ports = {name: _free_port() for name in (*UPSTREAMS, "public", "health")}
    for url in _start(_config(make_input()), ports, tmp_path):
        answer = httpx.get(f"{url}/rest/v1/todos", headers={"apikey": keys["anon"]})
        assert answer.status_code == 503
        assert answer.json() == {"message": "The service is not available at the moment"}


def test_a_project_without_studio_has_nothing_at_its_door(
    make_input: MakeInput, keys: Mapping[str, str], tmp_path: Path
) -> None:
    lean = {"studio": {"enabled": False}, "meta": {"enabled": False}}
    ports = {name: _free_port() for name in (*UPSTREAMS, "public", "health")}
    for url in _start(_config(make_input(lean)), ports, tmp_path):
        for path in ("/", "/project/default", "/pg/tables", "/mcp"):
            answer = httpx.get(url + path, headers={"apikey": keys["service"]})
            assert (path, answer.status_code) == (path, 404)


def test_behind_an_ingress_the_client_is_whom_the_ingress_says(
    make_input: MakeInput, keys: Mapping[str, str], gateway: Gateway, tmp_path: Path
) -> None:
    config = _config(make_input({"ingress": {"kind": "Ingress"}}))
    ports = {name: server.server_port for name, server in gateway.upstreams.items()}
    ports |= {"public": _free_port(), "health": _free_port()}
    headers = {
        "apikey": keys["anon"],
        "X-Forwarded-For": "203.0.113.7",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": "shop.test",
    }
    for url in _start(config, ports, tmp_path):
        seen = httpx.get(f"{url}/rest/v1/todos", headers=headers).json()["headers"]
        assert seen["x-forwarded-for"].startswith("203.0.113.7,")
        assert seen["x-forwarded-proto"] == "https"
        assert seen["x-forwarded-host"] == "shop.test"


def test_without_one_nobody_can_say_who_they_are(
    client: httpx.Client, keys: Mapping[str, str]
) -> None:
    headers = {"apikey": keys["anon"], "X-Forwarded-Proto": "https"}
    seen = client.get("/rest/v1/todos", headers=headers).json()["headers"]
    assert seen["x-forwarded-proto"] == "http"


def test_the_log_holds_no_key(
    gateway: Gateway, client: httpx.Client, credentials: Mapping[str, str]
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


def test_envoy_finds_nothing_to_warn_of(gateway: Gateway) -> None:
    assert "[warning]" not in gateway.log.read_text()


def test_health_shows_on_its_own_port_only(gateway: Gateway) -> None:
    assert httpx.get(f"{gateway.health_url}/ready").text == "ready\n"
    assert httpx.get(f"{gateway.health_url}/config_dump").status_code == 404
    assert httpx.get(f"{gateway.url}/ready").status_code == 401
