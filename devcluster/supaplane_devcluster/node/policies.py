"""NetworkPolicies as nftables rules. Computes only.

Every pod that a policy isolates has a chain of what it may do, for each direction, which ends in a
drop. The rules stand behind kube-proxy's translation of Service addresses, so they see pods:
https://kubernetes.io/docs/concepts/services-networking/network-policies/
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .api import Object

TABLE = "devcluster-policies"
# Behind the translation of destinations (dstnat, -100), before others' filters (0).
PRIORITY = "filter - 5"
ESTABLISHED = "ct state established,related accept"


@dataclass(frozen=True)
class Pod:
    """What of a pod the rules are made of."""

    namespace: str
    labels: Mapping[str, str]
    address: str
    ports: tuple[tuple[str, str, int], ...] = ()
    """Named ports: name, protocol (TCP, UDP, SCTP), number."""


@dataclass(frozen=True)
class Direction:
    """How the two halves of a policy differ."""

    kind: str
    rules: str
    peers: str
    own: str
    """Which address of a packet is the isolated pod's, to nftables."""
    other: str


INGRESS = Direction("Ingress", "ingress", "from", own="daddr", other="saddr")
EGRESS = Direction("Egress", "egress", "to", own="saddr", other="daddr")


@dataclass
class _Chains:
    """For each isolated address the rules of what is allowed."""

    direction: Direction
    rules: dict[str, dict[str, None]] = field(default_factory=dict)

    def isolate(self, address: str) -> dict[str, None]:
        # A pod can always reach itself.
        itself = f"ip {self.direction.other} {address} return"
        return self.rules.setdefault(address, {itself: None})


def running(pods: Iterable[Object]) -> list[Pod]:
    """Those that hold an address of their own: an ended pod's may be another's by now."""
    return [_pod(pod) for pod in pods if _has_own_address(pod)]


def ruleset(pods: Sequence[Pod], namespaces: Iterable[Object], policies: Iterable[Object]) -> str:
    """All rules, for `nft -f`, in the place of those before; the same for the same cluster."""
    labels = {n["metadata"]["name"]: n["metadata"].get("labels") or {} for n in namespaces}
    incoming, outgoing = _Chains(INGRESS), _Chains(EGRESS)
    for policy in policies:
        for chains in (incoming, outgoing):
            if chains.direction.kind in policy_types(policy["spec"]):
                _add(chains, policy, pods, labels)
    lines = [f"add table ip {TABLE}", f"delete table ip {TABLE}", f"table ip {TABLE} {{"]
    for chains in (incoming, outgoing):
        for address in sorted(chains.rules):
            lines += [f"  chain {_name(chains.direction, address)} {{"]
            lines += [f"    {rule}" for rule in (*chains.rules[address], "counter drop")]
            lines += ["  }"]
    lines += _hook("forward", [*_jump(outgoing), *_jump(incoming)])
    # To the node itself, where the API server is. What comes from the node is never dropped: its
    # probes have to reach every pod.
    lines += _hook("input", _jump(outgoing))
    return "\n".join([*lines, "}", ""])


def policy_types(spec: Mapping[str, Any]) -> list[str]:
    """Ingress always, Egress if there are rules for it, unless the policy says which."""
    given: list[str] | None = spec.get("policyTypes")
    return given or ["Ingress", *(["Egress"] if spec.get("egress") else [])]


def selects(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Whether a label selector means something with these labels; an empty one means all."""
    exact = selector.get("matchLabels") or {}
    return all(labels.get(key) == value for key, value in exact.items()) and all(
        _fits(expression, labels) for expression in selector.get("matchExpressions") or []
    )


def _fits(expression: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    key, values = expression["key"], expression.get("values") or []
    match expression["operator"]:
        case "In":
            return labels.get(key) in values
        case "NotIn":
            return labels.get(key) not in values
        case "Exists":
            return key in labels
        case "DoesNotExist":
            return key not in labels
    raise ValueError(f"label selectors have no operator {expression['operator']}")


def _add(
    chains: _Chains, policy: Object, pods: Sequence[Pod], labels: Mapping[str, Mapping[str, str]]
) -> None:
    namespace, spec, direction = policy["metadata"]["namespace"], policy["spec"], chains.direction
    rules = spec.get(direction.rules) or []
    for pod in pods:
        if pod.namespace != namespace or not selects(spec.get("podSelector") or {}, pod.labels):
            continue
        chain = chains.isolate(pod.address)
        for rule in rules:
            targets = [pod] if direction is INGRESS else pods
            for peer in _peers(rule.get(direction.peers), direction, namespace, pods, labels):
                for port in _ports(rule.get("ports"), targets):
                    chain[" ".join(filter(None, (peer, port, "return")))] = None


def _peers(
    peers: Sequence[Mapping[str, Any]] | None,
    direction: Direction,
    namespace: str,
    pods: Sequence[Pod],
    labels: Mapping[str, Mapping[str, str]],
) -> list[str]:
    """Matches, one for each alternative; the empty match where nothing is asked of the peer."""
    if not peers:
        return [""]
    found = []
    for peer in peers:
        if block := peer.get("ipBlock"):
            found += _block(block, direction)
        elif addresses := sorted(
            {pod.address for pod in pods if _is_peer(pod, peer, namespace, labels)}
        ):
            found.append(f"ip {direction.other} {{ {', '.join(addresses)} }}")
    return found


def _is_peer(
    pod: Pod,
    peer: Mapping[str, Any],
    namespace: str,
    labels: Mapping[str, Mapping[str, str]],
) -> bool:
    if "namespaceSelector" in peer:
        in_namespace = selects(peer["namespaceSelector"] or {}, labels.get(pod.namespace, {}))
    else:
        in_namespace = pod.namespace == namespace
    return in_namespace and selects(peer.get("podSelector") or {}, pod.labels)


def _block(block: Mapping[str, Any], direction: Direction) -> list[str]:
    # This node has no IPv6, so a block of such addresses allows nothing.
    if ipaddress.ip_network(block["cidr"], strict=False).version != 4:
        return []
    match = f"ip {direction.other} {block['cidr']}"
    if without := block.get("except"):
        match += f" ip {direction.other} != {{ {', '.join(without)} }}"
    return [match]


def _ports(ports: Sequence[Mapping[str, Any]] | None, targets: Sequence[Pod]) -> list[str]:
    """Matches, one for each alternative. A name is a number that each target has for itself."""
    if not ports:
        return [""]
    found = []
    for port in ports:
        protocol, number = port.get("protocol") or "TCP", port.get("port")
        if number is None:
            found.append(f"meta l4proto {protocol.lower()}")
        elif isinstance(number, int):
            end = f"-{port['endPort']}" if port.get("endPort") else ""
            found.append(f"{protocol.lower()} dport {number}{end}")
        else:
            found += [
                f"ip daddr {pod.address} {protocol.lower()} dport {its_number}"
                for pod in targets
                for name, its_protocol, its_number in pod.ports
                if (name, its_protocol) == (number, protocol)
            ]
    return found


def _jump(chains: _Chains) -> list[str]:
    if not chains.rules:
        return []
    jumps = ", ".join(f"{a} : jump {_name(chains.direction, a)}" for a in sorted(chains.rules))
    return [f"ip {chains.direction.own} vmap {{ {jumps} }}"]


def _hook(hook: str, rules: Sequence[str]) -> list[str]:
    begin = f"type filter hook {hook} priority {PRIORITY}; policy accept;"
    return [f"  chain {hook} {{", *(f"    {r}" for r in (begin, ESTABLISHED, *rules)), "  }"]


def _name(direction: Direction, address: str) -> str:
    return f"{direction.rules}_{address.replace('.', '_')}"


def _has_own_address(pod: Object) -> bool:
    status = pod.get("status", {})
    return (
        bool(status.get("podIP"))
        and status.get("phase") in ("Pending", "Running")
        and not pod["spec"].get("hostNetwork")
    )


def _pod(pod: Object) -> Pod:
    spec = pod["spec"]
    # Init containers that stay (sidecars) have ports too.
    containers = [*spec["containers"], *(spec.get("initContainers") or [])]
    ports = tuple(
        (port["name"], port.get("protocol") or "TCP", port["containerPort"])
        for container in containers
        for port in container.get("ports") or []
        if port.get("name")
    )
    metadata = pod["metadata"]
    return Pod(metadata["namespace"], metadata.get("labels") or {}, pod["status"]["podIP"], ports)
