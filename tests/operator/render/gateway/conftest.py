"""A real Envoy with a rendered configuration, before services that say what they were asked."""

from __future__ import annotations

import base64
import json
import socket
import subprocess
import sysconfig
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from supaplane_contract.spec import ComponentName
from supaplane_operator.render import RenderInput, project
from supaplane_operator.render.components import PARTS

MakeInput = Callable[..., RenderInput]
ENVOY = str(Path(sysconfig.get_path("scripts")) / "envoy")
UPSTREAMS = tuple(sorted(name.value for name in PARTS[ComponentName.GATEWAY].calls))


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


GatewayFor = Callable[..., AbstractContextManager[Gateway]]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True)
class Rendered:
    """The gateway of a project: its configuration and the arguments it is started with."""

    config: dict[str, Any]
    arguments: list[str]


def _config(input: RenderInput) -> Rendered:
    mine = [m for m in project(input).manifests if m["metadata"]["name"] == "gateway"]
    secret = next(m for m in mine if m["kind"] == "Secret")
    workload = next(m for m in mine if m["kind"] == "Deployment")
    container = workload["spec"]["template"]["spec"]["containers"][0]
    assert container["command"] == ["envoy"]
    config = json.loads(base64.b64decode(secret["data"]["envoy.json"]))
    return Rendered(config, container["args"])


def _move_to_loopback(config: dict[str, Any], ports: Mapping[str, int]) -> None:
    """Other addresses, nothing else: what listens and what is behind it."""
    for listener in config["static_resources"]["listeners"]:
        address = listener["address"]["socket_address"]
        address |= {"address": "127.0.0.1", "port_value": ports[listener["name"]]}
    for cluster in config["static_resources"]["clusters"]:
        endpoint = cluster["load_assignment"]["endpoints"][0]["lb_endpoints"][0]["endpoint"]
        address = endpoint["address"]["socket_address"]
        address |= {"address": "127.0.0.1", "port_value": ports[cluster["name"]]}


@contextmanager
def _running(rendered: Rendered, ports: Mapping[str, int], folder: Path) -> Iterator[Gateway]:
    _move_to_loopback(rendered.config, ports)
    file = folder / "envoy.json"
    file.write_text(json.dumps(rendered.config))
    mounted = "/etc/supaplane/envoy.json"
    assert mounted in rendered.arguments
    arguments = [str(file) if a == mounted else a for a in rendered.arguments]
    log = folder / "envoy.log"
    public, health = (f"http://127.0.0.1:{ports[name]}" for name in ("public", "health"))
    with log.open("wb") as out:
        process = subprocess.Popen([ENVOY, *arguments], stdout=out, stderr=subprocess.STDOUT)
    try:
        _wait(f"{health}/ready", process, log)
        yield Gateway(public, health, log)
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


@pytest.fixture(scope="package")
def services() -> Iterator[Mapping[str, int]]:
    """The port of an echo for each component."""
    servers = {}
    for name in UPSTREAMS:
        servers[name] = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
        servers[name].component = name  # type: ignore[attr-defined]
        servers[name].daemon_threads = True
        threading.Thread(target=servers[name].serve_forever, daemon=True).start()
    yield {name: server.server_port for name, server in servers.items()}
    for server in servers.values():
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="package")
def gateway_for(
    services: Mapping[str, int], tmp_path_factory: pytest.TempPathFactory
) -> GatewayFor:
    """gateway_for(input) is a context: its gateway. `edit` may change the configuration first;
    with `away` nothing listens behind it."""

    def start(
        input: RenderInput,
        *,
        edit: Callable[[dict[str, Any]], None] = lambda config: None,
        away: bool = False,
    ) -> AbstractContextManager[Gateway]:
        rendered = _config(input)
        edit(rendered.config)
        behind = {name: _free_port() for name in UPSTREAMS} if away else services
        ports = {**behind, "public": _free_port(), "health": _free_port()}
        return _running(rendered, ports, tmp_path_factory.mktemp("envoy"))

    return start


@pytest.fixture(scope="package")
def gateway(make_input: MakeInput, gateway_for: GatewayFor) -> Iterator[Gateway]:
    """The gateway of a project that asks for nothing special."""
    with gateway_for(make_input()) as running:
        yield running


@pytest.fixture(scope="package")
def client(gateway: Gateway) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=gateway.url, timeout=10) as opened:
        yield opened
