"""How does work that is done once and ends become a Job?

Its name ends in a hash of what it does: a Job's template cannot be changed, so other work is
another Job. It has no time to live: once gone, it would only be made and run again.
"""

from __future__ import annotations

import hashlib
from typing import Final

import orjson

from supaplane_contract.sizes import CONTAINER_DEFAULT

from . import objects
from .context import Project
from .model import Manifest
from .part import Part, Task

ATTEMPTS: Final = 6
"""Pods that may fail before the Job does. They are kept, for what they say in their logs."""


def job(project: Project, part: Part, task: Task) -> Manifest:
    """The Job of a task. `project` is the project with only the component's own credentials.

    Its pods carry the task's name where those of components carry theirs, so that neither the
    component's Service nor its NetworkPolicy takes them for its own.
    """
    spec: Manifest = {
        "backoffLimit": ATTEMPTS,
        "template": {
            "metadata": {"labels": objects.labels(project.ref, task.name)},
            "spec": _pod(project, part, task),
        },
    }
    done = hashlib.sha256(orjson.dumps(spec, option=orjson.OPT_SORT_KEYS)).hexdigest()[:10]
    name = f"{part.name.value}-{task.name}-{done}"
    return objects.manifest(
        "batch/v1", "Job", name, project.ref, component=part.name.value, spec=spec
    )


def _pod(project: Project, part: Part, task: Task) -> Manifest:
    spec: Manifest = {
        "serviceAccountName": objects.PROJECT,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "restartPolicy": "Never",
        "terminationGracePeriodSeconds": 5,
        "dnsConfig": {"options": [{"name": "ndots", "value": "1"}]},
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": task.user,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [
            {
                "name": task.name,
                "image": task.image(project) if task.image else project.helper(task.name),
                "imagePullPolicy": "IfNotPresent",
                "resources": objects.resources(
                    CONTAINER_DEFAULT.requests, CONTAINER_DEFAULT.limits
                ),
                **task.container(project),
            }
        ],
    }
    if project.platform.image_pull_secrets:
        spec["imagePullSecrets"] = [{"name": n} for n in project.platform.image_pull_secrets]
    return objects.with_last_words(spec)
