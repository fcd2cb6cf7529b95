"""Which programs a cluster is made of, in which order, and with which flags. Starts nothing."""

from __future__ import annotations

from .node import commands as node
from .node.network import NODE_NAME
from .options import ClusterOptions
from .plan import (
    API_SERVER,
    CONTAINERD,
    CONTROLLER_MANAGER,
    ETCD,
    KUBELET,
    LOOPBACK,
    NODES,
    POLICIES,
    PROXY,
    SCHEDULER,
    SERVICE_RANGE,
    SPACE,
    VOLUMES,
    Plan,
)

SIMULATED = (ETCD, API_SERVER, CONTROLLER_MANAGER, SCHEDULER, NODES)
NODE = (KUBELET, PROXY, VOLUMES, POLICIES)
REAL = (SPACE, CONTAINERD, ETCD, API_SERVER, CONTROLLER_MANAGER, SCHEDULER, *NODE)
ALL = tuple(dict.fromkeys((*REAL, *SIMULATED)))


def start_order(options: ClusterOptions) -> tuple[str, ...]:
    """What such a cluster is made of, servers before clients."""
    return REAL if options.has_real_node else SIMULATED


def stop_order(options: ClusterOptions) -> tuple[str, ...]:
    """Clients before servers, so that nobody spends its last seconds reconnecting."""
    if options.has_real_node:
        return (*NODE, SCHEDULER, CONTROLLER_MANAGER, API_SERVER, ETCD, CONTAINERD, SPACE)
    return (SCHEDULER, CONTROLLER_MANAGER, NODES, API_SERVER, ETCD)


# Each has its own user, so that the audit log tells them apart.
USERS = {
    "admin": ("admin", "system:masters"),
    CONTROLLER_MANAGER: ("system:kube-controller-manager", ""),
    SCHEDULER: ("system:kube-scheduler", ""),
    NODES: ("simulated-nodes", "system:masters"),
    KUBELET: (f"system:node:{NODE_NAME}", "system:nodes"),
    PROXY: ("system:kube-proxy", ""),
    VOLUMES: ("devcluster:volume-provisioner", ""),
    POLICIES: ("devcluster:network-policies", ""),
}

PORT_NAMES = ("api", "etcd", "etcd-peer", "controller-manager", "scheduler", "tunnel")


def command(plan: Plan, component: str) -> list[str]:
    """The whole command line of one component. No secret is ever part of it."""
    if component in (SPACE, CONTAINERD, *NODE):
        return node.command(plan, component)
    flags = {
        ETCD: _etcd,
        API_SERVER: _api_server,
        CONTROLLER_MANAGER: _controller_manager,
        SCHEDULER: _scheduler,
        NODES: _nodes,
    }[component](plan)
    return [str(plan.binary), component, *(f"--{name}={value}" for name, value in flags.items())]


def _etcd(plan: Plan) -> dict[str, str]:
    return {
        "data-dir": str(plan.layout.etcd),
        "listen-client-url": plan.etcd_url,
        "listen-peer-url": f"http://{LOOPBACK}:{plan.ports['etcd-peer']}",
        # Fewer entries held in memory between snapshots than upstream's 10000; restarts stay quick.
        "snapshot-count": "5000",
        "unsafe-no-fsync": "true",
    }


def _api_server(plan: Plan) -> dict[str, str]:
    files = plan.layout
    flags = {
        "etcd-servers": plan.etcd_url,
        "bind-address": LOOPBACK,
        "advertise-address": LOOPBACK,
        "secure-port": str(plan.ports["api"]),
        "cert-dir": str(files.certificates),
        "tls-cert-file": str(files.server_certificate),
        "tls-private-key-file": str(files.server_key),
        "client-ca-file": str(files.ca),
        "token-auth-file": str(files.tokens),
        "anonymous-auth": "false",
        "authorization-mode": "Node,RBAC",
        "service-account-issuer": "https://kubernetes.default.svc",
        "service-account-key-file": str(files.service_account_public_key),
        "service-account-signing-key-file": str(files.service_account_key),
        "service-cluster-ip-range": SERVICE_RANGE,
        "allow-privileged": "true",
        # One server on loopback: the `kubernetes` Service has no endpoint that a pod could use.
        "endpoint-reconciler-type": "none",
        "profiling": "false",
        "event-ttl": "1h",
    }
    if plan.options.has_real_node:
        flags |= node.api_server(plan)
    else:
        flags["egress-selector-config-file"] = str(files.egress)
    if plan.options.audit_scope:
        flags["audit-policy-file"] = str(files.audit_policy)
        flags["audit-log-path"] = str(files.audit_log)
        flags["audit-log-maxsize"] = "200"
        flags["audit-log-maxbackup"] = "2"
    return flags | _feature_gates(plan)


def _controller_manager(plan: Plan) -> dict[str, str]:
    flags = {
        "kubeconfig": str(plan.layout.component_kubeconfig(CONTROLLER_MANAGER)),
        "leader-elect": "false",
        "bind-address": LOOPBACK,
        "secure-port": str(plan.ports["controller-manager"]),
        "cert-dir": str(plan.layout.certificates / CONTROLLER_MANAGER),
        "service-account-private-key-file": str(plan.layout.service_account_key),
        "root-ca-file": str(plan.layout.ca),
        "use-service-account-credentials": "true",
        "kube-api-qps": "400",
        "kube-api-burst": "800",
        "node-monitor-period": "2s",
        "profiling": "false",
        # Its volume plugins make this folder; the default is in /usr.
        "flex-volume-plugin-dir": str(plan.layout.folder / "volume-plugins"),
    }
    kinds = ("deployment", "replicaset", "statefulset", "job", "gc", "namespace", "endpoint-slice")
    names = {"endpoint-slice": "concurrent-service-endpoint-syncs"}
    for kind in kinds:
        flags[names.get(kind, f"concurrent-{kind}-syncs")] = "20"
    return flags | _feature_gates(plan)


def _scheduler(plan: Plan) -> dict[str, str]:
    flags = {
        "kubeconfig": str(plan.layout.component_kubeconfig(SCHEDULER)),
        "leader-elect": "false",
        "bind-address": LOOPBACK,
        "secure-port": str(plan.ports["scheduler"]),
        "cert-dir": str(plan.layout.certificates / SCHEDULER),
        "kube-api-qps": "400",
        "kube-api-burst": "800",
        "profiling": "false",
    }
    return flags | _feature_gates(plan)


def _nodes(plan: Plan) -> dict[str, str]:
    options, files = plan.options, plan.layout
    return {
        "kubeconfig": str(files.component_kubeconfig(NODES)),
        "tunnel-address": plan.tunnel,
        "tls-cert-file": str(files.server_certificate),
        "tls-private-key-file": str(files.server_key),
        "client-ca-file": str(files.ca),
        "node-count": str(options.nodes),
        "pod-delay": f"{options.pod_delay:g}s",
        "pod-jitter": f"{options.pod_jitter:g}s",
        "job-duration": f"{options.job_duration:g}s",
    }


def _feature_gates(plan: Plan) -> dict[str, str]:
    gates = plan.options.feature_gates
    if not gates:
        return {}
    return {"feature-gates": ",".join(f"{k}={str(v).lower()}" for k, v in sorted(gates.items()))}
