"""What can be chosen about a cluster, and in which words."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal, Self, get_args

from .errors import DevclusterError

AuditScope = Literal["writes", "all"]
NodeKind = Literal["simulated", "real"]
NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?")


@dataclass(frozen=True)
class ClusterOptions:
    """Chosen when a cluster is made, and kept with it."""

    nodes: int = 3
    pod_delay: float = 0.0
    pod_jitter: float = 0.0
    job_duration: float = 0.0
    audit: AuditScope | bool | None = None
    feature_gates: dict[str, bool] = field(default_factory=dict)
    node: NodeKind = "simulated"

    def __post_init__(self) -> None:
        if not 1 <= self.nodes <= 250:
            raise DevclusterError(f"nodes must be 1 to 250, not {self.nodes}")
        for name in ("pod_delay", "pod_jitter", "job_duration"):
            if getattr(self, name) < 0:
                raise DevclusterError(f"{name} cannot be negative")
        if self.node not in get_args(NodeKind):
            raise DevclusterError(f"node must be 'simulated' or 'real', not {self.node!r}")
        if self.audit not in (None, True, False, *get_args(AuditScope)):
            raise DevclusterError(f"audit must be 'writes', 'all' or None, not {self.audit!r}")

    @property
    def has_real_node(self) -> bool:
        """One node that runs pods, instead of `nodes` that pretend to."""
        return self.node == "real"

    @property
    def audit_scope(self) -> AuditScope | None:
        """True is the usual wish: who wrote what."""
        if isinstance(self.audit, str):
            return self.audit
        return "writes" if self.audit else None

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """Tolerant, because the file may be of another version of this package."""
        known = {f.name for f in fields(cls)}
        return cls(**{key: value for key, value in data.items() if key in known})


def checked_name(name: str) -> str:
    """A name becomes a folder and a kubeconfig context, so it is kept plain."""
    if not NAME.fullmatch(name):
        raise DevclusterError(
            f"{name!r} is no name for a cluster: up to 40 lower-case letters, digits and dashes"
        )
    return name


def parse_duration(text: str) -> float:
    """Seconds from `0`, `250ms`, `1.5s` or `2m`."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(ms|s|m|h)?", text.strip())
    if not match:
        raise ValueError(f"{text!r} is no duration; write 250ms, 1.5s or 2m")
    unit = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, None: 1.0}[match[2]]
    return float(match[1]) * unit
