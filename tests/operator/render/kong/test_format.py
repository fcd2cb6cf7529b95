"""Is the file that Kong reads in its declarative format, with known fields and plugins only?

The models are what the documentation of Kong 3.9 lists; whatever else stands in the file fails.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from supaplane_operator.render import RenderInput, project
from supaplane_operator.render.gateway import GatewayConfig, Key, Upstream
from supaplane_operator.render.kong import declarative
from supaplane_operator.render.part import Access, Route

MakeInput = Callable[..., RenderInput]
KONG = {"gateway": {"kind": "kong"}}
EVERYTHING = {name: {"enabled": True} for name in ("realtime", "storage", "functions")}
Name = Annotated[str, StringConstraints(pattern=r"^[0-9a-zA-Z.\-_~]+$")]
Milliseconds = Annotated[int, Field(ge=1, le=2**31 - 2)]
Path = Annotated[str, StringConstraints(pattern=r"^~?/")]
Header = Annotated[str, StringConstraints(pattern=r"^[A-Za-z-]+:[^\s]")]


class Known(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Cors(Known):
    origins: list[str]
    methods: list[
        Literal["GET", "HEAD", "PUT", "PATCH", "POST", "DELETE", "OPTIONS", "TRACE", "CONNECT"]
    ] = []
    headers: list[str] = []
    exposed_headers: list[str] = []
    max_age: float | int
    credentials: bool
    private_network: bool = False
    preflight_continue: bool = False


class KeyAuth(Known):
    key_names: Annotated[
        list[Annotated[str, StringConstraints(pattern=r"^[a-z-]+$")]], Field(min_length=1)
    ]
    hide_credentials: bool
    anonymous: str | None = None
    key_in_header: bool
    key_in_query: bool
    key_in_body: bool
    run_on_preflight: bool = True
    realm: str | None = None


class BasicAuth(Known):
    anonymous: str | None = None
    hide_credentials: bool
    realm: str = "service"


class Acl(Known):
    allow: Annotated[list[str], Field(min_length=1)]
    hide_groups_header: bool
    always_use_authenticated_groups: bool = False


class RequestTermination(Known):
    status_code: Annotated[int, Field(ge=100, le=599)]
    message: str | None = None
    body: str | None = None
    content_type: str | None = None
    echo: bool = False
    trigger: str | None = None

    @model_validator(mode="after")
    def one_of_both(self) -> RequestTermination:
        assert not (self.message and (self.body or self.content_type))
        assert self.body or not self.content_type
        return self


class Removed(Known):
    headers: list[str] = []
    querystring: list[str] = []
    body: list[str] = []


class Given(Known):
    headers: list[Header] = []
    querystring: list[str] = []
    body: list[str] = []


class Replaced(Given):
    uri: str | None = None


class RequestTransformer(Known):
    http_method: str | None = None
    remove: Removed = Removed()
    rename: Given = Given()
    replace: Replaced = Replaced()
    add: Given = Given()
    append: Given = Given()


CONFIGS: Mapping[str, type[Known]] = {
    "acl": Acl,
    "basic-auth": BasicAuth,
    "cors": Cors,
    "key-auth": KeyAuth,
    "request-termination": RequestTermination,
    "request-transformer": RequestTransformer,
}


class Plugin(Known):
    name: Literal[
        "acl", "basic-auth", "cors", "key-auth", "request-termination", "request-transformer"
    ]
    consumer: str | None = None
    enabled: bool = True
    config: dict[str, Any]

    @model_validator(mode="after")
    def config_is_known(self) -> Plugin:
        CONFIGS[self.name].model_validate(self.config)
        return self


class RouteEntity(Known):
    name: Name
    paths: Annotated[list[Path], Field(min_length=1)]
    headers: dict[str, list[str]] = {}
    methods: list[str] = []
    hosts: list[str] = []
    regex_priority: Annotated[int, Field(ge=0, le=2**16 - 1)]
    strip_path: bool
    preserve_host: bool
    request_buffering: bool
    response_buffering: bool
    path_handling: Literal["v0", "v1"] = "v0"
    plugins: list[Plugin]


class Service(Known):
    name: Name
    protocol: Literal["http"]
    host: Annotated[str, StringConstraints(pattern=r"^[a-z0-9.-]+$")]
    port: Annotated[int, Field(ge=0, le=65535)]
    path: Annotated[str, StringConstraints(pattern=r"^/[a-z0-9._/-]*$")] | None = None
    connect_timeout: Milliseconds
    read_timeout: Milliseconds
    write_timeout: Milliseconds
    retries: Annotated[int, Field(ge=0, le=32767)]
    routes: list[RouteEntity]


class Credential(Known):
    key: Annotated[str, StringConstraints(min_length=1)]


class SignIn(Known):
    username: Annotated[str, StringConstraints(min_length=1)]
    password: str


class Membership(Known):
    group: str


class Consumer(Known):
    username: Name
    keyauth_credentials: list[Credential] = []
    basicauth_credentials: list[SignIn] = []
    acls: list[Membership] = []
    plugins: list[Plugin] = []


class Declarative(Known):
    format_version: Annotated[Literal["3.0"], Field(alias="_format_version")]
    services: list[Service]
    routes: list[RouteEntity]
    consumers: list[Consumer]

    @model_validator(mode="after")
    def names_belong_to_one(self) -> Declarative:
        routes = self.routes + [r for service in self.services for r in service.routes]
        for names in (
            [service.name for service in self.services],
            [route.name for route in routes],
            [consumer.username for consumer in self.consumers],
        ):
            assert len(names) == len(set(names))
        known = {consumer.username for consumer in self.consumers}
        for route in routes:
            plugins = route.plugins
            assert len({(p.name, p.consumer) for p in plugins}) == len(plugins)
            asked = {p.consumer for p in plugins} | {p.config.get("anonymous") for p in plugins}
            assert asked - {None} <= known
        for route in self.routes:
            assert "request-termination" in {plugin.name for plugin in route.plugins}
        return self


EVERY_ACCESS = GatewayConfig(
    upstreams=(Upstream("storage", "storage.x.svc.cluster.local", 5000),),
    routes=tuple(
        ("storage", Route(order, f"/{access.value}/", access, rewrite="/", headers={"X-A": "b"}))
        for order, access in enumerate(Access)
    ),
    keys=(
        Key("anon", "a.b.c", "a.b.c", service=False),
        Key("secret", "sb_secret_a", "d.e.f", service=True),
    ),
    dashboard_user="supabase",
    dashboard_password="$(x) 'y' \"z\"",
)


@pytest.mark.parametrize(
    "spec",
    [
        {},
        EVERYTHING,
        {"studio": {"enabled": False}, "meta": {"enabled": False}},
        {"customDomains": ["shop.acme.test"], "ingress": {"kind": "Ingress"}},
    ],
)
def test_what_kong_reads_is_in_its_format(
    make_input: MakeInput, configuration: Any, spec: dict[str, Any]
) -> None:
    config = configuration(make_input(KONG | spec))
    Declarative.model_validate(config)


def test_every_way_to_get_through_a_route_is_in_its_format() -> None:
    Declarative.model_validate(declarative(EVERY_ACCESS))


def test_no_value_is_an_expression_of_lua() -> None:
    """request-transformer runs what stands in `$( )`."""
    for route in _routes(declarative(EVERY_ACCESS)):
        for plugin in route["plugins"]:
            assert "$(" not in str(plugin["config"])


def test_paths_are_spelled_as_both_engines_of_regular_expressions_read_them(
    make_input: MakeInput, configuration: Any
) -> None:
    """One checks the file (PCRE), the other routes (Rust): no looking around, few escapes."""
    for route in _routes(configuration(make_input(KONG | EVERYTHING))):
        for path in route["paths"]:
            assert re.fullmatch(r"~(/|[a-z0-9-]|\\\.|\.\*|\$|\(\?:[/|$%2Ff]+\))+", path), path


def _routes(config: Mapping[str, Any]) -> list[Any]:
    return config["routes"] + [r for service in config["services"] for r in service["routes"]]


def _pod(input: RenderInput) -> Any:
    return next(
        m["spec"]["template"]["spec"]
        for m in project(input).manifests
        if m["kind"] == "Deployment" and m["metadata"]["name"] == "gateway"
    )


def _settings(input: RenderInput) -> dict[str, str]:
    return {e["name"]: e.get("value", "") for e in _pod(input)["containers"][0]["env"]}


def test_only_plugins_that_run_no_lua_are_loaded(make_input: MakeInput) -> None:
    settings = _settings(make_input(KONG))
    assert set(settings["KONG_PLUGINS"].split(",")) == set(CONFIGS)
    assert settings["KONG_DATABASE"] == "off"
    assert settings["KONG_ROUTER_FLAVOR"] == "traditional_compatible"


def test_nobody_can_look_at_the_keys_or_add_one(make_input: MakeInput) -> None:
    input_ = make_input(KONG)
    settings = _settings(input_)
    assert (settings["KONG_ADMIN_LISTEN"], settings["KONG_ADMIN_GUI_LISTEN"]) == ("off", "off")
    service = next(
        m
        for m in project(input_).manifests
        if m["kind"] == "Service" and m["metadata"]["name"] == "gateway"
    )
    assert [port["port"] for port in service["spec"]["ports"]] == [8000]
    listening = settings["KONG_STATUS_LISTEN"].rpartition(":")[2]
    probe = _pod(input_)["containers"][0]["readinessProbe"]["httpGet"]
    assert (listening, probe["path"]) == (str(probe["port"]), "/status/ready")


def test_no_argument_and_no_header_is_lost_below_a_thousand(make_input: MakeInput) -> None:
    settings = _settings(make_input(KONG))
    assert settings["KONG_LUA_MAX_URI_ARGS"] == settings["KONG_LUA_MAX_REQ_HEADERS"] == "1000"


def test_the_log_holds_no_query(make_input: MakeInput) -> None:
    settings = _settings(make_input(KONG))
    name, _, line = settings["KONG_NGINX_HTTP_LOG_FORMAT"].partition(" ")
    assert settings["KONG_PROXY_ACCESS_LOG"] == f"/dev/stdout {name}"
    variables = set(re.findall(r"\$([a-z_]+)", line))
    assert variables & {"request", "request_uri", "args", "query_string", "http_referer"} == set()


@pytest.mark.parametrize(
    ("size", "limits", "workers"),
    [
        ("dev", {}, 1),
        ("medium", {}, 2),
        ("2xlarge", {}, 4),
        ("2xlarge", {"memory": "256Mi"}, 1),
        ("nano", {"cpu": "8", "memory": "1Gi"}, 5),
    ],
)
def test_workers_follow_the_size_and_fit_its_memory(
    make_input: MakeInput, size: str, limits: dict[str, str], workers: int
) -> None:
    spec = {"size": size, "gateway": {"kind": "kong", "resources": {"limits": limits}}}
    assert _settings(make_input(spec))["KONG_NGINX_WORKER_PROCESSES"] == str(workers)


@pytest.mark.parametrize(("kind", "trusted"), [("None", False), ("Ingress", True)])
def test_only_a_proxy_in_front_is_believed_who_asks(
    make_input: MakeInput, kind: str, trusted: bool
) -> None:
    settings = _settings(make_input(KONG | {"ingress": {"kind": kind}}))
    assert ("KONG_TRUSTED_IPS" in settings) is trusted


def test_slow_services_are_waited_for_and_quiet_sockets_stay() -> None:
    rows = {
        "/a/": Route(1, "/a/", Access.OPEN),
        "/b/": Route(2, "/b/", Access.OPEN, timeout="410s", idle_timeout="160s"),
        "/c/": Route(3, "/c/", Access.OPEN, timeout="0s"),
    }
    config = declarative(
        GatewayConfig(
            upstreams=(Upstream("x", "x.test", 80),),
            routes=tuple(("x", route) for route in rows.values()),
            keys=(),
            dashboard_user="supabase",
            dashboard_password="x",
        )
    )
    found = {service["name"]: service["read_timeout"] for service in config["services"]}
    assert found == {"a": 60_000, "b": 160_000, "c": 300_000}


def test_the_secret_holds_the_configuration_and_nothing_of_envoy(make_input: MakeInput) -> None:
    secret = next(
        m
        for m in project(make_input(KONG)).manifests
        if m["kind"] == "Secret" and m["metadata"]["name"] == "gateway"
    )
    assert set(secret["data"]) == {"kong.json"}
    assert len(base64.b64decode(secret["data"]["kong.json"])) < 128 * 1024
