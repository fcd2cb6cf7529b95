"""Kong 3.9 imitated: what it would do with a rendered configuration, as its documentation says.

No package offers Kong, so this stands in its place: the router `traditional_compatible`, which
plugin counts where, the six plugins in their order, and how paths are put together. It stops at
whatever it does not know.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode

import httpx
import pytest

from supaplane_operator.render import RenderInput, project

MakeInput = Callable[..., RenderInput]
Config = dict[str, Any]
RESERVED = "!#$%&'()*+,/:;=?@[]"
ORDER = ("cors", "key-auth", "basic-auth", "acl", "request-transformer", "request-termination")
"""Plugins by their priority, highest first."""

ALL_METHODS = "GET,HEAD,PUT,PATCH,POST,DELETE,OPTIONS,TRACE,CONNECT"
"""What `cors` says when it is told none."""


class Refused(Exception):
    """A plugin answers in the place of the service."""

    def __init__(self, status: int, body: Any = None, **headers: str) -> None:
        super().__init__(status, body)
        self.answer = httpx.Response(status, json=body, headers=headers)


@dataclass
class Request:
    """A request on its way through the plugins."""

    method: str
    path: str
    query: list[tuple[str, str]]
    headers: httpx.Headers
    consumer: str | None = None

    def one(self, header: str) -> str | None:
        values = self.headers.get_list(header)
        if len(values) > 1:
            raise Refused(401, {"message": "Duplicate API key found"})
        return values[0] if values else None


def normal(path: str) -> str:
    """Kong's normal form of a path: what need not be encoded is not, no dots, no empty parts."""

    def decoded(match: re.Match[str]) -> str:
        character = chr(int(match[1], 16))
        return match[0].upper() if character in RESERVED else character

    path = re.sub(r"%([0-9A-Fa-f]{2})", decoded, path)
    kept: list[str] = []
    for part in path.split("/")[1:]:
        if part == "..":
            kept = kept[:-1]
        elif part not in (".", ""):
            kept.append(part)
    folder = path.endswith(("/", "/.", "/.."))
    return "/" + "/".join(kept) + ("/" if folder and kept else "")


class Kong:
    """A configuration, and what requests become by it."""

    def __init__(self, config: Config) -> None:
        self.routes = [(None, route) for route in config["routes"]]
        for service in config["services"]:
            self.routes += [(service, route) for route in service["routes"]]
        self.consumers = {consumer["username"]: consumer for consumer in config["consumers"]}
        self.keys = {
            credential["key"]: name
            for name, consumer in self.consumers.items()
            for credential in consumer.get("keyauth_credentials", [])
        }

    def resolve(self, path: str, headers: Mapping[str, str]) -> tuple[Config | None, Config, str]:
        """The service, the route and the part of a normal path that it matched."""
        found = []
        for service, route in self.routes:
            matched = self._matched(route, path, headers)
            if matched is not None:
                # the more fields a route has the sooner it comes; regular expressions by priority
                rank = ("headers" in route, route["regex_priority"])
                found.append((rank, service, route, matched))
        found.sort(key=lambda item: item[0], reverse=True)
        assert len(found) < 2 or found[0][0] > found[1][0], "two routes have the same rank"
        return found[0][1:]

    def _matched(self, route: Config, path: str, headers: Mapping[str, str]) -> str | None:
        for name, (pattern,) in route.get("headers", {}).items():
            assert pattern.startswith("~*")
            shown = httpx.Headers(headers).get_list(name)
            if not any(re.search(pattern[2:].lower(), value.lower()) for value in shown):
                return None
        (pattern,) = route["paths"]
        assert pattern.startswith("~")
        found = re.match(
            pattern[1:].removesuffix("$") + (r"\Z" if pattern[-1] == "$" else ""), path
        )
        return None if found is None else found[0]

    def __call__(self, request: httpx.Request) -> httpx.Response:
        target = request.extensions.get("target", request.url.raw_path).decode()
        path, _, query = target.partition("?")
        pairs = parse_qsl(query, keep_blank_values=True)
        inner = Request(request.method, normal(path), pairs, httpx.Headers(request.headers))
        service, route, matched = self.resolve(inner.path, inner.headers)
        answered: dict[str, str] = {}
        try:
            for name in ORDER:
                plugin = self._plugin(name, route, inner.consumer)
                if plugin is not None:
                    PLUGINS[name](self, dict(plugin["config"]), inner, answered)
        except Refused as refusal:
            refusal.answer.headers.update(answered)
            return refusal.answer
        assert service is not None, "a route without a service ends in a plugin"
        assert route["preserve_host"] is True
        if route["strip_path"]:
            inner.headers["x-forwarded-prefix"] = matched
        seen = {
            "service": service["host"].partition(".")[0],
            "method": inner.method,
            "path": _upstream_path(service, route, inner, matched),
            "headers": dict(inner.headers),
        }
        return httpx.Response(200, json=seen, headers=answered)

    def _plugin(self, name: str, route: Config, consumer: str | None) -> Config | None:
        """The one with the narrowest scope."""
        of_route = [p for p in route["plugins"] if p["name"] == name]
        of_consumer = self.consumers[consumer].get("plugins", []) if consumer else []
        scopes = (
            [p for p in of_route if consumer and p.get("consumer") == consumer],
            [p for p in of_consumer if p["name"] == name],
            [p for p in of_route if "consumer" not in p],
        )
        for scope in scopes:
            assert len(scope) < 2
            if scope:
                return scope[0]
        return None


def _upstream_path(service: Config, route: Config, request: Request, matched: str) -> str:
    """`path_handling` v0: the service's path and the rest of the request's, joined by a slash."""
    base, rest = service.get("path", "/"), request.path
    if not route["strip_path"]:
        assert base == "/"
        path = rest
    else:
        rest = rest[len(matched) :]
        if rest:
            path = base.removesuffix("/") + "/" + rest.removeprefix("/")
        else:
            path = base.removesuffix("/") + ("/" if request.path.endswith("/") else "")
            path = path or "/"
    return path + ("?" + urlencode(request.query, safe="*.,()") if request.query else "")


def _cors(kong: Kong, config: Config, request: Request, answered: dict[str, str]) -> None:
    origins, exposed, age = (config.pop(k) for k in ("origins", "exposed_headers", "max_age"))
    assert config == {"credentials": False}
    origin = request.headers.get("origin")
    if origin is None:
        return
    if origins == ["*"]:
        answered["access-control-allow-origin"] = "*"
    else:
        plain = [o for o in origins if re.fullmatch(r"[A-Za-z0-9.:/-]*", o)]
        patterns = [o for o in origins if o not in plain]
        if origin in plain or any(re.search(p, origin) for p in patterns):
            answered["access-control-allow-origin"] = origin
    if request.method == "OPTIONS" and "access-control-request-method" in request.headers:
        answered["access-control-allow-methods"] = ALL_METHODS
        asked = request.headers.get("access-control-request-headers", "")
        answered["access-control-allow-headers"] = asked
        answered["access-control-max-age"] = str(age)
        raise Refused(200)
    answered["access-control-expose-headers"] = ",".join(exposed)


def _key_auth(kong: Kong, config: Config, request: Request, _: dict[str, str]) -> None:
    (name,) = config.pop("key_names")
    hide, anonymous = config.pop("hide_credentials"), config.pop("anonymous", None)
    in_query = config.pop("key_in_query")
    assert config == {"key_in_header": True, "key_in_body": False}
    key = request.one(name)
    if key is None and in_query:
        key = next((value for field, value in request.query if field == name), None)
    if key is not None and hide:
        request.headers.pop(name, None)
        request.query = [pair for pair in request.query if pair[0] != name or not in_query]
    request.consumer = kong.keys.get(key or "", anonymous)
    if request.consumer is None:
        message = "No API key found in request" if key is None else "Unauthorized"
        raise Refused(401, {"message": message})


def _basic_auth(kong: Kong, config: Config, request: Request, _: dict[str, str]) -> None:
    assert config == {"hide_credentials": True}
    shown = request.headers.pop("authorization", "")
    for name, consumer in kong.consumers.items():
        for credential in consumer.get("basicauth_credentials", []):
            pair = f"{credential['username']}:{credential['password']}".encode()
            if shown == f"Basic {base64.b64encode(pair).decode()}":
                request.consumer = name
                return
    raise Refused(401, {"message": "Unauthorized"}, **{"WWW-Authenticate": "Basic"})


def _acl(kong: Kong, config: Config, request: Request, _: dict[str, str]) -> None:
    allowed = config.pop("allow")
    assert config == {"hide_groups_header": True}
    assert request.consumer is not None
    groups = {acl["group"] for acl in kong.consumers[request.consumer].get("acls", [])}
    if not groups & set(allowed):
        raise Refused(403, {"message": "You cannot consume this service"})


def _request_transformer(_: Kong, config: Config, request: Request, __: dict[str, str]) -> None:
    for step in ("remove", "replace", "add"):
        part = dict(config.pop(step, {}))
        for field in part.pop("querystring", []):
            assert step == "remove"
            request.query = [pair for pair in request.query if pair[0] != field]
        for header in part.pop("headers", []):
            name, _, value = header.partition(":")
            if step == "remove":
                request.headers.pop(name, None)
            elif (name in request.headers) is (step == "replace"):
                request.headers[name] = value
        assert part == {}
    assert config == {}


def _request_termination(_: Kong, config: Config, __: Request, ___: dict[str, str]) -> None:
    kind = config.pop("content_type")
    raise Refused(config["status_code"], json.loads(config["body"]), **{"Content-Type": kind})


PLUGINS: dict[str, Callable[[Kong, Config, Request, dict[str, str]], None]] = {
    "cors": _cors,
    "key-auth": _key_auth,
    "basic-auth": _basic_auth,
    "acl": _acl,
    "request-transformer": _request_transformer,
    "request-termination": _request_termination,
}


@pytest.fixture(scope="session")
def configuration() -> Callable[[RenderInput], Config]:
    """configuration(input): the file that Kong reads."""

    def read(input: RenderInput) -> Config:
        secret = next(
            m
            for m in project(input).manifests
            if m["kind"] == "Secret" and m["metadata"]["name"] == "gateway"
        )
        config: Config = json.loads(base64.b64decode(secret["data"]["kong.json"]))
        return config

    return read


@pytest.fixture(scope="session")
def kong_for(configuration: Callable[[RenderInput], Config]) -> Callable[[RenderInput], Kong]:
    """kong_for(input): its imitation."""
    return lambda input: Kong(configuration(input))


@pytest.fixture(scope="session")
def client_for(kong_for: Callable[[RenderInput], Kong]) -> Callable[..., httpx.Client]:
    """client_for(input): somebody before its Kong."""

    def make(input: RenderInput) -> httpx.Client:
        transport = httpx.MockTransport(kong_for(input))
        return httpx.Client(base_url="http://kong", transport=transport)

    return make


@pytest.fixture(scope="session")
def client(
    make_input: MakeInput, client_for: Callable[..., httpx.Client]
) -> Iterator[httpx.Client]:
    """Before the Kong of a project that asks for nothing else."""
    with client_for(make_input({"gateway": {"kind": "kong"}})) as opened:
        yield opened
