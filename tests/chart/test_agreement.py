"""What chart and programs both say, they say alike: settings, names, the definition, numbers."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

import supaplane_api.settings as api_settings
from supaplane_api.metrics import Metrics as ApiMetrics
from supaplane_contract import names
from supaplane_kube.memory import MemoryKube
from supaplane_operator import catalogue, lease, rights
from supaplane_operator import settings as operator_settings
from supaplane_operator.engine import build
from supaplane_operator.metrics import Metrics as OperatorMetrics
from supaplane_operator.render.network import API_LABELS

Json = dict[str, Any]
One = Callable[..., Json]
SETS = ["default", "full", "least", "bare", "logs"]
WITH_API = ["default", "full", "logs"]
SECRET = "0123456789abcdef" * 4


def container(deployment: Json) -> Json:
    found: Json = deployment["spec"]["template"]["spec"]["containers"][0]
    return found


def environment(deployment: Json) -> dict[str, str]:
    """As the pod will see it; what comes from elsewhere is made up."""
    return {
        variable["name"]: variable.get(
            "value", SECRET if variable["name"] != "JWT_SECRET" else SECRET[::-1]
        )
        for variable in container(deployment)["env"]
    }


def operator_of(manifests: list[Json], one: One) -> operator_settings.Settings:
    return operator_settings.from_environment(
        environment(one(manifests, "Deployment", "supaplane-operator"))
    )


@pytest.mark.parametrize("name", SETS)
def test_the_operator_takes_every_setting_that_is_rendered(
    rendered: dict[str, list[Json]], one: One, name: str
) -> None:
    settings = operator_of(rendered[name], one)
    assert settings.lease is True
    assert settings.operator_namespace == "supaplane-system"
    assert settings.service_account == "supaplane-operator"
    assert settings.identity


def test_settings_of_the_operator_arrive_as_they_were_said(
    rendered: dict[str, list[Json]], one: One
) -> None:
    settings = operator_of(rendered["full"], one)
    assert settings.home_namespaces == ("team-a", "team-b")
    assert settings.deadlines == operator_settings.Deadlines(1, 2, 3, 4, 5, 6, 7, 8, 9)
    assert settings.resync_seconds == 86400
    assert (settings.workers, settings.rollout_concurrency) == (20, 0)
    platform = settings.platform
    assert platform.ingress_annotations == {"example.org/a": "b,c"}
    assert [ref.section_name for ref in platform.ingress_parent_refs] == ["https"]
    assert platform.allowed_annotations == (
        "example.org/*",
        "external-dns.alpha.kubernetes.io/ttl",
    )
    assert platform.tls_issuer is not None
    assert platform.tls_issuer.name == "letsencrypt"
    assert (platform.url_port, platform.storage_class) == (8443, "fast")
    assert platform.dns_cidrs == ("10.0.0.10/32",)
    assert settings.dns_hook == operator_settings.Hook("https://dns.example.org/hosts", SECRET)
    assert settings.releases_url == "https://releases.example.org/supaplane.yaml"
    assert platform.dns_targets == ("203.0.113.7", "2001:db8::7")
    assert platform.external_dns_prefix == "external-dns.kubernetes.io/"
    assert platform.external_dns_ttl == 60
    assert platform.egress_except == ("10.0.0.0/8", "172.16.0.0/12")


def test_the_chart_changes_no_default_of_the_operator(
    rendered: dict[str, list[Json]], one: One
) -> None:
    ours = operator_of(rendered["default"], one)
    theirs = operator_settings.from_environment({"DOMAIN_BASE": "projects.example.org"})
    for field in ("home_namespaces", "deadlines", "resync_seconds", "workers"):
        assert getattr(ours, field) == getattr(theirs, field)
    # that the API beside it may call projects is the chart's to know
    assert ours.platform == replace(theirs.platform, api_namespace="supaplane-system")
    assert ours.teardown_patience_seconds == theirs.teardown_patience_seconds
    assert ours.apply_parallelism == theirs.apply_parallelism
    assert ours.rollout_concurrency == theirs.rollout_concurrency
    assert ours.dns_hook is theirs.dns_hook is None
    assert ours.releases_url is theirs.releases_url is None


def test_every_setting_of_the_operator_can_be_made_by_the_chart(
    rendered: dict[str, list[Json]], one: One
) -> None:
    given = set(environment(one(rendered["full"], "Deployment", "supaplane-operator")))
    assert given <= set(operator_settings.VARIABLES)
    assert set(operator_settings.VARIABLES) - given == {"SUPAPLANE_PROBE_HOST"}


@pytest.mark.parametrize(
    ("part", "way"),
    [("dns", (["10.2.0.0/16"], [8443])), ("releases", (["10.3.0.0/16"], [9443]))],
)
def test_the_operator_may_reach_the_dns_hook_and_newer_releases_where_there_are_any(
    chart: Any, one: One, part: str, way: tuple[list[str], list[int]]
) -> None:
    values = chart.values("full")
    without = {key: value for key, value in values.items() if key != part}

    def reached(values: Json) -> list[tuple[list[str], list[int]]]:
        spec = one(chart.render(values), "NetworkPolicy", "supaplane-operator")["spec"]
        return [
            ([peer["ipBlock"]["cidr"] for peer in rule["to"]], [p["port"] for p in rule["ports"]])
            for rule in spec["egress"]
            if "to" in rule
        ]

    assert way in reached(values)
    assert way not in reached(without)


MAIL = {"host": "mail.example.org", "from": "platform@example.org"}
STUDIO_URL = "https://studio.example.org"


def test_links_of_mails_lead_to_the_host_of_the_ingress_where_nothing_else_is_said(
    chart: Any, one: One
) -> None:
    values = chart.values("default") | {"api": {"mail": MAIL, "studioUrl": STUDIO_URL}}
    values["api"] |= chart.values("default")["api"]
    given = environment(one(chart.render(values), "Deployment", "supaplane-api"))
    settings = api_settings.load(given | {"DATABASE_URL": "postgresql://u@h/d"})
    assert settings.mail_links_base == f"https://api.{values['domainBase']}"
    assert (settings.mail_port, settings.smtp_user) == (587, None)
    egress = one(chart.render(values), "NetworkPolicy", "supaplane-api")["spec"]["egress"]
    assert any(port["port"] == 587 for rule in egress for port in rule.get("ports", ()))


@pytest.mark.parametrize(
    "wrong",
    [
        {"allowSignup": True},
        {"mail": MAIL},
        {"mail": {"host": "mail.example.org"}, "studioUrl": STUDIO_URL},
        {
            "mail": MAIL | {"tls": "none", "existingSecret": {"name": "mail"}},
            "studioUrl": STUDIO_URL,
        },
    ],
)
def test_mail_that_is_half_set_is_not_installed(
    chart: Any, refusal: type[Exception], wrong: Json
) -> None:
    values = chart.values("default")
    values = values | {"api": values["api"] | wrong}
    with pytest.raises(refusal, match=r"api\.(mail|allowSignup)"):
        chart.render(values)


@pytest.mark.parametrize("name", WITH_API)
def test_the_api_takes_every_setting_that_is_rendered(
    rendered: dict[str, list[Json]], one: One, name: str
) -> None:
    given = environment(one(rendered[name], "Deployment", "supaplane-api"))
    assert set(given) <= {api_settings.variable(f) for f in api_settings.Settings.model_fields}
    settings = api_settings.load(given | {"DATABASE_URL": "postgresql://u@h/d"})
    assert settings.production
    assert (
        settings.port
        == container(one(rendered[name], "Deployment", "supaplane-api"))["ports"][0][
            "containerPort"
        ]
    )


def test_settings_of_the_api_arrive_as_they_were_said(
    rendered: dict[str, list[Json]], one: One
) -> None:
    given = environment(one(rendered["full"], "Deployment", "supaplane-api"))
    settings = api_settings.load(given | {"DATABASE_URL": "postgresql://u@h/d"})
    assert settings.max_body_bytes == 4194304
    assert settings.signups_per_hour == 100_000
    assert settings.signup_allowed
    assert settings.studio_origin == "https://studio.example.org"
    assert settings.sends_mail
    assert not settings.confirms_signups
    assert (settings.mail_port, settings.smtp_tls) == (465, "tls")
    assert settings.mail_links_base == "https://platform.example.org/api"
    assert settings.home_namespaces == ("team-a", "team-b")


def test_every_setting_of_the_api_can_be_made_by_the_chart(
    rendered: dict[str, list[Json]], one: One
) -> None:
    given = set(environment(one(rendered["full"], "Deployment", "supaplane-api")))
    known = {api_settings.variable(f) for f in api_settings.Settings.model_fields}
    # a folder for development; an address and a kubeconfig that a pod has no use for
    assert known - given == {"SUPAPLANE_HOME", "LISTEN_HOST", "KUBECONFIG"}


def test_the_chart_holds_the_definition_that_the_models_give(chart: Any, root: Path) -> None:
    ours = chart.folder / "files" / "crds" / "supabaseprojects.yaml"
    assert ours.read_bytes() == (root / "crds" / "supabaseprojects.yaml").read_bytes(), (
        "run `make generate`"
    )


def test_the_definition_is_installed_whole_and_stays(
    rendered: dict[str, list[Json]], root: Path, one: One
) -> None:
    ours = one(rendered["default"], "CustomResourceDefinition", "supabaseprojects.supaplane.dev")
    assert ours == yaml.safe_load((root / "crds" / "supabaseprojects.yaml").read_text())
    assert ours["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"


def test_names_that_the_operator_relies_on_are_those_of_the_chart(
    rendered: dict[str, list[Json]], one: One
) -> None:
    manifests = rendered["default"]
    one(manifests, "ClusterRole", rights.CLUSTER_ROLE)
    role = one(manifests, "Role", "supaplane-operator", "supaplane-system")
    assert [rule.get("resourceNames") for rule in role["rules"]] == [
        None,
        [lease.NAME],
        [catalogue.NAME],
    ]
    kept = one(manifests, "ConfigMap", catalogue.NAME, "supaplane-system")
    assert kept["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"
    assert "data" not in kept
    labels = one(manifests, "Deployment", "supaplane-api")["spec"]["template"]["metadata"]["labels"]
    assert labels.items() >= API_LABELS.items()


def test_policies_use_the_labels_and_shapes_of_the_contract(
    rendered: dict[str, list[Json]],
) -> None:
    policies = json.dumps(
        [m for m in rendered["default"] if m["kind"] == "ValidatingAdmissionPolicy"]
    )
    used = set(re.findall(r"supaplane\.dev/[a-z-]+", policies))
    assert used == {
        names.LABEL_REF,
        names.LABEL_ALLOW_DELETE,
        names.ANNOTATION_ADOPTABLE_BY,
        names.FINALIZER,
    }
    patterns = set(re.findall(r"\^supabase-.*?\$", policies))
    assert patterns == {f"^{names.PROJECT_NAMESPACE_PREFIX}{names.REF_PATTERN[1:]}"}
    suffix = names.credentials_secret("")
    assert f"endsWith('{suffix}')" in policies


def test_the_keys_of_the_api_are_strong_and_no_two_alike(chart: Any, one: One) -> None:
    found = set()
    for _ in range(3):
        secret = one(chart.render(chart.values("default")), "Secret", "supaplane-api-secrets")
        assert secret["immutable"] is True
        assert secret["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"
        for value in secret["data"].values():
            plain = base64.b64decode(value).decode()
            assert re.fullmatch(r"[0-9a-f]{64}", plain)
            assert api_settings.weakness(plain) is None
            found.add(plain)
    assert len(found) == 6


def test_no_secret_is_made_where_one_is_named(rendered: dict[str, list[Json]]) -> None:
    assert not [m for m in rendered["full"] if m["kind"] == "Secret"]


async def operator_metrics() -> set[str]:
    """Every name that the operator's page can hold."""
    metrics = OperatorMetrics()
    settings = operator_settings.from_environment({"DOMAIN_BASE": "p.example.org"})
    await build(MemoryKube(), settings, metrics)
    metrics.request("apply", "services", 200)
    return sample_names(metrics.text().decode())


def sample_names(text: str) -> set[str]:
    found = set()
    for family in text_string_to_metric_families(text):
        kinds = {"counter": ["_total"], "histogram": ["_bucket", "_sum", "_count"]}
        found |= {family.name + end for end in kinds.get(family.type, [""])}
    return found


async def test_dashboard_and_alerts_ask_only_for_numbers_that_are_told(chart: Any) -> None:
    folder = chart.folder / "files" / "monitoring"
    dashboard = json.loads((folder / "dashboard.json").read_text())
    asked = [t["expr"] for panel in dashboard["panels"] for t in panel["targets"]]
    alerts = yaml.safe_load((folder / "alerts.yaml").read_text())
    asked += [rule["expr"] for group in alerts["groups"] for rule in group["rules"]]
    wanted = {name for expr in asked for name in re.findall(r"supaplane_\w+", expr)}
    api = sample_names(ApiMetrics().text().decode()) | set(
        re.findall(
            r'"(supaplane_api_\w+)"',
            (chart.folder.parent.parent / "api/supaplane_api/assembly.py").read_text(),
        )
    )
    told = await operator_metrics() | api
    assert wanted <= told
    assert len(wanted) > 12


def test_every_alert_says_what_to_do(chart: Any) -> None:
    alerts = yaml.safe_load((chart.folder / "files" / "monitoring" / "alerts.yaml").read_text())
    rules = [rule for group in alerts["groups"] for rule in group["rules"]]
    assert all(len(rule["annotations"]["description"]) > 40 for rule in rules)
    assert all(rule["labels"]["severity"] in ("warning", "critical") for rule in rules)
    assert len({rule["alert"] for rule in rules}) == len(rules) > 5
