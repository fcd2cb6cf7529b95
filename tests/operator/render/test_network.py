"""May everybody reach whom they are told to speak to, and nobody else?"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from supaplane_contract import names
from supaplane_contract.spec import ComponentName
from supaplane_operator.render import Platform, Rendered, RenderInput, project
from supaplane_operator.render.components import PARTS

MakeInput = Callable[..., RenderInput]
NAME = re.compile(r"\b([a-z]+)\.supabase-[a-z]{20}\.svc\.")


def policies(rendered: Rendered) -> dict[str, Any]:
    return {
        m["metadata"]["name"]: m["spec"] for m in rendered.manifests if m["kind"] == "NetworkPolicy"
    }


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


def allowed(rendered: Rendered, direction: str) -> set[tuple[str, str]]:
    """(caller, called) as one side's policies say."""
    found = set()
    for name, spec in policies(rendered).items():
        for rule in spec.get(direction, []):
            for peer in rule.get("from" if direction == "ingress" else "to", []):
                labels = peer.get("podSelector", {}).get("matchLabels", {})
                if names.LABEL_COMPONENT in labels:
                    other = labels[names.LABEL_COMPONENT]
                    found.add((other, name) if direction == "ingress" else (name, other))
    return found


def test_the_edges_are_those_that_the_rendered_addresses_make(sample: Any) -> None:
    rendered = project(sample.input)
    if not policies(rendered):
        pytest.fail("every sample has policies")
    on = {component.name for component in rendered.components}
    mentioned = {(name.value, other.value) for name in on for other in PARTS[name].mentions & on}
    assert mentioned <= told(rendered)
    assert allowed(rendered, "egress") == told(rendered) - mentioned


def test_both_ends_agree(sample: Any) -> None:
    rendered = project(sample.input)
    assert allowed(rendered, "ingress") == allowed(rendered, "egress")


def test_everything_that_no_policy_names_is_refused_both_ways(sample: Any) -> None:
    spec = policies(project(sample.input))["default-deny"]
    assert spec == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


def test_the_ports_are_those_of_the_service(sample: Any) -> None:
    rendered = project(sample.input)
    for name, spec in policies(rendered).items():
        for rule in spec.get("ingress", []):
            wanted = sorted(PARTS[ComponentName(name)].ports.values())
            assert [p["port"] for p in rule["ports"]] == wanted


def test_only_the_gateway_can_be_reached_from_outside(samples: Any) -> None:
    found = {
        name
        for name, spec in policies(project(samples["minimal"].input)).items()
        for rule in spec.get("ingress", [])
        if "from" not in rule or any("podSelector" not in peer for peer in rule["from"])
    }
    assert found == {"gateway"}


def test_ingress_controllers_of_named_namespaces_only(samples: Any) -> None:
    found = policies(project(samples["default"].input))
    rules = found["gateway"]["ingress"]
    outside = [peer for rule in rules for peer in rule["from"] if "namespaceSelector" in peer]
    assert [
        p["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"] for p in outside
    ] == [
        "ingress-nginx",
        "supaplane-system",
    ]
    assert "podSelector" in outside[1]
    api = found["meta"]["ingress"][-1]["from"][0]
    assert api["podSelector"]["matchLabels"] == {"app.kubernetes.io/name": "supaplane-api"}


def test_only_auth_and_functions_may_reach_the_internet_and_nothing_private_with_it(
    samples: Any,
) -> None:
    found = policies(project(samples["minimal"].input))
    blocks = {
        name: [p["ipBlock"] for rule in spec.get("egress", []) for p in rule["to"]
               if p.get("ipBlock", {}).get("cidr") == "0.0.0.0/0"]
        for name, spec in found.items()
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
    rule = policies(project(make_input(platform=platform)))["db"]["egress"][0]
    assert rule["to"][0]["namespaceSelector"]["matchLabels"] == {
        "kubernetes.io/metadata.name": "dns"
    }
    assert rule["to"][1] == {"ipBlock": {"cidr": "10.1.2.3/32"}}


def test_a_job_reaches_what_it_works_on_and_nobody_reaches_it(samples: Any) -> None:
    rendered = project(samples["full"].input)
    spec = policies(rendered)["bucket"]
    assert "ingress" not in spec
    assert spec["podSelector"]["matchLabels"][names.LABEL_COMPONENT] == "bucket"
    peers = [peer for rule in spec["egress"] for peer in rule["to"] if "podSelector" in peer]
    assert [p["podSelector"]["matchLabels"][names.LABEL_COMPONENT] for p in peers] == [
        "objectstore"
    ]


def to_the_internet(rendered: Rendered) -> dict[str, list[Any]]:
    """Ports of the internet that a component may reach; None stands for all."""
    return {
        name: ports
        for name, spec in policies(rendered).items()
        for rule in spec.get("egress", [])
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
