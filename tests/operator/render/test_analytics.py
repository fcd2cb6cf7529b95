"""Do logs come in and out with the right tokens, and does Studio show them exactly when it can?"""

from __future__ import annotations

import dataclasses
import hashlib
import hmac
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from supaplane_contract.sizes import SIZES
from supaplane_contract.spec import ComponentName, Size
from supaplane_operator.render import Platform, Rendered, RenderInput, project

from .reach import allowed, from_elsewhere

MakeInput = Callable[..., RenderInput]
Environment = Callable[[Rendered, str], dict[str, str]]
ON = {"analytics": {"enabled": True}}
NAME = ComponentName.ANALYTICS
KEY = "a key that the log shipper has too"


def inputs(rendered: Rendered) -> dict[str, str]:
    return {
        m["metadata"]["name"]: m["spec"]["template"]["metadata"]["annotations"][
            "supaplane.dev/inputs"
        ]
        for m in rendered.manifests
        if m["kind"] == "Deployment"
    }


def shipping(make_input: MakeInput, **spec: Any) -> RenderInput:
    platform = dataclasses.replace(make_input().platform, log_namespace="logs", log_key=KEY)
    return make_input({**ON, **spec}, platform=platform)


def test_its_variables_are_those_that_it_reads(
    make_input: MakeInput, credentials: Mapping[str, str], environment_of: Environment
) -> None:
    found = environment_of(project(make_input(ON)), "analytics")
    assert len(found.pop("RELEASE_COOKIE")) == 64
    password = credentials["password-supabase-admin"]
    host = "db.supabase-abcdefghijklmnopqrst.svc.cluster.local"
    assert found == {
        "DB_DATABASE": "_supabase",
        "DB_HOSTNAME": host,
        "DB_PASSWORD": password,
        "DB_POOL_SIZE": "2",
        "DB_PORT": "5432",
        "DB_SCHEMA": "_analytics",
        "DB_USERNAME": "supabase_admin",
        "ERL_AFLAGS": "-proto_dist inet_tcp -kernel inet_dist_use_interface {127,0,0,1}",
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "HOME": "/tmp",
        "LOGFLARE_FEATURE_FLAG_OVERRIDE": "multibackend=true",
        "LOGFLARE_NODE_HOST": "127.0.0.1",
        "LOGFLARE_PRIVATE_ACCESS_TOKEN": credentials["logflare-private-access-token"],
        "LOGFLARE_PUBLIC_ACCESS_TOKEN": credentials["logflare-public-access-token"],
        "LOGFLARE_SINGLE_TENANT": "true",
        "LOGFLARE_SUPABASE_MODE": "true",
        "POSTGRES_BACKEND_SCHEMA": "_analytics",
        "POSTGRES_BACKEND_URL": (
            f"postgresql://supabase_admin:{password}@{host}:5432/_supabase?pool_size=2"
        ),
        "RELEASE_TMP": "/tmp",
    }


def test_a_password_of_any_kind_survives_the_url(
    make_input: MakeInput, credentials: Mapping[str, str], environment_of: Environment
) -> None:
    nasty = "p@ss:/?#[]%&='\" $(HOME) \\ пароль"
    chosen = {**credentials, "password-supabase-admin": nasty}
    found = environment_of(project(make_input(ON, credentials=chosen)), "analytics")
    assert found["DB_PASSWORD"] == nasty
    assert unquote(urlsplit(found["POSTGRES_BACKEND_URL"]).password or "") == nasty


@pytest.mark.parametrize("size", [size for size in Size if SIZES[size].connections[NAME] > 3])
def test_both_its_pools_together_are_its_share(
    make_input: MakeInput, environment_of: Environment, size: Size
) -> None:
    found = environment_of(project(make_input({**ON, "size": size.value})), "analytics")
    (backend,) = parse_qs(urlsplit(found["POSTGRES_BACKEND_URL"]).query)["pool_size"]
    assert int(found["DB_POOL_SIZE"]) + int(backend) == SIZES[size].connections[NAME]


def test_studio_shows_logs_exactly_when_there_are_some(
    make_input: MakeInput, credentials: Mapping[str, str], environment_of: Environment
) -> None:
    without = environment_of(project(make_input()), "studio")
    assert without["ENABLED_FEATURES_LOGS_ALL"] == "false"
    assert not [name for name in without if name.startswith("LOGFLARE")]
    found = environment_of(project(make_input(ON)), "studio")
    assert found["ENABLED_FEATURES_LOGS_ALL"] == "true"
    assert found["LOGFLARE_URL"] == (
        "http://analytics.supabase-abcdefghijklmnopqrst.svc.cluster.local:4000"
    )
    token = credentials["logflare-private-access-token"]
    assert found["LOGFLARE_PRIVATE_ACCESS_TOKEN"] == token


def test_studio_is_replaced_by_what_it_uses_and_by_nothing_that_it_does_not(
    make_input: MakeInput, credentials: Mapping[str, str]
) -> None:
    other = {**credentials, "logflare-private-access-token": "another"}
    off = [inputs(project(make_input({}, credentials=c)))["studio"] for c in (credentials, other)]
    on = [inputs(project(make_input(ON, credentials=c)))["studio"] for c in (credentials, other)]
    assert off[0] == off[1]
    assert len({off[0], *on}) == 3


def test_no_route_leads_to_it(make_input: MakeInput) -> None:
    rendered = project(make_input(ON))
    assert {edge for edge in allowed(rendered, [4000]) if edge[1] == "analytics"} == {
        ("studio", "analytics", 4000)
    }


def test_the_log_shipper_alone_comes_in_from_elsewhere(make_input: MakeInput) -> None:
    rendered = project(shipping(make_input))
    (rule,) = from_elsewhere(rendered, "analytics")
    assert rule == {
        "from": [
            {
                "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "logs"}},
                "podSelector": {"matchLabels": {"app.kubernetes.io/name": "supaplane-vector"}},
            }
        ],
        "ports": [{"port": 4000, "protocol": "TCP"}],
    }


def test_the_platforms_api_may_ask_for_logs(make_input: MakeInput) -> None:
    platform = Platform("example.com", api_namespace="supaplane-system")
    (rule,) = from_elsewhere(project(make_input(ON, platform=platform)), "analytics")
    (peer,) = rule["from"]
    assert peer["podSelector"]["matchLabels"] == {"app.kubernetes.io/name": "supaplane-api"}
    assert rule["ports"] == [{"port": 4000, "protocol": "TCP"}]


def test_with_a_log_shipper_each_project_has_a_token_that_only_its_key_gives(
    make_input: MakeInput, environment_of: Environment
) -> None:
    def token(ref: str) -> str:
        input_ = dataclasses.replace(shipping(make_input), ref=ref)
        return environment_of(project(input_), "analytics")["LOGFLARE_PUBLIC_ACCESS_TOKEN"]

    refs = ("a" * 20, "b" * 20)
    expected = [hmac.new(KEY.encode(), r.encode(), hashlib.sha256).hexdigest() for r in refs]
    assert [token(ref) for ref in refs] == expected


def test_another_key_of_the_platform_replaces_analytics_and_nothing_else(
    make_input: MakeInput,
) -> None:
    input_ = shipping(make_input)
    platform = dataclasses.replace(input_.platform, log_key="another")
    before, after = (
        inputs(project(i)) for i in (input_, dataclasses.replace(input_, platform=platform))
    )
    assert {name for name in before if before[name] != after[name]} == {"analytics"}


def test_the_key_of_the_platform_reaches_no_object_and_no_repr(make_input: MakeInput) -> None:
    input_ = shipping(make_input)
    assert KEY not in repr(input_)
    assert KEY not in repr(project(input_).manifests)
