"""Is a project wired as its components need it?"""

from __future__ import annotations

import base64
import dataclasses
import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import yaml

from supaplane_contract import names
from supaplane_operator.render import (
    Platform,
    Rendered,
    RenderInput,
    project,
)
from supaplane_operator.render.components import PARTS

SAMPLES = Path(__file__).parents[3] / "manifests" / "samples"
MakeInput = Callable[..., RenderInput]


def of_kind(rendered: Rendered, *kinds: str) -> list[dict[str, Any]]:
    return [m for m in rendered.manifests if m["kind"] in kinds]


def named(rendered: Rendered, kind: str, name: str) -> dict[str, Any]:
    return next(m for m in of_kind(rendered, kind) if m["metadata"]["name"] == name)


def secret_text(manifest: Mapping[str, Any]) -> dict[str, str]:
    return {k: base64.b64decode(v).decode() for k, v in manifest["data"].items()}


def environment(rendered: Rendered, component: str) -> dict[str, str]:
    """The variables that a component's main container gets, Secrets read and `$$` undone."""
    workload = next(
        m for m in of_kind(rendered, "Deployment", "StatefulSet")
        if m["metadata"]["name"] == component
    )  # fmt: skip
    hidden = {
        m["metadata"]["name"]: secret_text(m)
        for m in of_kind(rendered, "Secret")
    }  # fmt: skip
    found = {}
    for entry in workload["spec"]["template"]["spec"]["containers"][0].get("env", []):
        if "valueFrom" in entry:
            ref = entry["valueFrom"]["secretKeyRef"]
            found[entry["name"]] = hidden[ref["name"]][ref["key"]]
        else:
            found[entry["name"]] = entry.get("value", "").replace("$$", "$")
    return found


def test_the_full_sample_has_every_component(samples: Any) -> None:
    assert {c.name for c in project(samples["full"].input).components} == set(PARTS)


def test_a_full_project_has_no_more_than_sixty_objects(make_input: MakeInput) -> None:
    documents = list(yaml.safe_load_all((SAMPLES / "full.yaml").read_text()))
    (spec,) = [d["spec"] for d in documents if d["kind"] == names.KIND]
    platform = Platform("example.com", api_namespace="supaplane-system", log_namespace="logs")
    platform = dataclasses.replace(platform, log_key="a key that the log shipper has too")
    rendered = project(make_input(spec, platform=platform))
    assert {c.name for c in rendered.components} == set(PARTS)
    # besides these: the namespace, and the operator's RoleBinding in it
    assert len(rendered.manifests) + 2 <= 60


def test_no_placeholder_reaches_a_pod(samples: Any) -> None:
    rendered = project(samples["full"].input)
    suspicious = re.compile(
        r"your-|example_|changeme|change-me|placeholder|SAMPLE_KEY|super-secret|fake_|<[a-z]+>|TODO"
        r"|supabaserealtime|sk-proj|None",
        re.IGNORECASE,
    )
    for part in PARTS:
        for name, value in environment(rendered, part.value).items():
            if name == "PGRST_DB_SCHEMAS":
                continue
            assert not suspicious.search(value), (part, name)
            assert value, (part, name)


NASTY = "p@ss:/?#[]%&='\" $(HOME) \\ пароль"


def test_a_password_that_a_person_chose_survives_every_url(
    make_input: MakeInput, credentials: Mapping[str, str]
) -> None:
    chosen = {k: NASTY if k.startswith("password-") else v for k, v in credentials.items()}
    rendered = project(make_input(credentials=chosen))
    for component, variable in (("auth", "GOTRUE_DB_DATABASE_URL"), ("rest", "PGRST_DB_URI")):
        url = urlsplit(environment(rendered, component)[variable])
        assert unquote(url.password or "") == NASTY
        assert url.hostname == f"db.supabase-{'abcdefghijklmnopqrst'}.svc.cluster.local"
        assert (url.port, url.path) == (5432, "/postgres")
    for component, variable in (("meta", "PG_META_DB_PASSWORD"), ("studio", "POSTGRES_PASSWORD")):
        spliced = f"postgresql://postgres:{environment(rendered, component)[variable]}@db:5432/x"
        assert unquote(urlsplit(spliced).password or "") == NASTY


def test_the_image_gets_a_password_that_it_can_splice_into_sql(
    make_input: MakeInput, credentials: Mapping[str, str]
) -> None:
    chosen = {**credentials, "password-postgres": NASTY}
    found = environment(project(make_input(credentials=chosen)), "db")
    assert found["POSTGRES_PASSWORD"] == credentials["password-supabase-admin"]
    assert found["PGPASSWORD"] == credentials["password-supabase-admin"]


def test_text_of_a_person_is_not_expanded_by_the_kubelet(samples: Any) -> None:
    rendered = project(samples["custom"].input)
    assert environment(rendered, "studio")["DEFAULT_PROJECT_NAME"] == 'Costs $(HOME) & "quotes"'
    pod = named(rendered, "Deployment", "studio")["spec"]["template"]["spec"]
    raw = {e["name"]: e.get("value") for e in pod["containers"][0]["env"]}
    assert raw["DEFAULT_PROJECT_NAME"] == 'Costs $$(HOME) & "quotes"'


def test_paused_means_no_pods_and_the_same_volumes(make_input: MakeInput) -> None:
    running = project(make_input({"rest": {"autoscaling": {"maxReplicas": 3}}}))
    paused = project(
        make_input({"desiredState": "Paused", "rest": {"autoscaling": {"maxReplicas": 3}}})
    )
    for workload in of_kind(paused, "Deployment", "StatefulSet"):
        assert workload["spec"]["replicas"] == 0
    assert [c.desired for c in paused.components] == [0] * len(paused.components)
    for kind in ("PersistentVolumeClaim", "Secret", "Service", "NetworkPolicy", "ConfigMap"):
        assert of_kind(paused, kind) == of_kind(running, kind)
    templates = [
        {w["metadata"]["name"]: w["spec"]["template"] for w in of_kind(r, "Deployment")}
        for r in (running, paused)
    ]
    assert templates[0] == templates[1]


def test_an_autoscaled_workload_leaves_its_replicas_to_the_autoscaler(
    make_input: MakeInput,
) -> None:
    rendered = project(make_input({"rest": {"autoscaling": {"minReplicas": 2, "maxReplicas": 5}}}))
    assert "replicas" not in named(rendered, "Deployment", "rest")["spec"]
    scaler = named(rendered, "HorizontalPodAutoscaler", "rest")["spec"]
    assert (scaler["minReplicas"], scaler["maxReplicas"]) == (2, 5)
    assert next(c.desired for c in rendered.components if c.name == "rest") == 2
    assert named(rendered, "Deployment", "auth")["spec"]["replicas"] == 1


def test_images_of_the_spec_take_the_place_of_the_releases(samples: Any) -> None:
    rendered = project(samples["custom"].input)
    assert next(c.image for c in rendered.components if c.name == "rest") == (
        "registry.acme.test/postgrest:v14.18"
    )
    pod = named(rendered, "Deployment", "rest")["spec"]["template"]["spec"]
    assert pod["containers"][0]["image"] == "registry.acme.test/postgrest:v14.18"


def test_every_watched_workload_is_rendered_and_the_database_comes_first(sample: Any) -> None:
    rendered = project(sample.input)
    there = [
        (m["kind"], m["metadata"]["name"]) for m in of_kind(rendered, "Deployment", "StatefulSet")
    ]
    assert [c.workload for c in rendered.components] == there
    assert there[0] == ("StatefulSet", "db")


def test_the_endpoints_are_where_people_reach_it(samples: Any) -> None:
    endpoints = project(samples["custom"].input).endpoints
    assert endpoints.api == "https://api.acme.test:8443"
    assert endpoints.database == "db.supabase-abcdefghijklmnopqrst.svc.cluster.local:5432"


def test_auth_knows_its_address_with_its_path_and_others_without(samples: Any) -> None:
    rendered = project(samples["default"].input)
    auth, studio = environment(rendered, "auth"), environment(rendered, "studio")
    assert auth["API_EXTERNAL_URL"] == "https://abcdefghijklmnopqrst.example.com/auth/v1"
    assert auth["GOTRUE_JWT_ISSUER"] == auth["API_EXTERNAL_URL"]
    assert studio["SUPABASE_PUBLIC_URL"] == "https://abcdefghijklmnopqrst.example.com"
    assert studio["HOSTNAME"] == "0.0.0.0"


def test_everybody_checks_tokens_with_the_same_keys(samples: Any) -> None:
    rendered = project(samples["minimal"].input)
    verifiers = json.loads(environment(rendered, "rest")["PGRST_JWT_SECRET"])["keys"]
    signers = json.loads(environment(rendered, "auth")["GOTRUE_JWT_KEYS"])
    assert {k.get("kid") for k in verifiers} == {k.get("kid") for k in signers}
    assert (
        environment(rendered, "meta")["CRYPTO_KEY"]
        == environment(rendered, "studio")["PG_META_CRYPTO_KEY"]
    )


def test_addresses_hold_without_a_mail_server_exactly_when_nobody_could_confirm_them(
    make_input: MakeInput,
) -> None:
    smtp = {"host": "mail.test", "adminEmail": "a@b.test"}
    cases = [
        ({}, "true"),
        ({"smtp": smtp}, "false"),
        ({"smtp": smtp, "autoConfirmEmail": True}, "true"),
        ({"autoConfirmEmail": False}, "false"),
    ]
    for auth, expected in cases:
        found = environment(project(make_input({"auth": auth})), "auth")
        assert found["GOTRUE_MAILER_AUTOCONFIRM"] == expected
        assert ("GOTRUE_SMTP_HOST" in found) is ("smtp" in auth)


def test_the_key_of_the_vault_is_the_volumes_and_the_servers_own_idea_is_overruled(
    samples: Any,
) -> None:
    pod = named(project(samples["minimal"].input), "StatefulSet", "db")["spec"]["template"]["spec"]
    arguments = pod["containers"][0]["args"]
    for setting in ("vault.getkey_script", "pgsodium.getkey_script"):
        assert f"{setting}=/supaplane/bin/getkey.sh" in arguments
    mounts = {m["mountPath"]: m.get("subPath") for m in pod["containers"][0]["volumeMounts"]}
    assert mounts["/var/lib/postgresql/data"] == "data"
    assert mounts["/etc/postgresql-custom"] == "custom"
    probe = pod["containers"][0]["startupProbe"]
    assert probe["periodSeconds"] * probe["failureThreshold"] >= 20 * 60


def test_the_database_is_open_to_the_outside_only_for_named_ranges(make_input: MakeInput) -> None:
    def services(external: Mapping[str, Any]) -> list[Any]:
        rendered = project(make_input({"database": {"external": external}}))
        return [m for m in of_kind(rendered, "Service") if m["spec"].get("type") == "LoadBalancer"]

    assert services({"enabled": True}) == []
    assert services({"allowedCidrs": ["203.0.113.0/24"]}) == []
    (service,) = services({"enabled": True, "allowedCidrs": ["203.0.113.0/24"]})
    assert service["spec"]["loadBalancerSourceRanges"] == ["203.0.113.0/24"]


def test_the_copy_of_a_secret_with_the_longest_name_has_a_name_too(make_input: MakeInput) -> None:
    name = "a" * 253
    spec = {"auth": {"extraEnvFrom": [{"name": name}]}}
    rendered = project(make_input(spec, secrets={(name, "KEY"): "value"}))
    (copy,) = [m for m in of_kind(rendered, "Secret") if "KEY" in m["data"]]
    assert len(copy["metadata"]["name"]) == 253
