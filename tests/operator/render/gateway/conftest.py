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
from typing import Any, BinaryIO

import httpx
import pytest

from supaplane_contract.spec import ComponentName
from supaplane_operator.render import RenderInput, project
from supaplane_operator.render.components import PARTS

MakeInput = Callable[..., RenderInput]
ENVOY = str(Path(sysconfig.get_path("scripts")) / "envoy")
MOUNTED = "/etc/supaplane"
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
    publish: Callable[..., object]
    """publish(input, edit=…): its files become what that input renders to, without a restart."""


GatewayFor = Callable[..., AbstractContextManager[Gateway]]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True)
class Rendered:
    """The gateway of a project: the files in its volume and the arguments it is started with."""

    files: dict[str, Any]
    arguments: list[str]


def _rendered(input: RenderInput) -> Rendered:
    mine = [m for m in project(input).manifests if m["metadata"]["name"] == "gateway"]
    secret = next(m for m in mine if m["kind"] == "Secret")
    pod = next(m for m in mine if m["kind"] == "Deployment")["spec"]["template"]["spec"]
    container, (volume,) = pod["containers"][0], pod["volumes"]
    assert container["command"] == ["envoy"]
    # with a subPath the kubelet would never replace what is mounted
    mount = {"name": volume["name"], "mountPath": MOUNTED, "readOnly": True}
    assert container["volumeMounts"] == [mount]
    data = {i["path"]: secret["data"][i["key"]] for i in volume["secret"]["items"]}
    files = {name: json.loads(base64.b64decode(text)) for name, text in data.items()}
    return Rendered(files, container["args"])


def _move_to_loopback(files: Mapping[str, Any], ports: Mapping[str, int]) -> None:
    """Other addresses, nothing else: what listens and what is behind it."""
    for listener in files["envoy.json"]["static_resources"]["listeners"]:
        address = listener["address"]["socket_address"]
        address |= {"address": "127.0.0.1", "port_value": ports[listener["name"]]}
    for cluster in files["cds.json"]["resources"]:
        endpoint = cluster["load_assignment"]["endpoints"][0]["lb_endpoints"][0]["endpoint"]
        address = endpoint["address"]["socket_address"]
        address |= {"address": "127.0.0.1", "port_value": ports[cluster["name"]]}


def _publish(volume: Path, texts: Mapping[str, str]) -> None:
    """Replaces all files of a volume at once, by renaming a link, as the kubelet does
    (https://github.com/kubernetes/kubernetes/blob/master/pkg/volume/util/atomic_writer.go)."""
    volume.mkdir(exist_ok=True)
    version = volume / f"..{time.monotonic_ns()}"
    version.mkdir()
    for name, text in texts.items():
        (version / name).write_text(text)
    (volume / "..data_tmp").symlink_to(version.name)
    (volume / "..data_tmp").rename(volume / "..data")
    for name in texts:
        if not (volume / name).is_symlink():
            (volume / name).symlink_to(f"..data/{name}")


@contextmanager
def _running(
    input: RenderInput, edit: Callable[[dict[str, Any]], None], ports: Mapping[str, int], home: Path
) -> Iterator[Gateway]:
    volume, log = home / "volume", home / "envoy.log"

    def publish(
        input: RenderInput, edit: Callable[[dict[str, Any]], None] = lambda files: None
    ) -> list[str]:
        rendered = _rendered(input)
        _move_to_loopback(rendered.files, ports)
        edit(rendered.files)
        texts = {name: json.dumps(content) for name, content in rendered.files.items()}
        _publish(volume, {k: text.replace(MOUNTED, str(volume)) for k, text in texts.items()})
        return [argument.replace(MOUNTED, str(volume)) for argument in rendered.arguments]

    arguments = publish(input, edit)
    public, health = (f"http://127.0.0.1:{ports[name]}" for name in ("public", "health"))
    with log.open("wb") as out:
        process = subprocess.Popen([ENVOY, *arguments], stdout=out, stderr=subprocess.STDOUT)
    try:
        _wait(f"{health}/ready", process, log)
        yield Gateway(public, health, log, publish)
    finally:
        process.terminate()
        process.wait(timeout=60)


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
    """gateway_for(input) is a context: its gateway. `edit` may change its files first, by name;
    with `away` nothing listens behind it."""

    def start(
        input: RenderInput,
        *,
        edit: Callable[[dict[str, Any]], None] = lambda files: None,
        away: bool = False,
    ) -> AbstractContextManager[Gateway]:
        behind = {name: _free_port() for name in UPSTREAMS} if away else services
        ports = {**behind, "public": _free_port(), "health": _free_port()}
        return _running(input, edit, ports, tmp_path_factory.mktemp("envoy"))

    return start


@pytest.fixture(scope="package")
def gateway(make_input: MakeInput, gateway_for: GatewayFor) -> Iterator[Gateway]:
    """The gateway of a project that asks for nothing special."""
    with gateway_for(make_input()) as running:
        yield running


@pytest.fixture(scope="package")
def client(gateway: Gateway) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=gateway.url, timeout=60) as opened:
        yield opened


@pytest.fixture(scope="package")
def open_socket() -> Callable[[str, str], tuple[socket.socket, BinaryIO]]:
    """open_socket(url, key): a websocket's connection, behind the handshake."""

    def connect(url: str, key: str) -> tuple[socket.socket, BinaryIO]:
        host, _, port = url.removeprefix("http://").partition(":")
        connection = socket.create_connection((host, int(port)), timeout=30)
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

    return connect
