"""How does a component become objects: Secret, ConfigMap, Service, workload?"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any, Final

from supaplane_contract import names, shares
from supaplane_contract.spec import Autoscaling, ScalableComponent

from . import inputs, objects, tasks
from .context import Project
from .model import Manifest, RenderedComponent
from .part import Part, Pod

RESTRICTED: Final[Manifest] = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
}
"""Container fields that the Pod Security Standard `restricted` asks for."""
LONGEST_NAME: Final = 253
ANNOTATION_SCALING: Final = f"{names.GROUP}/scaling"
"""`automatic` or `asleep`, where an autoscaler runs. Waking such a workload means giving up
`replicas`, which no comparison of rendered fields would notice; this annotation it does notice."""


def render(project: Project, part: Part, own: Project) -> tuple[list[Manifest], RenderedComponent]:
    """All objects of one component, in the order to apply them, and what to watch of it.

    `own` is the project with only the component's own credentials.
    """
    pod = part.pod(own)
    manifests = [*_beside(project, part, pod), *part.objects(own)]
    workload = _workload(project, part, pod, own)
    scaler = _autoscaler(project, part, workload["kind"])
    jobs = {} if project.paused else {t.name: tasks.job(own, part, t) for t in part.due(own)}
    watched = RenderedComponent(
        name=part.name,
        image=project.image(part.name),
        workload=(workload["kind"], workload["metadata"]["name"]),
        desired=_desired(project, part),
        jobs=tuple((job["metadata"]["name"], task) for task, job in jobs.items()),
    )
    return [*manifests, workload, *jobs.values(), *scaler], watched


def user_environment(source: str) -> str:
    """Name of our copy of a Secret of the user's, out of which variables come."""
    return copy_of(source, "env")


def copy_of(source: str, purpose: str) -> str:
    """Name of our copy of a Secret of the user's, as long as a name may be."""
    name = f"{purpose}-{source}"
    if len(name) <= LONGEST_NAME:
        return name
    return f"{name[: LONGEST_NAME - 17]}-{hashlib.sha256(source.encode()).hexdigest()[:16]}"


def _beside(project: Project, part: Part, pod: Pod) -> Iterator[Manifest]:
    name = part.name.value
    hidden = {**pod.secret_env, **pod.secret_files, **pod.live_secret_files}
    shown = {**pod.config_files, **pod.live_config_files}
    if hidden:
        yield objects.secret(name, project.ref, hidden, component=name)
    if shown:
        yield objects.config_map(name, project.ref, shown, component=name)
    yield objects.service(name, project.ref, part.ports)


def _workload(project: Project, part: Part, pod: Pod, own: Project) -> Manifest:
    name, inputs_hash = part.name.value, inputs.of_inputs(project, part, own)
    spec: Manifest = {
        "selector": {"matchLabels": objects.selector(project.ref, name)},
        "template": _template(project, part, pod, inputs_hash),
    }
    replicas = _replicas(project, part)
    if replicas is not None:
        spec["replicas"] = replicas
    annotations = {}
    live_inputs = inputs.of_live_inputs(project, part, own)
    if live_inputs:
        annotations[names.ANNOTATION_LIVE_INPUTS] = live_inputs
    if _scaling(project, part) is not None:
        annotations[ANNOTATION_SCALING] = "asleep" if project.paused else "automatic"
    kind = "StatefulSet" if part.stateful else "Deployment"
    return objects.manifest(
        "apps/v1",
        kind,
        name,
        project.ref,
        component=name,
        annotations=annotations,
        spec=spec | _strategy(project, part),
    )


def _strategy(project: Project, part: Part) -> Manifest:
    if part.stateful:
        return {
            "serviceName": part.name.value,
            "updateStrategy": {"type": "RollingUpdate"},
            # otherwise a pod that never becomes ready is never replaced by a mended one
            # (https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#forced-rollback)
            "podManagementPolicy": "Parallel",
        }
    kind: Manifest = {"type": "Recreate"}
    if not part.recreate(project):
        kind = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}
    return {"strategy": kind, "revisionHistoryLimit": 3}


def _template(project: Project, part: Part, pod: Pod, inputs_hash: str) -> Manifest:
    name = part.name.value
    template: Manifest = {
        "metadata": {"labels": objects.labels(project.ref, name), "annotations": {}},
        "spec": _pod_spec(project, part, pod),
    }
    restart = project.input.restarts.get(part.name)
    if restart:
        template["metadata"]["annotations"][names.ANNOTATION_RESTARTED] = restart
    rendering = inputs.of_rendering(template, {**pod.secret_files, **pod.config_files})
    template["metadata"]["annotations"] |= {
        names.ANNOTATION_INPUTS: inputs_hash,
        names.ANNOTATION_RENDERING: rendering,
    }
    return template


def _pod_spec(project: Project, part: Part, pod: Pod) -> Manifest:
    spec: Manifest = {
        "serviceAccountName": objects.PROJECT,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": 30,
        # names in here are full: asking for them as they are spares the search list
        "dnsConfig": {"options": [{"name": "ndots", "value": "1"}]},
        "topologySpreadConstraints": _spread(project, part),
        **pod.spec,
        "containers": [_container(project, part, pod), *pod.sidecars],
    }
    if project.platform.image_pull_secrets:
        spec["imagePullSecrets"] = [{"name": n} for n in project.platform.image_pull_secrets]
    return objects.with_last_words(spec)


def _spread(project: Project, part: Part) -> list[Any]:
    return [
        {
            "maxSkew": 1,
            "topologyKey": "kubernetes.io/hostname",
            "whenUnsatisfiable": "ScheduleAnyway",
            "labelSelector": {"matchLabels": objects.selector(project.ref, part.name.value)},
        }
    ]


def _container(project: Project, part: Part, pod: Pod) -> Manifest:
    name = part.name.value
    share = shares.share(project.spec, part.name)
    container: Manifest = {
        "name": name,
        "image": project.image(part.name),
        "imagePullPolicy": "IfNotPresent",
        "ports": [
            {"name": port, "containerPort": number, "protocol": "TCP"}
            for port, number in part.ports.items()
        ],
        "resources": objects.resources(share.requests, share.limits),
        **pod.container,
    }
    variables = objects.env(pod.env, name, {key: key for key in pod.secret_env})
    if variables:
        container["env"] = variables
    sources = project.spec.component(part.name).extra_env_from
    if sources:
        container["envFrom"] = [
            {"secretRef": {"name": user_environment(source.name)}} for source in sources
        ]
    return container


def _scaling(project: Project, part: Part) -> Autoscaling | None:
    spec = project.spec.component(part.name)
    return spec.autoscaling if isinstance(spec, ScalableComponent) else None


def _replicas(project: Project, part: Part) -> int | None:
    """What the workload says; None leaves it to the autoscaler."""
    if project.paused:
        return 0
    return None if _scaling(project, part) else shares.replicas(project.spec, part.name)


def _desired(project: Project, part: Part) -> int:
    if project.paused:
        return 0
    scaling = _scaling(project, part)
    return scaling.min_replicas if scaling else shares.replicas(project.spec, part.name)


def _autoscaler(project: Project, part: Part, kind: str) -> Iterator[Manifest]:
    scaling = _scaling(project, part)
    if scaling is None:
        return
    name = part.name.value
    target = {"type": "Utilization", "averageUtilization": scaling.target_cpu_utilization}
    yield objects.manifest(
        "autoscaling/v2",
        "HorizontalPodAutoscaler",
        name,
        project.ref,
        component=name,
        spec={
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": kind, "name": name},
            "minReplicas": scaling.min_replicas,
            "maxReplicas": scaling.max_replicas,
            "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": target}}],
        },
    )
