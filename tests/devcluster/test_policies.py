"""Which rules do NetworkPolicies become?"""

from __future__ import annotations

from typing import Any

import pytest

from supaplane_devcluster.node import policies
from supaplane_devcluster.node.policies import Pod

DB = Pod("shop", {"app": "db", "tier": "data"}, "10.244.0.2", (("pg", "TCP", 5432),))
WEB = Pod("shop", {"app": "web"}, "10.244.0.3", (("http", "TCP", 8080),))
SPY = Pod("other", {"app": "web"}, "10.244.0.4", (("http", "TCP", 9090),))
PODS = [DB, WEB, SPY]
NAMESPACES = [
    {"metadata": {"name": "shop", "labels": {"team": "a"}}},
    {"metadata": {"name": "other", "labels": {"team": "b"}}},
    {"metadata": {"name": "bare"}},
]


def policy(spec: dict[str, Any], namespace: str = "shop") -> dict[str, Any]:
    return {"metadata": {"name": "p", "namespace": namespace}, "spec": spec}


def chain(rules: str, name: str) -> list[str] | None:
    """The rules of one chain; None if there is no such chain."""
    lines = [line.strip() for line in rules.splitlines()]
    if f"chain {name} {{" not in lines:
        return None
    begin = lines.index(f"chain {name} {{") + 1
    return lines[begin : lines.index("}", begin)]


def ingress(*rules: dict[str, Any], selector: dict[str, Any] | None = None) -> list[str]:
    """What may reach the database, by these rules, without that it may reach itself."""
    spec = {
        "podSelector": selector or {"matchLabels": {"app": "db"}},
        "policyTypes": ["Ingress"],
        "ingress": list(rules),
    }
    return _allowed(spec, "ingress_10_244_0_2")


def egress(*rules: dict[str, Any]) -> list[str]:
    """What the database may reach, by these rules, without itself."""
    spec = {"podSelector": {"matchLabels": {"app": "db"}}, "policyTypes": ["Egress"]}
    return _allowed(spec | {"egress": list(rules)}, "egress_10_244_0_2")


def _allowed(spec: dict[str, Any], name: str) -> list[str]:
    found = chain(policies.ruleset(PODS, NAMESPACES, [policy(spec)]), name)
    assert found is not None
    assert found[0] in ("ip saddr 10.244.0.2 return", "ip daddr 10.244.0.2 return")
    assert found[-1] == "counter drop"
    return found[1:-1]


def labelled(**labels: str) -> dict[str, Any]:
    return {"matchLabels": labels}


def expression(operator: str, *values: str, key: str = "app") -> dict[str, Any]:
    return {"matchExpressions": [{"key": key, "operator": operator, "values": list(values)}]}


WEB_OF_SHOP, WEB_OF_OTHER, BOTH = "10.244.0.3", "10.244.0.4", "10.244.0.3, 10.244.0.4"


@pytest.mark.parametrize(
    ("peer", "addresses"),
    [
        ({"podSelector": labelled(app="web")}, WEB_OF_SHOP),
        ({"podSelector": {}}, "10.244.0.2, 10.244.0.3"),
        ({"podSelector": labelled(app="nobody")}, None),
        ({"namespaceSelector": labelled(team="b")}, WEB_OF_OTHER),
        ({"namespaceSelector": {}}, "10.244.0.2, 10.244.0.3, 10.244.0.4"),
        ({"namespaceSelector": {}, "podSelector": labelled(app="web")}, BOTH),
        ({"namespaceSelector": labelled(team="b"), "podSelector": labelled(app="db")}, None),
        ({"podSelector": expression("In", "web", "api")}, WEB_OF_SHOP),
        ({"podSelector": expression("NotIn", "db")}, WEB_OF_SHOP),
        ({"podSelector": expression("NotIn", "x", key="none")}, "10.244.0.2, 10.244.0.3"),
        ({"podSelector": expression("Exists", key="tier")}, "10.244.0.2"),
        ({"podSelector": expression("DoesNotExist", key="tier")}, WEB_OF_SHOP),
        ({"namespaceSelector": expression("In", "b", key="team")}, WEB_OF_OTHER),
    ],
)
def test_a_peer_is_the_addresses_of_the_pods_that_it_means(
    peer: dict[str, Any], addresses: str | None
) -> None:
    incoming = [f"ip saddr {{ {addresses} }} return"] if addresses else []
    outgoing = [f"ip daddr {{ {addresses} }} return"] if addresses else []
    assert ingress({"from": [peer]}) == incoming
    assert egress({"to": [peer]}) == outgoing


@pytest.mark.parametrize("rule", [{}, {"from": []}, {"ports": []}, {"from": [], "ports": []}])
def test_a_rule_that_asks_for_nothing_allows_all(rule: dict[str, Any]) -> None:
    assert ingress(rule) == ["return"]


def test_no_rule_allows_nothing() -> None:
    assert ingress() == []
    assert egress() == []


def test_several_peers_are_alternatives() -> None:
    peers = [{"podSelector": labelled(app="web")}, {"ipBlock": {"cidr": "192.0.2.0/24"}}]
    assert ingress({"from": peers}) == [
        "ip saddr { 10.244.0.3 } return",
        "ip saddr 192.0.2.0/24 return",
    ]


def test_an_address_block_is_without_its_exceptions() -> None:
    block = {"cidr": "10.0.0.0/8", "except": ["10.96.0.0/16", "10.250.0.0/24"]}
    assert egress({"to": [{"ipBlock": block}]}) == [
        "ip daddr 10.0.0.0/8 ip daddr != { 10.96.0.0/16, 10.250.0.0/24 } return"
    ]


def test_a_block_of_the_other_internet_allows_nothing_here() -> None:
    assert egress({"to": [{"ipBlock": {"cidr": "::/0"}}]}) == []


@pytest.mark.parametrize(
    ("port", "match"),
    [
        ({"port": 5432}, "tcp dport 5432"),
        ({"port": 53, "protocol": "UDP"}, "udp dport 53"),
        ({"port": 9, "protocol": "SCTP"}, "sctp dport 9"),
        ({"port": 8000, "endPort": 8010, "protocol": "TCP"}, "tcp dport 8000-8010"),
        ({"protocol": "UDP"}, "meta l4proto udp"),
        ({"port": "pg", "protocol": "TCP"}, "ip daddr 10.244.0.2 tcp dport 5432"),
    ],
)
def test_a_port_is_a_number_a_range_a_name_or_a_whole_protocol(
    port: dict[str, Any], match: str
) -> None:
    assert ingress({"ports": [port]}) == [f"{match} return"]


def test_a_name_that_no_container_uses_or_uses_for_another_protocol_opens_no_port() -> None:
    assert ingress({"ports": [{"port": "http"}]}) == []
    assert ingress({"ports": [{"port": "pg", "protocol": "UDP"}]}) == []


def test_a_port_by_name_has_the_number_that_each_target_gives_it() -> None:
    assert egress({"ports": [{"port": "http"}]}) == [
        "ip daddr 10.244.0.3 tcp dport 8080 return",
        "ip daddr 10.244.0.4 tcp dport 9090 return",
    ]


def test_peers_and_ports_are_both_asked_for() -> None:
    rule = {
        "from": [{"podSelector": labelled(app="web")}],
        "ports": [{"port": 5432}, {"port": 53, "protocol": "UDP"}],
    }
    assert ingress(rule) == [
        "ip saddr { 10.244.0.3 } tcp dport 5432 return",
        "ip saddr { 10.244.0.3 } udp dport 53 return",
    ]


@pytest.mark.parametrize(
    ("spec", "types"),
    [
        ({}, ["Ingress"]),
        ({"ingress": [{}]}, ["Ingress"]),
        ({"egress": [{}]}, ["Ingress", "Egress"]),
        ({"egress": []}, ["Ingress"]),
        ({"policyTypes": ["Egress"]}, ["Egress"]),
        ({"policyTypes": ["Egress"], "ingress": [{}]}, ["Egress"]),
    ],
)
def test_the_directions_are_those_named_or_those_with_rules(
    spec: dict[str, Any], types: list[str]
) -> None:
    assert policies.policy_types(spec) == types


def test_only_selected_pods_of_the_policys_namespace_are_isolated() -> None:
    spec = {"podSelector": {}, "policyTypes": ["Ingress"]}
    rules = policies.ruleset(PODS, NAMESPACES, [policy(spec)])
    assert chain(rules, "ingress_10_244_0_2") == ["ip saddr 10.244.0.2 return", "counter drop"]
    assert chain(rules, "ingress_10_244_0_3") is not None
    assert chain(rules, "ingress_10_244_0_4") is None
    assert chain(rules, "egress_10_244_0_2") is None


def test_the_rules_of_several_policies_for_a_pod_add_up() -> None:
    one = policy({"podSelector": {}, "ingress": [{"ports": [{"port": 1}]}]})
    two = policy({"podSelector": labelled(app="db"), "ingress": [{"ports": [{"port": 2}]}]})
    rules = chain(policies.ruleset(PODS, NAMESPACES, [one, two]), "ingress_10_244_0_2")
    assert rules is not None
    assert rules[1:] == ["tcp dport 1 return", "tcp dport 2 return", "counter drop"]


def test_replies_pass_and_what_comes_from_the_node_meets_no_rule() -> None:
    spec = {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    rules = policies.ruleset([DB], NAMESPACES, [policy(spec)])
    into = "ip daddr vmap { 10.244.0.2 : jump ingress_10_244_0_2 }"
    out_of = "ip saddr vmap { 10.244.0.2 : jump egress_10_244_0_2 }"
    begin = "type filter hook {} priority filter - 5; policy accept;"
    established = "ct state established,related accept"
    assert chain(rules, "forward") == [begin.format("forward"), established, out_of, into]
    assert chain(rules, "input") == [begin.format("input"), established, out_of]
    assert chain(rules, "output") is None


def test_without_policies_everything_passes() -> None:
    rules = policies.ruleset(PODS, NAMESPACES, [])
    assert "drop" not in rules
    assert "vmap" not in rules


def test_an_unknown_operator_is_an_error_rather_than_a_hole() -> None:
    with pytest.raises(ValueError, match="Like"):
        policies.selects(expression("Like", "x"), {})


def pod(phase: str = "Running", **spec: Any) -> dict[str, Any]:
    ports = [{"name": "http", "containerPort": 8080}, {"containerPort": 9}]
    return {
        "metadata": {"name": "a", "namespace": "shop", "labels": {"app": "web"}},
        "spec": {"containers": [{"name": "a", "ports": ports}]} | spec,
        "status": {"phase": phase, "podIP": "10.244.0.3"},
    }


def test_a_running_pod_is_its_labels_address_and_named_ports() -> None:
    assert policies.running([pod()]) == [WEB]


def test_sidecars_have_ports_too() -> None:
    sidecar = {"name": "s", "ports": [{"name": "s", "containerPort": 1, "protocol": "UDP"}]}
    assert policies.running([pod(initContainers=[sidecar])])[0].ports[-1] == ("s", "UDP", 1)


def test_ended_pods_and_those_on_the_nodes_own_address_are_none() -> None:
    waiting = pod("Pending")
    del waiting["status"]["podIP"]
    ended = [pod("Succeeded"), pod("Failed"), pod(hostNetwork=True), waiting]
    assert policies.running(ended) == []
