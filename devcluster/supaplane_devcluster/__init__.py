"""A real Kubernetes control plane on this machine, without Docker: see ../README.md."""

from .cluster import Cluster, all_clusters
from .errors import CannotBuild, CommandFailed, DevclusterError, DidNotStart, NotRunning
from .options import ClusterOptions

__all__ = [
    "CannotBuild",
    "Cluster",
    "ClusterOptions",
    "CommandFailed",
    "DevclusterError",
    "DidNotStart",
    "NotRunning",
    "all_clusters",
]
