"""What does external-dns have to know of an object? Annotations, if the platform wants them.

https://kubernetes-sigs.github.io/external-dns/latest/docs/annotations/annotations/
"""

from __future__ import annotations

from .model import Manifest, Platform
from .public import public_names


def annotated(manifest: Manifest, ref: str, platform: Platform) -> Manifest:
    """The object with external-dns's annotations, if it has public names; else as it was."""
    prefix = platform.external_dns_prefix
    hosts = public_names(manifest, ref, platform)
    if prefix is None or not hosts:
        return manifest
    wanted = {"hostname": ",".join(hosts)} | _only_these(manifest["kind"])
    # what routes point to is annotated on their Gateway, which is not ours
    if platform.dns_targets and manifest["kind"] != "HTTPRoute":
        wanted["target"] = ",".join(platform.dns_targets)
    metadata = manifest["metadata"]
    annotations = dict(metadata.get("annotations", {}))
    if platform.external_dns_ttl is not None:
        annotations.setdefault(f"{prefix}ttl", str(platform.external_dns_ttl))
    # a project may have a say in how long, never in which names
    annotations |= {f"{prefix}{key}": value for key, value in wanted.items()}
    return {**manifest, "metadata": {**metadata, "annotations": dict(sorted(annotations.items()))}}


def _only_these(kind: str) -> dict[str, str]:
    """Keeps custom domains from external-dns: it would take a name of its zones for anybody who
    asks."""
    source = {"Ingress": "ingress-hostname-source", "HTTPRoute": "gateway-hostname-source"}.get(
        kind
    )
    return {source: "annotation-only"} if source else {}
