"""Do the hashes on pod templates tell what people changed from what we render differently?"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from supaplane_contract import names
from supaplane_contract.spec import ComponentName, ProjectSpec
from supaplane_operator.render import (
    NotRenderable,
    Platform,
    Rendered,
    RenderInput,
    project,
    referenced_secrets,
)
from supaplane_operator.render.components import PARTS

MakeInput = Callable[..., RenderInput]
GATEWAY_KEYS = PARTS[ComponentName.GATEWAY].live_credentials


def annotations(rendered: Rendered, key: str) -> dict[str, str]:
    """One annotation of every pod template, by component."""
    return {
        m["metadata"]["name"]: m["spec"]["template"]["metadata"]["annotations"].get(key, "")
        for m in rendered.manifests
        if m["kind"] in ("Deployment", "StatefulSet")
    }


def inputs(rendered: Rendered) -> dict[str, str]:
    return annotations(rendered, names.ANNOTATION_INPUTS)


def changed(before: RenderInput, after: RenderInput) -> set[str]:
    """Components whose pods are replaced."""
    old, new = inputs(project(before)), inputs(project(after))
    return {name for name in old if old[name] != new.get(name)}


ALL = {"db", "auth", "rest", "realtime", "storage", "imgproxy", "meta", "functions", "studio"}
ALL |= {"gateway", "pooler", "objectstore"}


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"displayName": "Shop"}, {"studio"}),
        ({"organization": "acme"}, {"studio"}),
        ({"auth": {"disableSignup": True}}, {"auth"}),
        ({"auth": {"settings": {"password_min_length": "12"}}}, {"auth"}),
        # PostgREST tells SQL how long tokens live; the database's bootstrap reads it by itself
        ({"auth": {"jwtExpirySeconds": 60}}, {"auth", "rest"}),
        ({"rest": {"maxRows": 7}}, {"rest", "studio"}),
        # replicas share the connections
        ({"rest": {"replicas": 4}}, {"rest"}),
        ({"gateway": {"replicas": 2}}, set()),
        ({"gateway": {"kind": "kong"}}, {"gateway"}),
        ({"gateway": {"resources": {"limits": {"memory": "1Gi"}}}}, {"gateway"}),
        ({"database": {"parameters": {"work_mem": "8MB"}}}, {"db"}),
        ({"database": {"storage": {"size": "50Gi"}}}, set()),
        (
            {"database": {"external": {"enabled": True, "allowedCidrs": ["203.0.113.0/24"]}}},
            set(),
        ),
        ({"images": {"meta": "acme/meta:1"}}, {"meta"}),
        # Envoy takes routes and keys in while it runs
        ({"host": "api.acme.test"}, {"auth", "studio", "storage", "functions"}),
        ({"customDomains": ["api.acme.test"]}, {"auth"}),
        ({"ingress": {"kind": "Ingress"}}, {"gateway"}),
        ({"desiredState": "Paused"}, set()),
        ({"deletion": {"policy": "Delete"}}, set()),
        ({"network": {"restrict": False}}, set()),
        ({"operation": {"id": "a", "kind": "restart"}}, set()),
        ({"size": "micro"}, ALL),
    ],
)
def test_a_change_replaces_the_pods_that_depend_on_it_and_no_others(
    make_input: MakeInput, spec: Mapping[str, Any], expected: set[str]
) -> None:
    assert changed(make_input({}), make_input(spec)) == expected


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("password-authenticator", {"rest"}),
        ("password-supabase-auth-admin", {"auth"}),
        ("password-postgres", {"meta", "studio", "functions"}),
        # the database itself does not restart: the bootstrap takes it in
        ("password-supabase-admin", {"realtime", "pooler"}),
        ("jwt-jwks", {"rest", "realtime", "storage", "functions"}),
        ("jwt-keys", {"auth"}),
        ("dashboard-password", set()),
        ("anon-key", {"studio", "storage", "functions"}),
        ("s3-access-key-id", {"storage"}),
    ],
)
def test_a_new_credential_replaces_the_pods_that_hold_it(
    make_input: MakeInput, credentials: Mapping[str, str], key: str, expected: set[str]
) -> None:
    after = make_input(credentials={**credentials, key: credentials[key] + "x"})
    assert changed(make_input({}), after) == expected


@pytest.mark.parametrize("key", ["dashboard-password", "anon-key", "secret-key"])
def test_kong_which_takes_nothing_in_is_started_anew_for_a_key(
    make_input: MakeInput, credentials: Mapping[str, str], key: str
) -> None:
    kong = {"gateway": {"kind": "kong"}}
    after = make_input(kong, credentials={**credentials, key: credentials[key] + "x"})
    assert "gateway" in changed(make_input(kong), after)


@pytest.mark.parametrize(
    ("kind", "replaced"),
    [("envoy", set()), ("kong", {"gateway"})],
)
def test_a_component_more_or_less_is_a_row_more_or_less(
    make_input: MakeInput, kind: str, replaced: set[str]
) -> None:
    before = make_input({"gateway": {"kind": kind}})
    after = make_input({"gateway": {"kind": kind}, "functions": {"enabled": False}})
    assert changed(before, after) - {"functions"} == replaced


def test_a_secret_of_the_users_replaces_the_pods_that_read_it(make_input: MakeInput) -> None:
    spec = {
        "auth": {"secretRefs": {"external_google_secret": {"name": "google", "key": "secret"}}},
        "studio": {"extraEnvFrom": [{"name": "ai"}]},
    }
    secrets = {("google", "secret"): "one", ("ai", "OPENAI_API_KEY"): "one"}
    before = make_input(spec, secrets=secrets)
    assert changed(before, make_input(spec, secrets=secrets | {("google", "secret"): "2"})) == {
        "auth"
    }
    more = secrets | {("ai", "OPENAI_API_KEY"): "2"}
    assert changed(before, make_input(spec, secrets=more)) == {"studio"}


def test_a_restart_replaces_the_pods_that_it_names_once_per_id(make_input: MakeInput) -> None:
    once = make_input({}, restarts={ComponentName.REST: "a"})
    assert changed(make_input({}), once) == {"rest"}
    assert changed(once, make_input({}, restarts={ComponentName.REST: "a"})) == set()
    assert annotations(project(once), names.ANNOTATION_RESTARTED)["rest"] == "a"
    assert changed(make_input({}), make_input({}, restarts={ComponentName.REST: ""})) == set()


def test_a_release_with_the_same_images_replaces_nothing(make_input: MakeInput) -> None:
    before = make_input({})
    later = dataclasses.replace(before.release, name="2099.1.1")
    assert changed(before, make_input({}, release=later)) == set()


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"cluster_domain": "acme.local"}, ALL),
        ({"domain_base": "acme.test"}, {"auth", "studio", "storage", "functions"}),
        ({"ingress_namespaces": ("ingress",)}, set()),
        ({"storage_class": "fast"}, set()),
        ({"dns_namespace": "dns"}, set()),
        ({"image_pull_secrets": ("registry",)}, ALL),
    ],
)
def test_what_the_platform_changes_counts_where_it_matters(
    make_input: MakeInput, changes: Mapping[str, Any], expected: set[str]
) -> None:
    values = {"domain_base": "example.com"} | dict(changes)
    assert changed(make_input({}), make_input({}, platform=Platform(**values))) == expected


def test_the_hash_does_not_help_to_guess_a_password(
    make_input: MakeInput, credentials: Mapping[str, str]
) -> None:
    """Two projects with all in common but the key that nobody sees have no hash in common."""
    other = {**credentials, "pgsodium-root-key": "0" * 64}
    first, second = inputs(project(make_input({}))), inputs(project(make_input(credentials=other)))
    assert not set(first.values()) & set(second.values())
    assert all(re.fullmatch(r"[0-9a-f]{32}", value) for value in first.values())


def secrets_for(spec: ProjectSpec) -> dict[tuple[str, str], str]:
    return {
        (name, "ANY" if key == "*" else key): f"value of {name} {key}"
        for name, key in referenced_secrets(spec)
    }


@settings(
    deadline=None,
    max_examples=50,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_the_same_inputs_render_to_the_same_pods(
    data: st.DataObject, specs: st.SearchStrategy[ProjectSpec], make_input: MakeInput
) -> None:
    """Nothing reaches a pod that its inputs do not count: else a change would wait for ever."""
    spec, other = data.draw(specs), data.draw(specs)
    field = data.draw(st.sampled_from(sorted(ProjectSpec.model_fields)))
    mixed = spec.model_copy(update={field: getattr(other, field)})
    try:
        before = project(make_input(spec, secrets=secrets_for(spec)))
        after = project(make_input(mixed, secrets=secrets_for(mixed)))
    except NotRenderable:
        return
    old, new = inputs(before), inputs(after)
    rendered = [annotations(r, names.ANNOTATION_RENDERING) for r in (before, after)]
    for name in old.keys() & new.keys():
        if old[name] == new[name]:
            assert rendered[0][name] == rendered[1][name], (name, field)


FIELDS: list[tuple[str, Any]] = [
    ("displayName", "Other"),
    ("organization", "other"),
    ("size", "large"),
    ("host", "api.acme.test"),
    ("customDomains", ["a.acme.test"]),
    ("ingress", {"kind": "Ingress"}),
    ("ingress", {"tls": {"enabled": False}}),
    ("gateway", {"replicas": 3}),
    ("database", {"parameters": {"work_mem": "1MB"}}),
    ("database", {"storage": {"size": "900Gi"}}),
    ("database", {"resources": {"limits": {"memory": "9Gi"}}}),
    ("auth", {"jwtExpirySeconds": 99, "replicas": 3}),
    ("auth", {"siteUrl": "https://acme.test"}),
    ("rest", {"schemas": ["a"], "extraSearchPath": ["b"], "maxRows": 3, "poolSize": 4}),
    ("rest", {"autoscaling": {"maxReplicas": 9}}),
    ("studio", {"organizationName": "Acme"}),
    ("meta", {"replicas": 2}),
    ("desiredState", "Paused"),
    ("storage", {"enabled": True, "imageTransformation": False}),
    ("storage", {"enabled": True, "fileSizeLimit": 7, "replicas": 2}),
    ("storage", {"enabled": True, "backend": "file", "volume": {"size": "900Gi"}}),
    ("objectstore", {"volume": {"size": "900Gi"}}),
    ("objectstore", {"engine": "rustfs"}),
    ("imgproxy", {"enabled": False}),
    ("imgproxy", {"resources": {"limits": {"cpu": "7"}}}),
    ("functions", {"enabled": True, "verifyJwt": False, "replicas": 2}),
    ("functions", {"enabled": True, "sources": [{"name": "a", "secret": "code"}]}),
]
SERVING = {"storage": {"enabled": True}, "functions": {"enabled": True}}
CODE = {("code", "index.ts"): "Deno.serve(() => new Response());"}


@pytest.mark.parametrize(("field", "value"), FIELDS)
def test_no_field_reaches_a_pod_uncounted(make_input: MakeInput, field: str, value: Any) -> None:
    before = project(make_input(SERVING))
    after = project(make_input(SERVING | {field: value}, secrets=CODE))
    rendered = [annotations(r, names.ANNOTATION_RENDERING) for r in (before, after)]
    for name, old in inputs(before).items():
        if old == inputs(after).get(name):
            assert rendered[0][name] == rendered[1][name], name


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"storage": {"enabled": True, "fileSizeLimit": 7}}, {"storage"}),
        # the gateway has no route to imgproxy
        ({"storage": {"enabled": True, "imageTransformation": False}}, {"storage", "imgproxy"}),
        ({"imgproxy": {"resources": {"limits": {"cpu": "7"}}}}, {"imgproxy"}),
        ({"objectstore": {"volume": {"size": "900Gi"}}}, set()),
        ({"functions": {"enabled": True, "verifyJwt": False}}, {"functions"}),
    ],
)
def test_what_serves_files_and_functions_is_replaced_when_it_must_be(
    make_input: MakeInput, spec: Mapping[str, Any], expected: set[str]
) -> None:
    assert changed(make_input(SERVING), make_input(SERVING | spec)) == expected


def test_other_keys_of_a_bucket_replace_what_opens_it(make_input: MakeInput) -> None:
    s3 = {"endpoint": "https://s3.test", "bucket": "acme", "credentialsSecret": "keys"}
    spec = {"storage": {"enabled": True, "backend": "s3", "s3": s3}}
    keys = {("keys", "accessKeyId"): "a", ("keys", "secretAccessKey"): "b"}
    rotated = keys | {("keys", "secretAccessKey"): "c"}
    assert changed(make_input(spec, secrets=keys), make_input(spec, secrets=rotated)) == {"storage"}


def test_passwords_and_sql_do_not_count_as_another_rendering_of_the_database(
    make_input: MakeInput, credentials: Mapping[str, str]
) -> None:
    """Running pods take them in; a hash of them would make every rotation wait for a rollout."""
    changed_ = {k: v + "x" if k.startswith("password-") else v for k, v in credentials.items()}
    before = project(make_input({}))
    after = project(make_input({"auth": {"jwtExpirySeconds": 60}}, credentials=changed_))
    hashes = [annotations(r, names.ANNOTATION_RENDERING)["db"] for r in (before, after)]
    assert hashes[0] == hashes[1]


@pytest.mark.parametrize(
    ("spec", "key", "expected"),
    [
        ({}, "dashboard-password", {"gateway"}),
        ({}, "password-authenticator", {"db"}),
        ({}, "jwt-keys", set()),
        ({"functions": {"enabled": False}}, "jwt-keys", {"gateway"}),
        ({"customDomains": ["api.acme.test"]}, "jwt-keys", {"gateway"}),
        ({"auth": {"jwtExpirySeconds": 60}}, "jwt-keys", {"db"}),
        ({"auth": {"disableSignup": True}}, "jwt-keys", set()),
    ],
)
def test_what_running_pods_take_in_is_noted_on_their_workload(
    make_input: MakeInput,
    credentials: Mapping[str, str],
    spec: Mapping[str, Any],
    key: str,
    expected: set[str],
) -> None:
    def noted(input: RenderInput) -> dict[str, str]:
        mark = names.ANNOTATION_LIVE_INPUTS
        found = project(input).manifests
        workloads = [m["metadata"] for m in found if m["kind"] in ("Deployment", "StatefulSet")]
        marks = {m["name"]: m.get("annotations", {}).get(mark) for m in workloads}
        return {name: value for name, value in marks.items() if value}

    before = noted(make_input({}))
    after = noted(make_input(spec, credentials={**credentials, key: credentials[key] + "x"}))
    assert before.keys() == {"db", "gateway"}
    assert {name for name in before if before[name] != after[name]} == expected


def test_what_envoy_takes_in_does_not_count_as_another_rendering_of_the_gateway(
    make_input: MakeInput, credentials: Mapping[str, str]
) -> None:
    before = project(make_input({}))
    other = {k: v + "x" if k in GATEWAY_KEYS else v for k, v in credentials.items()}
    spec = {"host": "api.acme.test", "functions": {"enabled": False}}
    after = project(make_input(spec, credentials=other))
    hashes = [annotations(r, names.ANNOTATION_RENDERING)["gateway"] for r in (before, after)]
    assert hashes[0] == hashes[1]
