"""The command lines of what a real node is made of. Starts nothing."""

from __future__ import annotations

import sys

from supaplane_devcluster import plan as parts
from supaplane_devcluster.plan import Plan

from . import network, space


def command(plan: Plan, component: str) -> list[str]:
    """The whole command line of one component of the node. No secret is ever part of it."""
    files = plan.layout
    kubeconfig = f"--kubeconfig={files.component_kubeconfig(component)}"
    match component:
        case parts.SPACE:
            return space.command(files)
        case parts.CONTAINERD:
            return ["containerd", "--config", str(files.containerd_config)]
        case parts.KUBELET:
            return [
                *(str(plan.binary), parts.KUBELET, kubeconfig, f"--config={files.kubelet_config}"),
                *(f"--hostname-override={network.NODE_NAME}", f"--node-ip={network.NODE_ADDRESS}"),
            ]
        case parts.PROXY:
            return [str(plan.binary), parts.PROXY, f"--config={files.proxy_config}"]
        case parts.VOLUMES:
            return [*_python("provisioner"), kubeconfig, f"--folder={files.volumes}"]
        case parts.POLICIES:
            return [*_python("enforcer"), kubeconfig]
    raise ValueError(f"a node has no {component}")


def api_server(plan: Plan) -> dict[str, str]:
    """Flags in the place of those for simulated nodes: pods reach it, and it reaches them."""
    files = plan.layout
    return {
        # The network is the node's own: all addresses in it are.
        "bind-address": "0.0.0.0",
        "advertise-address": network.NODE_ADDRESS,
        # Else `kubectl logs` and `exec` look up the node's name, which nobody knows.
        "kubelet-preferred-address-types": "InternalIP",
        "kubelet-client-certificate": str(files.server_certificate),
        "kubelet-client-key": str(files.server_key),
        # Writes the endpoints of the Service `kubernetes`.
        "endpoint-reconciler-type": "lease",
        "service-account-issuer": f"https://kubernetes.default.svc.{network.CLUSTER_DOMAIN}",
    }


def _python(module: str) -> list[str]:
    return [sys.executable, "-m", f"supaplane_devcluster.node.{module}"]
