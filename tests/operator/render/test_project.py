"""Does every wish become objects that keep their promises, or a refusal that names the cure?"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import pytest
import yaml
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from supaplane_contract import names
from supaplane_contract.credentials import KEYS
from supaplane_contract.spec import ComponentName, ProjectSpec
from supaplane_contract.status import Reason
from supaplane_operator.render import (
    NotRenderable,
    Rendered,
    RenderInput,
    project,
    referenced_secrets,
)
from supaplane_operator.render.components import PARTS
from supaplane_operator.render.part import Part

MakeInput = Callable[..., RenderInput]
DRAWN = settings(
    deadline=None,
    max_examples=150,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def secrets_for(spec: ProjectSpec) -> dict[tuple[str, str], str]:
    """What the engine would hand over for a spec: every Secret that it refers to."""
    return {
        (name, "ANY" if key == "*" else key): f"value of {name} {key}"
        for name, key in referenced_secrets(spec)
    }


def walk(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every value inside an object, with where it is."""
    yield path, value
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from walk(inner, f"{path}.{key}")
    if isinstance(value, list | tuple):
        for number, inner in enumerate(value):
            yield from walk(inner, f"{path}[{number}]")


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


@DRAWN
@given(data=st.data())
def test_any_valid_spec_renders_or_says_why_not(
    data: st.DataObject, specs: st.SearchStrategy[ProjectSpec], make_input: MakeInput
) -> None:
    spec = data.draw(specs)
    rendered, refusal = attempt(make_input(spec, secrets=secrets_for(spec)))
    if rendered is None:
        assert refusal is not None
        assert refusal.message
        event(refusal.reason)
        return
    event("renders")
    yaml.safe_dump_all(rendered.manifests)
    keep_promises(rendered)


def attempt(input: RenderInput) -> tuple[Rendered | None, NotRenderable | None]:
    try:
        return project(input), None
    except NotRenderable as refusal:
        return None, refusal


def test_every_sample_keeps_its_promises(sample: Any) -> None:
    keep_promises(project(sample.input))


def keep_promises(rendered: Rendered) -> None:
    """What holds for every project that renders."""
    ref = rendered.manifests[0]["metadata"]["labels"][names.LABEL_REF]
    seen = set()
    for manifest in rendered.manifests:
        metadata = manifest["metadata"]
        identity = (manifest["kind"], metadata["name"])
        assert identity not in seen
        seen.add(identity)
        assert metadata["namespace"] == names.project_namespace(ref)
        assert "ownerReferences" not in metadata
        labels = metadata["labels"]
        assert labels[names.LABEL_REF] == ref
        assert labels[names.LABEL_MANAGED_BY] == names.MANAGED_BY
        assert labels[names.LABEL_COMPONENT] in {"project", *ComponentName}
        check_normal_form(manifest)
    for workload in of_kind(rendered, "Deployment", "StatefulSet"):
        check_workload(workload)
    check_references(rendered)


def check_normal_form(manifest: Mapping[str, Any]) -> None:
    assert len(json.dumps(manifest)) < 900_000
    for path, value in walk(manifest):
        assert value is not None, path
        if value in ({}, []):
            assert path == ".spec.podSelector", path
        if path.endswith((".cpu", ".memory", ".storage")):
            assert re.fullmatch(r"[0-9]+(m|k|[KMGTPE]i?)?", value), (path, value)
    for container in containers(manifest):
        for port in container.get("ports", []):
            assert port["protocol"] == "TCP"


def containers(manifest: Mapping[str, Any]) -> list[Any]:
    if manifest["kind"] not in ("Deployment", "StatefulSet"):
        return []
    pod = manifest["spec"]["template"]["spec"]
    return [*pod.get("initContainers", []), *pod["containers"]]


def check_workload(workload: Mapping[str, Any]) -> None:
    assert "volumeClaimTemplates" not in workload["spec"]
    template = workload["spec"]["template"]
    pod = template["spec"]
    assert pod["enableServiceLinks"] is False
    assert pod["automountServiceAccountToken"] is False
    assert pod["serviceAccountName"] == workload["metadata"]["name"]
    assert set(template["metadata"]["annotations"]) >= {
        names.ANNOTATION_INPUTS,
        names.ANNOTATION_RENDERING,
    }
    selector = workload["spec"]["selector"]["matchLabels"]
    assert selector.items() <= template["metadata"]["labels"].items()
    for container in containers(workload):
        assert set(container["resources"]) == {"requests", "limits"}
        security = container["securityContext"]
        assert security["allowPrivilegeEscalation"] is False
        assert security["capabilities"]["drop"] == ["ALL"]
        variables = [entry["name"] for entry in container.get("env", [])]
        assert len(variables) == len(set(variables))
    if workload["metadata"]["name"] != "db":
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["runAsUser"] > 0
    main = pod["containers"][0]
    assert {"startupProbe", "readinessProbe", "livenessProbe"} <= main.keys()


def check_references(rendered: Rendered) -> None:
    """Every Secret, ConfigMap, claim and account that a pod names is among the objects."""
    there = {(m["kind"], m["metadata"]["name"]): m for m in rendered.manifests}
    for workload in of_kind(rendered, "Deployment", "StatefulSet"):
        pod = workload["spec"]["template"]["spec"]
        assert ("ServiceAccount", pod["serviceAccountName"]) in there
        for volume in pod.get("volumes", []):
            if "persistentVolumeClaim" in volume:
                claim = volume["persistentVolumeClaim"]["claimName"]
                assert ("PersistentVolumeClaim", claim) in there
            if "configMap" in volume:
                assert ("ConfigMap", volume["configMap"]["name"]) in there
            if "secret" in volume:
                keys = there["Secret", volume["secret"]["secretName"]]["data"].keys()
                assert {item["key"] for item in volume["secret"]["items"]} <= keys
        for container in containers(workload):
            for source in container.get("envFrom", []):
                assert ("Secret", source["secretRef"]["name"]) in there
            mounted = {m["name"] for m in container.get("volumeMounts", [])}
            assert mounted <= {v["name"] for v in pod.get("volumes", [])}


def test_no_secret_value_stands_outside_a_secret(sample: Any) -> None:
    rendered = project(sample.input)
    hidden = [v for v in sample.input.credentials.values() if len(v) >= 16]
    hidden += sample.user_secrets
    hidden += [quote(value, safe="") for value in hidden]
    for manifest in rendered.manifests:
        if manifest["kind"] == "Secret":
            continue
        text = json.dumps(manifest)
        assert [value for value in hidden if value in text] == []


def test_a_value_of_input_never_shows_in_its_repr(samples: Any) -> None:
    shown = repr(samples["custom"].input)
    hidden = [v for v in samples["custom"].input.credentials.values() if len(v) >= 16]
    assert [v for v in [*hidden, *samples["custom"].user_secrets] if v in shown] == []


def test_each_component_holds_its_own_credentials_and_no_others(
    samples: Any, credentials: Mapping[str, str]
) -> None:
    rendered = project(samples["minimal"].input)
    for name, part in PARTS.items():
        texts = secret_text(named(rendered, "Secret", name.value)).values()
        everything = "\n".join(texts)
        held = {
            key for key, value in credentials.items() if len(value) >= 16 and value in everything
        }
        # JWKS hold keys inside; where they are, their whole is declared
        assert held <= set(part.credentials) | set(part.live_credentials), name


def test_the_database_sees_no_password_but_its_superusers(
    samples: Any, credentials: Mapping[str, str]
) -> None:
    texts = "\n".join(
        secret_text(named(project(samples["minimal"].input), "Secret", "db")).values()
    )
    shown = {k for k, v in credentials.items() if k.startswith("password-") and v in texts}
    assert shown == {"password-supabase-admin"}


def test_the_full_copy_holds_everything_and_no_pod_can_read_it(sample: Any) -> None:
    rendered = project(sample.input)
    copy = secret_text(named(rendered, "Secret", names.CREDENTIALS_COPY))
    assert copy == dict(sample.input.credentials)
    assert set(copy) == set(KEYS)
    for workload in of_kind(rendered, "Deployment", "StatefulSet"):
        uses = [v for path, v in walk(workload) if path.endswith(("ecretName", "Ref.name"))]
        assert names.CREDENTIALS_COPY not in uses


def test_no_placeholder_reaches_a_pod(samples: Any) -> None:
    rendered = project(samples["minimal"].input)
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


def test_parts_name_only_credentials_that_exist() -> None:
    for part in PARTS.values():
        assert isinstance(part, Part)
        assert set(part.credentials) | set(part.live_credentials) <= set(KEYS)


@pytest.mark.parametrize("key", ["jwt-secret", "anon-key", "password-authenticator"])
def test_a_missing_credential_stops_everything(
    make_input: MakeInput, credentials: Mapping[str, str], key: str
) -> None:
    left = {k: v for k, v in credentials.items() if k != key}
    with pytest.raises(NotRenderable, match=key) as refusal:
        project(make_input(credentials=left))
    assert refusal.value.reason is Reason.CREDENTIALS_LOST


def test_the_copy_of_a_secret_with_the_longest_name_has_a_name_too(make_input: MakeInput) -> None:
    name = "a" * 253
    spec = {"auth": {"extraEnvFrom": [{"name": name}]}}
    rendered = project(make_input(spec, secrets={(name, "KEY"): "value"}))
    (copy,) = [m for m in of_kind(rendered, "Secret") if "KEY" in m["data"]]
    assert len(copy["metadata"]["name"]) == 253
