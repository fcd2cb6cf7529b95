"""Does the pooler serve its one tenant with the database's own passwords, within its share?"""

from __future__ import annotations

import base64
import json
import re
import tomllib
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

from supaplane_contract import shares
from supaplane_contract.spec import ComponentName, ProjectSpec, Size
from supaplane_operator.render import Rendered, RenderInput, project
from supaplane_operator.render.components.pooler import PART
from supaplane_operator.render.pooler import TENANT

from .reach import allowed, from_elsewhere

MakeInput = Callable[..., RenderInput]
Environment = Callable[[Rendered, str], dict[str, str]]
ON = {"pooler": {"enabled": True}}


def on(**more: Any) -> dict[str, Any]:
    return {"pooler": {"enabled": True, **more}}


def named(rendered: Rendered, kind: str, name: str = "pooler") -> dict[str, Any]:
    return next(m for m in rendered.manifests if (m["kind"], m["metadata"]["name"]) == (kind, name))


def container(rendered: Rendered) -> dict[str, Any]:
    found: dict[str, Any] = named(rendered, "Deployment")["spec"]["template"]["spec"]["containers"][
        0
    ]
    return found


def test_its_variables_are_those_that_it_reads(
    make_input: MakeInput, credentials: Mapping[str, str], environment_of: Environment
) -> None:
    found = environment_of(project(make_input(ON)), "pooler")
    cookie = found.pop("RELEASE_COOKIE")
    assert len(cookie) == 64
    assert found == {
        "API_JWT_SECRET": credentials["jwt-secret"],
        "DATABASE_URL": (
            f"ecto://supabase_admin:{credentials['password-supabase-admin']}"
            "@db.supabase-abcdefghijklmnopqrst.svc.cluster.local:5432/_supabase"
        ),
        "DB_POOL_SIZE": "2",
        "ERL_AFLAGS": "-proto_dist inet_tcp -kernel inet_dist_use_interface {127,0,0,1}",
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "HOME": "/tmp",
        "METRICS_JWT_SECRET": credentials["jwt-secret"],
        "NODE_IP": "127.0.0.1",
        "POOLER_DEFAULT_POOL_SIZE": "9",
        "POOLER_MANAGER": "pgbouncer",
        "POOLER_MANAGER_PASSWORD": credentials["password-pgbouncer"],
        "POOLER_MAX_CLIENT_CONN": "200",
        "POOLER_POOL_MODE": "transaction",
        "POOLER_TENANT_ID": "abcdefghijklmnopqrst",
        "PORT": "4000",
        "POSTGRES_DB": "postgres",
        "POSTGRES_HOST": "db.supabase-abcdefghijklmnopqrst.svc.cluster.local",
        "POSTGRES_PORT": "5432",
        "PROXY_PORT_SESSION": "5432",
        "PROXY_PORT_TRANSACTION": "6543",
        "REGION": "local",
        "RELEASE_TMP": "/tmp",
        "RLIMIT_NOFILE": "65536",
        "SECRET_KEY_BASE": credentials["secret-key-base"],
        "VAULT_ENC_KEY": credentials["vault-enc-key"],
    }
    assert len(found["VAULT_ENC_KEY"]) == 32


def test_its_cookie_is_not_that_of_realtime(
    make_input: MakeInput, environment_of: Environment
) -> None:
    rendered = project(make_input({**ON, "realtime": {"enabled": True}}))
    cookies = {environment_of(rendered, c)["RELEASE_COOKIE"] for c in ("pooler", "realtime")}
    assert len(cookies) == 2


def test_the_script_reads_what_the_pod_is_given(
    make_input: MakeInput, environment_of: Environment
) -> None:
    given = environment_of(project(make_input(ON)), "pooler")
    asked = set(re.findall(r'fetch_env!\("([A-Z_]+)"\)', TENANT))
    assert asked == {k for k in given if k.startswith(("POOLER_", "POSTGRES_"))}


def test_the_script_runs_before_the_server_and_on_ports_of_its_own(make_input: MakeInput) -> None:
    rendered = project(make_input(ON))
    shell, dash, script = container(rendered)["args"]
    assert (shell, dash) == ("/bin/sh", "-c")
    steps = [step.strip() for step in script.split(";")]
    assert steps[0] == "set -e"
    assert [step.split()[-1] for step in (steps[1], steps[3])] == [
        "/app/bin/migrate",
        "/app/bin/server",
    ]
    *settings, program, verb, code = steps[2].split()
    assert (program, verb) == ("/app/bin/supavisor", "eval")
    taken = tomllib.loads("\n".join(settings)).values()
    served = {port["containerPort"] for port in container(rendered)["ports"]} | {4000}
    assert len(set(taken)) == 4
    assert not served & set(taken)
    file = json.loads(code.strip("'").removeprefix("Code.eval_file(").removesuffix(")"))
    folder, _, key = file.rpartition("/")
    assert folder == container(rendered)["volumeMounts"][0]["mountPath"]
    (volume,) = named(rendered, "Deployment")["spec"]["template"]["spec"]["volumes"]
    (item,) = volume["secret"]["items"]
    assert item == {"key": key, "path": key}
    assert base64.b64decode(named(rendered, "Secret")["data"][key]).decode() == TENANT


def test_a_password_of_any_kind_survives_the_url(
    make_input: MakeInput, credentials: Mapping[str, str], environment_of: Environment
) -> None:
    nasty = "p@ss:/?#[]%&='\" $(HOME) \\ пароль"
    chosen = {**credentials, "password-supabase-admin": nasty, "password-pgbouncer": nasty}
    found = environment_of(project(make_input(ON, credentials=chosen)), "pooler")
    assert unquote(urlsplit(found["DATABASE_URL"]).password or "") == nasty
    assert found["POOLER_MANAGER_PASSWORD"] == nasty


@pytest.mark.parametrize("key", PART.credentials)
def test_a_new_credential_reaches_the_tenant_with_a_new_pod(
    make_input: MakeInput, credentials: Mapping[str, str], key: str
) -> None:
    annotations = [
        named(project(make_input(ON, credentials=values)), "Deployment")["spec"]["template"][
            "metadata"
        ]["annotations"]["supaplane.dev/inputs"]
        for values in (credentials, {**credentials, key: credentials[key] + "0"})
    ]
    assert annotations[0] != annotations[1]


def replaced(make_input: MakeInput, spec: Mapping[str, Any]) -> set[str]:
    """Components whose pods another spec replaces."""
    hashes = [
        {
            m["metadata"]["name"]: m["spec"]["template"]["metadata"]["annotations"][
                "supaplane.dev/inputs"
            ]
            for m in project(make_input(wish)).manifests
            if m["kind"] in ("Deployment", "StatefulSet")
        }
        for wish in (ON, spec)
    ]
    return {name for name in hashes[0] if hashes[0][name] != hashes[1][name]}


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"poolMode": "session"}, {"pooler"}),
        ({"defaultPoolSize": 5}, {"pooler"}),
        ({"maxClientConnections": 5}, {"pooler"}),
        ({"external": {"enabled": True, "allowedCidrs": ["203.0.113.0/24"]}}, set()),
    ],
)
def test_what_the_tenant_is_made_of_replaces_the_pooler_and_nothing_else(
    make_input: MakeInput, more: Mapping[str, Any], expected: set[str]
) -> None:
    assert replaced(make_input, on(**more)) == expected


def test_the_specs_sizes_count_more_than_those_of_the_size(
    make_input: MakeInput, environment_of: Environment
) -> None:
    wish = on(poolMode="session", defaultPoolSize=3, maxClientConnections=9)
    found = environment_of(project(make_input(wish)), "pooler")
    assert found["POOLER_POOL_MODE"] == "session"
    assert found["POOLER_DEFAULT_POOL_SIZE"] == "3"
    assert found["POOLER_MAX_CLIENT_CONN"] == "9"


@pytest.mark.parametrize("size", list(Size))
def test_pool_and_the_poolers_own_connections_are_its_share(
    make_input: MakeInput, environment_of: Environment, size: Size
) -> None:
    found = environment_of(project(make_input({**ON, "size": size.value})), "pooler")
    spec = ProjectSpec.model_validate({"size": size.value})
    asking = 1
    total = int(found["POOLER_DEFAULT_POOL_SIZE"]) + int(found["DB_POOL_SIZE"]) + asking
    assert total == shares.profile(spec).connections[ComponentName.POOLER]


def test_outside_sees_the_two_ports_for_clients_from_named_ranges_only(
    make_input: MakeInput,
) -> None:
    outside = on(external={"enabled": True, "allowedCidrs": ["203.0.113.0/24"]})
    spec = named(project(make_input(outside)), "Service", "pooler-external")["spec"]
    assert spec["type"] == "LoadBalancer"
    assert [port["port"] for port in spec["ports"]] == [5432, 6543]
    assert spec["loadBalancerSourceRanges"] == ["203.0.113.0/24"]
    for closed in (ON, on(external={"enabled": True})):
        names = {
            m["metadata"]["name"] for m in project(make_input(closed)).manifests
            if m["kind"] == "Service"
        }  # fmt: skip
        assert "pooler-external" not in names


def test_nobody_reaches_the_interface_that_manages_tenants(make_input: MakeInput) -> None:
    outside = on(external={"enabled": True, "allowedCidrs": ["203.0.113.0/24"]})
    rendered = project(make_input(outside))
    ports = [p["port"] for rule in from_elsewhere(rendered, "pooler") for p in rule["ports"]]
    assert ports
    ports += [port for _, called, port in allowed(rendered, [4000]) if called == "pooler"]
    for service in ("pooler", "pooler-external"):
        ports += [p["port"] for p in named(rendered, "Service", service)["spec"]["ports"]]
    assert ports
    assert 4000 not in ports


def test_the_status_says_where_the_pooler_is(make_input: MakeInput) -> None:
    pooler = "pooler.supabase-abcdefghijklmnopqrst.svc.cluster.local:6543"
    assert project(make_input(ON)).endpoints.pooler == pooler
    off = {"pooler": {"enabled": False}}
    assert project(make_input(off)).endpoints.pooler is None
