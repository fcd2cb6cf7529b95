"""What lets the operator work inside a project namespace? One RoleBinding there."""

from __future__ import annotations

import asyncio
from typing import Final

from supaplane_contract import names
from supaplane_kube import Forbidden, Kube
from supaplane_kube.port import Manifest
from supaplane_kube.resources import ROLE_BINDINGS, SECRETS

from .claim import Claim
from .differs import differs
from .errors import LookAgain
from .settings import Settings

CLUSTER_ROLE: Final = "supaplane-project"
BINDING: Final = "supaplane-operator"
ATTEMPTS: Final = 6


def binding(namespace: str, ref: str, settings: Settings) -> Manifest | None:
    """The RoleBinding, or None when the operator runs with rights of its own."""
    if not settings.service_account or not settings.operator_namespace:
        return None
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": {
            "name": BINDING,
            "namespace": namespace,
            "labels": {
                names.LABEL_REF: ref,
                names.LABEL_MANAGED_BY: names.MANAGED_BY,
                names.LABEL_PART_OF: names.PART_OF,
            },
        },
        "roleRef": {
            "apiGroup": "rbac.authorization.k8s.io",
            "kind": "ClusterRole",
            "name": CLUSTER_ROLE,
        },
        "subjects": [
            {
                "kind": "ServiceAccount",
                "name": settings.service_account,
                "namespace": settings.operator_namespace,
            }
        ],
    }


async def grant(kube: Kube, claim: Claim, ref: str, settings: Settings) -> None:
    """Makes the binding if it is not there, and waits until the API server honours it."""
    wanted = binding(claim.name, ref, settings)
    if wanted is None:
        return
    live = None if claim.fresh else await kube.get(ROLE_BINDINGS, claim.name, BINDING)
    if not differs(wanted, live):
        return
    await kube.apply(
        ROLE_BINDINGS, claim.name, BINDING, wanted, manager=names.FIELD_MANAGER_OPERATOR
    )
    for attempt in range(ATTEMPTS):
        try:
            await kube.get(SECRETS, claim.name, names.CREDENTIALS_COPY)
            return
        except Forbidden:
            await asyncio.sleep(0.05 * 2**attempt)
    raise LookAgain("the API server does not honour the new RoleBinding yet", seconds=1.0)
