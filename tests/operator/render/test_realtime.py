"""Does Realtime get what it starts with, and is it asked by its tenant's name?"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from supaplane_contract.spec import ComponentName
from supaplane_operator.render import Rendered, RenderInput, project
from supaplane_operator.render.components.realtime import PART, routes
from supaplane_operator.render.context import Project

MakeInput = Callable[..., RenderInput]
Environment = Callable[[Rendered, str], dict[str, str]]
HOST = "realtime.supabase-abcdefghijklmnopqrst.svc.cluster.local"
ON = {"realtime": {"enabled": True}}


def on(**more: Any) -> dict[str, Any]:
    return {"realtime": {"enabled": True, **more}}


def deployment(rendered: Rendered) -> dict[str, Any]:
    return next(
        m for m in rendered.manifests
        if (m["kind"], m["metadata"]["name"]) == ("Deployment", "realtime")
    )  # fmt: skip


def test_its_variables_are_those_that_it_reads(
    make_input: MakeInput, credentials: Mapping[str, str], environment_of: Environment
) -> None:
    found = environment_of(project(make_input(ON)), "realtime")
    cookie = found.pop("RELEASE_COOKIE")
    assert len(cookie) == 64
    assert cookie not in credentials.values()
    assert found == {
        "API_JWT_JWKS": credentials["jwt-jwks"],
        "API_JWT_SECRET": credentials["jwt-secret"],
        "APP_NAME": "realtime",
        "DB_AFTER_CONNECT_QUERY": "SET search_path TO _realtime",
        "DB_ENC_KEY": credentials["realtime-db-enc-key"],
        "DB_HOST": "db.supabase-abcdefghijklmnopqrst.svc.cluster.local",
        "DB_NAME": "postgres",
        "DB_PASSWORD": credentials["password-supabase-admin"],
        "DB_POOL_SIZE": "4",
        "DB_PORT": "5432",
        "DB_USER": "supabase_admin",
        "DISABLE_HEALTHCHECK_LOGGING": "true",
        "DNS_NODES": "''",
        "ERL_AFLAGS": "-proto_dist inet_tcp -kernel inet_dist_use_interface {127,0,0,1}",
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "GEN_RPC_SOCKET_IP": "127.0.0.1",
        "HOME": "/tmp",
        "METRICS_JWT_SECRET": credentials["jwt-secret"],
        "PORT": "4000",
        "RELEASE_TMP": "/tmp",
        "RLIMIT_NOFILE": "65536",
        "RUN_JANITOR": "true",
        "SECRET_KEY_BASE": credentials["secret-key-base"],
        "SEED_SELF_HOST": "true",
        "SELF_HOST_TENANT_NAME": "realtime",
    }


def test_its_keys_have_the_lengths_that_their_ciphers_need(
    make_input: MakeInput, environment_of: Environment
) -> None:
    found = environment_of(project(make_input(ON)), "realtime")
    assert len(found["DB_ENC_KEY"]) == 16
    assert len(found["SECRET_KEY_BASE"]) >= 64


def test_the_specs_limits_reach_the_tenant_and_others_are_the_programs_own(
    make_input: MakeInput, environment_of: Environment
) -> None:
    wish = on(maxConcurrentUsers=7, maxEventsPerSecond=9)
    limits = {
        k: v for k, v in environment_of(project(make_input(wish)), "realtime").items()
        if k.startswith("TENANT_")
    }  # fmt: skip
    assert limits == {"TENANT_MAX_CONCURRENT_USERS": "7", "TENANT_MAX_EVENTS_PER_SECOND": "9"}


def test_every_row_asks_for_the_tenant_by_the_first_label_of_the_host(
    make_input: MakeInput, environment_of: Environment
) -> None:
    input_ = make_input(ON)
    whole = Project(input_, frozenset({ComponentName.REALTIME}), input_.credentials)
    hosts = [route.host for route in routes(whole) if route.rewrite]
    assert hosts == [HOST, HOST]
    tenant = environment_of(project(input_), "realtime")["SELF_HOST_TENANT_NAME"]
    assert HOST.split(".")[0] == tenant


def test_the_host_of_the_rows_is_the_address_of_the_service(make_input: MakeInput) -> None:
    """So that a proxy which asks by the address that it connects to asks right without more."""
    other = dataclasses.replace(make_input().platform, cluster_domain="acme.local")
    input_ = make_input(ON, platform=other)
    whole = Project(input_, frozenset({ComponentName.REALTIME}), input_.credentials)
    assert {route.host for route in routes(whole) if route.rewrite} == {
        whole.host(ComponentName.REALTIME)
    }


def test_the_old_pod_is_gone_before_a_new_one_seeds_the_tenant(make_input: MakeInput) -> None:
    spec = deployment(project(make_input(ON)))["spec"]
    assert (spec["replicas"], spec["strategy"]) == (1, {"type": "Recreate"})


@pytest.mark.parametrize("key", PART.credentials)
def test_a_new_credential_reseeds_the_tenant(
    make_input: MakeInput, credentials: Mapping[str, str], key: str
) -> None:
    hashes = [
        deployment(project(make_input(ON, credentials=values)))["spec"]["template"]["metadata"][
            "annotations"
        ]["supaplane.dev/inputs"]
        for values in (credentials, {**credentials, key: credentials[key] + "0"})
    ]
    assert hashes[0] != hashes[1]
