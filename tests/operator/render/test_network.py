"""May everybody reach whom they are told to speak to, and nobody else?"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from supaplane_contract import names
from supaplane_devcluster.node.policies import selects
from supaplane_operator.render import Platform, Rendered, RenderInput, project
from supaplane_operator.render.components import PARTS

from .reach import allowed, from_elsewhere, pods, policies, rules

MakeInput = Callable[..., RenderInput]
NAME = re.compile(r"\b([a-z]+)\.supabase-[a-z]{20}\.svc\.")


def told(rendered: Rendered) -> set[tuple[str, str]]:
    """(component, whose name it is told), out of what lies in its Secret, config and variables."""
    found = set()
    for manifest in rendered.manifests:
        labels = manifest["metadata"]["labels"]
        if manifest["kind"] == "Job":  # its pods are told, and are called by another name
            labels = manifest["spec"]["template"]["metadata"]["labels"]
        component = labels[names.LABEL_COMPONENT]
        if component == "project" or manifest["kind"] == "NetworkPolicy":
            continue
        text = json.dumps(manifest)
        if manifest["kind"] == "Secret":
            text = "".join(base64.b64decode(v).decode() for v in manifest["data"].values())
        found |= {(component, called) for called in NAME.findall(text) if called != component}
    return found


def ports_of(rendered: Rendered) -> dict[str, set[int]]:
    """Ports of each component's Service, which are those of its pods."""
    return {
        m["metadata"]["name"]: {port["port"] for port in m["spec"]["ports"]}
        for m in rendered.manifests
        if m["kind"] == "Service"
    }


def test_the_edges_are_those_that_the_rendered_addresses_make(sample: Any) -> None:
    rendered = project(sample.input)
    if not policies(rendered):
        pytest.fail("every sample has policies")
    on = {component.name for component in rendered.components}
    mentioned = {(name.value, other.value) for name in on for other in PARTS[name].mentions & on}
    assert mentioned <= told(rendered)
    known = ports_of(rendered)
    wanted = {
        (caller, called, port)
        for caller, called in told(rendered) - mentioned
        for port in known[called]
    }
    assert wanted
    # 9901: where Envoy is managed
    assert allowed(rendered, {9901}.union(*known.values())) == wanted


def test_a_pod_that_somebody_adds_reaches_nothing_but_names_and_is_reached_by_nobody(
    samples: Any,
) -> None:
    rendered = project(samples["full"].input)
    stranger = {"app": "stranger"}
    ours = [spec for spec in policies(rendered).values() if selects(spec["podSelector"], stranger)]
    assert ours == [policies(rendered)["default-deny"]]
    for name in pods(rendered):
        for direction, peers in (("ingress", "from"), ("egress", "to")):
            for rule in rules(rendered, name, direction):
                for peer in rule.get(peers, []):
                    alone = peer.keys() == {"podSelector"}
                    assert not (alone and selects(peer["podSelector"], stranger))


def test_a_full_project_is_kept_apart_by_a_handful_of_policies(make_input: MakeInput) -> None:
    rendered = project(make_input({"analytics": {"enabled": True}}))
    assert len(rendered.components) >= 13
    assert len(policies(rendered)) <= 10


def test_everything_that_no_policy_names_is_refused_both_ways(sample: Any) -> None:
    spec = policies(project(sample.input))["default-deny"]
    assert spec == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


def test_only_the_gateway_can_be_reached_from_outside(samples: Any) -> None:
    rendered = project(samples["minimal"].input)
    assert {name for name in pods(rendered) if from_elsewhere(rendered, name)} == {"gateway"}
    (rule,) = from_elsewhere(rendered, "gateway")
    assert rule == {"ports": [{"port": 8000, "protocol": "TCP"}]}


def test_ingress_controllers_of_named_namespaces_only(samples: Any) -> None:
    rendered = project(samples["default"].input)
    outside = [peer for rule in from_elsewhere(rendered, "gateway") for peer in rule["from"]]
    assert [
        p["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"] for p in outside
    ] == [
        "ingress-nginx",
        "supaplane-system",
    ]
    assert "podSelector" in outside[1]
    ((api,),) = [rule["from"] for rule in from_elsewhere(rendered, "meta")]
    assert api["podSelector"]["matchLabels"] == {"app.kubernetes.io/name": "supaplane-api"}


def test_only_auth_and_functions_may_reach_the_internet_and_nothing_private_with_it(
    samples: Any,
) -> None:
    rendered = project(samples["minimal"].input)
    blocks = {
        name: [p["ipBlock"] for rule in rules(rendered, name, "egress") for p in rule["to"]
               if p.get("ipBlock", {}).get("cidr") == "0.0.0.0/0"]
        for name in pods(rendered)
    }  # fmt: skip
    outside = {name: block for name, block in blocks.items() if block}
    assert outside.keys() == {"auth", "functions"}
    for (block,) in outside.values():
        assert {"169.254.0.0/16", "10.0.0.0/8"} <= set(block["except"])


def test_a_project_may_close_the_way_to_the_internet(samples: Any) -> None:
    found = policies(project(samples["custom"].input))
    assert "0.0.0.0/0" not in json.dumps([spec.get("egress") for spec in found.values()])


def test_a_project_may_do_without_policies(make_input: MakeInput) -> None:
    assert policies(project(make_input({"network": {"restrict": False}}))) == {}


def test_another_way_to_dns_can_be_set(make_input: MakeInput) -> None:
    platform = Platform("example.com", dns_namespace="dns", dns_cidrs=("10.1.2.3/32",))
    (rule,) = rules(project(make_input(platform=platform)), "db", "egress")
    assert rule["to"][0]["namespaceSelector"]["matchLabels"] == {
        "kubernetes.io/metadata.name": "dns"
    }
    assert rule["to"][1] == {"ipBlock": {"cidr": "10.1.2.3/32"}}


def test_a_job_reaches_what_it_works_on_and_nobody_reaches_it(samples: Any) -> None:
    rendered = project(samples["full"].input)
    edges = allowed(rendered, set[int]().union(*ports_of(rendered).values()))
    assert {edge for edge in edges if "bucket" in edge} == {("bucket", "objectstore", 9000)}
    assert from_elsewhere(rendered, "bucket") == []


def to_the_internet(rendered: Rendered) -> dict[str, list[Any]]:
    """Ports of the internet that a component may reach; None stands for all."""
    return {
        name: ports
        for name in pods(rendered)
        for rule in rules(rendered, name, "egress")
        for peer in rule["to"]
        if peer.get("ipBlock", {}).get("cidr") == "0.0.0.0/0"
        for ports in [[p["port"] for p in rule.get("ports", [])]]
    }


def test_who_names_a_bucket_wants_its_port_reached_whatever_else_is_closed(
    samples: Any, make_input: MakeInput
) -> None:
    assert to_the_internet(project(samples["bucket"].input)) == {
        "storage": [443],
        "imgproxy": [443],
    }
    s3 = {"endpoint": "http://10.1.2.3:9900", "bucket": "acme", "credentialsSecret": "keys"}
    spec = {"storage": {"enabled": True, "backend": "s3", "s3": s3}}
    spec |= {"functions": {"enabled": False}}
    secrets = {("keys", "accessKeyId"): "a", ("keys", "secretAccessKey"): "b"}
    found = to_the_internet(project(make_input(spec, secrets=secrets)))
    assert found == {"auth": [], "storage": [9900], "imgproxy": [9900]}


def test_storage_has_no_business_outside_when_its_objects_are_here(samples: Any) -> None:
    assert set(to_the_internet(project(samples["full"].input))) == {"auth", "functions"}
    assert set(to_the_internet(project(samples["files"].input))) == set()
