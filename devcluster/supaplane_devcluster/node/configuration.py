"""What containerd, the kubelet and kube-proxy of a real node are told. Computes only."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from supaplane_devcluster.layout import Layout

from . import network

PAUSE_IMAGE = "localhost/pause:1"
CONTAINERD_SOCKET = "/run/containerd/containerd.sock"


def containerd(layout: Layout, cni_plugins: Path) -> str:
    """TOML, version 2 of containerd's configuration (1.6)."""
    return f"""\
version = 2
root = "/var/lib/containerd"
state = "/run/containerd"

[grpc]
  address = "{CONTAINERD_SOCKET}"

[plugins."io.containerd.grpc.v1.cri"]
  # without the right to lower it (CAP_SYS_RESOURCE) every container would fail
  restrict_oom_score_adj = true
  sandbox_image = "{PAUSE_IMAGE}"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{cni_plugins}"
    conf_dir = "{layout.cni}"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
"""


def kubelet(layout: Layout) -> str:
    """https://kubernetes.io/docs/reference/config-api/kubelet-config.v1beta1/"""
    return _yaml(
        {
            "apiVersion": "kubelet.config.k8s.io/v1beta1",
            "kind": "KubeletConfiguration",
            "address": network.NODE_ADDRESS,
            # Only the API server has a certificate of this CA.
            "authentication": {
                "anonymous": {"enabled": False},
                "webhook": {"enabled": False},
                "x509": {"clientCAFile": str(layout.ca)},
            },
            "authorization": {"mode": "AlwaysAllow"},
            "containerRuntimeEndpoint": f"unix://{CONTAINERD_SOCKET}",
            "clusterDNS": [network.DNS_ADDRESS],
            "clusterDomain": network.CLUSTER_DOMAIN,
            # Cgroups as they are on this machine, whichever version; no systemd is needed.
            "cgroupDriver": "cgroupfs",
            "failCgroupV1": False,
            "cgroupsPerQOS": False,
            "enforceNodeAllocatable": [],
            "failSwapOn": False,
            # The machine's disk is others' too: how full it is says nothing about this node.
            "localStorageCapacityIsolation": False,
            "evictionHard": {
                "memory.available": "100Mi",
                "nodefs.available": "0%",
                "imagefs.available": "0%",
            },
            # Images cannot be fetched again, so none is ever dropped.
            "imageGCHighThresholdPercent": 100,
            "maxPods": 800,
            "kubeAPIQPS": 200,
            "kubeAPIBurst": 400,
            "serializeImagePulls": False,
            # The defaults lie where they would have to be made on the machine.
            "volumePluginDir": str(layout.node / "volume-plugins"),
            "shutdownGracePeriod": "0s",
        }
    )


def proxy(kubeconfig: Path) -> str:
    """https://kubernetes.io/docs/reference/config-api/kube-proxy-config.v1alpha1/"""
    return _yaml(
        {
            "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
            "kind": "KubeProxyConfiguration",
            "clientConnection": {"kubeconfig": str(kubeconfig)},
            "mode": "nftables",
            "clusterCIDR": network.POD_CIDR,
            "hostnameOverride": network.NODE_NAME,
            "nodePortAddresses": [f"{network.NODE_ADDRESS}/32"],
            "healthzBindAddress": "127.0.0.1:10256",
            "metricsBindAddress": "127.0.0.1:10249",
            # These would be written for the whole machine.
            "conntrack": {
                "maxPerCore": 0,
                "min": 0,
                "tcpEstablishedTimeout": "0s",
                "tcpCloseWaitTimeout": "0s",
            },
            "nftables": {"minSyncPeriod": "100ms"},
        }
    )


def _yaml(document: dict[str, Any]) -> str:
    return yaml.safe_dump(document, sort_keys=False)
