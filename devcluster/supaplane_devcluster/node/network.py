"""The addresses of a real node, and how its network is laid out. Computes only."""

from __future__ import annotations

import json
from typing import Final

NODE_NAME: Final = "node1"
NODE_ADDRESS: Final = "10.250.0.1"
POD_CIDR: Final = "10.244.0.0/16"
# Larger than the usual /24, which ends at 253 pods.
POD_RANGE: Final = "10.244.0.0/20"
POD_BRIDGE: Final = "pods0"
DNS_ADDRESS: Final = "10.96.0.10"
CLUSTER_DOMAIN: Final = "cluster.local"

RESOLVE_NOTHING: Final = "nameserver 127.0.0.1\n"
"""For the node's own programs: they know addresses, and ask nobody outside."""
RESOLVE_SERVICES: Final = (
    f"nameserver {DNS_ADDRESS}\nsearch svc.{CLUSTER_DOMAIN} {CLUSTER_DOMAIN}\noptions ndots:2\n"
)
"""For programs that are run beside the pods."""

IP_BATCH: Final = f"""\
link set lo up
link add node0 type bridge
addr add {NODE_ADDRESS}/24 dev node0
link set node0 up
route add default dev node0
"""
"""For `ip -batch`. A bridge without members is the node's address; a dummy device needs a module
that many machines have not loaded. The default route leads nowhere: nothing goes out."""

SYSCTLS: Final = {
    "net/ipv4/ip_forward": "1",
    # Packets between two pods pass the rules as those between two networks do.
    "net/bridge/bridge-nf-call-iptables": "1",
}
"""Set in the node's own network namespace."""

MACHINE_SYSCTLS: Final = {
    "vm/overcommit_memory": "1",
    "kernel/panic": "10",
    "kernel/panic_on_oops": "1",
    "kernel/keys/root_maxkeys": "1000000",
    "kernel/keys/root_maxbytes": "25000000",
}
"""The kubelet sets these for the whole machine unless they read right already
(k8s.io/kubernetes/pkg/kubelet/cm, setupKernelTunables), so it is shown what it wants to read."""


def cni_configuration() -> str:
    """Pods on one bridge. No masquerading: policies see the pods' own addresses."""
    ipam = {
        "type": "host-local",
        "ranges": [[{"subnet": POD_RANGE}]],
        "routes": [{"dst": "0.0.0.0/0"}],
        # not the default, which the next boot of the node would find full
        "dataDir": "/run/cni",
    }
    bridge = {
        "type": "bridge",
        "bridge": POD_BRIDGE,
        "isGateway": True,
        "ipMasq": False,
        # A pod reaches itself through its Service.
        "hairpinMode": True,
        "ipam": ipam,
    }
    document = {"cniVersion": "0.4.0", "name": "devcluster", "plugins": [bridge]}
    return json.dumps(document, indent=2) + "\n"
