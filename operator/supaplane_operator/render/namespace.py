"""What does a project namespace hold besides the components: limits, copies, labels?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from supaplane_contract import names, shares
from supaplane_contract.sizes import CONTAINER_DEFAULT

from . import objects
from .context import Project
from .model import Manifest
from .workload import user_environment

POD_SECURITY_VERSION: Final = "v1.31"
"""The Pod Security Standards as they were in the oldest Kubernetes that we support."""


def namespace_labels(ref: str, *, logs: bool = False) -> dict[str, str]:
    """Labels of the project namespace. `logs`: whether its logs are collected.

    `baseline` is what the database's image allows, which starts as root and steps down by itself;
    every other pod keeps to `restricted`, as its template says.
    """
    collected = {names.LABEL_LOGS: names.LOGS_COLLECTED} if logs else {}
    return collected | {
        names.LABEL_MANAGED_BY: names.MANAGED_BY,
        names.LABEL_PART_OF: names.PART_OF,
        names.LABEL_REF: ref,
        "pod-security.kubernetes.io/enforce": "baseline",
        "pod-security.kubernetes.io/enforce-version": POD_SECURITY_VERSION,
    }


def shared(project: Project) -> Iterator[Manifest]:
    """Quota, defaults for containers, the account of all pods, the full copy of the credentials,
    copies for extraEnvFrom."""
    yield objects.manifest(
        "v1",
        "ResourceQuota",
        objects.PROJECT,
        project.ref,
        spec={"hard": shares.quota(project.spec)},
    )
    yield _limits(project)
    # One for all: none has rights, and none has a token. Not `default`, which somebody else makes
    # in the end, but pods may be wanted before.
    yield objects.manifest(
        "v1",
        "ServiceAccount",
        objects.PROJECT,
        project.ref,
        automountServiceAccountToken=False,
    )
    yield objects.secret(names.CREDENTIALS_COPY, project.ref, project.input.credentials)
    sources = {
        source.name
        for name in project.enabled
        for source in project.spec.component(name).extra_env_from
    }
    for source in sorted(sources):
        values = project.user_secret_all(source)
        yield objects.secret(user_environment(source), project.ref, values)


def _limits(project: Project) -> Manifest:
    requests, limits = CONTAINER_DEFAULT.requests, CONTAINER_DEFAULT.limits
    container = {
        "type": "Container",
        "defaultRequest": {"cpu": requests.cpu, "memory": requests.memory},
        "default": {"cpu": limits.cpu, "memory": limits.memory},
    }
    return objects.manifest(
        "v1", "LimitRange", objects.PROJECT, project.ref, spec={"limits": [container]}
    )
