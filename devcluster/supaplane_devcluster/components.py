"""Which programs a cluster is made of, in which order, and with which flags. Starts nothing."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from .layout import Layout
from .options import ClusterOptions

ETCD = "etcd"
API_SERVER = "kube-apiserver"
CONTROLLER_MANAGER = "kube-controller-manager"
SCHEDULER = "kube-scheduler"
NODES = "simulated-nodes"

START_ORDER = (ETCD, API_SERVER, CONTROLLER_MANAGER, SCHEDULER, NODES)
# Clients before servers, so that nobody spends its last seconds reconnecting.
STOP_ORDER = (SCHEDULER, CONTROLLER_MANAGER, NODES, API_SERVER, ETCD)

# Each has its own user, so that the audit log tells them apart.
USERS = {
    "admin": ("admin", "system:masters"),
    CONTROLLER_MANAGER: ("system:kube-controller-manager", ""),
    SCHEDULER: ("system:kube-scheduler", ""),
    NODES: ("simulated-nodes", "system:masters"),
}

PORT_NAMES = ("api", "etcd", "etcd-peer", "controller-manager", "scheduler", "tunnel")
SERVICE_RANGE = "10.96.0.0/16"
LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class Plan:
    """All that decides the command lines."""

    binary: Path
    layout: Layout
    ports: dict[str, int]
    options: ClusterOptions

    @property
    def server(self) -> str:
        return f"https://{LOOPBACK}:{self.ports['api']}"

    @property
    def tunnel(self) -> str:
        """Where the API server goes instead of dialling addresses that only pods would have."""
        return f"{LOOPBACK}:{self.ports['tunnel']}"

    @property
    def etcd_url(self) -> str:
        return f"http://{LOOPBACK}:{self.ports['etcd']}"


def command(plan: Plan, component: str) -> list[str]:
    """The whole command line of one component. No secret is ever part of it."""
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
        "egress-selector-config-file": str(files.egress),
        "profiling": "false",
        "event-ttl": "1h",
    }
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
