"""The API server's audit policy: a line for each finished request, and never a body."""

from __future__ import annotations

from typing import Any

import yaml

from .options import AuditScope

WRITES = ["create", "update", "patch", "delete", "deletecollection"]


def policy(scope: AuditScope) -> str:
    rules: list[dict[str, Any]]
    if scope == "writes":
        # Everything non-resource (health, discovery) is a read, so the verbs alone decide.
        rules = [{"level": "Metadata", "verbs": WRITES}, {"level": "None"}]
    else:
        rules = [{"level": "None", "nonResourceURLs": ["/*"]}, {"level": "Metadata"}]
    return yaml.safe_dump(
        {
            "apiVersion": "audit.k8s.io/v1",
            "kind": "Policy",
            "omitStages": ["RequestReceived", "ResponseStarted"],
            "rules": rules,
        },
        sort_keys=False,
    )
